"""The predictors: what is decided, how it is scored, and that honesty cannot be beaten."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from games import CHANCE, OVER, Game

SPEC = "predictors:chances=0.6 0.05 0.3,steps=20"


def _after(game: Game, reports: str):
    state = game.init()
    for label in reports.split():
        state = game.step(state, jnp.int32(game.parse(state, label)))
    return state


def test_the_highest_report_of_either_seat_decides():
    game = games.load(SPEC)
    for reports, taken in (
        ("0.6 0.05 0.3 0.6 0.7 0.3", 1),
        ("0 0 0.5 0.1 0.1 0.1", 2),
        ("0.4 0.4 0.1 0.2 0.1 0.4", 0),  # the first of equal ones
    ):
        state = _after(game, reports)
        assert game.mover(state) == CHANCE
        success = (0.6, 0.05, 0.3)[taken]
        np.testing.assert_allclose(game.chance(state), [1 - success, success], rtol=1e-6)


@pytest.mark.parametrize(("outcome", "payoff"), [(0, 0.7**2 - 0.6**2), (1, 0.3**2 - 0.4**2)])
def test_whoever_was_nearer_wins_by_the_brier_score(outcome: int, payoff: float):
    game = games.load(SPEC)
    state = game.step(_after(game, "0.6 0 0 0.7 0 0"), jnp.int32(outcome))
    assert game.mover(state) == OVER
    assert game.payoff(state) == pytest.approx(payoff, abs=1e-6)
    assert game.show(state).endswith(("failure", "success")[outcome])


def test_nobody_gains_against_honesty():
    # R. Hudson, arXiv 2412.20732: honest reports are an equilibrium of value 0. By the rules: what
    # every pure report of seat 0 gets on average against an honest seat 1, and the other way round.
    game = games.load("predictors:chances=0.6 0.2,steps=5")
    rows = np.array(list(product(range(6), repeat=2)), np.int32)
    honest = np.broadcast_to(np.array([3, 1], np.int32), rows.shape)

    @jax.jit
    @jax.vmap
    def mean(moves: jax.Array) -> jax.Array:
        state = game.init()
        for move in moves:
            state = game.step(state, move)
        ends = [game.payoff(game.step(state, jnp.int32(o))) for o in range(2)]
        return game.chance(state) @ jnp.stack(ends)

    gains = np.asarray(mean(np.concatenate([rows, honest], 1)))
    losses = np.asarray(mean(np.concatenate([honest, rows], 1)))
    assert gains.max() == pytest.approx(0, abs=1e-6)
    assert losses.min() == pytest.approx(0, abs=1e-6)


def test_the_other_seats_reports_are_hidden_until_the_end():
    game = games.load(SPEC)
    state = _after(game, "0.6 0 0 0.7")
    assert "0.6" in game.view(state, 0).splitlines()[2]
    assert game.view(state, 1).splitlines()[2].split()[2:] == [".", ".", "."]
    assert game.view(state, 0).splitlines()[3].split()[2:] == [".", ".", "."]
    ended = game.step(_after(game, "0.6 0 0 0.7 0 0"), jnp.int32(1))
    assert game.view(ended, 1) == game.show(ended)
    assert game.draw_view(ended, 0) == game.draw(ended)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("chances=a", "is not a list of numbers"),
        ("chances=1.5", "1 to 8 chances from 0 to 1"),
        ("chances=", "1 to 8 chances from 0 to 1"),
        ("steps=0", "steps must lie between 1 and 200"),
    ],
)
def test_options_are_checked(options: str, message: str):
    with pytest.raises(ValueError, match=message):
        games.load(f"predictors:{options}")
