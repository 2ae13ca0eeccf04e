"""Sets of cells of an 8×8 board, as two 32-bit words: JAX has no 64-bit integers by default."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

_BIT = np.arange(32, dtype=np.uint32)
# For two sets side by side, cell by cell: which word, the bit there, and which set.
_HIGH = np.arange(128) >= 64
_PAIRED_BIT = np.arange(128, dtype=np.uint32) // 2 % 32
_FIRST = np.arange(128) % 2 == 0


def flags(word: jax.Array) -> jax.Array:
    """The bits of a word u32[], lowest first, bool[32]."""
    return (word >> _BIT) & 1 == 1


class Bitboard(NamedTuple):
    """A set of 64 cells; cell c is bit c % 32 of `low` for c < 32, else of `high`.

    Attributes:
      low: u32[].
      high: u32[].
    """

    low: jax.Array
    high: jax.Array

    @classmethod
    def of(cls, bits: int) -> "Bitboard":
        """The 64 bits of a whole number."""
        return cls(jnp.uint32(bits & 0xFFFFFFFF), jnp.uint32(bits >> 32))

    @classmethod
    def cell(cls, index: jax.Array) -> "Bitboard":
        """The set of one cell i32[]; the empty set if it is not one of 0 to 63."""
        bit = jnp.uint32(1) << (index & 31).astype(jnp.uint32)
        return cls(jnp.where(index >> 5 == 0, bit, 0), jnp.where(index >> 5 == 1, bit, 0))

    @classmethod
    def where(cls, condition: jax.Array, yes: "Bitboard", no: "Bitboard") -> "Bitboard":
        """One set or the other, by a bool[]."""
        return cls(jnp.where(condition, yes.low, no.low), jnp.where(condition, yes.high, no.high))

    def __and__(self, other: "Bitboard") -> "Bitboard":
        return Bitboard(self.low & other.low, self.high & other.high)

    def __or__(self, other: "Bitboard") -> "Bitboard":
        return Bitboard(self.low | other.low, self.high | other.high)

    def __xor__(self, other: "Bitboard") -> "Bitboard":
        return Bitboard(self.low ^ other.low, self.high ^ other.high)

    def __invert__(self) -> "Bitboard":
        return Bitboard(~self.low, ~self.high)

    def __lshift__(self, cells: int | jax.Array) -> "Bitboard":
        """Moves every cell c to c + `cells`, 1 to 31; those past the end are dropped."""
        return Bitboard(self.low << cells, self.high << cells | self.low >> 32 - cells)

    def __rshift__(self, cells: int | jax.Array) -> "Bitboard":
        """Moves every cell c to c - `cells`, 1 to 31; those past the end are dropped."""
        return Bitboard(self.low >> cells | self.high << 32 - cells, self.high >> cells)

    def __int__(self) -> int:
        """The inverse of `of`, on the host."""
        return int(self.low) | int(self.high) << 32

    def any(self) -> jax.Array:
        """Whether the set has a cell, bool[]."""
        return (self.low | self.high) != 0

    def size(self) -> jax.Array:
        """The number of cells in the set, i32[]."""
        count = jax.lax.population_count(self.low) + jax.lax.population_count(self.high)
        return count.astype(jnp.int32)

    def flags(self) -> jax.Array:
        """Membership of each cell, bool[64]."""
        return jnp.concatenate([flags(self.low), flags(self.high)])


def planes(first: Bitboard, second: Bitboard) -> jax.Array:
    """Two sets as planes of zeros and ones, f32[8, 8, 2]; cell 0 first, row by row."""
    low = jnp.where(_FIRST, first.low, second.low)
    high = jnp.where(_FIRST, first.high, second.high)
    bits = (jnp.where(_HIGH, high, low) >> _PAIRED_BIT) & 1
    return bits.astype(jnp.float32).reshape(8, 8, 2)
