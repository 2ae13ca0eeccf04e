"""The labelled positions, and how moves are judged by them."""

from functools import cache
from importlib import resources

import jax
import numpy as np
import pytest

import games
from arena import judge
from games import OVER

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
    moves, values = judge.read(TEXT)
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

    solver = label.solver()
    lines = TEXT.splitlines()
    for line in lines[:160:8] + lines[5000:10000:250]:
        *moves, told = line.split()
        assert label.label(solver, "".join(moves)) == told


def test_the_labels_say_what_allis_proved():
    # V. Allis, "A Knowledge-based Approach of Connect-Four" (1988): White wins by the centre, draws
    # by the columns beside it, and loses by the others.
    assert TEXT.splitlines()[0] == "--=+=--"


def test_the_set_is_of_positions_with_a_choice_all_different_and_as_many_of_each_size():
    exam = judge.connect_four()
    mover = np.asarray(jax.vmap(CONNECT_FOUR.mover)(exam.states))
    legal = np.asarray(jax.vmap(CONNECT_FOUR.legal)(exam.states))
    seen = np.asarray(jax.vmap(CONNECT_FOUR.observe, (0, None))(exam.states, np.int32(0)))
    assert (mover != OVER).all()
    np.testing.assert_array_equal(exam.legal, legal)
    assert (legal.sum(1) > 1).all()
    assert exam.keeps.any(1).all()
    assert not (exam.keeps & ~legal).any()
    assert exam.matters.sum() == 6109
    mirrored = np.concatenate([seen, seen[:, :, ::-1]]).reshape(2, 10_000, -1)
    names = [frozenset((a.tobytes(), b.tobytes())) for a, b in zip(*mirrored, strict=True)]
    assert len(set(names)) == 10_000
    stones = np.bincount(seen.sum((1, 2, 3)).astype(int))
    # 1, 4, 25 and 121 are all that there are up to mirror images (oeis.org/A212693 counts both).
    assert stones[:4].tolist() == [1, 4, 25, 121]
    assert set(stones[4:].tolist()) == {307, 308}
    assert len(stones) == 36
