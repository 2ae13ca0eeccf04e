"""Showcase games: kept with the generations, found again, and of no effect on the training."""

from pathlib import Path
from typing import Any

import pytest

import league
from arena.play.records import GameFilter, find_games, replay
from league.cli.entry import main
from league.store.run import Run
from league.training import showcase
from league.training.showcase import Allowance, Showcase
from tests.helpers.command import GENERATIONS, TINY, Place, tables


def test_games_take_no_more_than_a_hundredth_of_the_time():
    allowance = Allowance()
    assert not allowance.allows("previous", total=100, left=10)
    assert allowance.allows("previous", total=1000, left=10)
    allowance.took("previous", 4.0)  # programs were compiled
    assert allowance.allows("previous", total=1000, left=9)
    allowance.took("previous", 0.1)
    assert allowance.allows("previous", total=1000, left=8)
    assert not allowance.allows("previous", total=1000, left=50)
    assert not allowance.allows("mcts", total=1000, left=8)


def test_games_of_a_generation_are_kept_and_found(tiny: Path, place: Place, monkeypatch):
    monkeypatch.setattr(showcase, "_SHARE", 10**9)
    run = Run(place.adopt(tiny, "copy"))
    shown = Showcase(run, run.weights)
    shown.drop_after(0)
    with run.results() as results:
        for generation in (GENERATIONS - 1, GENERATIONS):
            shown.keep(generation, run.weights(generation), results, seconds=1.0)
        monkeypatch.setattr(showcase, "_SHARE", 0.0)
        shown.keep(1, run.weights(1), results, seconds=1.0)
    folder = run.folder / showcase.FOLDER
    found = list(find_games([folder]))
    assert {one.path.name for one in found} == {f"{GENERATIONS - 1}.jsonl", f"{GENERATIONS}.jsonl"}
    for one in found:
        assert replay(one.game).result == one.game.result
        assert len(one.game.notes) == len(one.game.moves)
        assert one.game.tags["generation"] == int(one.path.stem)
        assert any(player.name.startswith(f"copy:{one.path.stem}") for player in one.game.players)
    newest = GameFilter(generation=GENERATIONS, agents=("mcts", "copy"))
    [against_mcts] = find_games([folder], newest)
    last = sum(one.path.stem == str(GENERATIONS) for one in found)
    assert (against_mcts.game.tags["showcase"], against_mcts.number) == ("mcts", last)
    by_result = [len(list(find_games([folder], GameFilter(result=r)))) for r in ("1-0", "draw")]
    assert sum(by_result) + len(list(find_games([folder], GameFilter(result="0-1")))) == len(found)
    assert not list(find_games([folder], GameFilter(least=10)))
    shown.drop_after(GENERATIONS - 1)
    assert [path.name for path in folder.iterdir()] == [f"{GENERATIONS - 1}.jsonl"]
    run.close()


@pytest.mark.slow
def test_a_training_is_the_same_with_them(tiny: Path, here: Place, monkeypatch):
    monkeypatch.setattr(showcase, "_SHARE", 10**9)
    main([*TINY, "--name", "shown"])
    assert (here.run("shown") / showcase.FOLDER).is_dir()
    assert tables(here.run("shown") / "league.db") == tables(tiny / "league.db")


def test_an_agent_that_cannot_analyse_has_games_without_values(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(showcase, "_SHARE", 10**9)
    changes: dict[str, Any] = {"generations": 1, "matches": 1, "pairs": 8, "rounds": 1, "slots": 8}
    with league.train("matrix", learner="mmd", name="run", folder=tmp_path, **changes):
        pass
    [found, *_] = find_games([tmp_path / "run" / showcase.FOLDER])
    assert found.game.moves
    assert not any(found.game.notes)
