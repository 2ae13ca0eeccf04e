"""Animal shogi (dōbutsu shōgi)."""

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _animal_shogi_picture
from games.core import OVER, Fact, Facts, Game

_WIDE, _CELLS = 3, 12
_ALL, _FIRST_ROW, _LAST_ROW = 0o7777, 0o0007, 0o7000
# Columns to the right and rows ahead, clockwise from straight ahead; the opposite is four further.
_WAYS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
# A move is a plane and a target cell. The planes are the ways to arrive, then the drops.
_CHICK, _ELEPHANT, _GIRAFFE, _HEN, _LION = range(5)
_DROP = len(_WAYS)
_PLANES = _DROP + 3
# By how many cells each way goes, and 4 more, four bits each.
_STEPS = np.uint32(
    sum(_WIDE * ahead + right + 4 << 4 * k for k, (right, ahead) in enumerate(_WAYS))
)
_HAND = 24  # where a hand begins in a word: two bits for the number of each kind
# For each move, which of the words with the planes in a row its bit is in, and where.
_MOVE_WORD, _MOVE_BIT = np.divmod(np.arange(_PLANES * _CELLS, dtype=np.uint32), np.uint32(32))
# For each entry of an observation [4, 3, 17], the last row first: which cell, and what of it.
_FEATURES = 17
_CELL = np.repeat(np.arange(_CELLS).reshape(4, 3)[::-1], _FEATURES).astype(np.uint32)
_FEATURE = np.tile(np.arange(_FEATURES, dtype=np.uint32), _CELLS)

Cells = jax.Array | int
"""A set of cells as bits."""


class Board(NamedTuple):
    """The planes of a position, u32[] each.

    Attributes:
      mine: pieces of the seat to move.
      theirs: pieces of the other.
      straight: what moves straight: giraffe, hen, lion.
      ahead: what moves diagonally ahead: elephant, hen, lion.
      back: what of these also moves diagonally back: elephant, lion; and the chick, which does not.
    """

    mine: jax.Array
    theirs: jax.Array
    straight: jax.Array
    ahead: jax.Array
    back: jax.Array

    def kinds(self) -> tuple[jax.Array, ...]:
        """Chicks, elephants, giraffes, hens, lions."""
        straight, ahead, back = self.straight, self.ahead, self.back
        return (
            back & ~ahead,
            ahead & back & ~straight,
            straight & ~ahead,
            straight & ahead & ~back,
            straight & back,
        )

    def movers(self) -> tuple[jax.Array, ...]:
        """What moves in each of the eight ways, as its owner sees them."""
        straight, ahead = self.straight, self.ahead
        chick, back = self.back & ~ahead, self.back & ahead
        return straight | chick, ahead, straight, back, straight, back, straight, ahead


class Words(NamedTuple):
    """A position as its mover sees it: four planes of 12 cells and two hands.

    Cell c is row c // 3 from the mover's own, column c % 3 from its left.

    Attributes:
      low: u32[...], own pieces, and from bit 12 all that move straight (giraffe, hen, lion); from
        bit 24 the own hand: chicks, elephants, giraffes.
      high: u32[...], all that move diagonally ahead (elephant, hen, lion), and from bit 12 those
        that also do so back (elephant, lion) and, alone of its kind, the chick; the other's hand.
    """

    low: jax.Array
    high: jax.Array

    def board(self) -> Board:
        """The planes."""
        mine, straight = self.low & _ALL, self.low >> _CELLS & _ALL
        ahead, back = self.high & _ALL, self.high >> _CELLS & _ALL
        return Board(mine, (straight | ahead | back) & ~mine, straight, ahead, back)


class State(NamedTuple):
    """2064 bytes, nearly all of them to know a repetition.

    Attributes:
      now: the position.
      past: those before it, [plies] words each, 0 where there is none yet.
      plies: i32[], moves made.
      times: i32[], how often the position has been there before.
    """

    now: Words
    past: Words
    plies: jax.Array
    times: jax.Array


