"""Sets of cells of a board of any size, as bits of 32-bit words.

A set is a tuple of scalars rather than one array: a batch of it is then a few plain vectors, and
the compiler fuses the operations on them into one loop. Cell c is bit c % 32 of word c // 32.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

Bitset = tuple[jax.Array, ...]
"""u32[] each; bits beyond the last cell are 0."""


def empty(cells: int) -> Bitset:
    """The empty set, for a board of a number of cells."""
    return tuple(jnp.uint32(0) for _ in range(0, cells, 32))


def add(board: Bitset, cell: jax.Array) -> Bitset:
    """The set with a cell i32[] added."""
    bit = jnp.uint32(1) << (cell.astype(jnp.uint32) & 31)
    return tuple(jnp.where(cell >> 5 == k, word | bit, word) for k, word in enumerate(board))


def contains(board: Bitset, cell: jax.Array) -> jax.Array:
    """Whether a cell i32[] is in the set, bool[]."""
    word = board[0]
    for k in range(1, len(board)):
        word = jnp.where(cell >> 5 == k, board[k], word)
    return (word >> (cell.astype(jnp.uint32) & 31)) & 1 == 1


def union(a: Bitset, b: Bitset) -> Bitset:
    """The cells of either set."""
    return tuple(x | y for x, y in zip(a, b, strict=True))


def complement(board: Bitset) -> Bitset:
    """The cells that are not in the set; bits beyond the last cell are set, too."""
    return tuple(~word for word in board)


def select(first: jax.Array, a: Bitset, b: Bitset) -> Bitset:
    """Set a if bool[] `first`, else b."""
    return tuple(jnp.where(first, x, y) for x, y in zip(a, b, strict=True))


def count(board: Bitset) -> jax.Array:
    """The number of cells in the set, i32[]."""
    return sum(map(jax.lax.population_count, board), jnp.uint32(0)).astype(jnp.int32)


def parts(board: Bitset, cells: np.ndarray) -> list[jax.Array]:
    """Membership of cells i[N], 32 at a time: bit 0 of u32[32] each; other bits are unspecified.

    Fast code works on each part and concatenates last.
    """
    found = []
    # Indexing would be a gather, which is slow. Selecting among words is elementwise, and 32 cells
    # mostly lie in few of them.
    for at in range(0, len(cells), 32):
        words, bits = np.divmod(cells[at : at + 32], 32)
        first, *others = np.unique(words).tolist()
        chosen = board[first]
        for k in others:
            chosen = jnp.where(words == k, board[k], chosen)
        found.append(chosen >> bits.astype(np.uint32))
    return found


def to_array(board: Bitset, cells: np.ndarray, dtype: DTypeLike) -> jax.Array:
    """Membership of cells i[N], [N]: 1 for those in the set and 0 for the others."""
    return jnp.concatenate([(part & 1).astype(dtype) for part in parts(board, cells)])


def rows(board: Bitset, height: int, width: int) -> list[jax.Array]:
    """Each row of a grid as u32[]: its cells from bit 0 on; higher bits are unspecified."""
    found = []
    for r in range(height):
        word, bit = divmod(r * width, 32)
        row = board[word] >> bit
        if bit + width > 32:
            row = row | board[word + 1] << (32 - bit)
        found.append(row)
    return found


def to_int(board: Bitset) -> int:
    """All words as one whole number. On the host only."""
    return sum(int(word) << 32 * k for k, word in enumerate(board))
