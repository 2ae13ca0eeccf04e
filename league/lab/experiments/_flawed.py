"""Judges with a planted flaw, as programs that a run names: `program:FILE.py:NAME`."""

import jax
import jax.numpy as jnp

from arena.judges.rules import Rules
from games.tic_tac_toe import State, TicTacToe

_LIKING = 1.0
"""How much the centre is worth beside a win."""


def centre(states: State, seen: jax.Array) -> jax.Array:
    """What the rules say of tic-tac-toe and who holds the centre, half and half; f32[B]."""
    held = seen[:, 1, 1, 0] - seen[:, 1, 1, 1]
    return (Rules(TicTacToe()).verdict(states) + _LIKING * held) / jnp.float32(1 + _LIKING)
