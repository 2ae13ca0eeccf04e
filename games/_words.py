"""Boards of any number of cells as 32-bit words.

A board is a tuple of scalars rather than one array: a batch of it is then a few plain vectors, and
the compiler turns what is done with them into one loop. Cell c is bit c % 32 of word c // 32.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

Words = tuple[jax.Array, ...]
"""u32[] each; bits beyond the last cell are 0."""


def empty(cells: int) -> Words:
    """A board of so many cells, none of them set."""
    return tuple(jnp.uint32(0) for _ in range(0, cells, 32))


def put(board: Words, cell: jax.Array) -> Words:
    """The board with one more cell i32[] set."""
    bit = jnp.uint32(1) << (cell.astype(jnp.uint32) & 31)
    return tuple(jnp.where(cell >> 5 == k, word | bit, word) for k, word in enumerate(board))


def has(board: Words, cell: jax.Array) -> jax.Array:
    """Whether a cell i32[] is set, bool[]."""
    word = board[0]
    for k in range(1, len(board)):
        word = jnp.where(cell >> 5 == k, board[k], word)
    return (word >> (cell.astype(jnp.uint32) & 31)) & 1 == 1


def union(a: Words, b: Words) -> Words:
    """The cells that are set on either board."""
    return tuple(x | y for x, y in zip(a, b, strict=True))


def inverse(board: Words) -> Words:
    """The cells that are not set, and bits beyond the last cell."""
    return tuple(~word for word in board)


def choose(first: jax.Array, a: Words, b: Words) -> Words:
    """Board a if bool[] `first`, else b."""
    return tuple(jnp.where(first, x, y) for x, y in zip(a, b, strict=True))


def count(board: Words) -> jax.Array:
    """How many cells are set, i32[]."""
    return sum(map(jax.lax.population_count, board), jnp.uint32(0)).astype(jnp.int32)


def parts(board: Words, cells: np.ndarray) -> list[jax.Array]:
    """32 at a time, whether each of the cells i[N] is set: bit 0 of u32[32] each.

    For fast code do the rest with each part, and concatenate last.
    """
    found = []
    # To index would be a gather, which is slow. Selecting among words is elementwise, and 32 cells
    # mostly lie in few of them.
    for at in range(0, len(cells), 32):
        words, bits = np.divmod(cells[at : at + 32], 32)
        first, *others = np.unique(words).tolist()
        chosen = board[first]
        for k in others:
            chosen = jnp.where(words == k, board[k], chosen)
        found.append(chosen >> bits.astype(np.uint32))
    return found


def spread(board: Words, cells: np.ndarray, dtype: DTypeLike) -> jax.Array:
    """1 for each of the cells i[N] that is set and 0 for the others, [N]."""
    return jnp.concatenate([(part & 1).astype(dtype) for part in parts(board, cells)])


def rows(board: Words, height: int, width: int) -> list[jax.Array]:
    """Each row of a grid as u32[]: its cells from bit 0 on; above them anything may follow."""
    found = []
    for r in range(height):
        word, bit = divmod(r * width, 32)
        row = board[word] >> bit
        if bit + width > 32:
            row = row | board[word + 1] << (32 - bit)
        found.append(row)
    return found


def whole(board: Words) -> int:
    """All words as one whole number, on the host."""
    return sum(int(word) << 32 * k for k, word in enumerate(board))
