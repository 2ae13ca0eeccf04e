"""Nim: Bouton's theorem at every position, and who wins the last object."""

from functools import reduce
from operator import xor
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import games
from arena.evaluation.solver import solve
from games import OVER, Game


def _after(game: Game, *labels: str) -> Any:
    """The position after moves as players write them."""
    state = game.init()
    for label in labels:
        state = game.step(state, jnp.int32(game.parse(state, label)))
    return state


@pytest.mark.parametrize("misere", ["false", "true"])
@pytest.mark.parametrize("piles", ["4 5 6", "1 2 3 4", "1 1 1 1 1", "9"])
def test_every_position_has_the_value_that_bouton_gives_it(piles: str, misere: str):
    # C. Bouton 1901: the mover wins if the exclusive or of the piles is not 0; in misère play it is
    # the other way round where no pile holds more than one.
    solution = solve(games.load(f"nim:piles={piles},misere={misere}"))
    left = np.stack(solution.states.piles, 1)
    wins = np.bitwise_xor.reduce(left, 1) != 0
    if misere == "true":
        wins ^= left.max(1) == 1
    np.testing.assert_array_equal(solution.value, np.where(wins, 1, -1))
    start = [int(pile) for pile in piles.split()]
    assert len(left) >= np.prod([pile + 1 for pile in start]) - 1


@pytest.mark.parametrize("misere", ["false", "true"])
@pytest.mark.parametrize("piles", ["1", "2", "1 1", "2 2", "1 1 1", "3 1 2", "3 5 7", "2 3 4 5"])
def test_the_value_given_is_that_of_the_option(piles: str, misere: str):
    game = games.load(f"nim:piles={piles},misere={misere}")
    assert game.facts.value is not None
    assert game.facts.value.value == solve(game).value[0]


def test_moves_that_win_leave_a_nim_sum_of_zero():
    game = games.load("nim:piles=3 4 6")  # 3 ^ 4 ^ 6 is 1: of each pile the bit 1 must turn
    keeps = np.flatnonzero(solve(game).optimal[0]).tolist()
    assert [game.label(game.init(), move) for move in keeps] == ["1-1"]
    for move in keeps:
        after = game.step(game.init(), jnp.int32(move))
        assert reduce(xor, map(int, after.piles)) == 0


@pytest.mark.parametrize(("misere", "payoff"), [("false", 1.0), ("true", -1.0)])
def test_who_takes_the_last_object(misere: str, payoff: float):
    # Seat 0 takes one, seat 1 two, seat 0 the last one.
    game = games.load(f"nim:piles=2 2,misere={misere}")
    state = _after(game, "1-1", "2-2")
    assert game.payoff(state) == 0
    assert np.flatnonzero(game.legal(state)).tolist() == [game.parse(state, "1-1")]
    state = _after(game, "1-1", "2-2", "1-1")
    assert game.mover(state) == OVER
    assert game.payoff(state) == payoff
    # And with one move less it is seat 1 that takes it.
    state = _after(game, "1-2", "2-2")
    assert game.mover(state) == OVER
    assert game.payoff(state) == -payoff


def test_positions_are_the_same_however_they_were_reached():
    game = games.load("nim")
    first, second = _after(game, "3-2", "4-1", "2-1"), _after(game, "2-1", "4-1", "3-2")
    assert [int(pile) for pile in first.piles] == [1, 2, 3, 6]
    assert first == second


def test_the_observation_shows_what_is_left():
    game = games.load("nim:piles=2 4")
    seen = np.asarray(game.observe(_after(game, "2-1"), jnp.int32(1)))
    assert seen.tolist() == [[1, 1, 0, 0], [1, 1, 1, 0]]


def test_more_than_there_is_cannot_be_taken():
    game = games.load("nim")
    state = _after(game, "4-5")
    for text, message in (
        ("4-3", r"^pile 4 holds 2 only$"),
        ("5-1", r"^'5-1' is not a move; 2-3 takes three from pile 2$"),
        ("1-0", r"^'1-0' is not a move; 2-3 takes three from pile 2$"),
    ):
        with pytest.raises(ValueError, match=message):
            game.parse(state, text)


@pytest.mark.parametrize(
    ("piles", "message"),
    [
        ("", r"^nim: there must be 1 to 16 piles of 1 to 255 objects$"),
        ("0 1", r"^nim: there must be 1 to 16 piles of 1 to 255 objects$"),
        ("256", r"^nim: there must be 1 to 16 piles of 1 to 255 objects$"),
        (" ".join("1" * 17), r"^nim: there must be 1 to 16 piles of 1 to 255 objects$"),
        ("1;3", r"^nim: piles='1;3' is not a list of whole numbers$"),
        ("a\nb", r"^nim: piles='a\\nb' is not a list of whole numbers$"),
    ],
)
def test_piles_that_are_none_are_refused(piles: str, message: str):
    with pytest.raises(ValueError, match=message) as caught:
        games.load(f"nim:piles={piles}")
    assert "\n" not in str(caught.value)
