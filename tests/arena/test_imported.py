"""A PettingZoo env as a game of Arena: what its check finds, and what its matches give."""

import os
import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents import uniform
from agents.learners import ppo
from agents.nn import networks
from arena.judges.rules import Rules
from arena.pettingzoo import worker_pool
from arena.pettingzoo.as_game import Imported, _planes
from arena.pettingzoo.fault import Fault
from arena.pettingzoo.validate import Facts, inspect
from arena.play import device_loop, host_loop, match
from arena.play.openings import random_openings
from arena.play.session import Session
from arena.types import Agent, HostAgent, stack
from tests.helpers import race
from tests.helpers.false_judge import Inverted

RACE = "pettingzoo:./race.py"


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory):
    """A user's folder, with an env of his own in it."""
    folder, before = tmp_path_factory.mktemp("user"), Path.cwd()
    shutil.copy(race.__file__, folder / "race.py")
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.fixture(scope="module")
def game() -> Imported:
    """The game that all is well with, checked in a process of its own."""
    return Imported(RACE, worker_pool.inspect(RACE))


FAULTS = {
    "three": r"3 agents; a game of Arena has two$",
    "continuous": r"the actions of ann are Box\(.*; a game of Arena has discrete ones$",
    "cooperative": r"rewards of 1 and 1 do not sum to zero at ply \d+, after the moves [01 ]+$",
    "mask": r"the action_mask has the shape \(3,\), but there are 2 actions at the start$",
    "raises": r"step raises RuntimeError: the table is broken at ply 7, after the moves( [01]){7}$",
    "endless": r"no end after 50 moves \(arena\.plies=N allows more\) at ply 51, after ",
    "punished": r"of -1 and 0 do not sum to zero \(is the last move illegal\? its mask allows it\)",
    "stuck": r"is to move and has no legal move at ply \d, after the moves [01 ]+$",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_said_in_one_line(fault: str):
    with pytest.raises(Fault, match=FAULTS[fault]) as caught:
        inspect(f"{RACE}?fault={fault}&arena.plies=50")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("hangs", "no answer for 3 seconds at ply 3"),
        ("dies", "process died .exit code 9. at ply 3"),
    ],
)
def test_an_env_that_takes_its_process_down_is_named_too(fault: str, line: str):
    with pytest.raises(Fault, match=line):
        worker_pool.inspect(f"{RACE}?fault={fault}&arena.timeout=3")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("pettingzoo:", "names no env"),
        ("pettingzoo:no_such_package.env", "there is no module 'no_such_package.env'"),
        ("pettingzoo:./gone.py", "there is no file gone.py"),
        ("pettingzoo:./race.py:nothing", "no function nothing; there are: .*env"),
        ("pettingzoo:./race.py?colour=red", "making the env raises TypeError: .*colour"),
        ("pettingzoo:./race.py?arena.color=red", "no option arena.color; there are: seat, "),
        ("pettingzoo:./race.py?arena.plies=-1", "arena.plies must be positive, not -1"),
        ("pettingzoo:./race.py?arena.seat=2", "arena.seat=2 is no bool"),
        ("pettingzoo:./race.py?fault", "options are written"),
        ("pettingzoo:classic/no_such_game-v0", "no_such_game"),
    ],
)
def test_a_name_that_means_nothing_is_refused(name: str, line: str):
    with pytest.raises(Fault, match=line) as caught:
        inspect(name)
    assert "\n" not in str(caught.value)


def test_what_a_check_finds(game: Imported):
    assert game.known == Facts(
        agents=("ann", "bob"),
        actions=2,
        shape=(12,),
        dtype="int8",
        low=0.0,
        high=1.0,
        masked=True,
        seat=True,
        hidden=False,
        steady=True,
        copies=True,
        plies=8,  # of at most ten, in a hundred random games
        limit=5000,
        payoff=1.0,
    )
    assert game.known.notes == ()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("turned=true", {"seat": False, "shape": (13,)}),
        ("nested=true", {"dtype": "float32", "shape": (12,), "seat": True}),
        ("fault=unmasked", {"masked": False, "steady": True}),
        ("fault=names", {"agents": ("ann", "7")}),
        ("fault=first", {"hidden": False}),
        ("fault=random", {"steady": False, "copies": False}),
        ("arena.payoff=3&arena.hidden=true&arena.seat=false", {"payoff": 3.0, "hidden": True}),
    ],
)
def test_oddities_are_found_and_borne(options: str, expected: dict[str, object]):
    found = inspect(f"{RACE}?{options}")
    assert {key: getattr(found, key) for key in expected} == expected
    if "first" in options:
        assert "the first player varies with the seed" in found.notes
    if "random" in options:
        assert any("cannot be repeated" in aux for aux in found.notes)


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
    found = inspect(f"pettingzoo:{name}")
    assert (found.shape, found.hidden) == (shape, hidden)
    assert found.steady
    assert found.copies
    assert not any("api_test" in aux for aux in found.notes)


