"""Repetition: keys of positions, and which positions have occurred."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games._chess.board import Word, materialize

CLOCK = 100
"""The game is drawn after this many consecutive plies without a capture or a pawn's move."""

# Two 32-bit hashes in the manner of MurmurHash3: start, factors, rotations, addend.
_HASHES = (
    (0x9747B28C, 0xCC9E2D51, 0x1B873593, 15, 13, 0xE6546B64),
    (0x3C6EF372, 0x85EBCA6B, 0xC2B2AE35, 17, 11, 0x9E3779B9),
)


class Key(NamedTuple):
    """A hash of a position; two different positions have the same one with probability 2⁻⁶⁴.

    Attributes:
      low: u32[].
      high: u32[].
    """

    low: jax.Array
    high: jax.Array


def key(words: list[Word]) -> Key:
    """The key of a position.

    Args:
      words: u32[] each, all that distinguishes the position from others.
    """
    found = []
    with np.errstate(over="ignore"):  # words of a position on the host are scalars of numpy
        for start, first, second, inner, outer, addend in _HASHES:
            value = np.uint32(start)
            for word in words:
                mixed = _rotate(word * np.uint32(first), inner) * np.uint32(second)
                value = _rotate(value ^ mixed, outer) * np.uint32(5) + np.uint32(addend)
            found.append(value)
    return materialize(Key(*found))


def _rotate(word: Word, bits: int) -> Word:
    return word << bits | word >> 32 - bits


class History(NamedTuple):
    """Keys of the positions since the last capture or pawn's move; 0 in places not used yet.

    Attributes:
      low: u32[100], the keys' `low` by the clock.
      high: u32[100], likewise.
    """

    low: jax.Array
    high: jax.Array

    @classmethod
    def empty(cls) -> "History":
        """No position."""
        return cls(jnp.zeros(CLOCK, jnp.uint32), jnp.zeros(CLOCK, jnp.uint32))

    def after(self, clock: jax.Array, key: Key, reset: jax.Array) -> "History":
        """The history with one more position.

        Args:
          clock: i32[], plies since the last capture or pawn's move, at that position.
          key: of that position.
          reset: bool[], whether the move made there was a capture or a pawn's move; if so, the
            result is empty.
        """
        here = jnp.arange(CLOCK) == clock
        pairs = zip(self, key, strict=True)
        return History(*(jnp.where(reset, 0, jnp.where(here, new, old)) for old, new in pairs))

    def occurrences(self, key: Key) -> jax.Array:
        """How many positions of the history have a key, i32[]."""
        return ((self.low == key.low) & (self.high == key.high)).sum(dtype=jnp.int32)
