"""Breakthrough."""

import re
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _squares
from games._bitboard import Bitboard, planes
from games._turned import turned
from games.core import OVER, Fact, Facts, Game

_HOME_ROW = 0xFF
_LEFT_COLUMN, _RIGHT_COLUMN = 0x01 * 0x0101010101010101, 0x80 * 0x0101010101010101
_PIECES = {
    "w": _squares.Piece(_squares.disc(0, white=True), "white"),
    "b": _squares.Piece(_squares.disc(1, white=False), "black"),
}


class State(NamedTuple):
    """17 bytes. Cell c is row c // 8 from the mover's side, column c % 8 from the left.

    Attributes:
      mine: pieces of the seat to move.
      theirs: pieces of the other.
      seat: u8[], the seat to move.
    """

    mine: Bitboard
    theirs: Bitboard
    seat: jax.Array


def _turned(board: Bitboard) -> Bitboard:
    """The board with its rows, a byte each, in the opposite order."""

    def turn(word: jax.Array) -> jax.Array:
        pairs = word << 16 | word >> 16
        return (pairs & jnp.uint32(0xFF00FF)) << 8 | (pairs >> 8) & jnp.uint32(0xFF00FF)

    return Bitboard(turn(board.high), turn(board.low))


@jax.jit
def _moves(state: State) -> tuple[Bitboard, Bitboard, Bitboard]:
    """The pieces that can move forward towards column a, straight, and towards column h."""
    mine, free = state.mine, ~state.mine
    left = mine & ~Bitboard.of(_LEFT_COLUMN) & (free >> 7)
    ahead = mine & ((free & ~state.theirs) >> 8)
    right = mine & ~Bitboard.of(_RIGHT_COLUMN) & (free >> 9)
    return left, ahead, right


def _name(cell: int, seat: int) -> str:
    """A cell as players write it, `a1` at white's left."""
    row = 7 - cell // 8 if seat else cell // 8
    return f"{'abcdefgh'[cell % 8]}{row + 1}"


def _lost(state: State) -> jax.Array:
    return (state.theirs & Bitboard.of(_HOME_ROW)).any() | ~state.mine.any()


@dataclass(frozen=True)
class Breakthrough(Game[State]):
    """Breakthrough on 8×8.

    Rules:
      Each seat begins with two rows of pieces; seat 0 plays white, at the bottom, and begins. A
      piece moves one row forward, straight or diagonally, to a cell without an own piece; only
      diagonally may it capture. A seat wins with a piece on the last row, or when the opponent has
      none left. There is no draw.

    Moves:
      `64 * direction + cell`, the cell that the piece leaves. Directions are forward towards column
      a, straight forward, forward towards column h. Cells are numbered row by row from the mover's
      own side, each row from column a.

    Observation:
      f32[8, 8, 2], by row from the seat's own side and by column from a.

      - 0: own pieces.
      - 1: the opponent's pieces.

    Source:
      en.wikipedia.org/wiki/Breakthrough_(board_game). As in OpenSpiel, where the seat that begins
      is called black and plays from the top.
    """

    num_actions = 192
    max_plies = 177  # each seat's pieces go 8 × 6 + 8 × 5 rows before one reaches the last
    typical_plies = 63
    facts = Facts(
        perft=Fact(
            (1, 22, 484, 11132, 256036),
            "github.com/fairy-stockfish/Fairy-Stockfish, tests/perft.sh: depth 4",
        ),
    )

    def init(self) -> State:
        """Two rows of pieces each."""
        return State(Bitboard.of(0xFFFF), Bitboard.of(0xFFFF << 48), jnp.uint8(0))

    def mover(self, state: State) -> jax.Array:
        """The seats alternate."""
        return jnp.where(_lost(state), OVER, state.seat.astype(jnp.int32))

    def legal(self, state: State) -> jax.Array:
        """bool[192]: 64 cells for each of the three directions."""
        return jnp.concatenate([board.flags() for board in _moves(state)])

    def step(self, state: State, move: jax.Array) -> State:
        """Moves a piece, then turns the board to the other seat."""
        way, cell = move >> 6, move & 63
        target = Bitboard.cell(cell + 7 + way)
        mine = (state.mine ^ Bitboard.cell(cell)) | target
        return State(_turned(state.theirs & ~target), _turned(mine), state.seat ^ 1)

    def payoff(self, state: State) -> jax.Array:
        """Only the seat that moved last can have won."""
        return jnp.where(_lost(state), jnp.where(state.seat == 1, 1.0, -1.0), 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """f32[8, 8, 2]: own pieces, the opponent's; the seat's own side first."""
        own = state.seat.astype(jnp.int32) == seat
        first = Bitboard.where(own, state.mine, _turned(state.theirs))
        return planes(first, Bitboard.where(own, state.theirs, _turned(state.mine)))

    def move_planes(self) -> np.ndarray:
        """The cell that a piece leaves, i64[192]; a plane for each direction."""
        return np.arange(192)

    def symmetries(self, observation: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The board and its mirror image."""
        mirrored = policy.reshape(3, 8, 8)[::-1, :, ::-1].reshape(192)
        return jnp.stack([observation, observation[:, ::-1]]), jnp.stack([policy, mirrored])

    def show(self, state: State) -> str:
        """White and black pieces, w and b; white's side at the bottom."""
        pieces = self._pieces(state)
        rows = [f"{8 - r}  " + " ".join(pieces[8 * r : 8 * r + 8]) for r in range(8)]
        return "\n".join([*rows, "   a b c d e f g h"])

    def view(self, state: State, seat: int) -> str:
        """As `show`, Black's side below for Black."""
        return turned(self.show(state)) if seat else self.show(state)

    def draw(self, state: State) -> str:
        """A chequered board with white and black discs; white's side at the bottom."""
        return self._draw(state, turned=False)

    def draw_view(self, state: State, seat: int) -> str:
        """As `draw`, Black's side below for Black."""
        return self._draw(state, turned=seat == 1)

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """Where from and where to."""
        way, cell = divmod(move, 64)
        return _name(cell, int(state.seat)), _name(cell + 7 + way, int(state.seat))

    def _draw(self, state: State, *, turned: bool) -> str:
        pieces = {
            8 * (7 - place // 8) + place % 8: _PIECES[piece]
            for place, piece in enumerate(self._pieces(state))
            if piece != "."
        }
        return _squares.draw(8, pieces, turned=turned)

    def label(self, state: State, move: int) -> str:
        """Where from and where to, `a2a3`; with an x between for a capture, `a2xb3`."""
        way, cell = divmod(move, 64)
        target = cell + 7 + way
        between = "x" if int(state.theirs) >> target & 1 else ""
        return _name(cell, int(state.seat)) + between + _name(target, int(state.seat))

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        name = text.strip().lower()
        if not re.fullmatch("[a-h][1-8]x?[a-h][1-8]", name):
            raise ValueError(f"{text.strip()!r} is not a move; moves are like a2a3, or a2xb3")
        for move in np.flatnonzero(self.legal(state)).tolist():
            if self.label(state, move) == name:
                return move
        raise ValueError(f"{name} is not legal here")

    def _pieces(self, state: State) -> list[str]:
        """Row by row from the top of the picture."""
        if state.seat:
            white, black = int(_turned(state.theirs)), int(_turned(state.mine))
        else:
            white, black = int(state.mine), int(state.theirs)
        cells = [8 * row + column for row in range(7, -1, -1) for column in range(8)]
        return ["w" if white >> c & 1 else "b" if black >> c & 1 else "." for c in cells]