def _shifted(cells: jax.Array, way: int) -> jax.Array:
    """Cells moved one step; those that leave the board are gone."""
    right, ahead = _WAYS[way]
    landing = {-1: 0o3333, 0: 0o7777, 1: 0o6666}[right]
    bits = _WIDE * ahead + right
    return (cells << bits if bits > 0 else cells >> -bits) & landing


def targets(words: Words, *, lion: Cells, others: Cells, drops: Cells) -> list[jax.Array]:
    """The targets of moves, u32[] for each plane, of the lion, the other pieces and the drops.

    Check is left to the cells to which each of them is restricted.
    """
    board = words.board()
    own_lion = board.kinds()[_LION] & board.mine
    planes = []
    for way, movers in enumerate(board.movers()):
        moved = _shifted(movers & board.mine & ~own_lion, way) & others
        planes.append((moved | _shifted(own_lion, way) & lion) & ~board.mine)
    empty = ~(board.mine | board.theirs) & _ALL & drops
    for kind in (_CHICK, _ELEPHANT, _GIRAFFE):
        held = words.low >> (_HAND + 2 * kind) & 3
        planes.append(jnp.where(held == 0, 0, empty))
    return planes


@jax.jit
def _planes(words: Words) -> list[jax.Array]:
    """The targets of all legal moves, u32[] for each plane.

    No piece jumps or slides: only the lion itself can walk into a check, and what helps against
    one, if the lion stays, is to capture the piece that gives it.
    """
    board = words.board()
    lion = board.kinds()[_LION] & board.mine
    attacked, checking = jnp.uint32(0), jnp.uint32(0)
    for way, movers in enumerate(board.movers()):
        attacked = attacked | _shifted(movers & board.theirs, (way + 4) % 8)
        checking = checking | (_shifted(lion, way) & movers & board.theirs)
    single = checking & (checking - 1) == 0
    free = jnp.where(checking == 0, jnp.uint32(_ALL), 0)
    return targets(words, lion=~attacked, others=free | jnp.where(single, checking, 0), drops=free)


def _lost(words: Words) -> jax.Array:
    """Whether the mover cannot move, or the other's lion has come to the mover's first row."""
    board = words.board()
    tried = board.kinds()[_LION] & board.theirs & _FIRST_ROW != 0
    return tried | (reduce(or_, _planes(words)) == 0)


def _turned(word: jax.Array) -> jax.Array:
    """The two planes of a word as the other seat sees them."""
    for mask, bits in ((0x555555, 1), (0x333333, 2), (0x0F0F0F, 4)):
        word = (word >> bits & mask) | (word & mask) << bits
    word = word >> 16 & 0xFF | word & 0xFF00 | (word & 0xFF) << 16
    return word >> _CELLS | (word & _ALL) << _CELLS  # turning 24 bits has exchanged the planes


def _caught(board: Board, target: jax.Array) -> jax.Array:
    """One more in hand for what of theirs is on the target; a hen is a chick again."""
    chicks, elephants, giraffes, hens, _ = board.kinds()
    found = jnp.uint32(0)
    for k, kind in enumerate((chicks | hens, elephants, giraffes)):
        there = kind & board.theirs & target != 0
        found = found | there.astype(jnp.uint32) << _HAND + 2 * k
    return found


