"""What chess on a board of any size is made of: men, moves, check, pins, repetition.

The board is always seen by the seat to move: its men are `mine`, and its pawns move up. Everything
is done for whole sets of squares at once, as bits of 32-bit words; there is no loop over squares.

A move is a direction and the square where it ends. Where it began need not be told: where the first
man stands, looking back. So moves are numbered by a board of arrivals for each of the queen's eight
directions and each of the knight's eight jumps, with a few numbers more for pawns that become less
than a queen.
"""

from dataclasses import dataclass
from functools import partial, reduce
from operator import invert, or_
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

Step = tuple[int, int]
"""Files to the right and ranks up."""

RAYS: tuple[Step, ...] = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
"""The queen's directions, clockwise from straight up: even ones are the rook's and odd ones the
bishop's, and four further on is the opposite."""
JUMPS: tuple[Step, ...] = ((1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2))
"""The knight's, likewise."""
WAYS = (*RAYS, *JUMPS)
"""All directions, as moves are numbered."""
PAWN_RAYS = (7, 0, 1)
"""Those of a pawn: it captures in the first and the last, and steps in the other."""
KINDS = "pnbrqk"
"""The letters of the men: pawn, knight, bishop, rook, queen, king."""
LESSER = "nbr"
"""What a pawn may become instead of a queen."""
CLOCK = 100
"""The game is drawn after so many plies in a row without a capture or a pawn's move."""

# Two 32-bit hashes in the manner of MurmurHash3: start, factors, rotations, addend.
_HASHES = (
    (0x9747B28C, 0xCC9E2D51, 0x1B873593, 15, 13, 0xE6546B64),
    (0x3C6EF372, 0x85EBCA6B, 0xC2B2AE35, 17, 11, 0x9E3779B9),
)


