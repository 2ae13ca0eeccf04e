"""What the check of an env finds, and what it refuses."""

from pathlib import Path

import pytest

from arena.pettingzoo import worker_pool
from arena.pettingzoo.as_game import ImportedGame
from arena.pettingzoo.errors import EnvError
from arena.pettingzoo.spec import EnvSpec
from arena.pettingzoo.validate import check_env
from tests.helpers.race import RACE

pytestmark = pytest.mark.usefixtures("race_folder")


FAULTS = {
    "three": r"3 agents; a game of Arena has two$",
    "continuous": r"the actions of ann are Box\(.*; a game of Arena has discrete ones$",
    "cooperative": r"rewards of 1 and 1 do not sum to zero at ply \d+, after the moves [01 ]+$",
    "mask": r"the action_mask has the shape \(3,\), but there are 2 actions at the start$",
    "raises": r"step raises RuntimeError: the table is broken at ply 7, after the moves( [01]){7}$",
    "endless": r"no end after 50 moves \(arena\.plies=N allows more\) at ply 51, after ",
    "punished": r"of -1 and 0 do not sum to zero \(is the last move illegal\? its mask allows it\)",
    "nan": r"bob: an observation holds nan, which is no finite float32 at ply 3, after the moves",
    "huge": r"bob: an observation holds 1e\+200, which is no finite float32 at ply 3, after",
    "shared": r"^its envs share state: a game goes another way while one is played beside it",
    "stuck": r"is to move and has no legal move at ply \d, after the moves [01 ]+$",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_said_in_one_line(fault: str):
    with pytest.raises(EnvError, match=FAULTS[fault]) as caught:
        check_env(f"{RACE}?fault={fault}&arena.plies=50")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("hangs", "no answer for 3 seconds at ply 3"),
        ("dies", "process died .exit code 9. at ply 3"),
    ],
)
def test_an_env_that_takes_its_process_down_is_named_too(fault: str, line: str):
    with pytest.raises(EnvError, match=line):
        worker_pool.check_env(f"{RACE}?fault={fault}&arena.timeout=3")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("pettingzoo:", "names no env"),
        ("pettingzoo:no_such_package.env", "there is no module 'no_such_package.env'"),
        ("pettingzoo:./gone.py", "there is no file gone.py"),
        ("pettingzoo:./race.py:nothing", "no function nothing; there are: .*env"),
        ("pettingzoo:./race.py?colour=red", "making the env raises TypeError: .*colour"),
        ("pettingzoo:./race.py?arena.color=red", "no option arena.color; there are: seat, "),
        ("pettingzoo:./race.py?arena.plies=-1", "arena.plies must be positive"),
        ("pettingzoo:./race.py?arena.seat=2", "arena.seat=2 is no bool"),
        ("pettingzoo:./race.py?fault", "options are written"),
        ("pettingzoo:classic/no_such_game-v0", "no_such_game"),
    ],
)
def test_a_name_that_means_nothing_is_refused(name: str, line: str):
    with pytest.raises(EnvError, match=line) as caught:
        check_env(name)
    assert "\n" not in str(caught.value)


def test_what_a_check_finds(race_game: ImportedGame):
    assert race_game.spec == EnvSpec(
        agents=("ann", "bob"),
        num_actions=2,
        shape=(12,),
        dtype="int8",
        low=0.0,
        high=1.0,
        masked=True,
        add_seat=True,
        hidden_or_chance=False,
        reproducible=True,
        copyable=True,
        longest_game=8,  # of at most ten, in a hundred random games
        max_plies=5000,
        max_payoff=1.0,
    )
    assert race_game.spec.notes == ()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("turned=true", {"add_seat": False, "shape": (13,)}),
        ("nested=true", {"dtype": "float32", "shape": (12,), "add_seat": True}),
        ("fault=unmasked", {"masked": False, "reproducible": True}),
        ("fault=names", {"agents": ("ann", "7")}),
        ("fault=half", {"dtype": "float32"}),
        ("board=true", {"low": 0.0, "high": 6.0, "shape": (2, 3), "notes": ()}),
        ("board=true&fault=beyond", {"low": 0.0, "high": 6.0}),
        ("fault=secret", {"hidden_or_chance": True}),
        ("fault=dice", {"hidden_or_chance": True, "reproducible": True}),
        ("fault=first", {"hidden_or_chance": False}),
        ("fault=random", {"reproducible": False, "copyable": False}),
        (
            "arena.payoff=3&arena.hidden=true&arena.seat=false",
            {"max_payoff": 3.0, "hidden_or_chance": True, "add_seat": False},
        ),
    ],
)
def test_oddities_are_found_and_borne(options: str, expected: dict[str, object]):
    found = check_env(f"{RACE}?{options}")
    assert {key: getattr(found, key) for key in expected} == expected
    if "first" in options:
        assert "the first player varies with the seed" in found.notes
    if "beyond" in options:
        assert "bob observes 1 to 6, its space is 0 to 4" in found.notes
    if "random" in options:
        assert any("cannot be repeated" in note for note in found.notes)


@pytest.mark.parametrize(
    ("name", "shape", "hidden"),
    [
        ("classic/tictactoe-v3", (3, 3, 2), False),
        ("pettingzoo.classic.leduc_holdem_v4", (36,), True),
        ("classic/rps_v2?num_actions=5", (6,), True),
        ("classic/go_v5?board_size=5", (5, 5, 17), False),
    ],
)
def test_envs_of_pettingzoo_pass(name: str, shape: tuple[int, ...], hidden: bool):
    pytest.importorskip("rlcard")
    found = check_env(f"pettingzoo:{name}")
    assert (found.shape, found.hidden_or_chance) == (shape, hidden)
    assert found.reproducible
    assert found.copyable
    assert not any("api_test" in note for note in found.notes)


def test_envs_for_older_releases_find_what_has_another_name():
    old = (
        Path("race.py")
        .read_text()
        .replace(
            "self.agents = list(",
            "self.order = agent_selector(self.possible_agents)\n        self.agents = list(",
        )
    )
    Path("old.py").write_text(f"from pettingzoo.utils import agent_selector\n{old}")
    assert check_env("pettingzoo:./old.py").agents == ("ann", "bob")


def test_a_cooperative_game_of_pettingzoo_is_refused():
    with pytest.raises(EnvError, match=r"rewards of 1 and 1 do not sum to zero at ply \d+"):
        check_env("pettingzoo:classic/hanabi_v5")
