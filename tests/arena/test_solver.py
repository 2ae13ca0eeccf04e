from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from open_spiel.python.algorithms.minimax_solver import MinimaxSolver

import games
from arena.evaluation.enumeration import raw
from arena.evaluation.solver import solve
from arena.judges.rules import Rules
from arena.types import Judge
from tests.helpers.false_judge import Inverted

GAME = games.load("tic_tac_toe")


@dataclass(frozen=True)
class Half(Judge):
    """Gives the winner half of what is at stake."""

    game: games.Game

    def verdict(self, finals: Any) -> jax.Array:
        return Rules(self.game).verdict(finals) / 2


# Cells by number: 0 1 2 / 3 4 5 / 6 7 8.
CORNERS, EDGES, CENTRE = {0, 2, 6, 8}, {1, 3, 5, 7}, {4}


def _lookup(*moves: int) -> tuple[int, set[int]]:
    """Value and optimal moves after the given moves."""
    state = GAME.init()
    for move in moves:
        state = GAME.step(state, jnp.int32(move))
    solution = solve(GAME)
    [row] = np.flatnonzero(raw(solution.states) == raw(jax.tree.map(lambda x: x[None], state)))
    return int(solution.value[row]), set(np.flatnonzero(solution.optimal[row]).tolist())


def test_tic_tac_toe_has_4520_positions_with_a_move_to_make():
    # 5,478 legal positions (en.wikipedia.org/wiki/Game_complexity) less the 958 in which the game
    # has ended (archive.ics.uci.edu/dataset/101/tic+tac+toe+endgame, all of its instances).
    solution = solve(GAME)
    assert len(solution.value) == 5478 - 958 == 4520
    assert len(np.unique(raw(solution.states))) == 4520
    assert solution.value.dtype == np.int8
    assert solution.optimal.shape == (4520, 9)
    assert solution.optimal.any(1).all()


@pytest.mark.parametrize(
    ("moves", "value", "optimal"),
    [
        # en.wikipedia.org/wiki/Tic-tac-toe, Strategy: a draw, whatever X begins with …
        ((), 0, CORNERS | EDGES | CENTRE),
        # … and what O must answer: to a corner the centre; to the centre a corner; to an edge the
        # centre, a corner next to it or the edge opposite.
        ((0,), 0, CENTRE),
        ((4,), 0, CORNERS),
        ((1,), 0, {4, 0, 2, 7}),
        # X on two corners and the centre makes two threats at once: O is lost, every move optimal.
        ((0, 1, 4, 8, 6), -1, {2, 3, 5, 7}),
        # O wins at 5, or blocks the top row at 2 and so threatens 5 and 6; elsewhere X wins.
        ((0, 3, 1, 4, 8), 1, {2, 5}),
        # O threatens the middle row; X, with no threat of its own, must block.
        ((0, 4, 8, 3), 0, {5}),
    ],
)
def test_known_positions(moves: tuple[int, ...], value: int, optimal: set[int]):
    assert _lookup(*moves) == (value, optimal)


def test_every_position_agrees_with_the_minimax_solver_of_openspiel():
    solution = solve(GAME)
    table = MinimaxSolver("tic_tac_toe").solve()
    planes = np.asarray(jax.vmap(GAME.observe, (0, None))(solution.states, jnp.int32(0)))
    stones = np.where(planes[..., 0] > 0, "x", np.where(planes[..., 1] > 0, "o", "."))
    texts = ["\n".join("".join(row) for row in board) for board in stones]
    assert set(texts) == set(table)
    theirs = np.array([table[text].action_values for text in texts])
    np.testing.assert_array_equal(solution.value, theirs.max(1))
    np.testing.assert_array_equal(solution.optimal, theirs == theirs.max(1, keepdims=True))


def test_a_judge_who_lets_the_loser_win_makes_misere_nim():
    # C. Bouton 1901, section 6: where the last stone loses, the lost positions are those of nim
    # (equal piles, of two) as long as some pile has two stones or more; else an odd number of
    # piles of one stone.
    nim = games.load("nim:piles=3 4")
    solution = solve(nim, judge=Inverted(nim))
    a, b = (np.asarray(pile).astype(int) for pile in solution.states.piles)
    lost = np.where(np.maximum(a, b) > 1, a == b, (a + b) % 2 == 1)
    np.testing.assert_array_equal(solution.value, np.where(lost, -1, 1))
    assert not np.array_equal(solution.value, solve(nim).value)
    assert solve(nim, judge=Rules(nim)) is solve(nim)


def test_fractions_of_a_payoff_are_refused():
    with pytest.raises(ValueError, match="only whole payoffs"):
        solve(games.load("nim:piles=1 1"), judge=Half(games.load("nim:piles=1 1")))
