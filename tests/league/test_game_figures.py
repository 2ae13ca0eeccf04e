"""Figures of training games: drawn ones, those as long as can be, and how many differ."""

import jax.numpy as jnp
import numpy as np
import pytest

import games
from arena.play.device_loop import Played, Record
from league.training import game_figures


def played(lines: list[list[int]], scores: list[float]) -> Played:
    """One match; a game is the list of its positions, and two of them make a pair."""
    pairs, longest = len(lines) // 2, max(map(len, lines))
    state = np.zeros((longest, 2, 1, len(lines)), np.int32)
    game = np.full_like(state, 2 * pairs)
    for number, line in enumerate(lines):
        for time, position in enumerate(line):
            state[time, time % 2, 0, number] = position
            game[time, time % 2, 0, number] = number
    results = jnp.array(scores, np.float32).reshape(1, 2, pairs).swapaxes(1, 2)
    return Played(results, Record((state,), (), game))


def test_draws_length_and_variety_are_counted():
    lines = [[1, 2, 3], [1, 2, 3], [1, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8, 9]]
    counts = game_figures.count(played(lines, [1, 0.5, 0.5, 0.5]))
    assert counts.moves.tolist() == [3, 3, 3, 9]
    found = game_figures.figures(games.load("tic_tac_toe"), [counts], 0)
    lengths = {"moves": 4.5, "moves_low": 3.0, "moves_high": pytest.approx(7.2)}  # of 3, 3, 3, 9
    shares = {"draws": 0.75, "distinct_games": 0.75, "cut_off": 0.25}  # 9 plies at most
    assert found == {**shares, **lengths}
    twice = game_figures.figures(games.load("tic_tac_toe"), [counts, counts], 6)
    assert (twice["distinct_games"], twice["cut_off"]) == (3 / 8, 1.0)


def test_games_that_meet_the_same_positions_as_two_others_are_told_apart():
    lines = [[1, 5], [2, 4], [3, 3], [6]]  # equal sums
    counts = game_figures.count(played(lines, [1, 1, 1, 1]))
    assert len(set(counts.fingerprints.tolist())) == 4


def test_chance_moves_are_not_recorded_and_so_is_no_length():
    counts = game_figures.count(played([[1], [2]], [1, 0]))
    assert "cut_off" not in game_figures.figures(games.load("backgammon"), [counts], 0)


def test_games_must_have_been_recorded():
    with pytest.raises(ValueError, match="not recorded"):
        game_figures.count(Played(jnp.zeros((1, 1, 2)), None))
