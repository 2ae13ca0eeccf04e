"""Kuhn poker: all courses of the betting."""

import jax.numpy as jnp
import numpy as np
import pytest

import games
from games import CHANCE, OVER

GAME = games.load("kuhn_poker")
JACK, QUEEN, KING = range(3)


def _after(*moves: int):
    state = GAME.init()
    for move in moves:
        state = GAME.step(state, jnp.int32(move))
    return state


@pytest.mark.parametrize(
    ("bets", "higher", "lower"),
    [
        ("pass pass", 1, -1),
        ("pass bet pass", -1, -1),  # seat 0 gives in, whatever it has
        ("pass bet bet", 2, -2),
        ("bet pass", 1, 1),  # seat 1 gives in
        ("bet bet", 2, -2),
    ],
)
def test_payoffs(bets: str, higher: int, lower: int):
    for cards, payoff in (((KING, JACK), higher), ((QUEEN, KING), lower)):
        state = _after(*cards)
        for k, bet in enumerate(bets.split()):
            assert GAME.mover(state) == k % 2
            state = GAME.step(state, jnp.int32(GAME.parse(state, bet)))
        assert GAME.mover(state) == OVER
        assert GAME.payoff(state) == payoff


def test_no_card_is_dealt_twice():
    for dealt, chances in (((), [1 / 3] * 3), ((QUEEN,), [1 / 2, 0, 1 / 2])):
        assert GAME.mover(_after(*dealt)) == CHANCE
        np.testing.assert_allclose(GAME.chance(_after(*dealt)), chances, rtol=1e-6)


def test_texts():
    state = _after(KING, JACK, 0, 1)
    assert GAME.show(state) == "cards K♠ J♠: pass, bet"
    assert GAME.view(state, 0) == "cards K♠ ?: pass, bet"
    assert GAME.view(state, 1) == "cards ? J♠: pass, bet"
    assert GAME.show(GAME.init()) == "cards - -"
    assert "pot 3" in GAME.draw(state)
    with pytest.raises(ValueError, match=r"^'Fold' is no move; moves are pass and bet$"):
        GAME.parse(state, "Fold")
