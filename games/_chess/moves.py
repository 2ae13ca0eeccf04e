"""Legal moves as sets of target squares, and the pieces after a move.

There is no loop over squares: all pieces that move in one direction are moved at once.
"""

from typing import NamedTuple

import jax

from games._chess.attacks import CheckInfo, slide
from games._chess.board import JUMPS, PAWN_RAYS, RAYS, Board, materialize, union
from games._chess.pieces import Pieces


class Move(NamedTuple):
    """A move, decoded from its number.

    Attributes:
      direction: u32[], index into `DIRECTIONS`.
      target: the square where the move ends.
      promotion: u32[], what a pawn on the last rank becomes: index into `UNDERPROMOTIONS`, or 3 for
        a queen.
    """

    direction: jax.Array
    target: Board
    promotion: jax.Array


def pawn_targets(pieces: Pieces, info: CheckInfo) -> list[Board]:
    """Target squares of the legal moves of pawns, one set for each of `PAWN_RAYS`.

    Without double steps and captures en passant.
    """
    goals = pieces.theirs, ~pieces.all(), pieces.theirs
    return [
        (pieces.pawns & info.free(ray)).to(RAYS[ray]) & goal & info.evasions
        for ray, goal in zip(PAWN_RAYS, goals, strict=True)
    ]


def targets(pieces: Pieces, info: CheckInfo, pawns: list[Board]) -> list[Board]:
    """Target squares of all legal moves but castling, one set for each of `DIRECTIONS`.

    Args:
      pieces: of the position.
      info: its checks and pins.
      pawns: target squares of pawns, as `pawn_targets` gives them.
    """
    king, empty = pieces.mine & pieces.kings(), ~pieces.all()
    found = []
    for ray, step in enumerate(RAYS):
        slides = slide(pieces.sliders(ray) & info.free(ray), empty, ray) & info.evasions
        found.append((slides | king.to(step) & ~info.attacked) & ~pieces.mine)
    for ray, board in zip(PAWN_RAYS, pawns, strict=True):
        found[ray] = found[ray] | board
    knights = pieces.knights & info.unpinned
    return found + [knights.to(jump) & info.evasions & ~pieces.mine for jump in JUMPS]


def origin(pieces: Pieces, move: Move) -> Board:
    """The square where a move begins: that of the first piece on the way back from its target."""
    back = [
        slide(move.target.when(move.direction == (ray + 4) % 8), ~pieces.all(), ray)
        for ray in range(8)
    ] + [
        move.target.when(move.direction == 8 + (k + 4) % 8).to(jump) for k, jump in enumerate(JUMPS)
    ]
    return materialize(union(back) & pieces.mine)


def play(pieces: Pieces, move: Move, *, source: Board, captured: Board) -> Pieces:
    """The pieces after a move, still as the seat that made it sees the board.

    Args:
      pieces: before the move.
      move: the move.
      source: the square where it begins.
      captured: the square of the captured piece, or the empty set.
    """
    size = source.size
    last = (move.target & Board.rank(size, size - 1)).any()
    promoted = (pieces.pawns & source).any() & last
    kept = ~(source | captured)

    def kind(board: Board, *promotions: int) -> Board:
        """The pieces of a kind; `promotions` are those that become one of it."""
        arrives = (board & source).any() & ~promoted
        for each in promotions:
            arrives = arrives | promoted & (move.promotion == each)
        return board & kept | move.target.when(arrives)

    return Pieces(
        pieces.mine & ~source | move.target,
        pieces.theirs & ~captured,
        kind(pieces.pawns),
        kind(pieces.knights, 0),
        kind(pieces.diagonal, 1, 3),
        kind(pieces.straight, 2, 3),
    )
