"""Phantom tic-tac-toe: what a seat learns when it runs into a mark, and draws."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import games
from games import OVER
from games.phantom_tic_tac_toe import PhantomTicTacToe
from tests.helpers.beliefs import sure_wins

GAME = games.load("phantom_tic_tac_toe")


def _after(*labels: str) -> Any:
    """The position after moves as players write them."""
    state = GAME.init()
    for label in labels:
        state = GAME.step(state, jnp.int32(GAME.parse(state, label)))
    return state


def test_a_seat_that_runs_into_a_mark_sees_it_and_moves_again():
    state = _after("b2", "b2")
    assert GAME.mover(state) == 1
    assert np.flatnonzero(~np.asarray(GAME.legal(state))).tolist() == [4]
    assert np.asarray(GAME.observe(state, jnp.int32(1)))[1, 1].tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"^b2 is known to be taken$"):
        GAME.parse(state, "b2")
    # X sees nothing of it, nor what O does then.
    for later in (state, _after("b2", "b2", "a1")):
        assert np.asarray(GAME.observe(later, jnp.int32(0))).sum() == 1
        assert GAME.view(later, 0) == GAME.view(_after("b2"), 0)
    assert GAME.mover(_after("b2", "b2", "a1")) == 0


def test_texts():
    state = _after("b2", "b2", "a1", "a1", "c3", "b3")
    assert GAME.show(state) == "3  . O X\n2  . x .\n1  o . .\n   a b c"
    assert GAME.view(state, 0) == "3  . . X\n2  . X .\n1  O . .\n   a b c"
    assert GAME.view(state, 1) == "3  . O .\n2  . X .\n1  O . .\n   a b c"


@pytest.mark.parametrize(
    ("moves", "payoff"),
    [
        ("a3 a2 b3 b2 c3", 1),  # the top row
        ("a1 b3 b2 a2 c3", 1),  # a diagonal
        ("a3 c3 a2 c2 b1 c1", -1),  # O's right column
        ("a3 a3 c3 a2 c2 b1 c1", -1),  # the same, with a mark that O ran into
    ],
)
def test_three_in_a_row_win(moves: str, payoff: int):
    *before, last = moves.split()
    state = _after(*before)
    assert GAME.mover(state) != OVER
    state = GAME.step(state, jnp.int32(GAME.parse(state, last)))
    assert GAME.mover(state) == OVER
    assert GAME.payoff(state) == payoff


def test_the_longest_game_is_a_draw_that_runs_into_all_marks_but_the_last():
    # X O X / X O O / O X X, each mark tried by the other seat as soon as it can.
    x, o = ["a3", "c3", "a2", "b1", "c1"], ["b3", "b2", "c2", "a1"]
    moves = [x[0]]
    for k in range(4):
        moves += [x[k], o[k], o[k], x[k + 1]]
    assert len(moves) == GAME.max_plies == 17
    state = _after(*moves[:-1])
    assert GAME.mover(state) == 0
    state = GAME.step(state, jnp.int32(GAME.parse(state, moves[-1])))
    assert GAME.mover(state) == OVER
    assert GAME.payoff(state) == 0


def test_nobody_can_be_sure_to_win():
    assert sure_wins(PhantomTicTacToe(), 0) == []
    assert sure_wins(PhantomTicTacToe(), 1) == []
