"""Games from outside the repository, by FILE.py:CLASS, MODULE:CLASS and entry point."""

import os
import re
from pathlib import Path

import pytest

import games
from arena.errors import UserError
from league.cli.entry import main
from league.settings import game_names
from tests.helpers.command import Place, strict_json

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-game.md"
STICKS = PAGE.read_text().split("```python\n")[1].split("```")[0]
TINY = """
    --learner ppo --generations 1 --matches 2 --pairs 4 --slots 4 --learner.network.width 8
    --learner.network.layers 1 --learner.batch-size 32
    --measure.opponents 1 --measure.pairs 2 --measure.baseline-pairs 2 --measure.simulations 2
    --measure.rollouts 2
"""


@pytest.fixture(autouse=True)
def folder(here: Place) -> Path:
    """A stranger's folder: a game in a file, and the same in a package with an entry point."""
    Path("sticks.py").write_text(STICKS)
    Path("matchsticks.py").write_text(STICKS)
    info = Path("matchsticks-1.0.dist-info")
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: matchsticks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[arena.games]\nmatchsticks = matchsticks:Sticks\n")
    return here.folder


def test_a_file_a_module_and_an_entry_point(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(os.getcwd())
    for name in ("./sticks.py:Sticks", "matchsticks:Sticks", "matchsticks"):
        colon = ":" if name == "matchsticks" else ","
        game, small = game_names.load(name), game_names.load(f"{name}{colon}sticks=5")
        assert type(game).__name__ == "Sticks"
        assert game_names.load(name) is game
        assert (game.num_actions, getattr(game, "sticks", 0)) == (3, 21)
        assert getattr(small, "sticks", 0) == 5
        assert game_names.card(name) == {"game": name, "game_version": 1}


@pytest.mark.parametrize("name", games.names())
def test_a_native_game_is_not_taken_for_another(name: str):
    assert game_names.load(name) is games.load(name)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("./none.py:Sticks", "there is no Python file './none.py'"),
        ("./sticks.py:Stones", "./sticks.py defines no 'Stones'"),
        ("./sticks.py:State", "./sticks.py:State is no subclass of games.Game"),
        ("./sticks.py:Sticks,stones=3", "no option 'stones'; its options: sticks"),
        ("./sticks.py:Sticks,sticks=few", "sticks='few' is not a whole number"),
        ("no_such_module:Sticks", "there is no module 'no_such_module'"),
        ("hex3:size=9", "no game is called 'hex3'"),
    ],
)
def test_a_name_that_means_no_game(name: str, says: str):
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        game_names.load(name)
    assert "\n" not in str(caught.value)


WRONG = {
    # What stands in the file, what stands there instead, and what is said of it.
    "loads": ("num_actions, max", "num_actions = 1 / 0; max", "ZeroDivisionError"),
    "hash": ("@dataclass(frozen=True)", "@dataclass", "must be a frozen dataclass"),
    "moves": ("facts = 3, 127,", "facts = 0, 127,", "num_actions must be a positive number, not 0"),
    "branch": ("return jnp.arange(1, 4) <= s.left", "assert s.left > 0", "legal raises Tracer"),
    "raises": ("s.left - move - 1, 1", "s.left - move - 1, {}[1]", "step raises KeyError: 1"),
    "mover": ("OVER, s.seat)", "OVER, s.seat) > 0", "mover gives bool[], not int32[]"),
    "legal": ("jnp.arange(1, 4)", "jnp.arange(4)", "legal gives bool[4], not bool[3]"),
    "payoff": ("- 1, 0.0)", "- 1, 0.0)[None]", "payoff gives float32[1], not float32[]"),
    "observe": (
        ".astype(jnp.float32)\n    def show",
        "\n    def show",
        "observe gives bool[21], not",
    ),
    "state": (
        "State(s.left - move - 1,",
        "State(s.left > move,",
        "step gives bool[], int32[], but",
    ),
    "show": ('return "|" * int(s.left)', 'return int("x")', "show raises ValueError: invalid"),
    "dtypes": (
        "s.left - move - 1, 1",
        "s.left - jnp.uint8(1), 1",
        "step raises TypePromotionError",
    ),
    "images": (
        "    def show(",
        "    def symmetries(self, x, p): return x * s_, p[None]\n    def show(",
        "symmetries raises NameError: name 's_' is not defined",
    ),
    "over": ("OVER, s.seat)", "OVER, OVER)", "the game is over before the first move"),
    "label": ("return str(move + 1)", "return move + 1", "label gives 1, not text"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_what_is_wrong_is_one_line_with_file_and_line(fault: str, capsys):
    right, wrong, says = WRONG[fault]
    assert STICKS.count(right) == 1
    text = STICKS.replace(right, wrong)
    Path(f"{fault}.py").write_text(text)
    with pytest.raises(SystemExit) as stop:
        main(["train", f"./{fault}.py:Sticks"])
    out, err = capsys.readouterr()
    assert (stop.value.code, out, err.count("\n")) == (2, "", 1)
    assert f"{fault}.py" in err
    assert says in err
    if "rais" in says or fault == "loads":
        line = text[: text.index(wrong)].count("\n") + 1
        assert f"({fault}.py, line {line})" in err
    assert not Path("runs").exists()


def test_a_game_without_options_says_what_it_needs():
    Path("needy.py").write_text(STICKS.replace("sticks: int = 21", "sticks: int"))
    with pytest.raises(UserError, match="needs a value for sticks"):
        game_names.load("./needy.py:Sticks")


@pytest.mark.slow
def test_it_is_trained_rated_and_played(place: Place):
    eager = "TABLE = jnp.arange(3)  # which starts JAX\n\nclass State("
    (place.folder / "sticks.py").write_text(STICKS.replace("class State(", eager))
    result = place.lines("train", "./sticks.py:Sticks,sticks=9", *TINY.split())[-1]
    assert result["event"] == "result"
    (run,) = (place.folder / "runs").iterdir()
    assert strict_json((run / "run.json").read_text())["game"] == "./sticks.py:Sticks,sticks=9"
    (rated,) = place.lines("rate", run.name, "--games", "16")
    assert [row["id"] for row in rated["snapshots"]] == [0, 1]
    (told,) = place.lines("match", f"{run.name}:1", "uniform", "--pairs", "4")
    assert told["wins"] + told["draws"] + told["losses"] == 8


def test_agents_play_it_without_a_run(capsys: pytest.CaptureFixture[str]):
    game = "--game", "./sticks.py:Sticks,sticks=9"
    main(["match", "uniform", "uniform", *game, "--pairs", "4", "--json"])
    told = strict_json(capsys.readouterr().out)
    assert told["wins"] + told["draws"] + told["losses"] == 8
