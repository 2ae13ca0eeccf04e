"""Chance moves: in a compiled loop by a key, outside it by a generator for each game."""

from itertools import accumulate

import jax
import jax.numpy as jnp
import numpy as np

from arena.sampling import mix, unit
from arena.types import State
from games import CHANCE, Game


def resolve_chance(game: Game, key: jax.Array, state: State) -> State:
    """Makes chance moves until a seat is to move or the game is over; compiled, one position.

    There are at most `max_plies` of them, whatever a position is that no rules lead to. The random
    numbers are hashes of the key and a counter, far cheaper than JAX's own.
    """
    if not game.num_outcomes:
        return state
    words = jax.random.key_data(key)

    def draw(carry):
        count, state = carry
        bits = count
        for word in words:
            bits = mix(bits ^ word)
        return count + 1, game.step(state, outcome(unit(bits), game.chance(state)))

    def due(carry):
        count, state = carry
        return (game.mover(state) == CHANCE) & (count < np.uint32(game.max_plies))

    return jax.lax.while_loop(due, draw, (jnp.uint32(0), state))[1]


def outcome(draw: jax.Array, chances: jax.Array) -> jax.Array:
    """The outcome at a point of the unit interval: f32[] and probabilities f32[C] to i32[].

    One uniform number does; `jax.random.categorical` takes one for each outcome. Added up one by
    one, which fuses with what makes the chances; a cumulative sum along the last axis does not.
    """
    ends = list(accumulate(chances))
    # Scaled, so that no draw lies beyond the last end if the chances add up to a bit less than 1.
    point = draw * ends[-1]
    return sum((point >= end).astype(jnp.int32) for end in ends[:-1]) + jnp.int32(0)


def generators(key: jax.Array, count: int) -> list[np.random.Generator]:
    """A generator for each of `count` games that are played outside a compiled loop.

    Of numpy, since a single draw of JAX's takes as long as a whole batch of them.
    """
    words = np.asarray(jax.random.key_data(jax.random.split(key, count)))
    return [np.random.default_rng(word) for word in words]


def draw_outcome(generator: np.random.Generator, chances: np.ndarray) -> int:
    """An outcome by probabilities f32[C] that add up to about 1."""
    exact = chances.astype(np.float64)
    return int(generator.choice(len(exact), p=exact / exact.sum()))
