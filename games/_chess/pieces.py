"""The pieces of both seats on a board, and what follows from them alone."""

from typing import NamedTuple

import jax

from games._chess.board import Board

KINDS = "pnbrqk"
"""Letters of the kinds of pieces: pawn, knight, bishop, rook, queen, king."""


class Pieces(NamedTuple):
    """The pieces, as the seat to move sees the board. Kings are the pieces of no other kind.

    Attributes:
      mine: pieces of the seat to move.
      theirs: pieces of the other seat.
      pawns: pawns of both seats.
      knights: knights of both seats.
      diagonal: bishops and queens of both seats.
      straight: rooks and queens of both seats.
    """

    mine: Board
    theirs: Board
    pawns: Board
    knights: Board
    diagonal: Board
    straight: Board

    def all(self) -> Board:
        """The occupied squares."""
        return self.mine | self.theirs

    def kings(self) -> Board:
        """The kings of both seats."""
        return self.all() & ~(self.pawns | self.knights | self.diagonal | self.straight)

    def sliders(self, ray: int) -> Board:
        """Pieces of both seats that move any distance in direction `RAYS[ray]`."""
        return self.diagonal if ray % 2 else self.straight

    def kinds(self) -> tuple[Board, ...]:
        """The pieces of both seats, kind by kind in the order of `KINDS`."""
        queens = self.diagonal & self.straight
        bishops, rooks = self.diagonal & ~queens, self.straight & ~queens
        return self.pawns, self.knights, bishops, rooks, queens, self.kings()

    def turned(self) -> "Pieces":
        """The pieces as the other seat sees them: sides exchanged, ranks in reverse order."""
        mine, theirs, *kinds = (board.turned() for board in self)
        return Pieces(theirs, mine, *kinds)


def insufficient(pieces: Pieces) -> jax.Array:
    """Whether the material cannot mate by any sequence of legal moves, bool[].

    That is so if, kings apart, there is one knight, or only bishops on squares of one colour.
    """
    size, knights = pieces.mine.size, pieces.knights.count()
    dark = Board.of(size, sum(1 << k for k in range(size**2) if (k // size + k % size) % 2 == 0))
    on_dark, on_light = (pieces.diagonal & dark).any(), (pieces.diagonal & ~dark).any()
    too_few = (knights == 0) & ~(on_dark & on_light) | (knights == 1) & ~(on_dark | on_light)
    return ~(pieces.pawns | pieces.straight).any() & too_few


def letters(pieces: Pieces) -> list[str]:
    """The piece on every square as in FEN, `mine` in capitals, `.` for none. On the host only."""
    kinds, mine = [int(board) for board in pieces.kinds()], int(pieces.mine)
    found = []
    for square in range(pieces.mine.size**2):
        kind = next((k for k, board in zip(KINDS, kinds, strict=True) if board >> square & 1), ".")
        found.append(kind.upper() if mine >> square & 1 else kind)
    return found


def from_letters(letters: list[str]) -> Pieces:
    """The inverse of `letters`."""
    size = int(len(letters) ** 0.5)

    def board(some: str) -> Board:
        return Board.of(size, sum(1 << k for k, letter in enumerate(letters) if letter in some))

    return Pieces(
        board("PNBRQK"), board("pnbrqk"), board("Pp"), board("Nn"), board("BQbq"), board("RQrq")
    )
