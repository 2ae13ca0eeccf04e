"""What a user may type for a game."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Any

import pytest

import games
from games.tic_tac_toe import TicTacToe

PLANTED = """
from dataclasses import dataclass
from games.core import Game

@dataclass(frozen=True)
class Planted(Game):
    size: int = 3
    swap: bool = False
    komi: float = 0.5
    table: str = "1 -1; -1 1"

for hole in Planted.__abstractmethods__:
    setattr(Planted, hole, None)
Planted.__abstractmethods__ = frozenset()
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`games.load` while one more file, planted.py, lies in the folder."""
    (tmp_path / "planted.py").write_text(PLANTED)
    (tmp_path / "_helper.py").touch()
    monkeypatch.setattr(games, "__path__", [*games.__path__, str(tmp_path)])
    games.names.cache_clear()
    yield games.load
    sys.modules.pop("games.planted", None)
    games.names.cache_clear()
    games.load.cache_clear()


def test_names_are_the_files():
    files = {p.stem for p in Path(games.__file__).parent.glob("*.py")}
    assert set(games.names()) == {f for f in files if f != "core" and not f.startswith("_")}
    assert list(games.names()) == sorted(games.names())


def test_importing_games_imports_no_game():
    code = "import sys, games; games.names(); print([m for m in sys.modules if 'games.' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['games._svg', 'games.core']"


@pytest.mark.parametrize("name", games.names())
def test_a_name_always_gives_the_same_game(name: str):
    assert games.load(name) is games.load(name)
    assert games.load(f"{name}:") == games.load(name)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("ludo", r"^no game is called 'ludo'; there are: .*connect_four, .*tic_tac_toe$"),
        ("", "^no game is called ''; there are: "),
        ("core", "^no game is called 'core'; there are: "),
        ("../evil\n", r"^no game is called '\.\./evil\\n'; there are: "),
        ("tic_tac_toe:size=3", "^tic_tac_toe has no option 'size'; its options: none$"),
        ("connect_four:a\nb", r"^connect_four has no option 'a\\nb'; its options: none$"),
    ],
)
def test_a_wrong_name_is_one_clear_line(spec: str, message: str):
    with pytest.raises(ValueError, match=message) as caught:
        games.load(spec)
    assert "\n" not in str(caught.value)


def test_a_file_in_the_folder_is_a_game(load: Callable[[str], Any]):
    assert "planted" in games.names()
    assert "_helper" not in games.names()
    assert load("planted") == load("planted:size=3")
    game = load("planted:size=9,swap=true,komi=7.5")
    assert (game.size, game.swap, game.komi) == (9, True, 7.5)
    assert load("planted:swap=false").swap is False
    assert load("planted:size=2,table=3 x=1; 0.5,swap=true").table == "3 x=1; 0.5"
    assert load("planted:table=").table == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("size=x", "^planted: size='x' is not a whole number$"),
        ("size", "^planted: size='' is not a whole number$"),
        ("komi=2,5", "^planted has no option '5'; its options: size, swap, komi, table$"),
        ("colour=red", "^planted has no option 'colour'; its options: size, swap, komi, table$"),
        ("swap=maybe", "^planted: swap='maybe' is not true or false$"),
        ("swap=False", "^planted: swap='False' is not true or false$"),
        ("table=1 2,3 4", "^planted has no option '3 4'; its options: size, swap, komi, table$"),
        ("swap=", "^planted: swap='' is not true or false$"),
    ],
)
def test_a_wrong_option_is_one_clear_line(load: Callable[[str], Any], options: str, message: str):
    with pytest.raises(ValueError, match=message):
        load(f"planted:{options}")


@dataclass(frozen=True)
class Other(TicTacToe):
    """A stranger's game: one option has no default, one is of a type that no text is read as."""

    handicap: int
    weights: tuple[float, ...] = (1.0,)
    label_style: str | None = None
    cache: list[int] = field(default_factory=list, init=False)


class Plain(TicTacToe):
    """A game without options."""


def test_a_class_from_elsewhere_takes_options_as_a_name_gives_them():
    game = games.make(Other, "other", "handicap=2")
    assert type(game) is Other
    assert game.handicap == 2
    assert game.weights == (1.0,)
    assert type(games.make(Plain, "plain")) is Plain


def test_annotations_that_only_a_type_checker_can_read_do_no_harm():
    kind = make_dataclass("Kind", [("size", "Unknown", 3)], bases=(TicTacToe,), frozen=True)
    assert games.make(kind, "kind", "size=5").size == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("", "^other needs a value for handicap: other:handicap=…$"),
        (
            "handicap=1,weights=2",
            r"^other: the option 'weights' is of type tuple\[float, ...\]; "
            "a name can give only bool, int, float, str$",
        ),
        ("handicap=1,label_style=x", r"^other: the option 'label_style' is of type str \| None; "),
        ("cache=1", "^other has no option 'cache'; its options: handicap, weights, label_style$"),
    ],
)
def test_an_option_that_no_text_can_give_is_one_clear_line(options: str, message: str):
    with pytest.raises(ValueError, match=message) as caught:
        games.make(Other, "other", options)
    assert "\n" not in str(caught.value)
