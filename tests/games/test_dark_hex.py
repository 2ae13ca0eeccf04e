"""Dark Hex: what a seat learns when it runs into a stone, and what it does not."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import games
from games import OVER, Game
from games.dark_hex import DarkHex
from tests.helpers.beliefs import information_sets, sure_wins


def _after(game: Game, *labels: str) -> Any:
    """The position after moves as players write them."""
    state = game.init()
    for label in labels:
        state = game.step(state, jnp.int32(game.parse(state, label)))
    return state


def _seen(game: Game, state: Any, seat: int) -> tuple[list[list[int]], list[list[int]]]:
    """Row and column of the own stones that a seat sees, and of the other's."""
    planes = np.asarray(game.observe(state, jnp.int32(seat)))
    own, other = (np.argwhere(planes[..., k]).tolist() for k in range(2))
    return own, other


def test_a_seat_that_runs_into_a_stone_sees_it_and_moves_again():
    game = games.load("dark_hex")
    state = _after(game, "c1")
    assert game.mover(state) == 1
    assert _seen(game, state, 1) == ([], [])
    state = _after(game, "c1", "c1")
    assert game.mover(state) == 1
    # Red's stone lies in row 0 and column 2 of its own view, so in row 2 and column 0 of blue's.
    assert _seen(game, state, 1) == ([], [[2, 0]])
    assert not game.legal(state)[2 * 3 + 0]
    assert np.asarray(game.legal(state)).sum() == 8
    with pytest.raises(ValueError, match=r"^c1 is known to be taken$"):
        game.parse(state, "c1")
    # Red sees nothing of it.
    assert _seen(game, state, 0) == ([[0, 2]], [])
    assert game.view(state, 0) == game.view(_after(game, "c1"), 0)
    assert game.show(state) != game.show(_after(game, "c1"))


def test_own_cells_are_known_and_the_others_are_not():
    game = games.load("dark_hex")
    state = _after(game, "a1", "b2")
    assert game.mover(state) == 0
    assert np.flatnonzero(~np.asarray(game.legal(state))).tolist() == [0]
    state = _after(game, "a1", "b2", "b2")
    assert game.mover(state) == 0
    assert np.flatnonzero(~np.asarray(game.legal(state))).tolist() == [0, 4]
    assert _seen(game, state, 0) == ([[0, 0]], [[1, 1]])
    assert _seen(game, state, 1) == ([[1, 1]], [])


def test_what_a_seat_knows_stays_with_it():
    game = games.load("dark_hex")
    # Both run into each other's first stone, then go on.
    state = _after(game, "a1", "a1", "c1", "c1", "b2", "c3")
    assert game.mover(state) == 0
    assert _seen(game, state, 0) == ([[0, 0], [1, 1]], [[0, 2]])
    assert _seen(game, state, 1) == ([[2, 0], [2, 2]], [[0, 0]])
    assert game.show(state).splitlines()[1:] == [" 1 x . o", "  2 . X .", "   3 . . O"]
    assert game.view(state, 0).splitlines()[1:] == [" 1 X . O", "  2 . X .", "   3 . . ."]
    assert game.view(state, 1).splitlines()[1:] == [" 1 X . O", "  2 . . .", "   3 . . O"]


def test_chains_win_as_in_hex():
    game = games.load("dark_hex:size=2")
    state = _after(game, "b1", "a1", "a2")
    assert game.mover(state) == OVER
    assert game.payoff(state) == 1
    state = _after(game, "a1", "a2", "b1", "b1", "b2")  # blue runs into b1, and joins row 2
    assert game.mover(state) == OVER
    assert game.payoff(state) == -1


def test_the_longest_game_runs_into_all_stones_but_the_last():
    game = games.load("dark_hex:size=2")
    moves = ["a1", "a1", "a2", "a2", "b2", "b2"]
    state = _after(game, *moves)
    assert game.mover(state) == 1
    assert game.max_plies == len(moves) + 1
    state = game.step(state, jnp.int32(game.parse(state, "b1")))
    assert game.mover(state) == OVER


def test_which_first_moves_win_for_sure():
    # webdocs.cs.ualberta.ca/~hayward/670gga/jem/games.html: on 2×2 with cells a b / c d the first
    # moves b and c win always, a and d do not.
    two = DarkHex(size=2)
    assert sure_wins(two, 0) == [1, 2]
    assert sure_wins(two, 1) == []
    # On 3×3 it is the obtuse corners c1 and a3; the centre, best when all is seen, is not enough.
    three = DarkHex()
    assert sure_wins(three, 0) == [2, 6]
    assert sure_wins(three, 1) == []


def test_each_seat_has_as_many_information_sets_as_published():
    # github.com/gabrfarina/exp-a-spiel, README: NUM_INFOS_PL1 and NUM_INFOS_PL2 of Dark Hex 3.
    assert information_sets(DarkHex(), 0) == 3_720_850
    assert information_sets(DarkHex(), 1) == 2_352_067


@pytest.mark.parametrize("size", [1, 12, 0])
def test_a_size_that_cannot_be_played_is_refused(size: int):
    with pytest.raises(ValueError, match=rf"^dark_hex: size={size} is not one of 2 to 11$"):
        games.load(f"dark_hex:size={size}")
