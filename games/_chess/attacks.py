"""Attacked squares, check and pins."""

from typing import NamedTuple

import jax

from games._chess.board import JUMPS, RAYS, Board, landing, materialize, union
from games._chess.pieces import Pieces


def slide(sources: Board, empty: Board, ray: int) -> Board:
    """The squares that sliding pieces attack in one direction.

    Args:
      sources: squares of the pieces.
      empty: the squares without a piece.
      ray: index into `RAYS`.

    Returns:
      The empty squares up to the first occupied one, and that one, from each source
      (Kogge-Stone fill, chessprogramming.org/Kogge-Stone_Algorithm).
    """
    seen, path, times = sources, empty & landing(sources.size, RAYS[ray]), 1
    while times < sources.size - 1:
        seen = seen | path & seen.shift(RAYS[ray], times)
        path = path & path.shift(RAYS[ray], times)
        times *= 2
    return seen.to(RAYS[ray])


class CheckInfo(NamedTuple):
    """Check and pins, for the seat to move.

    Attributes:
      attacked: squares on which its king would be in check.
      checked: bool[], whether its king is in check.
      evasions: squares on which moves of its other pieces may end: all if there is no check; those
        that capture or block the checking piece if there is one; none in double check.
      unpinned: its pieces that are not pinned to the king.
      pinned: its pinned pieces: entry r of the four holds those that may move only in direction
        `RAYS[r]` and the opposite one.
    """

    attacked: Board
    checked: jax.Array
    evasions: Board
    unpinned: Board
    pinned: tuple[Board, ...]

    def free(self, ray: int) -> Board:
        """The seat's pieces that no pin keeps from moving in direction `RAYS[ray]`."""
        return self.unpinned | self.pinned[ray % 4]


def check_info(pieces: Pieces) -> CheckInfo:
    """Attacked squares, check and pins, for the seat to move."""
    king, empty = pieces.mine & pieces.kings(), ~pieces.all()
    sliders = [pieces.theirs & pieces.sliders(ray) for ray in range(8)]
    knights, pawns = pieces.theirs & pieces.knights, pieces.theirs & pieces.pawns
    lines, view = materialize(
        [[slide(board, empty, ray) for ray, board in enumerate(b)] for b in (sliders, [king] * 8)]
    )
    attacked = [
        *lines,
        # A slider also attacks the square behind the king, which cannot evade along its line.
        *((lines[ray] & king).to(RAYS[ray]) for ray in range(8)),
        *(knights.to(jump) for jump in JUMPS),
        *(pawns.to(RAYS[ray]) for ray in (3, 5)),
        *((pieces.theirs & pieces.kings()).to(step) for step in RAYS),
    ]
    near = union(
        [knights & king.to(jump) for jump in JUMPS] + [pawns & king.to(RAYS[ray]) for ray in (1, 7)]
    )
    far = [view[ray] & sliders[ray] for ray in range(8)]
    checks = union([near, *far]).count()
    ends = union([near, *(view[ray].when(far[ray].any()) for ray in range(8))])
    anywhere = Board.of(king.size, (1 << king.size**2) - 1)
    # A piece is pinned if it is the first on a line from the king, and the first from a slider on
    # the other side.
    pinned = [
        pieces.mine & (view[ray] & lines[ray + 4] | view[ray + 4] & lines[ray]) for ray in range(4)
    ]
    return materialize(
        CheckInfo(
            union(attacked),
            checks > 0,
            anywhere.when(checks == 0) | ends.when(checks == 1),
            pieces.mine & ~union(pinned),
            tuple(pinned),
        )
    )
