"""Pictures of animal shogi: tiles with dots for the ways they move, as the game is sold."""

from games import _svg

# Columns to the right and rows ahead of the ways that each kind moves, its colour and its name.
_STRAIGHT, _DIAGONAL = ((0, 1), (1, 0), (0, -1), (-1, 0)), ((1, 1), (1, -1), (-1, -1), (-1, 1))
_KINDS = {
    "C": (((0, 1),), "#f7e9a8", "chick"),
    "E": (_DIAGONAL, "#cdc4e6", "elephant"),
    "G": (_STRAIGHT, "#cfe0f5", "giraffe"),
    "H": ((*_STRAIGHT, (1, 1), (-1, 1)), "#f3c98b", "hen"),
    "L": ((*_STRAIGHT, *_DIAGONAL), "#f2b3a6", "lion"),
}
_GROUND = {3: "#cfe4ee", 0: "#d3e6c0"}
_FIELD = "#f1e3bd"


def draw(squares: list[str], hands: tuple[str, str] | list[str], *, turned: bool) -> str:
    """An SVG picture; the cells are those of the board, and the kinds that each seat holds.

    Args:
      squares: for each cell, row by row from seat 0's own, a letter, small for seat 1's; or `.`.
      hands: the letters of what each seat holds.
      turned: whether seat 1 is below.
    """
    cells = [_square(k, letter, turned) for k, letter in enumerate(squares)]
    held = [
        _held(seat, kind, hands[seat].upper().count(kind), turned)
        for seat in (0, 1)
        for kind in "CEG"
    ]
    names = [(90 + 100 * _across(k, turned), 24, "abc"[k]) for k in range(3)]
    names += [(20, 92 + 100 * _down(3 - k, turned), str(k + 1)) for k in range(4)]
    return _svg.picture(480, 450, _svg.names(names), *cells, *held, font=18)


def _across(column: int, turned: bool) -> int:
    return 2 - column if turned else column


def _down(row: int, turned: bool) -> int:
    """The row of the picture, from the top, of one that counts from seat 0's own."""
    return row if turned else 3 - row


def _square(cell: int, letter: str, turned: bool) -> str:
    row, column = divmod(cell, 3)
    x, y = 90 + 100 * _across(column, turned), 86 + 100 * _down(row, turned)
    box = f'<rect x="{x - 50}" y="{y - 50}" width="100" height="100"'
    ground = f'{box} class="square" fill="{_GROUND.get(row, _FIELD)}" stroke="#8a7557"/>'
    piece, says = "", ""
    if letter != ".":
        seat = int(letter.islower())
        piece = _tile(x, y, 1, letter.upper(), seat, upside=bool(seat) != turned)
        says = f"{_KINDS[letter.upper()][2]} of seat {seat}"
    return _svg.cell(f"{'abc'[column]}{4 - row}", box, says=says, ground=ground, piece=piece)


def _held(seat: int, kind: str, count: int, turned: bool) -> str:
    """A kind in a hand: pale if there is none of it, its number above one."""
    above, order = bool(seat) != turned, "CEG".index(kind)
    x, y = 410, (66 + 62 * order) if above else (406 - 62 * order)
    tile = _tile(x, y, 0.62, kind, seat, upside=above)
    if not count:
        tile = f'<g opacity=".16">{tile}</g>'
    number = f'<text x="{x + 44}" y="{y + 7}" fill="{_svg.INK}">×{count}</text>'
    return _svg.cell(
        f"hand{seat}-{kind}",
        f'<rect x="{x - 30}" y="{y - 30}" width="60" height="60" rx="8"',
        says=f"{count} {_KINDS[kind][2]} in the hand of seat {seat}",
        piece=tile + (number if count > 1 else ""),
    )


def _tile(x: float, y: float, size: float, kind: str, seat: int, *, upside: bool) -> str:
    """A tile with a dot for every way to move."""
    ways, fill, _ = _KINDS[kind]
    turn = " rotate(180)" if upside else ""
    dots = "".join(f'<circle cx="{34 * right}" cy="{-34 * ahead}" r="5"/>' for right, ahead in ways)
    return (
        f'<g class="piece {_svg.SEATS[seat]}" transform="translate({x} {y}) scale({size}){turn}">'
        f'<rect x="-43" y="-43" width="86" height="86" rx="12" fill="{fill}" stroke="#6b5a45" '
        f'stroke-width="2"/><g fill="#c0392b">{dots}</g>'
        f'<text y="16" font-size="46" fill="#3d3225">{kind}</text></g>'
    )
