"""Sets of squares as bits of 32-bit words, and the directions in which pieces move over them."""

from dataclasses import dataclass
from functools import partial, reduce
from operator import invert, or_
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np

TreeT = TypeVar("TreeT")
Word = jax.Array | np.uint32
"""A word u32[] of a set of squares; one that is the same in all positions is a numpy scalar."""
Step = tuple[int, int]
"""A displacement: files to the right and ranks up."""

RAYS: tuple[Step, ...] = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
"""The queen's eight directions, clockwise from straight up. Even indices are the rook's, odd ones
the bishop's; direction `(i + 4) % 8` is opposite to direction i."""
JUMPS: tuple[Step, ...] = ((1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2))
"""The knight's eight jumps, clockwise; jump `(i + 4) % 8` is opposite to jump i."""
DIRECTIONS = (*RAYS, *JUMPS)
"""All sixteen, in the order in which moves are numbered."""
PAWN_RAYS = (7, 0, 1)
"""A pawn's directions, as indices into `RAYS`: a capture to the left, a step, a capture to the
right."""


@partial(jax.tree_util.register_dataclass, data_fields=["words"], meta_fields=["size"])
@dataclass(frozen=True)
class Board:
    """A set of squares (a bitboard), a pytree whose leaves are its words.

    Square `rank * size + file`, both counted from 0, is bit `square % 32` of word `square // 32`.
    Bits beyond the last square are set by `~` only; every other operation ignores them.

    Attributes:
      words: u32[] each, as many as size² bits need.
      size: number of files and of ranks, 5 or 8.
    """

    words: tuple[Word, ...]
    size: int

    @classmethod
    def of(cls, size: int, squares: int) -> "Board":
        """The set whose bits are those of a whole number; its words are numpy scalars."""
        count = -(-size * size // 32)
        return cls(tuple(np.uint32(squares >> 32 * k & 0xFFFFFFFF) for k in range(count)), size)

    @classmethod
    def square(cls, size: int, index: jax.Array) -> "Board":
        """The set of the one square with an index u32[]."""
        bit, word = jnp.uint32(1) << (index & 31), index >> 5
        return cls(tuple(jnp.where(word == k, bit, 0) for k in range(-(-size * size // 32))), size)

    @classmethod
    def rank(cls, size: int, rank: int) -> "Board":
        """All squares of one rank, counted from 0."""
        return cls.of(size, (1 << size) - 1 << size * rank)

    def __int__(self) -> int:
        return sum(int(word) << 32 * k for k, word in enumerate(self.words))

    def __and__(self, other: "Board") -> "Board":
        return Board(tuple(a & b for a, b in zip(self.words, other.words, strict=True)), self.size)

    def __or__(self, other: "Board") -> "Board":
        return Board(tuple(a | b for a, b in zip(self.words, other.words, strict=True)), self.size)

    def __xor__(self, other: "Board") -> "Board":
        return Board(tuple(a ^ b for a, b in zip(self.words, other.words, strict=True)), self.size)

    def __invert__(self) -> "Board":
        return Board(tuple(~word for word in self.words), self.size)

    def when(self, condition: jax.Array) -> "Board":
        """This set if the condition bool[] holds, else the empty set."""
        return Board(tuple(jnp.where(condition, word, 0) for word in self.words), self.size)

    def any(self) -> jax.Array:
        """Whether the set has a square, bool[]."""
        return reduce(or_, self.words) != 0

    def count(self) -> jax.Array:
        """The number of squares in the set, i32[]."""
        counts = [jax.lax.population_count(word).astype(jnp.int32) for word in self.words]
        return sum(counts[1:], counts[0])

    def last_rank(self) -> Word:
        """Files of the squares on the last rank, bits 0 to `size - 1` of u32[]."""
        return self.words[-1] >> self.size * (self.size - 1) % 32

    def to(self, step: Step) -> "Board":
        """Every square displaced by a step; squares that leave the board are dropped."""
        return self.shift(step, 1) & landing(self.size, step)

    def shift(self, step: Step, times: int) -> "Board":
        """The bits displaced by a step, a number of times; wraps from rank to rank at the edges.

        For a step along a rank, no bit is taken from another word: it would have crossed an edge.
        """
        bits = (step[1] * self.size + step[0]) * times
        words = []
        for k in range(len(self.words)):
            parts = []
            for source, word in enumerate(self.words):
                up = bits + 32 * (source - k)
                if -32 < up < 32 and (step[1] or source == k):
                    parts.append(word << up if up >= 0 else word >> -up)
            words.append(reduce(or_, parts) if parts else np.uint32(0))
        return Board(tuple(words), self.size)

    def turned(self) -> "Board":
        """The set as the other seat sees it: ranks in reverse order, files unchanged."""
        height = 32 // self.size  # ranks in a word
        words: list[Word] = [np.uint32(0)] * len(self.words)
        for rank in range(self.size):
            (old, low), (new, high) = divmod(rank, height), divmod(self.size - 1 - rank, height)
            row = (self.words[old] >> self.size * low) & (1 << self.size) - 1
            words[new] = words[new] | row << self.size * high
        return Board(tuple(words), self.size)


def union(boards: list[Board]) -> Board:
    """The union of several sets."""
    return reduce(or_, boards)


def landing(size: int, step: Step) -> Board:
    """The squares that a step from some square of the board leads to."""
    files, ranks = (range(max(0, d), size + min(0, d)) for d in step)
    return Board.of(size, sum(1 << rank * size + file for rank in ranks for file in files))


def materialize(tree: TreeT) -> TreeT:
    """The same integer or bool arrays, computed once and stored.

    XLA's CPU backend fuses the computation of a value into each of its uses and so repeats it (in
    chess, ten times the work). It ignores `jax.lax.optimization_barrier`, but does not fuse across
    a loop; this one inverts all bits twice.
    """
    return jax.lax.fori_loop(0, 2, lambda _, now: jax.tree.map(invert, now), tree)


def planes(boards: list[Board], scalars: list[jax.Array]) -> jax.Array:
    """An observation: sets as planes of zeros and ones, then planes of one number each.

    Args:
      boards: the sets.
      scalars: f32[] each, one for each further plane.

    Returns:
      f32[size, size, boards + scalars], by rank and file.
    """
    size, count = boards[0].size, len(boards[0].words)
    full = jnp.uint32(0xFFFFFFFF)
    words = jnp.stack(
        [jnp.stack([b.words[k] for b in boards] + [full] * len(scalars)) for k in range(count)]
    )
    scale = jnp.stack([jnp.float32(1)] * len(boards) + scalars)
    bits = (words[:, None] >> jnp.arange(32, dtype=jnp.uint32)[:, None]) & 1
    squares = bits.reshape(32 * count, -1)[: size * size]
    return (squares.astype(jnp.float32) * scale).reshape(size, size, -1)
