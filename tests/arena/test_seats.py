"""Pairs: numbers, seats and scores, the same for arrays of numpy and of JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from arena.play import seats

PAIRS = 3
arrays = pytest.mark.parametrize("array", [np.array, jnp.array], ids=["numpy", "jax"])


@arrays
def test_a_game_has_a_number_and_the_number_its_pair(array):
    pair, second = array([0, 1, 2, 0, 1, 2]), array([0, 0, 0, 1, 1, 1])
    number = seats.number(pair, second, pairs=PAIRS)
    assert number.tolist() == [0, 1, 2, 3, 4, 5]  # j·P + k
    assert seats.pair_of(number, pairs=PAIRS).tolist() == pair.tolist()
    assert seats.is_second(number, pairs=PAIRS).tolist() == second.tolist()
    assert seats.no_game(PAIRS) == 6


@arrays
def test_a_moves_first_in_the_first_game_of_a_pair_alone(array):
    first, second = array([0, 0, 1, 1]), array([0, 1, 0, 1])
    assert seats.seat_of_a(first, second).tolist() == [0, 1, 1, 0]


@arrays
def test_the_side_to_move_is_whose_seat_it_is(array):
    mover, seat = array([0, 0, 1, 1, 0]), array([0, 1, 0, 1, 0])
    playing = array([True, True, True, True, False])
    found = seats.side_to_move(mover, seat, playing)
    assert isinstance(found, jax.Array) == (array is jnp.array)
    assert found.tolist() == [seats.A, seats.B, seats.B, seats.A, seats.IDLE]


@arrays
def test_what_seat_0_wins_its_player_wins(array):
    verdict, seat = array([1.0, 1.0, -0.5, 0.0]).astype("float32"), array([0, 1, 1, 0])
    found = seats.score_of_a(verdict, seat)
    assert found.dtype == np.float32
    assert found.tolist() == [1.0, 0.0, 0.75, 0.5]


@arrays
def test_scores_by_number_become_scores_by_pair(array):
    scores = array([[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]])
    expected = [[[0, 3], [1, 4], [2, 5]], [[6, 9], [7, 10], [8, 11]]]
    assert seats.by_pair(scores).tolist() == expected
    assert seats.by_pair(scores[0]).tolist() == expected[0]
