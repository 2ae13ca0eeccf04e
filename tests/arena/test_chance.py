"""Chance moves, as matches make them."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from arena.chance import outcome, resolve_chance
from arena.sampling import unit
from games import CHANCE

LAST = float(unit(jnp.uint32(0xFFFFFFFF)))


def _deals(spec: str, count: int, consecutive: bool) -> np.ndarray:
    """The positions, one number each, to which chance leads under so many keys."""
    game = games.load(spec)
    numbers = jnp.arange(count, dtype=jnp.uint32)
    keys = jax.random.split(jax.random.key(0), count)
    keys = jax.vmap(jax.random.key)(numbers) if consecutive else keys
    states = jax.jit(jax.vmap(lambda key: resolve_chance(game, key, game.init())))(keys)
    assert (np.asarray(jax.vmap(game.mover)(states)) != CHANCE).all()
    return np.unique(np.stack(jax.tree.leaves(states), 1), axis=0, return_counts=True)[1]


@pytest.mark.parametrize("consecutive", [False, True])
@pytest.mark.parametrize(
    ("spec", "deals"), [("kuhn_poker", 6), ("leduc_poker", 30), ("liars_dice", 36)]
)
def test_every_deal_is_as_likely_as_it_should_be(spec: str, deals: int, consecutive: bool):
    counts = _deals(spec, 60_000, consecutive)
    assert len(counts) == deals
    # Chi-square has mean d and variance 2 d, d = deals - 1; five deviations are one in millions.
    expected = counts.sum() / deals
    chi = ((counts - expected) ** 2 / expected).sum()
    assert chi < deals - 1 + 5 * np.sqrt(2 * (deals - 1))


def test_dice_rolled_in_a_row_are_independent():
    counts = _deals("liars_dice:dice=2,sides=2", 60_000, consecutive=True)
    # Each seat has two ones, two twos, or one of each, which is twice as likely.
    likely = np.sort(np.outer([1, 2, 1], [1, 2, 1]).reshape(-1)) / 16
    chi = ((np.sort(counts) - 60_000 * likely) ** 2 / (60_000 * likely)).sum()
    assert chi < 8 + 5 * 4


@pytest.mark.parametrize(
    ("draw", "chances", "expected"),
    [
        (0.0, [0.5, 0.5], 0),
        (0.5, [0.5, 0.5], 1),
        (0.49999, [0.5, 0.5], 0),
        (0.0, [0.0, 0.5, 0.5], 1),  # what is impossible is never drawn: not at the start
        (0.5, [0.5, 0.0, 0.5], 2),
        (LAST, [0.5, 0.5, 0.0], 1),  # nor at the end
        (LAST, [0.1] * 10, 9),
        (LAST, [1 / 3, 1 / 3, 1 / 3, 0.0], 2),  # adds up to a bit more than 1 in single precision
        (LAST, [0.3, 0.3, 0.3, 0.0], 2),  # or to less
        (0.7, [1.0], 0),
    ],
)
def test_an_outcome_is_drawn_by_its_share(draw: float, chances: list[float], expected: int):
    assert outcome(jnp.float32(draw), jnp.array(chances, jnp.float32)) == expected


def test_the_unit_interval_is_open_at_its_end():
    assert unit(jnp.uint32(0)) == 0
    assert 1 - 2e-7 < LAST < 1


def test_without_chance_nothing_happens():
    game = games.load("tic_tac_toe")
    state = game.init()
    assert partial(resolve_chance, game)(jax.random.key(0), state) is state
