"""Solved positions, and the accuracy of moves in them."""

import sys
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from arena.evaluation import move_accuracy, solved_positions
from arena.evaluation.enumeration import raw
from arena.evaluation.score import Z95
from arena.play.openings import random_openings
from arena.types import Agent, Decision
from games import OVER, Game
from tests.helpers.false_judge import Inverted

CONNECT_FOUR = games.load("connect_four")
TEXT = (resources.files("arena") / "positions" / "connect_four.txt").read_text()


# --- the fixed set of Connect Four ------------------------------------------------------------


class Board:
    """Connect Four for the test's own solver: columns of stones, 1 for the seat to move."""

    def __init__(self, columns: tuple[tuple[int, ...], ...] = ((),) * 7):
        self.columns = columns

    def legal(self) -> list[int]:
        return [c for c in range(7) if len(self.columns[c]) < 6]

    def play(self, column: int) -> "Board":
        """The board after a move, seen by the other seat."""
        turned = [tuple(-stone for stone in stones) for stones in self.columns]
        turned[column] += (-1,)
        return Board(tuple(turned))

    def lost(self) -> bool:
        """Whether the seat that is not to move has four in a row."""
        theirs = {
            (c, r) for c, stones in enumerate(self.columns) for r, s in enumerate(stones) if s < 0
        }
        return any(
            all((c + k * x, r + k * y) in theirs for k in range(4))
            for c, r in theirs
            for x, y in ((0, 1), (1, 0), (1, 1), (1, -1))
        )


@cache
def value(columns: tuple[tuple[int, ...], ...]) -> int:
    """What the seat to move gets under perfect play: 1, 0 or -1."""
    board = Board(columns)
    if board.lost():
        return -1
    best = -1 if board.legal() else 0
    for column in board.legal():
        best = max(best, -value(board.play(column).columns))
        if best == 1:
            break
    return best


def test_late_positions_are_labelled_as_a_solver_of_our_own_does():
    moves, values = solved_positions.read(TEXT)
    late = [i for i, made in enumerate(moves) if len(made) >= 33][::20]
    assert len(late) > 40
    for i in late:
        board = Board()
        for column in moves[i]:
            assert not board.lost()
            board = board.play(column)
        assert not board.lost()
        found = [-2] * 7
        for column in board.legal():
            found[column] = -value(board.play(column).columns)
        assert values[i].tolist() == found


def test_early_positions_are_labelled_as_bitbully_does():
    pytest.importorskip("bitbully")
    from benchmarks import label

    solver = solved_positions.bitbully()
    lines = TEXT.splitlines()
    for line in lines[:160:8] + lines[5000:10000:250]:
        *moves, told = line.split()
        assert label.label(solver, "".join(moves)) == told


def test_the_labels_say_what_allis_proved():
    # V. Allis, "A Knowledge-based Approach of Connect-Four" (1988): White wins by the centre, draws
    # by the columns beside it, and loses by the others.
    assert TEXT.splitlines()[0] == "--=+=--"


def test_the_set_is_of_positions_with_a_choice_all_different_and_as_many_of_each_size():
    positions = solved_positions.connect_four()
    mover = np.asarray(jax.vmap(CONNECT_FOUR.mover)(positions.states))
    legal = np.asarray(jax.vmap(CONNECT_FOUR.legal)(positions.states))
    seen = np.asarray(jax.vmap(CONNECT_FOUR.observe, (0, None))(positions.states, jnp.int32(0)))
    assert (mover != OVER).all()
    np.testing.assert_array_equal(positions.legal, legal)
    assert (legal.sum(1) > 1).all()
    assert positions.optimal.any(1).all()
    assert not (positions.optimal & ~legal).any()
    assert positions.has_mistake.sum() == 6109
    mirrored = np.concatenate([seen, seen[:, :, ::-1]]).reshape(2, 10_000, -1)
    names = [frozenset((a.tobytes(), b.tobytes())) for a, b in zip(*mirrored, strict=True)]
    assert len(set(names)) == 10_000
    stones = np.bincount(seen.sum((1, 2, 3)).astype(int))
    # 1, 4, 25 and 121 are all that there are up to mirror images (oeis.org/A212693 counts both).
    assert stones[:4].tolist() == [1, 4, 25, 121]
    assert set(stones[4:].tolist()) == {307, 308}
    assert len(stones) == 36


# --- accuracy ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FirstLegal:
    """An `Policy` that takes the first legal move."""

    game: Game

    def __call__(self, params: Any, keys: jax.Array, states: Any) -> Decision:
        return Decision(jnp.argmax(jax.vmap(self.game.legal)(states), -1).astype(jnp.int32))


NIM = games.load("nim:piles=2 3")
FIRST = Agent("first", FirstLegal(NIM))


