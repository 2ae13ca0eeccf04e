"""Pairs of games: who moves first in which, what the games are numbered, and what a pair scored.

A match of P pairs plays every opening twice with the seats swapped: A makes the first move after
the opening in the first game of a pair (j = 0), B in the second (j = 1). Game j of pair k has the
number j·P + k, and 2P stands for no game. The loops on the device, on the host and over an
imported env all take these rules from here; each function works on arrays of numpy and of JAX.
"""

from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

A, B, IDLE = 0, 1, 2
"""The sides of a match, and the side of a slot that holds no game."""

Array = TypeVar("Array", np.ndarray, jax.Array)


def number(pair: Array, second: Array, *, pairs: int) -> Array:
    """Numbers of games: i32[...] of their pairs k and i32[...] j, to i32[...] j·P + k."""
    return second * pairs + pair


def no_game(pairs: int) -> int:
    """The number, 2P, of a slot that holds no game."""
    return 2 * pairs


def pair_of(game: Array, *, pairs: int) -> Array:
    """The pairs k of games numbered i32[...], i32[...]; unspecified where there is no game."""
    return game % pairs


def is_second(game: Array, *, pairs: int) -> Array:
    """The j of games numbered i32[...]: i32[...], 0 or 1; unspecified where there is no game."""
    return game // pairs


def seat_of_a(first: Array, second: Array) -> Array:
    """The seats in which A plays.

    Args:
      first: i32[...], the seats to move in the openings.
      second: i32[...], j of the games.

    Returns:
      i32[...], the seat to move in the opening in games j = 0, the other one in games j = 1.
    """
    return first ^ second


def side_to_move(mover: Array, seat: Array, playing: Array) -> Array:
    """Whose move it is.

    Args:
      mover: i32[...], the seats to move.
      seat: i32[...], the seats of A.
      playing: bool[...], whether there is a game.

    Returns:
      i32[...], A, B or IDLE.
    """
    return _where(playing, _where(mover == seat, A, B), IDLE)


def score_of_a(verdict: Array, seat: Array) -> Array:
    """What A scored: f32[...] in [0, 1], ½ for a draw.

    Args:
      verdict: f32[...] in [-1, 1], seat 0's, as a judge gives it.
      seat: i32[...], the seats of A.
    """
    return 0.5 + 0.5 * _where(seat == 0, verdict, -verdict)


def by_pair(scores: Array) -> Array:
    """Scores by number of the game, f32[..., 2P], as scores by pair, f32[..., P, 2]."""
    return scores.reshape(*scores.shape[:-1], 2, -1).swapaxes(-1, -2)


def _where(condition: Any, yes: Any, no: Any) -> Any:
    return (jnp if isinstance(condition, jax.Array) else np).where(condition, yes, no)
