"""Chance moves: resolving them, and drawing one outcome."""

from itertools import accumulate
from typing import Any

import jax
import jax.numpy as jnp

from arena.sampling import mix, unit
from games import CHANCE, Game


def resolve_chance(game: Game, key: jax.Array, state: Any) -> Any:
    """Lets chance make all its moves, until a seat is to move or the game is over.

    The numbers that decide them are hashes of the key and a counter, far cheaper than JAX's own.
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

    going = jnp.uint32(0), state
    return jax.lax.while_loop(lambda c: game.mover(c[1]) == CHANCE, draw, going)[1]


def outcome(draw: jax.Array, chances: jax.Array) -> jax.Array:
    """The outcome at a point of the unit interval: f32[] and f32[C] to i32[].

    One uniform number does; `jax.random.categorical` takes one for each outcome. Added up one by
    one, which fuses with what makes the chances; a cumulative sum along the last axis does not.
    """
    ends = list(accumulate(chances))
    # Scaled, so that no draw lies beyond the last end if the chances add up to a bit less than 1.
    point = draw * ends[-1]
    return sum((point >= end).astype(jnp.int32) for end in ends[:-1]) + jnp.int32(0)