def test_nim_is_solved_as_bouton_proved():
    positions = solved_positions.fixed(NIM)
    a, b = (np.asarray(pile).astype(int) for pile in positions.states.piles)
    moves = FIRST.policy((), jax.random.split(jax.random.key(0), 1), positions.states).move
    after_a, after_b = jax.vmap(NIM.step)(positions.states, moves).piles
    # C. Bouton 1901: of two piles, whoever finds equal ones is lost; one move makes them so.
    right = (a == b) | np.asarray(after_a == after_b)
    has_mistake = (a != b) & (a + b > 1)
    found = move_accuracy.measure(FIRST, positions, jax.random.key(0))
    assert 0 < right[has_mistake].sum() < has_mistake.sum() < len(right)
    assert found.every == move_accuracy.Share(len(right), right.sum(), right.mean(), 0.0)
    there = right[has_mistake]
    assert found.has_mistake == move_accuracy.Share(len(there), there.sum(), there.mean(), 0.0)


def test_positions_reached_in_play_are_those_of_the_games_played():
    positions = move_accuracy.played(NIM, FIRST, jax.random.key(0), pairs=20, plies=2)
    fixed = solved_positions.fixed(NIM)
    known = {
        state: tuple(optimal)
        for state, optimal in zip(raw(fixed.states).tolist(), fixed.optimal, strict=True)
    }
    reached = raw(positions.states).tolist()
    assert [known[state] for state in reached] == [tuple(optimal) for optimal in positions.optimal]
    assert positions.group is not None
    openings = random_openings(
        NIM, jax.random.fold_in(jax.random.key(0), 0), shape=(1, 20), plies=2
    )
    for pair in range(20):
        state = jax.tree.map(lambda x, pair=pair: x[0, pair], openings)
        course = []
        while int(NIM.mover(state)) != OVER:
            course.append(raw(jax.tree.map(lambda x: np.asarray(x)[None], state)).item())
            state = NIM.step(state, jnp.argmax(NIM.legal(state)))
        # Both games of a pair are the same, since the agent plays itself.
        mine = [
            state for state, group in zip(reached, positions.group, strict=True) if group == pair
        ]
        assert sorted(mine) == sorted(2 * course)


def test_what_is_optimal_is_up_to_the_judge():
    judge = Inverted(NIM)
    positions = move_accuracy.played(NIM, FIRST, jax.random.key(0), pairs=20, plies=2, judge=judge)
    truth = move_accuracy.played(NIM, FIRST, jax.random.key(0), pairs=20, plies=2)
    assert raw(positions.states).tolist() == raw(truth.states).tolist()
    assert not np.array_equal(positions.optimal, truth.optimal)
    fixed = solved_positions.fixed(NIM, judge=judge)
    optimal = dict(zip(raw(fixed.states).tolist(), fixed.optimal.tolist(), strict=True))
    reached = raw(positions.states).tolist()
    assert [optimal[state] for state in reached] == positions.optimal.tolist()
    for ask in (solved_positions.fixed, solved_positions.answers):
        with pytest.raises(ValueError, match="under its rules alone"):
            ask(CONNECT_FOUR, judge=Inverted(CONNECT_FOUR))


def test_connect_four_in_play_is_answered_as_the_fixed_set_is():
    pytest.importorskip("bitbully")
    positions = solved_positions.connect_four()
    some = np.arange(4000, 10_000, 50)
    found = solved_positions.answers(CONNECT_FOUR)(
        jax.tree.map(lambda x: x[some], positions.states)
    )
    np.testing.assert_array_equal(found.legal, positions.legal[some])
    np.testing.assert_array_equal(found.optimal, positions.optimal[some])


def test_the_interval_counts_groups_and_not_positions():
    right = np.random.default_rng(0).random(400) < 0.9
    everywhere = np.ones(4 * 400, bool)
    once = move_accuracy._share(right, everywhere[:400], np.arange(400))
    # The textbook's interval of a share; two moves more, one right, widen it a little.
    textbook = Z95 * np.sqrt(once.share * (1 - once.share) / 400)
    assert once.share == right.mean()
    assert once.half_width == pytest.approx(textbook, rel=0.02)
    fourfold = move_accuracy._share(np.repeat(right, 4), everywhere, np.repeat(np.arange(400), 4))
    assert fourfold.share == once.share
    assert fourfold.half_width == pytest.approx(once.half_width, rel=0.02)
    certain = move_accuracy._share(np.ones(100, bool), everywhere[:100], np.arange(100))
    assert 0 < certain.half_width < 0.05


def test_without_exact_values_there_is_one_clear_line(monkeypatch: pytest.MonkeyPatch):
    for spec in ("kuhn_poker", "hex:size=8"):
        with pytest.raises(ValueError, match="no exact values are known"):
            solved_positions.fixed(games.load(spec))
    monkeypatch.setitem(sys.modules, "bitbully", None)
    monkeypatch.delitem(sys.modules, "bitbully.bitbully_core", raising=False)
    with pytest.raises(solved_positions.SolverMissing, match="pip install bitbully"):
        solved_positions.answers(CONNECT_FOUR)
