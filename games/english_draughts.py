"""English draughts (American checkers)."""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _squares
from games._bitboard import flags
from games.core import OVER, Fact, Facts, Game

_DRAWN = 40
_HOME, _LAST_ROW = np.uint32(0xFFF), np.uint32(0xF0000000)
# Square s is in row s // 4; columns count from the mover's right. Even rows have their squares in
# columns 1, 3, 5 and 7, odd rows in 0, 2, 4 and 6.
_EVEN, _EVEN_INNER = np.uint32(0x0F0F0F0F), np.uint32(0x07070707)
_ODD, _ODD_INNER = np.uint32(0xF0F0F0F0), np.uint32(0xE0E0E0E0)
# For each way to go, forward right, forward left, back right and back left: from which squares of
# even rows there is a next one, and how far up it is; and the same for odd rows.
_WAYS = (
    ((_EVEN, 4), (_ODD_INNER, 3)),
    ((_EVEN_INNER, 5), (_ODD, 4)),
    ((_EVEN, -4), (_ODD_INNER, -5)),
    ((_EVEN_INNER, -3), (_ODD, -4)),
)
# For every cell, six planes each: its plane, its square, and for each board of pieces the squares
# that its plane shows there, all or none.
_PLANE = np.arange(384) % 6
_ROW, _COLUMN = np.arange(384) // 48, np.arange(384) // 6 % 8
_SQUARE = (4 * _ROW + _COLUMN // 2).astype(np.uint32)
_SHOWN = np.array(
    [np.where((k == _PLANE) & ((_ROW + _COLUMN) % 2 == 1), 0xFFFFFFFF, 0) for k in range(5)],
    np.uint32,
)
_PIECES = {
    letter: _squares.Piece(
        _squares.disc(seat, white=seat == 1, king=letter.isupper()),
        ("black", "white")[seat] + " king" * letter.isupper(),
    )
    for letter, seat in zip("bBwW", (0, 0, 1, 1), strict=True)
}


class State(NamedTuple):
    """18 bytes. Bit s of a board is square s, 0 to 31, counted from the mover's side.

    Attributes:
      mine: u32[], pieces of the seat to move.
      theirs: u32[], pieces of the other.
      kings: u32[], those of both that are kings.
      jumper: u32[], the piece that must jump on; 0 if a turn begins.
      quiet: u8[], moves since the last jump.
      seat: u8[], the seat to move.
    """

    mine: jax.Array
    theirs: jax.Array
    kings: jax.Array
    jumper: jax.Array
    quiet: jax.Array
    seat: jax.Array


def _shift(board: jax.Array, squares: int) -> jax.Array:
    return board << squares if squares > 0 else board >> -squares


def _next(board: jax.Array, way: int) -> jax.Array:
    """The squares next to those of a board."""
    (even, up_even), (odd, up_odd) = _WAYS[way]
    return _shift(board & even, up_even) | _shift(board & odd, up_odd)


def _go(piece: jax.Array, way: jax.Array) -> jax.Array:
    """The square next to a piece."""
    squares = jnp.uint32(0)
    for k in range(4):
        squares = squares | jnp.where(way == k, _next(piece, k), 0)
    return squares


def _turned(board: jax.Array) -> jax.Array:
    """The board from the other side: its bits in the opposite order."""
    for width, mask in ((1, 0x55555555), (2, 0x33333333), (4, 0x0F0F0F0F), (8, 0x00FF00FF)):
        low = np.uint32(mask)
        board = (board & low) << width | (board >> width) & low
    return board << 16 | board >> 16


def _moves(pieces: jax.Array, state: State, jump: bool) -> list[jax.Array]:
    """For each way, those of some pieces that can step, or jump, that way."""
    empty = ~(state.mine | state.theirs)
    moves = []
    for way in range(4):
        able = pieces if way < 2 else pieces & state.kings
        back = 3 - way
        to = _next(empty, back) & state.theirs if jump else empty
        moves.append(able & _next(to, back))
    return moves


def _some(boards: list[jax.Array]) -> jax.Array:
    """Whether there is a piece on any of the boards."""
    return (boards[0] | boards[1] | boards[2] | boards[3]) != 0


@jax.jit
def _choices(state: State) -> list[jax.Array]:
    """For each way, the pieces that may go there."""
    jumps = _moves(jnp.where(state.jumper == 0, state.mine, state.jumper), state, jump=True)
    steps = _moves(state.mine, state, jump=False)
    must = _some(jumps)
    return [jnp.where(must, jump, step) for jump, step in zip(jumps, steps, strict=True)]


def _number(piece: Any, state: State) -> int:
    """The number that players give the square of a piece, 1 to 32."""
    place = int(piece).bit_length()
    return 33 - place if state.seat else place


@dataclass(frozen=True)
class EnglishDraughts(Game[State]):
    """English draughts (American checkers) on 8×8.

    Rules:
      Seat 0 plays black, on squares 1 to 12, and begins. Men step and jump forward, kings forward
      and back, one square diagonally. A seat that can jump must, but may choose which jump. A piece
      that can jump again after a jump must do so: every jump is a move of its own, after which the
      same seat is to move. A man that reaches the last row becomes a king, and its turn ends. A
      seat that cannot move loses. The game is drawn after 40 moves without a jump, both seats'
      counted.

    Moves:
      `32 * direction + square`, the square that the piece leaves. Directions are forward right,
      forward left, back right, back left, of a step or a jump. Squares are numbered from 0 from the
      mover's own side; labels have the numbers of the board, 1 to 32.

    Observation:
      f32[8, 8, 6], by row from the seat's own side and by column from its right.

      - 0: own men.
      - 1: own kings.
      - 2: the opponent's men.
      - 3: the opponent's kings.
      - 4: the piece that must jump again.
      - 5: on every cell, moves since the last jump, divided by 40.

    Source:
      en.wikipedia.org/wiki/English_draughts; the draw as in OpenSpiel's checkers. Tournaments count
      40 moves of each seat, from the last jump or the last move of a man, and repetitions instead.
    """

    num_actions = 128
    max_plies = 920  # a jump at least every 40 moves, and 23 jumps leave one seat nothing
    typical_plies = 70
    facts = Facts(
        # In whole turns: each way of jumping on is one.
        perft=Fact((1, 7, 49, 302, 1469, 7361, 36768, 179740, 845931), "oeis.org/A133046"),
        value=Fact(0.0, "J. Schaeffer et al., Checkers Is Solved, Science 317, 2007"),
    )

    def init(self) -> State:
        """Twelve men each."""
        nothing, zero = jnp.uint32(0), jnp.uint8(0)
        return State(jnp.asarray(_HOME), jnp.asarray(_HOME << 20), nothing, nothing, zero, zero)

    def mover(self, state: State) -> jax.Array:
        """The seats alternate, but for jumping on."""
        over = (state.quiet >= _DRAWN) | ~_some(_choices(state))
        return jnp.where(over, OVER, state.seat.astype(jnp.int32))

    def legal(self, state: State) -> jax.Array:
        """Which pieces can go forward right, forward left, back right, back left: bool[128]."""
        return jnp.concatenate([flags(board) for board in _choices(state)])

    def step(self, state: State, move: jax.Array) -> State:
        """Steps or jumps, then turns the board to the other seat unless the jumper goes on."""
        way = move >> 5
        piece = jnp.uint32(1) << (move & 31).astype(jnp.uint32)
        near = _go(piece, way)
        jumped = near & state.theirs
        jumps = jumped != 0
        target = jnp.where(jumps, _go(near, way), near)
        man = state.kings & piece == 0
        crowned = man & (target & _LAST_ROW != 0)
        mine = state.mine ^ piece | target
        theirs = state.theirs ^ jumped
        kings = state.kings & ~(piece | jumped) | jnp.where(man & ~crowned, 0, target)
        again = State(mine, theirs, kings, target, jnp.uint8(0), state.seat)
        quiet = jnp.where(jumps, 0, state.quiet + 1).astype(jnp.uint8)
        turned = State(
            _turned(theirs), _turned(mine), _turned(kings), jnp.uint32(0), quiet, state.seat ^ 1
        )
        on = jumps & ~crowned & _some(_moves(target, again, jump=True))
        return jax.tree.map(lambda a, b: jnp.where(on, a, b), again, turned)

    def payoff(self, state: State) -> jax.Array:
        """A seat that cannot move loses; too many moves without a jump are a draw."""
        lost = (state.quiet < _DRAWN) & ~_some(_choices(state))
        return jnp.where(lost, jnp.where(state.seat == 1, 1.0, -1.0), 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """Six planes f32[8, 8, 6], the seat's own side first, columns from its right.

        Own men, own kings, the opponent's men, the opponent's kings, the piece that must jump on,
        and on every cell how much of the way to a draw has been gone.
        """
        own = state.seat.astype(jnp.int32) == seat
        first = jnp.where(own, state.mine, state.theirs)
        second = jnp.where(own, state.theirs, state.mine)
        kings = state.kings
        boards = (first & ~kings, first & kings, second & ~kings, second & kings, state.jumper)
        seen = jnp.uint32(0)
        for board, shown in zip(boards, _SHOWN, strict=True):
            seen = seen | (board & shown)
        pieces = (seen >> jnp.where(own, _SQUARE, 31 - _SQUARE)) & 1
        quiet = state.quiet.astype(jnp.float32) / _DRAWN
        return jnp.where(_PLANE == 5, quiet, pieces.astype(jnp.float32)).reshape(8, 8, 6)

    def move_planes(self) -> np.ndarray:
        """The cell that a piece leaves, i64[128]; a plane for each way to go."""
        way, square = np.divmod(np.arange(128), 32)
        row = square // 4
        return 64 * way + 8 * row + 2 * (square % 4) + (row + 1) % 2

    def show(self, state: State) -> str:
        """Black and white men b and w, kings B and W; the numbers of the squares at both ends."""
        pieces = self._pieces(state)
        rows = []
        for row in range(8):
            first = 4 * row
            cells = "   ".join(pieces[first : first + 4])
            cells = f"  {cells}" if row % 2 == 0 else f"{cells}  "
            rows.append(f"{first + 1:2}  {cells}  {first + 4:2}")
        return "\n".join(rows)

    def view(self, state: State, seat: int) -> str:
        """As `show`, and turned by half for Black, so that its own side is below."""
        if seat == 1:
            return self.show(state)
        rows = []
        for row in reversed(self.show(state).split("\n")):
            first, last = row[:2], row[-2:]
            rows.append(f"{last}  {row[4:-4][::-1]}  {first}")
        return "\n".join(rows)

    def draw(self, state: State) -> str:
        """A chequered board with numbered squares; kings wear a crown. Black's side is on top."""
        return self._draw(state, turned=False)

    def draw_view(self, state: State, seat: int) -> str:
        """As `draw`, and turned by half for Black, so that its own side is below."""
        return self._draw(state, turned=seat == 0)

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The squares it leaves and reaches."""
        start, end, _ = self._squares(state, move)
        return str(start), str(end)

    def label(self, state: State, move: int) -> str:
        """The numbers of the squares, `11-15` for a step, `15x24` for a jump."""
        start, end, jumps = self._squares(state, move)
        return f"{start}x{end}" if jumps else f"{start}-{end}"

    def _squares(self, state: State, move: int) -> tuple[int, int, bool]:
        """The numbers of the squares that a move leaves and reaches, and whether it jumps."""
        way, square = divmod(move, 32)
        piece: Any = np.uint32(1 << square)
        near = _next(piece, way)
        jumps = bool(near & np.uint32(state.theirs))
        target = _next(near, way) if jumps else near
        return _number(piece, state), _number(target, state), jumps

    def _draw(self, state: State, *, turned: bool) -> str:
        numbers, pieces = [""] * 64, {}
        for square, letter in enumerate(self._pieces(state)):
            row, column = square // 4, 2 * (square % 4) + (square // 4 + 1) % 2
            place = 8 * (7 - row) + column
            numbers[place] = str(square + 1)
            if letter != ".":
                pieces[place] = _PIECES[letter]
        return _squares.draw(
            8, pieces, turned=turned, numbers=numbers, colours=("#f2ead6", "#7d9670")
        )

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        name = text.strip()
        if not re.fullmatch("[0-9]{1,2}[-x][0-9]{1,2}", name):
            raise ValueError(f"{name!r} is not a move; moves are like 11-15, jumps like 15x24")
        for move in np.flatnonzero(self.legal(state)).tolist():
            if self.label(state, move) == name:
                return move
        raise ValueError(f"{name} is not legal here")

    def _pieces(self, state: State) -> list[str]:
        """By number."""
        mine, theirs, kings = int(state.mine), int(state.theirs), int(state.kings)
        black, white = (theirs, mine) if state.seat else (mine, theirs)
        pieces = []
        for square in reversed(range(32)) if state.seat else range(32):
            piece = "b" if black >> square & 1 else "w" if white >> square & 1 else "."
            pieces.append(piece.upper() if kings >> square & 1 else piece)
        return pieces