def _played(words: Words, move: jax.Array) -> Words:
    """The position after a legal move, as the next mover sees it."""
    board = words.board()
    plane, cell = (x.astype(jnp.uint32) for x in (move // _CELLS, move % _CELLS))
    drop = plane >= _DROP
    target = jnp.uint32(1) << cell
    source = jnp.where(drop, 0, target << 4 >> (_STEPS >> 4 * plane & 15))
    stay = ~(source | target)

    def arrives(moved: jax.Array, dropped: jax.Array) -> jax.Array:
        return jnp.where(jnp.where(drop, dropped, moved & source != 0), target, 0)

    straight = arrives(board.straight, plane == _DROP + _GIRAFFE)
    ahead = arrives(board.ahead, plane == _DROP + _ELEPHANT)
    back = arrives(board.back, plane != _DROP + _GIRAFFE)
    hen = jnp.where(drop, 0, back & ~ahead & _LAST_ROW)  # a chick that has arrived there
    theirs = board.theirs & ~target
    low = theirs | (board.straight & stay | straight | hen) << _CELLS
    high = board.ahead & stay | ahead | hen | (board.back & stay | back & ~hen) << _CELLS
    spent = jnp.where(drop, jnp.uint32(1) << _HAND + 2 * (plane - _DROP), 0)
    hand = (words.low >> _HAND << _HAND) + _caught(board, target) - spent
    return Words(_turned(low) | words.high >> _HAND << _HAND, _turned(high) | hand)


def flags(planes: list[jax.Array]) -> jax.Array:
    """Whether each move is in the planes, bool[132]."""
    words = [jnp.uint32(0)] * -(-_PLANES * _CELLS // 32)
    for k, plane in enumerate(planes):
        word, bit = divmod(_CELLS * k, 32)
        words[word] = words[word] | plane << bit
        if bit + _CELLS > 32:
            words[word + 1] = plane >> 32 - bit
    chosen = words[0]
    for k in range(1, len(words)):
        chosen = jnp.where(k == _MOVE_WORD, words[k], chosen)
    return chosen >> _MOVE_BIT & 1 == 1


def _squares(state: State) -> list[str]:
    """The letters of the pieces on the cells as seat 0 sees them, its own in capitals."""
    board, seat = jax.tree.map(np.asarray, state.now).board(), int(state.plies) & 1
    squares = ["."] * _CELLS
    for letter, kind in zip("CEGHL", board.kinds(), strict=True):
        for cell in range(_CELLS):
            if kind >> cell & 1:
                first = bool(board.mine >> cell & 1) == (seat == 0)
                at = _CELLS - 1 - cell if seat else cell
                squares[at] = letter if first else letter.lower()
    return squares


def _hands(state: State) -> list[str]:
    """What seat 0 and seat 1 hold, a letter for each piece."""
    words = [int(word) for word in state.now][:: -1 if int(state.plies) & 1 else 1]
    return [
        "".join(letter * (word >> _HAND + 2 * kind & 3) for kind, letter in enumerate("CEG"))
        for word in words
    ]


def _name(cell: int, second: int) -> str:
    """A cell as its mover sees it, by file and row."""
    row, column = divmod(_CELLS - 1 - cell if second else cell, _WIDE)
    return f"{'abc'[column]}{4 - row}"


@dataclass(frozen=True)
class AnimalShogi(Game[State]):
    """Animal shogi (dōbutsu shōgi, Let's Catch the Lion) on 3×4.

    Rules:
      Seat 0 is Sente and begins. The lion moves one cell in any direction, the giraffe straight,
      the elephant diagonally, the chick one cell ahead. Captured pieces are held and may be dropped
      on empty cells instead of a move. A chick that moves to the last row becomes a hen, which
      moves straight and diagonally ahead; a captured hen is a chick again. A seat wins when the
      opponent has no legal move, or when its own lion reaches the last row and cannot be captured
      there. A lion may not move into check nor be left in it. The third occurrence of a position
      with the same seat to move is a draw, and so is a game of `plies` moves.

    Moves:
      `12 * plane + cell`, the cell where a piece arrives. Planes 0 to 7 are directions, clockwise
      from straight ahead; planes 8 to 10 are drops of a chick, an elephant, a giraffe. Cells are
      numbered row by row from the mover's own side, each row from its left.

    Observation:
      f32[4, 3, 17], by row from the last one to the seat's own, and by column from its left. Planes
      10 to 16 are the same on every cell.

      - 0 to 4: own chicks, elephants, giraffes, hens, lion.
      - 5 to 9: the opponent's.
      - 10 to 12: numbers of chicks, elephants and giraffes that the seat holds.
      - 13 to 15: those that the opponent holds.
      - 16: earlier occurrences of the position.

    Attributes:
      plies: maximal length of a game in moves.

    Source:
      en.wikipedia.org/wiki/Dōbutsu_shōgi. The rules on check are those of pgx; by the official ones
      a lion may be left in check and is captured. pgx means to draw repetitions as here, but misses
      those after an odd number of moves of each seat.
    """

    plies: int = 256

    num_actions = _PLANES * _CELLS
    # The perft is by the official rules: it counts moves into check, and stops where a lion is
    # caught.
    facts = Facts(
        perft=Fact(
            (1, 4, 17, 123, 976, 8122, 71677),
            "github.com/WandererXII/scalashogi, src/test/scala/variant/DobutsuTest.scala",
        ),
        value=Fact(-1.0, "T. Tanaka 2009 (ja.wikipedia.org/wiki/どうぶつしょうぎ): in 78 plies"),
    )

    def __post_init__(self):
        if not 1 <= self.plies <= 100_000:
            raise ValueError(f"animal_shogi: plies={self.plies} is not one of 1 to 100,000")
        object.__setattr__(self, "max_plies", self.plies)
        object.__setattr__(self, "typical_plies", min(53, self.plies))

    def init(self) -> State:
        """Elephant, lion and giraffe from the left in the first row, the chick before the lion."""
        # An octal digit is a row, the last row first.
        low, high = 0o0027 | 0o3006 << _CELLS, 0o6003 | 0o6223 << _CELLS
        none = jnp.zeros(self.plies, jnp.uint32)
        now = Words(jnp.uint32(low), jnp.uint32(high))
        return State(now, Words(none, none), jnp.int32(0), jnp.int32(0))

    def mover(self, state: State) -> jax.Array:
        """The seats alternate."""
        over = _lost(state.now) | (state.times >= 2) | (state.plies >= self.plies)
        return jnp.where(over, OVER, state.plies & 1)

    def legal(self, state: State) -> jax.Array:
        """bool[132]: 12 targets for each of the ways to arrive, then for each kind to drop."""
        return flags(_planes(state.now))

    def step(self, state: State, move: jax.Array) -> State:
        """Moves or drops a piece, then turns the board to the other seat."""
        number = np.arange(self.plies)
        here, past, now = state.now, state.past, _played(state.now, move)
        low = jnp.where(number == state.plies, here.low, past.low)
        high = jnp.where(number == state.plies, here.high, past.high)
        # What the same seat has seen lies an even number of moves back.
        same = (low == now.low) & (high == now.high) & (number - state.plies & 1 == 1)
        return State(now, Words(low, high), state.plies + 1, same.sum(dtype=jnp.int32))

    def payoff(self, state: State) -> jax.Array:
        """Only the seat to move can have lost."""
        first = jnp.where(state.plies & 1 == 0, -1.0, 1.0)
        return jnp.where(_lost(state.now), first, 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """f32[4, 3, 17], the last row first, for the seat to move or the other from its own side.

        Planes of own chicks, elephants, giraffes, hens and lion, then the opponent's; how many
        chicks, elephants and giraffes the seat holds, and the opponent; how often the position
        has been there before.
        """
        board, to_move = state.now.board(), state.plies & 1 == seat
        own = jnp.where(to_move, board.mine, board.theirs)
        other = jnp.where(to_move, board.theirs, board.mine)
        kinds = board.kinds()
        cells = kinds[0]
        for k in range(1, 5):
            cells = jnp.where(k == _FEATURE % 5, kinds[k], cells)
        cells = cells & jnp.where(_FEATURE < 5, own, other)
        piece = cells >> jnp.where(to_move, _CELL, _CELLS - 1 - _CELL) & 1
        held = jnp.where((_FEATURE < 13) == to_move, state.now.low, state.now.high)
        held = held >> _HAND + 2 * ((_FEATURE - 10) % 3) & 3
        rest = jnp.where(_FEATURE < 16, held, state.times.astype(jnp.uint32))
        return jnp.where(_FEATURE < 10, piece, rest).astype(jnp.float32).reshape(4, 3, _FEATURES)

    def move_planes(self) -> np.ndarray:
        """The cell that a piece reaches, i64[132]; a plane for each way to get there."""
        plane, cell = np.divmod(np.arange(self.num_actions), _CELLS)
        return _CELLS * plane + np.arange(_CELLS).reshape(-1, _WIDE)[::-1].reshape(-1)[cell]

    def show(self, state: State) -> str:
        """Seat 0 in capitals, on rows 4 and 3 at the start; what it holds below, seat 1's above."""
        squares, (first, second) = _squares(state), _hands(state)
        rows = [f"{4 - r}  " + " ".join(squares[3 * r : 3 * r + 3]) for r in (3, 2, 1, 0)]
        return "\n".join([f"   {second.lower()}", "   a b c", *rows, f"   {first}"])

    def view(self, state: State, seat: int) -> str:
        """As `show`, and for seat 1 turned by half, so that its own side is below."""
        second, files, *rows, first = self.show(state).split("\n")
        if seat == 0:
            return "\n".join([second, files, *rows, first])
        rows = [row[:3] + row[3:][::-1] for row in reversed(rows)]
        return "\n".join([first, files[:3] + files[3:][::-1], *rows, second])

    def draw(self, state: State) -> str:
        """Tiles with dots for the ways they move, as the game is sold; pieces held on the right."""
        return _animal_shogi_picture.draw(_squares(state), _hands(state), turned=False)

    def draw_view(self, state: State, seat: int) -> str:
        """As `draw`, for seat 1 turned by half, so that its own side is below."""
        return _animal_shogi_picture.draw(_squares(state), _hands(state), turned=seat == 1)

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The cells it leaves and reaches; a drop begins with a piece in the hand, `hand0-C`."""
        second, (plane, cell) = int(state.plies) & 1, divmod(move, _CELLS)
        if plane >= _DROP:
            return f"hand{second}-{'CEG'[plane - _DROP]}", _name(cell, second)
        right, ahead = _WAYS[plane]
        return _name(cell - _WIDE * ahead - right, second), _name(cell, second)

    def label(self, state: State, move: int) -> str:
        """Piece, from, `-` or `x`, to, `+` for promotion: `Gc4-c3`, `Cb3xb2`; or a drop, `C*b2`.

        Files a to c from the left and rows 1 to 4 from the top, as seat 0 sees them.
        """
        squares, second = _squares(state), int(state.plies) & 1
        plane, cell = divmod(move, _CELLS)
        if plane >= _DROP:
            return f"{'CEG'[plane - _DROP]}*{_name(cell, second)}"
        right, ahead = _WAYS[plane]
        source = cell - _WIDE * ahead - right
        piece = squares[_CELLS - 1 - source if second else source].upper()
        sign = "-" if squares[_CELLS - 1 - cell if second else cell] == "." else "x"
        hen = "+" if piece == "C" and cell >= _CELLS - _WIDE else ""
        return f"{piece}{_name(source, second)}{sign}{_name(cell, second)}{hen}"

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`, in small letters or capitals."""
        state = jax.tree.map(np.asarray, state)
        moves = {self.label(state, m): m for m in np.flatnonzero(self.legal(state)).tolist()}
        for label, move in moves.items():
            if text.strip().lower() == label.lower():
                return move
        raise ValueError(f"{text.strip()!r} is not legal; what is: {', '.join(moves)}")
