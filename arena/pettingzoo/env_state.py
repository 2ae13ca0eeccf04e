"""Positions of an imported game, and how its games begin."""

from typing import NamedTuple

import jax
import numpy as np

from arena.pettingzoo.spec import EnvSpec
from arena.pettingzoo.worker import Slots


class EnvState(NamedTuple):
    """A position, as the seat to move observes it; all fields may have leading axes.

    Attributes:
      mover: i32[], that seat, or OVER.
      legal: bool[A], its moves.
      observation: [...], as the env gives it.
      payoff: f32[], seat 0's so far.
      handle: i32[2], of the game in a worker that a search can copy, see
        `arena.pettingzoo.state_copies`; () if the game has gone on since.
    """

    mover: jax.Array | np.ndarray
    legal: jax.Array | np.ndarray
    observation: jax.Array | np.ndarray
    payoff: jax.Array | np.ndarray
    handle: jax.Array | np.ndarray | tuple[()] = ()


class EnvOpenings(NamedTuple):
    """How games are to begin.

    Attributes:
      seed: i32[...], both of the env's and of the random moves.
      plies: i32[...], the most random moves there are.
    """

    seed: jax.Array
    plies: jax.Array


def state_template(spec: EnvSpec) -> EnvState:
    """Shapes and types of a position without a handle, a pytree of `jax.ShapeDtypeStruct`."""
    return EnvState(
        *(
            jax.ShapeDtypeStruct(shape, np.dtype(kind))
            for shape, kind in (
                ((), np.int32),
                ((spec.num_actions,), bool),
                (spec.shape, spec.dtype),
                ((), np.float32),
            )
        )
    )


def states_of(slots: Slots) -> EnvState:
    """The positions in N slots, [N, ...] each, in the same memory; without handles."""
    return EnvState(slots.mover, slots.legal, slots.observation, slots.payoff)
