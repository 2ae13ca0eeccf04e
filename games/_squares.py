"""Pictures of chequered boards: chess, breakthrough, draughts.

Squares are numbered row by row from the bottom left of the picture that is not turned.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from games import _svg

_SIDE, _EDGE = 100, 44
LIGHT, DARK = "#f0dfc0", "#b58a63"
"""The colours of the squares."""


class Piece(NamedTuple):
    """What stands on a square.

    Attributes:
      drawing: SVG around (0, 0), at most 80 wide.
      says: what it is called.
      kind: further classes of its cell, as `check`.
    """

    drawing: str
    says: str
    kind: str = ""


def draw(
    side: int,
    pieces: Mapping[int, Piece],
    *,
    turned: bool,
    numbers: Sequence[str] | None = None,
    colours: tuple[str, str] = (LIGHT, DARK),
    defs: str = "",
) -> str:
    """A chequered board.

    Args:
      side: squares of a side.
      pieces: by square.
      turned: whether the board is seen from the far side.
      numbers: the names of the squares, written on those that have one; only these are cells. By
        default files are letters and ranks numbers, named at the edges, and all squares are cells.
      colours: of light and dark squares.
      defs: definitions that the pieces use.
    """
    cells = []
    for square in range(side * side):
        rank, file = divmod(square, side)
        dark = (rank + file) % 2 == 0
        x, y = (_EDGE + _SIDE * (place + 0.5) for place in _place(side, rank, file, turned))
        box = f'<rect x="{x - 50:g}" y="{y - 50:g}" width="100" height="100"'
        ground = f'{box} class="square {"dark" if dark else "light"}" fill="{colours[dark]}"/>'
        name = numbers[square] if numbers else f"{_file(file)}{rank + 1}"
        if not name:
            cells.append(ground)
            continue
        if numbers:
            ground += (
                f'<text class="names" x="{x - 45:g}" y="{y - 27:g}" font-size="22" '
                f'text-anchor="start" fill="#fff" fill-opacity=".75">{name}</text>'
            )
        piece = pieces.get(square)
        drawn = f'<g transform="translate({x:g} {y:g})">{piece.drawing}</g>' if piece else ""
        says, kind = (piece.says, piece.kind) if piece else ("", "")
        cells.append(_svg.cell(name, box, says=says, ground=ground, piece=drawn, kind=kind))
    full = side * _SIDE + 2 * _EDGE
    edges = "" if numbers else _edges(side, turned)
    return _svg.picture(
        full,
        full,
        defs,
        *cells,
        edges,
        font=26,
        paper="#5f4632" if numbers else "#4a3a2c",
        round=10,
    )


def disc(seat: int, *, white: bool, king: bool = False) -> str:
    """A round piece of a seat."""
    fill, rim = ("#fbf7ee", "#8d7757") if white else ("#2f2d2b", "#0c0b0b")
    crown = '<path d="M-17 13L-22-13L-9-2L0-19L9-2L22-13L17 13Z" fill="#e3b341" stroke-width="2"/>'
    return (
        f'<g class="piece {_svg.SEATS[seat]}" stroke="{rim}" stroke-width="4">'
        f'<circle r="38" fill="{fill}"/><circle r="28" fill="none" stroke-opacity=".6"/>'
        f"{crown if king else ''}</g>"
    )


def _place(side: int, rank: int, file: int, turned: bool) -> tuple[int, int]:
    """Column from the left and row from the top."""
    return (side - 1 - file, rank) if turned else (file, side - 1 - rank)


def _edges(side: int, turned: bool) -> str:
    """The letters of the files below and the numbers of the ranks on the left."""
    places = []
    for k in range(side):
        at = _EDGE + _SIDE * ((side - 1 - k if turned else k) + 0.5)
        places.append((at, _EDGE + _SIDE * side + 31, _file(k)))
        places.append((_EDGE / 2, 2 * _EDGE + _SIDE * side - at + 9, str(k + 1)))
    return _svg.names(places, "#e9dcc6")


def _file(file: int) -> str:
    return "abcdefgh"[file]