@partial(jax.tree_util.register_dataclass, data_fields=["words"], meta_fields=["size"])
@dataclass(frozen=True)
class Board:
    """A set of squares: bit `rank * size + file` of the words in a row, both counted from 0.

    Bits beyond the last square are set by `~` alone, and do no harm.

    Attributes:
      words: u32[] each.
      size: how many files and ranks, 5 or 8.
    """

    words: tuple[Any, ...]
    size: int

    @classmethod
    def of(cls, size: int, squares: int) -> "Board":
        """The bits of a whole number."""
        count = -(-size * size // 32)
        return cls(tuple(np.uint32(squares >> 32 * k & 0xFFFFFFFF) for k in range(count)), size)

    @classmethod
    def square(cls, size: int, index: jax.Array) -> "Board":
        """One square, u32[]."""
        bit, word = jnp.uint32(1) << (index & 31), index >> 5
        return cls(tuple(jnp.where(word == k, bit, 0) for k in range(-(-size * size // 32))), size)

    @classmethod
    def rank(cls, size: int, rank: int) -> "Board":
        """All squares of a rank, counted from 0."""
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
        """These squares if bool[], else none."""
        return Board(tuple(jnp.where(condition, word, 0) for word in self.words), self.size)

    def any(self) -> jax.Array:
        """Whether there is a square in it, bool[]."""
        return reduce(or_, self.words) != 0

    def count(self) -> jax.Array:
        """How many squares there are in it, i32[]."""
        counts = [jax.lax.population_count(word).astype(jnp.int32) for word in self.words]
        return sum(counts[1:], counts[0])

    def last_rank(self) -> jax.Array:
        """The files of its squares on the last rank, in the lowest bits of u32[]."""
        return self.words[-1] >> self.size * (self.size - 1) % 32

    def to(self, step: Step) -> "Board":
        """Every square moved by a step; those that leave the board are gone."""
        return self.shift(step, 1) & landing(self.size, step)

    def shift(self, step: Step, times: int) -> "Board":
        """The bits moved by a step so many times, over the edges from rank to rank.

        Along a rank, nothing comes from another word: it would have come over an edge.
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
        """The board from the other side: the last rank comes first, files stay."""
        height = 32 // self.size  # ranks in a word
        words = [np.uint32(0)] * len(self.words)
        for rank in range(self.size):
            (old, low), (new, high) = divmod(rank, height), divmod(self.size - 1 - rank, height)
            row = (self.words[old] >> self.size * low) & (1 << self.size) - 1
            words[new] = words[new] | row << self.size * high
        return Board(tuple(words), self.size)


def union(boards: list[Board]) -> Board:
    """All squares of several boards."""
    return reduce(or_, boards)


def landing(size: int, step: Step) -> Board:
    """Where a step from any square of the board can end."""
    files, ranks = (range(max(0, d), size + min(0, d)) for d in step)
    return Board.of(size, sum(1 << rank * size + file for rank in ranks for file in files))


def resolve_chance(tree: Any) -> Any:
    """The same values, kept in memory.

    XLA on CPUs fuses what leads to a value into everything that uses it, and so does the same work
    many times over (ten times as much in chess); it ignores optimization barriers, but it does not
    look through a loop, such as this one, which turns all bits over twice.
    """
    return jax.lax.fori_loop(0, 2, lambda _, now: jax.tree.map(invert, now), tree)


class Men(NamedTuple):
    """Who stands where. Kings are the men of no other kind.

    Attributes:
      mine: men of the seat to move.
      theirs: men of the other.
      pawns: both seats'; and so on.
      knights: …
      diagonal: bishops and queens.
      straight: rooks and queens.
    """

    mine: Board
    theirs: Board
    pawns: Board
    knights: Board
    diagonal: Board
    straight: Board

    def all(self) -> Board:
        """Of both seats."""
        return self.mine | self.theirs

    def kings(self) -> Board:
        """Of both seats."""
        return self.all() & ~(self.pawns | self.knights | self.diagonal | self.straight)

    def sliders(self, ray: int) -> Board:
        """Men of both seats that move any distance in a direction."""
        return self.diagonal if ray % 2 else self.straight

    def kinds(self) -> tuple[Board, ...]:
        """Both seats' men in the order of `KINDS`."""
        queens = self.diagonal & self.straight
        bishops, rooks = self.diagonal & ~queens, self.straight & ~queens
        return self.pawns, self.knights, bishops, rooks, queens, self.kings()

    def turned(self) -> "Men":
        """The same men from the other side."""
        mine, theirs, *kinds = (board.turned() for board in self)
        return Men(theirs, mine, *kinds)


def slide(men: Board, empty: Board, ray: int) -> Board:
    """What men see in a direction: empty squares, and the first that is not."""
    seen, path, times = men, empty & landing(men.size, RAYS[ray]), 1
    while times < men.size - 1:
        seen = seen | path & seen.shift(RAYS[ray], times)
        path = path & path.shift(RAYS[ray], times)
        times *= 2
    return seen.to(RAYS[ray])


class Sight(NamedTuple):
    """What binds the seat to move.

    Attributes:
      attacked: where its king would be in check.
      checked: bool[], whether it is.
      evasions: where moves of other men must end: anywhere, or where they end the check.
      loose: its men that are not pinned to the king.
      pinned: those that are, by the ray 0 to 3 (or its opposite) along which they still may move.
    """

    attacked: Board
    checked: jax.Array
    evasions: Board
    loose: Board
    pinned: tuple[Board, ...]

    def free(self, ray: int) -> Board:
        """Its men that may move in a direction."""
        return self.loose | self.pinned[ray % 4]


def sight(men: Men) -> Sight:
    """Attacks, checks and pins."""
    king, empty = men.mine & men.kings(), ~men.all()
    sliders = [men.theirs & men.sliders(ray) for ray in range(8)]
    knights, pawns = men.theirs & men.knights, men.theirs & men.pawns
    lines, view = resolve_chance(
        [[slide(board, empty, ray) for ray, board in enumerate(b)] for b in (sliders, [king] * 8)]
    )
    attacked = [
        *lines,
        # No king hides behind itself.
        *((lines[ray] & king).to(RAYS[ray]) for ray in range(8)),
        *(knights.to(jump) for jump in JUMPS),
        *(pawns.to(RAYS[ray]) for ray in (3, 5)),
        *((men.theirs & men.kings()).to(step) for step in RAYS),
    ]
    near = union(
        [knights & king.to(jump) for jump in JUMPS] + [pawns & king.to(RAYS[ray]) for ray in (1, 7)]
    )
    far = [view[ray] & sliders[ray] for ray in range(8)]
    checks = union([near, *far]).count()
    ends = union([near, *(view[ray].when(far[ray].any()) for ray in range(8))])
    anywhere = Board.of(king.size, (1 << king.size**2) - 1)
    # Pinned is who is seen both by the king and, from the other side, by a slider.
    pinned = [
        men.mine & (view[ray] & lines[ray + 4] | view[ray + 4] & lines[ray]) for ray in range(4)
    ]
    return resolve_chance(
        Sight(
            union(attacked),
            checks > 0,
            anywhere.when(checks == 0) | ends.when(checks == 1),
            men.mine & ~union(pinned),
            tuple(pinned),
        )
    )


def pawn_arrivals(men: Men, sight: Sight) -> list[Board]:
    """Where pawns may arrive, one board for each of `PAWN_RAYS`."""
    goals = men.theirs, ~men.all(), men.theirs
    return [
        (men.pawns & sight.free(ray)).to(RAYS[ray]) & goal & sight.evasions
        for ray, goal in zip(PAWN_RAYS, goals, strict=True)
    ]


def arrivals(men: Men, sight: Sight, pawns: list[Board]) -> list[Board]:
    """Where men may arrive, one board for each of `WAYS`, given where pawns may."""
    king, empty = men.mine & men.kings(), ~men.all()
    found = []
    for ray, step in enumerate(RAYS):
        slides = slide(men.sliders(ray) & sight.free(ray), empty, ray) & sight.evasions
        found.append((slides | king.to(step) & ~sight.attacked) & ~men.mine)
    for ray, board in zip(PAWN_RAYS, pawns, strict=True):
        found[ray] = found[ray] | board
    knights = men.knights & sight.loose
    return found + [knights.to(jump) & sight.evasions & ~men.mine for jump in JUMPS]


def num_actions(size: int) -> int:
    """A: how many moves are told apart."""
    return len(WAYS) * size * size + len(LESSER) * len(PAWN_RAYS) * size


def flags(ways: list[Board], pawns: list[Board]) -> jax.Array:
    """Moves as bool[A]: by way and square; then by what a pawn becomes, way and file."""
    size = ways[0].size
    fields = [(word, min(32, size * size)) for board in ways for word in board.words]
    fields += [(board.last_rank(), size) for _ in LESSER for board in pawns]
    # The bits of whole words are what XLA can take apart without looking each of them up.
    words, at = [jnp.uint32(0)] * -(-num_actions(size) // 32), 0
    for field, width in fields:
        word, low = divmod(at, 32)
        words[word] = words[word] | field << low
        if low + width > 32:
            words[word + 1] = words[word + 1] | field >> 32 - low
        at += width
    bits = (jnp.stack(words)[:, None] >> jnp.arange(32, dtype=jnp.uint32)) & 1
    return (bits == 1).reshape(-1)[: num_actions(size)]


class Move(NamedTuple):
    """A move's number, taken apart.

    Attributes:
      way: u32[], the place of its direction in `WAYS`.
      target: the square where it ends.
      becomes: u32[], what a pawn becomes on the last rank: its place in `LESSER`, or 3, a queen.
    """

    way: jax.Array
    target: Board
    becomes: jax.Array


def read(size: int, number: jax.Array) -> Move:
    """Takes a move's number i32[] apart."""
    number, squares = resolve_chance(number.astype(jnp.uint32)), size * size
    rest = number - len(WAYS) * squares
    lesser = number >= len(WAYS) * squares
    # PAWN_RAYS counts up from 7 modulo 8.
    way = jnp.where(lesser, (rest // size % 3 + PAWN_RAYS[0]) % 8, number // squares)
    square = jnp.where(lesser, squares - size + rest % size, number % squares)
    becomes = jnp.where(lesser, rest // (3 * size), len(LESSER))
    return Move(way, Board.square(size, square), becomes)


def number(size: int, source: int, target: int, becomes: str) -> int:
    """The number of a move from square to square, as who makes it sees them.

    Args:
      size: of the board.
      source: square where it begins.
      target: square where it ends.
      becomes: the letter of what a pawn becomes, or empty.
    """
    files, ranks = target % size - source % size, target // size - source // size
    if (files, ranks) in JUMPS:
        return (8 + JUMPS.index((files, ranks))) * size * size + target
    ray = RAYS.index((int(np.sign(files)), int(np.sign(ranks))))
    if becomes and becomes in LESSER:
        row = len(PAWN_RAYS) * LESSER.index(becomes) + PAWN_RAYS.index(ray)
        return len(WAYS) * size * size + row * size + target % size
    return ray * size * size + target


def told(letters: list[str], number: int) -> tuple[int, int, str]:
    """From where to where a move goes, and what a pawn becomes; the inverse of `number`."""
    size = int(len(letters) ** 0.5)
    way, target = divmod(number, size * size)
    becomes = ""
    if way >= len(WAYS):
        row, file = divmod(number - len(WAYS) * size * size, size)
        becomes, way = LESSER[row // 3], PAWN_RAYS[row % 3]
        target = size * (size - 1) + file
    files, ranks = WAYS[way]
    source = target - files - size * ranks
    while letters[source] == ".":
        source -= files + size * ranks
    if letters[source] == "P" and target >= size * (size - 1) and not becomes:
        becomes = "q"
    return source, target, becomes


def origin(men: Men, move: Move) -> Board:
    """The square that a move leaves: the first man's, looking back from its end."""
    back = [
        slide(move.target.when(move.way == (ray + 4) % 8), ~men.all(), ray) for ray in range(8)
    ] + [move.target.when(move.way == 8 + (k + 4) % 8).to(jump) for k, jump in enumerate(JUMPS)]
    return resolve_chance(union(back) & men.mine)


def play(men: Men, source: Board, move: Move, captured: Board) -> Men:
    """The men after a move, from the same side."""
    size = source.size
    last = (move.target & Board.rank(size, size - 1)).any()
    promoted = (men.pawns & source).any() & last
    kept = ~(source | captured)

    def kind(board: Board, *becomes: int) -> Board:
        arrives = (board & source).any() & ~promoted
        for each in becomes:
            arrives = arrives | promoted & (move.becomes == each)
        return board & kept | move.target.when(arrives)

    return Men(
        men.mine & ~source | move.target,
        men.theirs & ~captured,
        kind(men.pawns),
        kind(men.knights, 0),
        kind(men.diagonal, 1, 3),
        kind(men.straight, 2, 3),
    )


def insufficient(men: Men) -> jax.Array:
    """Whether no moves whatever lead to mate, as far as the men tell, bool[].

    So it is with one knight, or with bishops that all stand on squares of one colour, and no more.
    """
    size, knights = men.mine.size, men.knights.count()
    dark = Board.of(size, sum(1 << k for k in range(size**2) if (k // size + k % size) % 2 == 0))
    on_dark, on_light = (men.diagonal & dark).any(), (men.diagonal & ~dark).any()
    too_few = (knights == 0) & ~(on_dark & on_light) | (knights == 1) & ~(on_dark | on_light)
    return ~(men.pawns | men.straight).any() & too_few


class Key(NamedTuple):
    """Stands for a position; two different ones have the same with a chance of about 2⁻⁶⁴.

    Attributes:
      low: u32[].
      high: u32[].
    """

    low: jax.Array
    high: jax.Array


def key(words: list[jax.Array]) -> Key:
    """The key of a position that is told from all others by some words u32[]."""
    found = []
    for start, first, second, inner, outer, addend in _HASHES:
        value = np.uint32(start)
        for word in words:
            mixed = _rotate(word * np.uint32(first), inner) * np.uint32(second)
            value = _rotate(value ^ mixed, outer) * np.uint32(5) + np.uint32(addend)
        found.append(value)
    return resolve_chance(Key(*found))


def _rotate(word: Any, bits: int) -> Any:
    return word << bits | word >> 32 - bits


class Past(NamedTuple):
    """Keys of the positions since the last capture or pawn's move; 0 where there is none yet.

    Attributes:
      low: u32[100], by the clock.
      high: u32[100].
    """

    low: jax.Array
    high: jax.Array

    @classmethod
    def none(cls) -> "Past":
        """No position at all."""
        return cls(jnp.zeros(CLOCK, jnp.uint32), jnp.zeros(CLOCK, jnp.uint32))

    def after(self, clock: jax.Array, key: Key, reset: jax.Array) -> "Past":
        """With the position at clock i32[] added, or empty if bool[]."""
        here = jnp.arange(CLOCK) == clock
        pairs = zip(self, key, strict=True)
        return Past(*(jnp.where(reset, 0, jnp.where(here, new, old)) for old, new in pairs))

    def times(self, key: Key) -> jax.Array:
        """How often a position has been there, i32[]."""
        return ((self.low == key.low) & (self.high == key.high)).sum(dtype=jnp.int32)


def planes(boards: list[Board], shares: list[jax.Array]) -> jax.Array:
    """Boards as planes of zeros and ones, and then planes filled with numbers.

    Returns:
      f32[size, size, boards + shares], by rank and file.
    """
    size, count = boards[0].size, len(boards[0].words)
    full = jnp.uint32(0xFFFFFFFF)
    words = jnp.stack(
        [jnp.stack([b.words[k] for b in boards] + [full] * len(shares)) for k in range(count)]
    )
    scale = jnp.stack([jnp.float32(1)] * len(boards) + shares)
    bits = (words[:, None] >> jnp.arange(32, dtype=jnp.uint32)[:, None]) & 1
    squares = bits.reshape(32 * count, -1)[: size * size]
    return (squares.astype(jnp.float32) * scale).reshape(size, size, -1)


def letters(men: Men) -> list[str]:
    """Who stands on every square: `mine` in capitals as in FEN, `.` for nobody. Not for JAX."""
    kinds, mine = [int(board) for board in men.kinds()], int(men.mine)
    found = []
    for square in range(men.mine.size**2):
        kind = next((k for k, board in zip(KINDS, kinds, strict=True) if board >> square & 1), ".")
        found.append(kind.upper() if mine >> square & 1 else kind)
    return found


def lettered(letters: list[str]) -> Men:
    """The inverse of `letters`."""
    size = int(len(letters) ** 0.5)

    def board(some: str) -> Board:
        return Board.of(size, sum(1 << k for k, letter in enumerate(letters) if letter in some))

    return Men(
        board("PNBRQK"), board("pnbrqk"), board("Pp"), board("Nn"), board("BQbq"), board("RQrq")
    )