def test_envs_for_older_releases_find_what_has_another_name(folder: Path):
    old = (
        Path("race.py")
        .read_text()
        .replace(
            "self.agents = list(",
            "self.order = agent_selector(self.possible_agents)\n        self.agents = list(",
        )
    )
    Path("old.py").write_text(f"from pettingzoo.utils import agent_selector\n{old}")
    assert inspect("pettingzoo:./old.py").agents == ("ann", "bob")


def test_a_cooperative_game_of_pettingzoo_is_refused():
    with pytest.raises(Fault, match=r"rewards of 1 and 1 do not sum to zero at ply \d+"):
        inspect("pettingzoo:classic/hanabi_v5")


@pytest.mark.parametrize(
    ("shape", "dtype", "low", "high", "expected"),
    [
        ((6, 7, 2), "int8", 0, 1, (6, 7, 2)),
        ((2, 6, 7), "int8", 0, 1, (6, 7, 2)),
        ((8, 8, 111), "bool", 0, 1, (8, 8, 111)),
        ((111, 8, 8), "bool", 0, 1, (8, 8, 111)),
        ((3, 3), "int8", -1, 1, (3, 3, 3)),
        ((3, 3), "uint8", 0, 255, (3, 3, 1)),
        ((3, 4), "float32", -np.inf, np.inf, (12,)),
        ((1, 1, 5), "float32", 0, 1, (5,)),
        ((5, 1), "int8", 0, 1, (5,)),
    ],
)
def test_observations_become_planes_or_vectors(shape, dtype, low, high, expected):
    known = Facts(("a", "b"), 2, shape, dtype, low, high, True, False, False, True, True, 9, 9, 1.0)
    raw = np.arange(np.prod(shape)).reshape(shape) % 2
    seen = np.asarray(_planes(known, raw.astype(dtype)))
    assert (seen.shape, seen.dtype) == (expected, np.float32)
    if len(shape) == 3 and shape[0] == 2:  # channels first
        np.testing.assert_array_equal(seen[..., 1], raw[1])
    if (low, high) == (-1, 1):  # a plane for each value
        np.testing.assert_array_equal(seen.argmax(-1), raw + 1)
        np.testing.assert_array_equal(seen.sum(-1), 1)
    if high == 255:
        assert seen.max() == np.float32(1 / 255)


def _match(game: Imported, slots: int, pairs: int = 12, seed: int = 0, plies: int = 2):
    """Two matches between exploring policies, recorded."""
    policy = ppo.NetworkPolicy(game, networks.MLPConfig(8, 1), explore=True)
    keys = jax.random.split(jax.random.key(seed), 2)
    params = stack([networks.initialise(game, policy.network, key) for key in keys])
    table = device_loop.Match(game, policy, policy, judge=Rules(game), slots=slots, record=True)
    starts = random_openings(game, keys[0], shape=(2, pairs), plies=plies)
    played = table.play(params, params, keys=keys, openings=starts)
    return played.scores, jax.tree.map(np.asarray, played.record)


def _games(
    record: device_loop.Record, group: int, pairs: int
) -> dict[int, list[tuple[int, int, int]]]:
    """By game the sides that moved, the number that they saw and what they played."""
    found: dict[int, list[tuple[int, int, int]]] = {}
    for time, side, slot in np.argwhere(record.game[:, :, group] < 2 * pairs).tolist():
        at = time, side, group, slot
        number = int(record.state.observation[at].argmax())
        row = side, number, int(record.aux.move[at])
        found.setdefault(int(record.game[at]), []).append(row)
    return found


