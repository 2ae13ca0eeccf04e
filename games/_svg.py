"""What the games' SVG pictures share: cells that carry their names, and marks on them.

A cell is a group `<g class="cell" data-cell="e4" aria-label="e4, white pawn">`. In it lies, between
its ground and what stands on it, a shape of class `mark`, invisible at first, that takes clicks and
that style sheets fill to show where a move can go or has gone. Classes name all other parts:
`paper` (the background), `board`, `square`, `lines`, `names` (letters and numbers at the edges),
`piece`, with `first` and `second` for the seats. Colours are attributes, which any style sheet
overrides, so that a picture is complete where there is none; there are no `style` attributes, which
a strict content security policy forbids.
"""

import html
import re
from collections.abc import Iterable

SEATS = ("first", "second")
"""The classes of what belongs to seat 0 and to seat 1."""

PAPER, INK = "#fdfaf3", "#6f6a60"
"""The default colours of the background, and of lines and names on it."""


def picture(
    width: float, height: float, *parts: str, font: float = 28, paper: str = PAPER, round: float = 0
) -> str:
    """A whole picture.

    Args:
      width: in units of its own, as all lengths.
      height: of it.
      *parts: what is in it, from the back to the front.
      font: size of its letters.
      paper: colour of the background.
      round: radius of the background's corners.
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'font-family="sans-serif" font-size="{font:g}" text-anchor="middle">'
        f'<rect class="paper" width="{width:g}" height="{height:g}" rx="{round:g}" '
        f'fill="{paper}"/>{"".join(parts)}</svg>'
    )


def cell(
    name: str, mark: str, *, says: str = "", ground: str = "", piece: str = "", kind: str = ""
) -> str:
    """A cell that can be clicked.

    Args:
      name: as `Game.clicks` names it.
      mark: an SVG shape without its end, `<circle r="9"`, that takes clicks and shows marks.
      says: what is on it, for readers of the screen.
      ground: what is drawn below the mark.
      piece: what is drawn above it.
      kind: further classes of the group: `column` where pieces pile up in a cell, `check`.
    """
    text = html.escape(f"{name}, {says}" if says else name)
    return (
        f'<g class="{f"cell {kind}".strip()}" data-cell="{html.escape(name)}" aria-label="{text}">'
        f'{ground}{mark} class="mark" fill="none" pointer-events="all"/>{piece}</g>'
    )


def names(places: Iterable[tuple[float, float, str]], colour: str = INK) -> str:
    """The letters and numbers at the edges of a board: centre of the base line, and text."""
    texts = "".join(f'<text x="{x:.5g}" y="{y:.5g}">{name}</text>' for x, y, name in places)
    return f'<g class="names" fill="{colour}">{texts}</g>'


def mark(picture: str, cells: Iterable[str], *, kind: str = "last") -> str:
    """A picture with a class added to some of its cells.

    Args:
      picture: as `Game.draw` gives it.
      cells: names of cells; those that the picture does not have change nothing.
      kind: the class, as `last` for the cells of the last move.
    """
    for name in cells:
        found = re.escape(f'" data-cell="{html.escape(name)}"')
        picture = re.sub(f'(class="cell[^"]*)({found})', rf"\1 {kind}\2", picture)
    return picture


def text(lines: str) -> str:
    """A text as a picture, for games that draw nothing better."""
    rows = lines.split("\n")
    width, height = 9.6 * max(map(len, rows)) + 16, 18 * len(rows) + 16
    written = "".join(
        f'<text x="8" y="{22 + 18 * y}" xml:space="preserve">{html.escape(row)}</text>'
        for y, row in enumerate(rows)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}" '
        f'font-family="monospace" font-size="16"><g class="names" fill="{INK}">{written}</g></svg>'
    )
