"""Pictures of stones on the crossings of a wooden board: go and gomoku."""

from games import _svg

COLUMNS = "ABCDEFGHJKLMNOPQRST"
"""The letters of go's columns, of which there is no I."""

_WOOD, _INK = "#dcb35c", "#4a3413"


def draw(size: int, stones: list[str], columns: str = COLUMNS, closed: int | None = None) -> str:
    """An SVG picture of stones on a wooden board; the cells are its points.

    Args:
      size: length of the board's sides.
      stones: for each point, row by row from the bottom, black `X`, white `O` or `.`.
      columns: their letters.
      closed: the point closed by ko, which a small square marks.
    """
    end, full = 40 * size + 10, 40 * size + 60  # the first line is at 50, the last at `end`
    lines = "".join(f"M50 {50 + 40 * k}H{end}M{50 + 40 * k} 50V{end}" for k in range(size))
    places = [
        place
        for k in range(size)
        for y in (24, full - 14)
        for place in ((50 + 40 * k, y, columns[k]), (y - 5, end - 40 * k + 5, str(k + 1)))
    ]
    stars = "".join(
        f'<circle cx="{50 + 40 * x}" cy="{50 + 40 * y}" r="4"/>' for x, y in _stars(size)
    )
    points = (
        _point(
            f"{columns[k % size]}{k // size + 1}",
            50 + 40 * (k % size),
            end - 40 * (k // size),
            stone,
            k == closed,
        )
        for k, stone in enumerate(stones)
    )
    return _svg.picture(
        full,
        full,
        f"<defs>{_shade('black', '#6b6b6b', '#0c0c0c')}{_shade('white', '#fff', '#d3d0c8')}</defs>",
        f'<path class="lines" d="{lines}" stroke="{_INK}"/>',
        f'<g class="lines" fill="{_INK}">{stars}</g>',
        _svg.names(places, _INK),
        *points,
        font=14,
        paper=_WOOD,
        round=6,
    )


def _point(name: str, x: int, y: int, stone: str, closed: bool) -> str:
    """A crossing and what lies there."""
    piece, colour = "", {"X": "black", "O": "white", ".": ""}[stone]
    if closed:
        piece = f'<path d="M{x - 8} {y - 8}h16v16h-16z" fill="none" stroke="{_INK}"/>'
    elif colour:
        piece = (
            f'<circle class="piece {_svg.SEATS[stone == "O"]}" cx="{x}" cy="{y}" r="19" '
            f'fill="url(#stone-{colour})"/>'
        )
    shape = f'<rect x="{x - 20}" y="{y - 20}" width="40" height="40" rx="20"'
    return _svg.cell(name, shape, says="closed by ko" if closed else colour, piece=piece)


def _stars(size: int) -> list[tuple[int, int]]:
    """The points that are marked: near the corners, in the middle, on a large board between."""
    if size < 7:
        return []
    near = 3 if size > 11 else 2
    far, middle = size - 1 - near, size // 2
    stars = [(x, y) for x in (near, far) for y in (near, far)]
    if size % 2:
        stars.append((middle, middle))
    if size == 19:
        stars += [(middle, near), (middle, far), (near, middle), (far, middle)]
    return stars


def _shade(colour: str, light: str, dark: str) -> str:
    """The gradient of a stone, as SVG."""
    return (
        f'<radialGradient id="stone-{colour}" cx=".36" cy=".32" r=".7">'
        f'<stop stop-color="{light}"/><stop offset="1" stop-color="{dark}"/></radialGradient>'
    )