@pytest.mark.parametrize("slots", [1, 4, 12])
def test_every_game_is_played_to_its_end_by_the_rules(game: Imported, slots: int):
    scores, record = _match(game, slots)
    assert scores.shape == (2, 12, 2)
    assert np.isin(scores, (0, 1)).all()
    assert record.state.observation.dtype == np.int8
    for group in range(2):
        games = _games(record, group, 12)
        assert sorted(games) == list(range(24))
        for number, moves in games.items():
            sides = [side for side, _, _ in moves]
            assert sides == [(number // 12 + i) % 2 for i in range(len(moves))]  # A, then B
            places = [place for _, place, _ in moves]
            steps = [move + 1 for _, _, move in moves]
            assert places[1:] == [a + b for a, b in zip(places, steps, strict=True)][:-1]
            assert places[-1] + steps[-1] in (race.END, race.END + 1)
            assert scores[group, number % 12, number // 12] == (sides[-1] == 0)
        for pair in range(12):  # both games of a pair have the same opening
            assert games[pair][0][1] == games[pair + 12][0][1]
        assert len({moves[0][1] for moves in games.values()}) > 1


def test_a_match_comes_again_to_the_last_bit(game: Imported):
    one, two = _match(game, 4), _match(game, 4)
    jax.tree.map(np.testing.assert_array_equal, one, two)
    assert (_match(game, 4, seed=1)[0] != one[0]).any()


@pytest.mark.parametrize("kind", ["die", "hang"])
def test_a_lost_worker_is_replaced_and_its_games_played_anew(kind: str, folder: Path):
    accident = folder / f"{kind}.once"
    name = f"{RACE}?once={accident}&arena.timeout=2"
    game = Imported(name, worker_pool.inspect(name))
    accident.touch()
    scores, record = _match(game, 4)
    assert not accident.exists()
    assert game.voided > 0
    assert any("a worker" in line for line in game.crew.failed)
    assert np.isin(scores, (0, 1)).all()
    for group in range(2):
        for number, moves in _games(record, group, 12).items():  # nothing of void games is left
            assert moves[-1][1] + moves[-1][2] + 1 >= race.END
            assert moves[0][0] == number // 12
    before = game.voided
    assert np.isin(_match(game, 4)[0], (0, 1)).all()
    assert game.voided == before
    game.crew.close()


def test_an_env_that_always_fails_ends_the_match_in_one_line(game: Imported):
    broken = Imported(f"{RACE}?fault=raises", game.known)
    with pytest.raises(Fault, match=r"games failed; the last: step raises RuntimeError: the table"):
        _match(broken, 4)
    broken.crew.close()


class First(HostAgent):
    """Plays the first legal move, outside the device."""

    name = "first"

    def choose(self, game, position):
        return int(np.flatnonzero(position.state.legal)[0])


def test_a_host_agent_meets_a_device_agent_in_it(game: Imported):
    device = Agent("uniform", uniform.Uniform(game))
    key = jax.random.key(3)
    scores = match.play([First()], [device], game, key=key, pairs=6, plies=2, groups=1, slots=4)
    assert scores.shape == (1, 6, 2)
    assert np.isin(scores, (0, 1)).all()
    told: list[int] = []
    players = First(), host_loop.HostedAgent(device, key)
    session = Session(game, seed=3)
    record = host_loop.play(session, players, callback=lambda seat, label: told.append(int(label)))
    assert session.over
    assert record.moves == tuple(told)
    assert sum(told) + len(told) in (race.END, race.END + 1)
    assert record.result == (1 if len(told) % 2 else -1)


def test_a_session_goes_on_in_the_env_and_takes_nothing_back(game: Imported):
    session = Session(game, seed=5, judge=Inverted(game))
    assert session.seat == 0
    assert session.legal_moves == {"0": 0, "1": 1}
    session.push("1")
    assert session.moves == (1,)
    assert session.view(1).endswith("moves: 0 1")
    np.testing.assert_array_equal(session.observation(1), game.observe(session.state, jnp.int32(1)))
    for look in (session.view, session.observation):
        with pytest.raises(ValueError, match="to the seat to move only"):
            look(0)
    with pytest.raises(ValueError, match="cannot be taken back"):
        session.undo()
    with pytest.raises(ValueError, match="not legal"):
        session.push(2)
    seat = session.seat
    while not session.over:
        seat = session.seat
        session.push(0)
    assert session.result == (-1.0 if seat == 0 else 1.0)  # who moves last wins; not so here
    assert session.record.labels == tuple(map(str, session.moves))


def test_a_match_on_the_host_obeys_the_judge(game: Imported):
    rules, inverted = (
        host_loop.pairs(
            First(), First(), game, key=jax.random.key(4), count=3, plies=2, slots=4, judge=judge
        )
        for judge in (None, Inverted(game))
    )
    np.testing.assert_array_equal(inverted, 1 - rules)


def test_a_position_is_shown_and_moves_are_read(game: Imported):
    state = game.deal(jax.random.key(0), 1, 0).position(0).state
    assert game.show(state) == " ".join("1" + "0" * 11)
    assert game.view(state, 0).endswith("moves: 0 1")
    assert game.parse(state, " 1\n") == 1
    for text in ("2", "-1", "", "one"):
        with pytest.raises(ValueError, match="is no legal move"):
            game.parse(state, text)
    assert game.draw(state).startswith("<svg ")
