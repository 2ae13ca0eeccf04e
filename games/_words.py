"""Boards of any number of cells as 32-bit words.

A board is a tuple of scalars rather than one array: a batch of it is then a few plain vectors, and
the compiler turns what is done with them into one loop. Cell c is bit c % 32 of word c // 32.
"""

import jax
import jax.numpy as jnp
import numpy as np

Words = tuple[jax.Array, ...]
"""u32[] each; bits beyond the last cell are 0."""


def empty(cells: int) -> Words:
    """A board of so many cells, none of them set."""
    return tuple(jnp.uint32(0) for _ in range(0, cells, 32))


def put(board: Words, cell: jax.Array) -> Words:
    """The board with one more cell i32[] set."""
    bit = jnp.uint32(1) << (cell.astype(jnp.uint32) & 31)
    return tuple(jnp.where(cell >> 5 == k, word | bit, word) for k, word in enumerate(board))


def choose(first: jax.Array, a: Words, b: Words) -> Words:
    """Board a if bool[] `first`, else b."""
    return tuple(jnp.where(first, x, y) for x, y in zip(a, b, strict=True))


def count(board: Words) -> jax.Array:
    """How many cells are set, i32[]."""
    return sum(map(jax.lax.population_count, board), jnp.uint32(0)).astype(jnp.int32)


def flags(board: Words, cells: np.ndarray) -> jax.Array:
    """Whether each of the cells i[N] is set, bool[N]."""
    words, bits = np.divmod(cells, 32)
    # Selecting word by word is elementwise; to index would be a gather, which is slow.
    chosen = board[0]
    for k in range(1, len(board)):
        chosen = jnp.where(words == k, board[k], chosen)
    return (chosen >> bits.astype(np.uint32)) & 1 == 1


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
