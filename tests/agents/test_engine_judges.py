"""Engines' estimates as verdicts: on positions of which it is known who stands better."""

import math
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import games
from agents import judges
from agents.judges import estimates
from agents.judges.estimates import EstimateJudge
from arena.errors import UserError
from arena.judges.adjudicated import Adjudicated
from games import backgammon
from games.backgammon import Checkers

_PATHS = "/usr/games:/usr/local/bin:/usr/bin:/bin"


@pytest.fixture
def make() -> Iterator[Callable[[str, str], EstimateJudge]]:
    """Makes a judge by name, for a game; skips where its engine is not installed."""

    def made(name: str, game: str) -> EstimateJudge:
        if shutil.which(name.partition(":")[0], path=_PATHS) is None:
            pytest.skip(f"{name} is not installed")
        judge = judges.make(f"adjudicated:4,by={name}", games.load(game))
        assert isinstance(judge, Adjudicated)
        assert isinstance(judge.by, EstimateJudge)
        return judge.by

    yield made
    estimates.close()
    estimates._KNOWN.clear()


def _stacked(states: list) -> object:
    kind = type(states[0])
    return kind(*(_column([state[k] for state in states]) for k in range(len(states[0]))))


def _column(values: list):
    if isinstance(values[0], tuple):
        return _stacked(values) if hasattr(values[0], "_fields") else ()
    return np.stack([np.asarray(value) for value in values])


def test_stockfish_knows_who_is_a_queen_up(make):
    judge = make("stockfish:nodes=200", "chess")
    fens = [
        "rnb1kbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1",  # Black lacks the queen
        "rnb1kbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR b KQkq - 0 1",
        "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNB1KBNR w KQkq - 0 1",
        "7k/8/8/8/8/8/8/K6R b - - 0 1",
        "6k1/5ppp/8/8/8/8/8/K6R w - - 0 1",
    ]
    found = np.array([judge.estimate(engine, fen) for engine, fen in _each(judge, fens)])
    assert (np.abs(found) <= 1).all()
    assert (found[[0, 1]] > 0.9).all()
    assert found[2] < -0.9
    assert found[3] > 0.9
    # In another process, and in another order, it says the same.
    judge.engines()
    estimates.close()
    again = [judge.estimate(engine, fen) for engine, fen in _each(judge, fens[::-1])][::-1]
    assert again == found.tolist()


def _each(judge: EstimateJudge, positions: list) -> list[tuple[object, object]]:
    running = judge._running()
    return running.ask_all(lambda engine, position: (engine, position), positions)


def test_gnugo_knows_whose_board_it_is(make):
    judge = make("gnugo:level=1", "go:size=5,komi=0.5")
    board = np.zeros((4, 5, 5, 2), bool)
    board[0, 2, :, 0] = True  # Black's wall in the middle, and no white stone
    board[1, 2, :, 1] = True  # White's
    board[2, 1, :, 0], board[2, 3, :, 1] = True, True  # Black has five points, White has as many
    found = judge.judge_on_host(board)
    assert found[0] > 0.99
    assert found[1] < -0.99
    assert abs(found[2]) < 0.5
    # An empty board: what komi is worth if each of the 25 points is a coin.
    assert found[3] == pytest.approx(math.erf(-0.5 / math.sqrt(50)), abs=0.01)


def _checkers(places: dict[int, int]) -> Checkers:
    counts = [places.get(place, 0) for place in range(26)]
    words: list[Any] = [
        np.uint32(sum((count >> k & 1) << p for p, count in enumerate(counts))) for k in range(4)
    ]
    return Checkers(*words)


def _turn(mine: dict[int, int], theirs: dict[int, int], dice: int, turn: int) -> object:
    rest: list[Any] = [np.uint32(dice), np.uint32(turn)]
    return backgammon.State(_checkers(mine), _checkers(theirs), *rest)


@pytest.mark.parametrize("options", ["", ":gammons=true"])
def test_gnubg_knows_who_is_ahead(make, options: str):
    judge = make("gnubg:plies=0", f"backgammon{options}")
    ahead, behind = {0: 13, 1: 2}, {0: 5, 24: 10}
    begun = {24: 2, 13: 5, 8: 3, 6: 5}
    states = [
        _turn(ahead, behind, 0x13, 0),  # seat 0 bears off its last two checkers
        _turn(ahead, behind, 0x13, 1),  # seat 1 does
        _turn(behind, ahead, 0x3, 0),  # within a turn of seat 0, who has lost
        _turn(begun, begun, 0x13, 0),  # 3-1 is the best roll to begin with, worth 0.159
        _turn(begun, begun, 0x13, 1),
        _turn({25: 15}, dict.fromkeys(range(1, 7), 2) | {0: 3}, 0x13, 0),  # no play
    ]
    found = judge.judge_on_host(_stacked(states))
    assert found[0] == pytest.approx(-found[1])
    largest = 3 if options else 1
    assert found[0] == pytest.approx(1 / largest, abs=0.01)  # no gammon: the other has borne off
    assert found[2] == pytest.approx(-1 / largest, abs=0.02)
    # The sources of the numbers: gnubg 1.07's own hint on 3-1, 0 plies.
    assert found[3] == pytest.approx(0.159 / 3 if options else 0.102, abs=0.002)
    assert found[4] == pytest.approx(-found[3])
    assert found[5] <= -0.9


def test_a_position_is_asked_about_once(make, monkeypatch: pytest.MonkeyPatch):
    judge = make("gnugo:level=1", "go:size=5")
    asked = []
    monkeypatch.setattr(type(judge), "estimate", lambda *one: asked.append(one) or 0.5)
    board = np.zeros((3, 5, 5, 2), bool)
    board[2, 0, 0, 0] = True
    assert judge.judge_on_host(board).tolist() == [0.5] * 3
    assert judge.judge_on_host(board[:1]).tolist() == [0.5]
    assert len(asked) == 2


def test_an_engine_that_gives_up_is_told_of_in_one_line(make, monkeypatch: pytest.MonkeyPatch):
    judge = make("gnugo:level=1", "go:size=5")
    board = np.zeros((1, 5, 5, 2), bool)

    def broken(self, engine, position):
        engine.command("quit")
        return engine.command("estimate_score")

    monkeypatch.setattr(type(judge), "estimate", broken)
    with pytest.raises(UserError, match="the judge gives no verdict: gnugo:level=1 has stopped"):
        judge.judge_on_host(board)


def test_an_engine_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shutil.which", lambda *args, **options: None)
    with pytest.raises(UserError, match="stockfish is not installed: apt-get install stockfish"):
        judges.make("adjudicated:3,by=stockfish", games.load("chess"))
