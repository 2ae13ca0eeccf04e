"""Leduc poker: what each rule of the betting and the showdown changes."""

import jax.numpy as jnp
import numpy as np
import pytest

import games
from games import CHANCE, OVER

GAME = games.load("leduc_poker")
CARDS = ("J♠", "J♥", "Q♠", "Q♥", "K♠", "K♥")


def _after(story: str):
    """The position after cards and moves: `K♠ Q♥ call call J♠ raise`."""
    state = GAME.init()
    for word in story.split():
        dealing = GAME.mover(state) == CHANCE
        move = CARDS.index(word) if dealing else GAME.parse(state, word)
        state = GAME.step(state, jnp.int32(move))
    return state


@pytest.mark.parametrize(
    ("story", "payoff"),
    [
        # The ante of one chip alone is at stake.
        ("K♠ Q♥ call call J♠ call call", 1),
        # A raise is two chips in the first round, four in the second.
        ("K♠ Q♥ raise call J♠ call call", 3),
        ("K♠ Q♥ call call J♠ raise call", 5),
        ("Q♠ K♥ raise raise call J♠ raise raise call", -13),
        # Who folds loses what it has put in, not the raise it does not answer.
        ("K♠ Q♥ raise fold", 1),
        ("K♠ Q♥ call raise fold", -1),
        ("K♠ Q♥ raise raise fold", -3),
        ("K♠ Q♥ call call J♠ raise fold", 1),
        ("K♠ Q♥ raise call J♠ call raise fold", -3),
        ("K♠ Q♥ raise raise call J♠ raise raise fold", -9),
        # A pair with the common card beats any other card.
        ("J♠ K♥ call call J♥ call call", 1),
        ("K♠ Q♥ call call Q♠ call call", -1),
        # Equal ranks share the pot, whatever the suits and the common card.
        ("Q♠ Q♥ raise raise call K♠ raise call", 0),
    ],
)
def test_payoffs(story: str, payoff: int):
    state = _after(story)
    assert GAME.mover(state) == OVER
    assert GAME.payoff(state) == payoff


@pytest.mark.parametrize(
    ("story", "moves"),
    [
        ("K♠ Q♥", "call raise"),  # nothing to fold to
        ("K♠ Q♥ call", "call raise"),
        ("K♠ Q♥ raise", "fold call raise"),
        ("K♠ Q♥ call raise raise", "fold call"),  # two raises in a round
        ("K♠ Q♥ raise raise call J♠", "call raise"),  # and two in the next one
    ],
)
def test_legal_moves(story: str, moves: str):
    state = _after(story)
    legal = np.flatnonzero(GAME.legal(state)).tolist()
    assert [GAME.label(state, move) for move in legal] == moves.split()


@pytest.mark.parametrize(
    ("story", "mover"),
    [
        ("K♠", CHANCE),
        ("K♠ Q♥", 0),
        ("K♠ Q♥ call raise call", CHANCE),
        ("K♠ Q♥ call raise call J♠", 0),  # seat 0 begins, though it moved last
    ],
)
def test_who_moves(story: str, mover: int):
    assert GAME.mover(_after(story)) == mover


def test_the_common_card_is_one_that_is_left():
    np.testing.assert_allclose(
        GAME.chance(_after("K♠ Q♥ call call")), [0.25, 0.25, 0.25, 0, 0, 0.25]
    )


@pytest.mark.parametrize(
    ("story", "pot"),
    [
        ("K♠ Q♥", 2),
        ("K♠ Q♥ raise", 4),
        ("K♠ Q♥ raise call", 6),
        ("K♠ Q♥ raise call J♠ call raise", 10),
        ("K♠ Q♥ raise call J♠ call raise fold", 10),
        ("K♠ Q♥ raise call J♠ call raise call", 14),
    ],
)
def test_the_picture_tells_the_pot(story: str, pot: int):
    assert f">pot {pot}<" in GAME.draw(_after(story))


def test_texts():
    state = _after("K♠ Q♥ raise call J♠ call")
    assert GAME.show(state) == "cards K♠ Q♥: raise, call\ncommon card J♠: call"
    assert GAME.view(state, 0) == "cards K♠ ?: raise, call\ncommon card J♠: call"
    assert GAME.view(state, 1) == "cards ? Q♥: raise, call\ncommon card J♠: call"
    assert GAME.show(GAME.init()) == "cards - -"
    for move, story, why in (
        ("fold", "K♠ Q♥", "there is nothing to fold to"),
        ("raise", "K♠ Q♥ raise raise", "there were two raises"),
    ):
        with pytest.raises(ValueError, match=rf"^you cannot {move}: {why}$"):
            GAME.parse(_after(story), move)
