"""Positions of an imported game, and how its games begin."""

from typing import Generic, NamedTuple, TypeVar

import jax
import numpy as np

from arena.pettingzoo.spec import EnvSpec
from arena.pettingzoo.worker import Slots

Array = TypeVar("Array")


class EnvState(NamedTuple, Generic[Array]):
    """A position, as the seat to move observes it; all fields may have leading axes.

    Its arrays are of JAX, of numpy, or templates of them.

    Attributes:
      mover: i32[], that seat, or OVER.
      legal: bool[A], its moves.
      observation: [...], as the env gives it; [K, ...] with those of the seat's turns before, see
        `EnvSpec.window`.
      payoff: f32[], seat 0's so far.
      handle: i32[2], of the game in a worker that a search can copy, see
        `arena.pettingzoo.state_copies`; () if the game has gone on since.
    """

    mover: Array
    legal: Array
    observation: Array
    payoff: Array
    handle: Array | tuple[()] = ()


class EnvOpenings(NamedTuple):
    """How games are to begin.

    Attributes:
      seed: i32[...], both of the env's and of the random moves.
      plies: i32[...], the most random moves there are.
    """

    seed: jax.Array
    plies: jax.Array


def state_template(spec: EnvSpec) -> EnvState[jax.ShapeDtypeStruct]:
    """Shapes and types of a position without a handle."""
    return EnvState(
        jax.ShapeDtypeStruct((), np.dtype(np.int32)),
        jax.ShapeDtypeStruct((spec.num_actions,), np.dtype(bool)),
        jax.ShapeDtypeStruct(spec.kept_shape, np.dtype(spec.dtype)),
        jax.ShapeDtypeStruct((), np.dtype(np.float32)),
    )


def states_of(slots: Slots) -> EnvState[np.ndarray]:
    """The positions in N slots, [N, ...] each, in the same memory; without handles."""
    return EnvState(slots.mover, slots.legal, slots.observation, slots.payoff)
