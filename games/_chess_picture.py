"""Pictures of boards of chess, with the pieces of python-chess, drawn by C. Burnett."""

import re
from functools import cache

import chess
import chess.svg

from games import _squares
from games._squares import Piece
from games._svg import SEATS


def draw(side: int, letters: list[str], *, turned: bool, king: str) -> str:
    """A board.

    Args:
      side: squares of a side.
      letters: what is on each square, as FEN writes it, row by row from a1; `.` is empty.
      turned: whether Black is below.
      king: the letter of a king in check, which is marked; empty if there is none.
    """
    pieces = {
        k: _piece(letter, letter == king) for k, letter in enumerate(letters) if letter != "."
    }
    return _squares.draw(side, pieces, turned=turned, defs=_defs())


def _piece(letter: str, check: bool) -> Piece:
    man = chess.Piece.from_symbol(letter)
    colour, kind = chess.COLOR_NAMES[man.color], chess.piece_name(man.piece_type)
    drawing = (
        f'<use class="piece {SEATS[man.color == chess.BLACK]}" href="#{colour}-{kind}" '
        'transform="scale(2.1) translate(-22.5 -22.5)"/>'
    )
    if check:
        drawing = f'<circle r="46" fill="#d8433b" fill-opacity=".75"/>{drawing}'
    return Piece(drawing, f"{colour} {kind}{', in check' if check else ''}", "check" * check)


@cache
def _defs() -> str:
    """The pieces, their colours as attributes instead of styles."""
    pieces = re.sub('style="([^"]*)"', _attributes, "".join(chess.svg.PIECES.values()))
    return f"<defs>{pieces}</defs>"


def _attributes(style: re.Match[str]) -> str:
    pairs = (pair.split(":") for pair in style[1].split(";") if pair.strip())
    return " ".join(f'{key.strip()}="{value.strip()}"' for key, value in pairs)
