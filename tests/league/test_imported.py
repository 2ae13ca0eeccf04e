"""Imported envs at the command line: checked, refused, trained, killed and resumed."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from arena.errors import UserError
from arena.pettingzoo.env_names import EnvSettings
from league.cli.entry import main
from league.settings import game_names
from tests.helpers import race
from tests.helpers.command import Place, contents, strict_json
from tests.helpers.race import RACE
from tests.league.test_resume import Moment, strike

PAGE = Path(__file__).parents[2] / "docs" / "bring-your-game.md"
_TRAIN = """
    --generations 2 --matches 2 --pairs 8 --slots 4 --learner.network.width 8
    --learner.network.layers 1 --learner.batch-size 32 --measure.opponents 2 --measure.pairs 2
    --measure.baseline-pairs 2
"""


def _train(*options: str) -> list[str]:
    return ["train", RACE, *_TRAIN.split(), *options]


@pytest.fixture
def user(here: Place) -> Place:
    """A user's folder, with an env in it, and JAX set up already."""
    shutil.copy(race.__file__, here.folder / "race.py")
    return here


def test_a_check_says_what_it_found(user: Place, capsys: pytest.CaptureFixture[str]):
    main(["check", f"{RACE}?fault=first"])
    out, err = capsys.readouterr()
    assert err == ""
    rows = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert rows["agents"] == "ann and bob"
    assert rows["actions"] == "2, masked"
    assert rows["observation"] == "int8[12], with the seat added, for a MLP"
    assert rows["information"] == "perfect, or not disproved: else say arena.hidden=true"
    assert rows["note:"] == "the first player varies with the seed"


def test_a_check_as_json(user: Place, capsys: pytest.CaptureFixture[str]):
    main(["check", RACE, "--json"])
    found = strict_json(capsys.readouterr().out)
    assert found["agents"] == ["ann", "bob"]
    keys = "add_seat", "hidden_or_chance", "copyable"
    assert [found[key] for key in keys] == [True, False, True]


def test_every_setting_is_on_the_help_page(user: Place, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["check", "--help"])
    out = capsys.readouterr().out
    for field in dataclasses.fields(EnvSettings):
        assert f"arena.{field.name}" in out
        assert f"arena.{field.name}" in PAGE.read_text()


OLD_ENV = {
    # What version 0.1 wrote into the run cards of such an env.
    "agents": ["ann", "bob"],
    "actions": 2,
    "shape": [12],
    "dtype": "int8",
    "low": 0.0,
    "high": 1.0,
    "masked": True,
    "seat": True,
    "hidden": False,
    "steady": True,
    "copies": True,
    "plies": 8,
    "limit": 5000,
    "payoff": 1.0,
    "notes": [],
}


def test_an_old_run_card_gives_the_same_game_without_a_check(user: Place):
    fresh = game_names.card(RACE)
    assert game_names.load(RACE, OLD_ENV) == game_names.load(RACE, fresh["env"])
    assert set(fresh["env"]) != set(OLD_ENV)
    for broken in ([], {**OLD_ENV, "more": 1}, {**fresh["env"], "seat": True}, {}):
        with pytest.raises(UserError, match="does not have the keys"):
            game_names.load(RACE, broken)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (f"check {RACE}?fault=three", "./race.py: 3 agents; a game of Arena has two"),
        (f"train {RACE}?fault=three", "./race.py: 3 agents; a game of Arena has two"),
        (f"match uniform uniform --game {RACE}?fault=mask", "action_mask has the shape (3,)"),
        (f"match uniform mcts:4 --game {RACE}?fault=random", "tree search needs copies of the env"),
        (f"train {RACE}?arena.hidden=true --learner alphazero", "tree search plays envs only that"),
        ("check tic_tac_toe", "'tic_tac_toe' is no env: its name begins with pettingzoo:"),
    ],
)
def test_what_cannot_be_played_is_refused_and_nothing_is_written(
    command: str, line: str, user: Place, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as stop:
        main(command.split())
    out, err = capsys.readouterr()
    assert (stop.value.code, out) == (2, "")
    assert line in err
    assert err.count("\n") == 1
    assert not (user.folder / "runs").exists()


@pytest.fixture(scope="module")
def whole(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A folder with an env and an undisturbed run of it."""
    place = Place(tmp_path_factory.mktemp("imported"), cache)
    shutil.copy(race.__file__, place.folder / "race.py")
    place.lines(*_train("--name", "whole"))
    return place


@pytest.mark.slow
@pytest.mark.parametrize("moment", [Moment(1, "play", 0.3), Moment(2, "learn")], ids=str)
def test_a_killed_run_ends_with_the_same_bits(moment: Moment, whole: Place):
    name = f"killed-{moment.phase}"
    strike(whole, moment, *[arg for arg in _train("--name", name) if arg != "--json"])
    done = whole.call("train", RACE, "--resume", "--name", name)
    assert done.returncode == 0, done.stderr
    assert contents(whole.run(name)) == contents(whole.run("whole"))


_SEARCH = "--learner", "alphazero", "--learner.simulations", "4"


@pytest.mark.slow
def test_a_run_that_searches_copies_of_the_env_ends_with_the_same_bits(whole: Place):
    whole.lines(*_train(*_SEARCH, "--name", "searched"))
    strike(whole, Moment(1, "play", 0.5), *_train(*_SEARCH, "--name", "struck"))
    done = whole.call("train", RACE, "--resume", "--name", "struck")
    assert done.returncode == 0, done.stderr
    assert contents(whole.run("struck")) == contents(whole.run("searched"))
    players = "searched:2,simulations=4 searched:0,simulations=4"
    (told,) = whole.lines("match", *players.split(), "--pairs", "4")
    assert told["wins"] + told["draws"] + told["losses"] == 8


@pytest.mark.slow
def test_every_command_takes_an_imported_game(whole: Place):
    (told,) = whole.lines("match", "whole:2", "uniform", "--pairs", "8")
    assert told["wins"] + told["draws"] + told["losses"] == 16
    (told,) = whole.lines("rate", "whole", "--games", "32")
    assert [row["id"] for row in told["snapshots"]] == [0, 1, 2]
    (told,) = whole.lines("exploit", "whole:2", "--generations", "1", "--pairs", "4")
    assert not told["exact"]
    (told,) = whole.lines("play", "whole", stdin="1\n" * 6)
    assert told["against"] == "whole,simulations=32"
    refused = whole.call("gate", "whole")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("arena: the gate plays games of games/ only: ")
    assert refused.stderr.count("\n") == 1
    whole.lines("report", "whole")
    assert "<svg" in (whole.run("whole") / "report.html").read_text()
