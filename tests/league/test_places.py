"""Names with paths of files on a run card mean the same from whatever folder a run is opened."""

import json
import shutil
from pathlib import Path

import pytest

from agents import judges
from arena.errors import UserError
from arena.judges.program import Program
from league.settings import game_names, matchmaking
from league.settings.config import Config
from league.store import places, runs
from league.store.run import Run

MINE = """
import numpy as np
from arena.judges.rules import Rules
from games.tic_tac_toe import TicTacToe

def judge(states):
    return np.zeros(len(np.asarray(states[0])))

def oldest(pool):
    return np.eye(len(pool.losses))[0]

class Stranger(Rules):
    exact = False

class Game(TicTacToe):
    pass
"""
_MATCHMAKER = "0.5*./mine.py:oldest+0.5*pfsp"


@pytest.fixture
def began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file of a person's, and two runs that were begun there; we are elsewhere."""
    there = tmp_path / "began"
    (there / "runs").mkdir(parents=True)
    (there / "mine.py").write_text(MINE)
    monkeypatch.chdir(there)
    config = Config(matchmaker=_MATCHMAKER)
    runs.create("tic_tac_toe", config, name="one", judge="program:./mine.py")
    runs.create("./mine.py:Game", Config(), name="two", judge="./mine.py:Stranger")
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    return there


def test_a_run_is_opened_from_another_folder(began: Path, monkeypatch: pytest.MonkeyPatch):
    one, two = (Run(began / "runs" / name) for name in ("one", "two"))
    assert one.card["judge"] == "program:./mine.py"  # as it was typed
    assert one.judge == Program(one.game, f"{began}/mine.py")
    assert one.config.matchmaker == f"0.5*{began}/mine.py:oldest+0.5*pfsp"
    assert type(two.judge).__name__ == "Stranger"
    assert type(two.game).__name__ == "Game"
    # The same file is meant by whatever path; another judge is refused.
    runs.check_kept(one, judge="program:../began/mine.py")
    runs.check_kept(two, judge=f"{began}/mine.py:Stranger")
    with pytest.raises(UserError, match="keeps its judge"):
        runs.check_kept(one, judge="program:./mine.py")
    runs.extend(one, Config(generations=20, matchmaker="0.5*../began/mine.py:oldest+0.5*pfsp"))
    assert runs.find("../began/mine.py:Game", folder=began / "runs").name == "two"
    whole = places.located(one.card, one.folder, absolute=True)
    assert whole["judge"] == f"program:{began}/mine.py"
    monkeypatch.chdir(began)
    assert Run(began / "runs" / "one").config.matchmaker == _MATCHMAKER
    assert Run(began / "runs" / "one").judge == Program(one.game, "./mine.py")


def test_a_run_is_moved_with_the_files_that_it_names_or_without_them(began: Path):
    shutil.copytree(began / "runs" / "one", began.parent / "kept" / "one")
    assert Run(began.parent / "kept" / "one").judge == Program(
        Run(began / "runs" / "one").game, f"{began}/mine.py"
    )
    moved = began.rename(began.parent / "moved")
    assert Run(moved / "runs" / "one").judge == Program(
        Run(moved / "runs" / "one").game, f"{moved}/mine.py"
    )
    (moved / "mine.py").unlink()
    with pytest.raises(UserError, match="there is no Python file"):
        _ = Run(moved / "runs" / "one").config


def test_a_card_of_an_earlier_version_goes_by_the_current_folder(
    began: Path, monkeypatch: pytest.MonkeyPatch
):
    path = began / "runs" / "one" / "run.json"
    card = json.loads(path.read_text())
    del card["typed_in"]
    path.write_text(json.dumps(card))
    assert Run(path.parent).judge == Program(Run(path.parent).game, f"{began}/mine.py")
    Path("mine.py").write_text(MINE)
    assert Run(path.parent).judge == Program(Run(path.parent).game, "./mine.py")


def test_whatever_is_imitated_is_found_where_the_run_was_moved_to(tmp_path: Path):
    card = {"typed_in": {"folder": f"{tmp_path}/old", "from_run": "../.."}}
    run = tmp_path / "new" / "runs" / "one"
    run.mkdir(parents=True)
    (tmp_path / "new" / "games.npz").touch()
    found = f"{tmp_path}/new/games.npz"
    assert places.find(f"{tmp_path}/old/games.npz", card, run) == found
    assert places.find(f"{tmp_path}/old/none.npz", card, run) == f"{tmp_path}/old/none.npz"


@pytest.mark.parametrize(
    ("change", "name", "changed"),
    [
        (judges.with_files, "learned:a.npz,pessimism=1", "learned:/x/a.npz,pessimism=1"),
        (judges.with_files, "human:said.jsonl", "human:/x/said.jsonl"),
        (judges.with_files, "program:a.py:f", "program:/x/a.py:f"),
        (judges.with_files, "adjudicated:3,by=learned:a", "adjudicated:3,by=learned:/x/a"),
        (judges.with_files, "adjudicated:3,by=a.py:B", "adjudicated:3,by=/x/a.py:B"),
        (judges.with_files, "flipped:0.1", "flipped:0.1"),
        (judges.with_files, "mine:Judge", "mine:Judge"),
        (game_names.with_files, "a.py:B,size=3", "/x/a.py:B,size=3"),
        (game_names.with_files, "pettingzoo:a.py?n=3", "pettingzoo:/x/a.py?n=3"),
        (game_names.with_files, "open_spiel:mancala", "open_spiel:mancala"),
        (game_names.with_files, "go:size=9", "go:size=9"),
        (matchmaking.with_files, "0.5*a.py:f+0.5*pfsp:even", "0.5*/x/a.py:f+0.5*pfsp:even"),
    ],
)
def test_names_with_paths(change, name: str, changed: str):
    assert change(name, lambda path: f"/x/{path}") == changed


def test_a_path_that_would_not_be_read_again_is_left_as_it_was():
    assert matchmaking.with_files("a.py:f", lambda path: f"/c++/{path}") == "a.py:f"
    assert game_names.with_files("a.py:B,n=3", lambda path: f"/a,b/{path}") == "a.py:B,n=3"


def test_shapes_are_known_though_the_judge_solves_the_game(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It is made while nothing is traced."""
    monkeypatch.chdir(tmp_path)
    assert runs.create("tic_tac_toe", Config(), name="one", judge="solver").template().params
