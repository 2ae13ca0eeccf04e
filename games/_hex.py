"""The board of Hex and Dark Hex: connection, texts and pictures.

Each seat has a view of its own, in which it connects top and bottom. The other seat's view is the
reflection in the long diagonal: cell row * size + column is there cell column * size + row.
"""

import math
from itertools import pairwise

import jax
import numpy as np

from games import _bitset, _svg
from games._bitset import Bitset

_RED, _BLUE = "#d8433b", "#2c5aa0"
_COLUMNS = "abcdefghijklmnopqrs"
# A hexagon of the picture: its circumradius, half its width, its corners.
_RADIUS = 20.0
_HALF = _RADIUS * math.sqrt(3) / 2
_CORNERS = [
    (dx * _HALF, dy * _RADIUS / 2)
    for dx, dy in ((0, -2), (1, -1), (1, 1), (0, 2), (-1, 1), (-1, -1))
]


def reflected(size: int) -> np.ndarray:
    """For each cell of one seat's view, its number in the other's, i64[size²]."""
    return np.arange(size * size).reshape(size, size).T.reshape(-1)


def connected(board: Bitset, size: int) -> jax.Array:
    """Whether a chain of stones joins top and bottom, bool[].

    Hex is the game of Y on a triangle, two corners of which are filled with stones: own ones above
    the rhombus, the opponent's beside it. Whoever joins all three sides of a filled triangle also
    does so on the triangle one smaller in which each cell takes the majority of three that meet
    (C. Schensted; J. van Rijswijck, Search and evaluation in Hex, 2002); so the last cell decides.
    An empty cell counts as the opponent's.
    """
    triangle = [np.uint32(0xFFFFFFFF)] * (size - 1) + _bitset.rows(board, size, size)
    # Bit c of a row meets bits c and c - 1 of the row below. What lies above bit size - 1 never
    # gets down to it, and below bit 0 all cells are the opponent's.
    while len(triangle) > 1:
        triangle = [a & b | (a | b) & (b << np.uint32(1)) for a, b in pairwise(triangle)]
    return (triangle[0] >> (size - 1)) & 1 == 1


def _centre(row: float, column: float) -> tuple[float, float]:
    """Where a cell is in the picture."""
    return 60 + 2 * _HALF * (column + row / 2), 60 + 1.5 * _RADIUS * row


def _edges(size: int) -> list[str]:
    """The four edges of the picture's board; where two meet at a cell, each has half of it."""
    (left, top), (right, bottom) = _centre(0, 0), _centre(size - 1, size - 1)
    upper = [(left - _HALF, top - _RADIUS / 2)]
    for column in range(size):
        x, _ = _centre(0, column)
        upper += [(x, top - _RADIUS), (x + _HALF, top - _RADIUS / 2)]
    side = []
    for row in range(size):
        x, y = _centre(row, 0)
        side += [(x - _HALF, y - _RADIUS / 2), (x - _HALF, y + _RADIUS / 2)]
    upper[-1] = (upper[-1][0] - _HALF / 2, upper[-1][1] - _RADIUS / 4)
    side.append((side[-1][0] + _HALF / 2, side[-1][1] + _RADIUS / 4))
    parts = []
    for line, colour in ((upper, _RED), (side, _BLUE)):
        for points in (line, [(left + right - x, top + bottom - y) for x, y in line]):
            path = "M" + "L".join(f"{x:.5g} {y:.5g}" for x, y in points)
            parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="9"/>')
    return parts


def show(size: int, stones: list[str]) -> str:
    """A rhombus of characters, one a cell; columns a, b, … and rows 1, 2, … from the top."""
    lines = ["  " + " ".join(_COLUMNS[:size])]
    lines += [
        f"{' ' * row}{row + 1:2} {' '.join(stones[size * row : size * (row + 1)])}"
        for row in range(size)
    ]
    return "\n".join(lines)


def draw(size: int, stones: list[str]) -> str:
    """Hexagons between two red and two blue edges.

    Args:
      size: of the board.
      stones: for each cell red `X`, blue `O` or `.`; small letters mark a stone with a dot.
    """
    names = [(*_centre(-1.3, i + 0.65), _COLUMNS[i]) for i in range(size)]
    names += [(*_centre(i, -1.1), str(i + 1)) for i in range(size)]
    first, last = _centre(0, 0), _centre(size - 1, size - 1)
    width, height = (a + b for a, b in zip(first, last, strict=True))
    cells = (_cell(size, cell, stone) for cell, stone in enumerate(stones))
    places = [(x, y + 4, name) for x, y, name in names]
    return _svg.picture(width, height, *_edges(size), _svg.names(places), *cells, font=13)


def _cell(size: int, cell: int, stone: str) -> str:
    x, y = _centre(*divmod(cell, size))
    corners = " ".join(f"{x + dx:.5g},{y + dy:.5g}" for dx, dy in _CORNERS)
    ground = f'<polygon class="square" points="{corners}" fill="#f7f1e3" stroke="#a79c85"/>'
    piece, says = "", ""
    if stone != ".":
        red = stone in "Xx"
        says = ("red" if red else "blue") + ", found" * (stone in "xo")
        piece = (
            f'<circle class="piece {_svg.SEATS[not red]}" cx="{x:.5g}" cy="{y:.5g}" r="13" '
            f'fill="{_RED if red else _BLUE}"/>'
        )
    if stone in "xo":
        piece += f'<circle cx="{x:.5g}" cy="{y:.5g}" r="5" fill="#fdfaf3"/>'
    shape = f'<polygon points="{corners}"'
    return _svg.cell(label(size, cell), shape, says=says, ground=ground, piece=piece)


def label(size: int, cell: int) -> str:
    """Column letter and row number, `a1` at the top left."""
    return f"{_COLUMNS[cell % size]}{cell // size + 1}"


def parse(size: int, text: str) -> int:
    """The inverse of `label`; raises ValueError with one clear line if it is no cell."""
    cells = {label(size, cell): cell for cell in range(size * size)}
    if text.strip().lower() not in cells:
        last = label(size, size * size - 1)
        raise ValueError(f"{text.strip()!r} is not a cell; cells are a1 to {last}")
    return cells[text.strip().lower()]
