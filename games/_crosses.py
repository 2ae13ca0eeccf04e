"""Pictures of crosses and rings on 3×3."""

from games import _svg

_LINES = (
    '<path class="lines" d="M100 12V288M200 12V288M12 100H288M12 200H288" fill="none" '
    'stroke="#b5afa3" stroke-width="4" stroke-linecap="round"/>'
)


def draw(marks: list[str]) -> str:
    """A picture of the cells, row by row from the top left.

    Args:
      marks: crosses `X`, rings `O`, or `.`; small letters mark those with a dot.
    """
    cells = [_cell(k, mark) for k, mark in enumerate(marks)]
    return _svg.picture(300, 300, _LINES, *cells)


def label(cell: int) -> str:
    """Column letter and row number, `a1` at the bottom left."""
    return f"{'abc'[cell % 3]}{3 - cell // 3}"


def _cell(cell: int, mark: str) -> str:
    x, y = 50 + 100 * (cell % 3), 50 + 100 * (cell // 3)
    line = 'fill="none" stroke-width="10" stroke-linecap="round"'
    piece, says = "", ""
    if mark in "Xx":
        says = "cross"
        path = f"M{x - 28} {y - 28}l56 56m0-56l-56 56"
        piece = f'<path class="piece first" d="{path}" {line} stroke="#2c5aa0"/>'
    elif mark in "Oo":
        says = "ring"
        piece = f'<circle class="piece second" cx="{x}" cy="{y}" r="30" {line} stroke="#d8433b"/>'
    if mark in "xo":
        says += ", found"
        piece += f'<circle cx="{x + 38}" cy="{y - 38}" r="5" fill="{_svg.INK}"/>'
    shape = f'<rect x="{x - 46}" y="{y - 46}" width="92" height="92" rx="10"'
    return _svg.cell(label(cell), shape, says=says, piece=piece)
