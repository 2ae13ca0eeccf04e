"""Texts and pictures of a backgammon board.

Functions take `counts`, the numbers of white's and of black's checkers on places 0 (borne off) to
25 (the bar), each as its own seat counts them, and `seat`, the seat to move, 0 for white.
"""

from games import _svg

_OFF, _BAR = 0, 25
# The two rows of the board, the places as white counts them: on the bar white's checkers are above
# (25), black's below (0). At most `_TALL` checkers of a pile are shown; a number stands for more.
_TOP = (*range(13, 19), _BAR, *range(19, 25))
_BOTTOM = (*range(12, 6, -1), 0, *range(6, 0, -1))
_TALL = 5
_INK = ("#fbf7ec", "#2c2a30")
_PIPS = ((4,), (0, 8), (0, 4, 8), (0, 2, 6, 8), (0, 2, 4, 6, 8), (0, 2, 3, 5, 6, 8))
_TRIANGLES = [
    "".join(f"M{30 + 52 * column} {y}h52l-26 {height}z" for column in columns)
    for columns in ((0, 2, 4, 7, 9, 11), (1, 3, 5, 8, 10, 12))
    for y, height in ((40, 215), (570, -215))
]
_BOARD = (
    '<g class="board"><path d="M30 40h312v530h-312zM394 40h312v530h-312z" fill="#e6d5b3"/>'
    '<path d="M716 40h56v240h-56zM716 330h56v240h-56z" fill="#8b6a4d"/>'
    f'<path d="{_TRIANGLES[0]}{_TRIANGLES[3]}" fill="#b98a5c"/>'
    f'<path d="{_TRIANGLES[1]}{_TRIANGLES[2]}" fill="#8a4b38"/></g>'
)


def show(counts: list[list[int]], seat: int) -> str:
    """The board as text: white O and black X, the points as the seat to move counts them."""
    piles, halves = _piles(counts), []
    for row in (_TOP, _BOTTOM):
        names = "".join(f"{_name(seat, place):>4}" for place in row)
        cells = ["".join(f"{_cell(*piles[p], h):>4}" for p in row) for h in range(_TALL)]
        halves.append([names, *cells])
    white, black = (numbers[_OFF] for numbers in counts)
    ends = ["", f"off: {white} O, {black} X"]
    return "\n".join([*halves[0], "", *reversed(halves[1]), *ends])


def draw(counts: list[list[int]], seat: int, dice: list[int], *, side: int) -> str:
    """An SVG picture of the board and of the dice that are left.

    The cells are the places where a checker can be: points by their numbers for white, `bar0` and
    `bar1`, `off0` and `off1`, of white and of black.

    Args:
      side: the seat that sees it: its checkers run from the top right to the bottom right, and the
        numbers are as it counts.
    """
    piles, cells, names = _piles(counts), [], []
    for top, row in ((True, _TOP), (False, _BOTTOM)):
        for column, seen in enumerate(row):
            x, place = 56 + 52 * column, 25 - seen if side else seen
            names.append((x, 29 if top else 595, "bar" if seen in (0, _BAR) else str(seen)))
            cells.append(_place(place, x, top, *piles[place]))
    trays = [_tray(owner, counts[owner][_OFF], top=owner != side) for owner in (0, 1)]
    rolled = [_die(seat, seat == side, k, die) for k, die in enumerate(dice)]
    return _svg.picture(
        800,
        610,
        _BOARD,
        _svg.names(names, "#e9dcc3"),
        *cells,
        *trays,
        *rolled,
        font=20,
        paper="#4d3222",
        round=14,
    )


def cell(seat: int, place: int) -> str:
    """The name of the cell of a place, 0 (off) to 25 (the bar), as a seat counts."""
    if place in (_OFF, _BAR):
        return f"{'bar' if place else 'off'}{seat}"
    return str(25 - place if seat else place)


def _place(place: int, x: int, top: bool, owner: int, number: int) -> str:
    """A point or a bar, by its number for white."""
    name = {0: cell(1, _BAR), _BAR: cell(0, _BAR)}.get(place) or str(place)
    box = f'<rect x="{x - 26}" y="{40 if top else 320}" width="52" height="250" rx="4"'
    says = f"{number} {('white', 'black')[owner]}" if number else "empty"
    pile = _pile(x, top, owner, number)
    return _svg.cell(name, box, says=says, piece=pile, kind="column")


def _tray(owner: int, number: int, *, top: bool) -> str:
    """What a seat has borne off."""
    ys = [47 + 15 * k if top else 563 - 15 * k for k in range(number)]
    bars = "".join(f"M720 {y}h48" for y in ys)
    return _svg.cell(
        cell(owner, _OFF),
        f'<rect x="716" y="{40 if top else 330}" width="56" height="240"',
        says=f"{number} {('white', 'black')[owner]} off",
        piece=f'<path class="piece {_svg.SEATS[owner]}" d="{bars}" stroke="{_INK[owner]}" '
        'stroke-width="12"/>',
    )


def _piles(counts: list[list[int]]) -> list[tuple[int, int]]:
    """Owner and number of the checkers on places 0 to 25 as white counts them."""
    white, black = counts
    return [(1, black[_BAR])] + [
        (0, white[place]) if white[place] else (1, black[25 - place] if place < _BAR else 0)
        for place in range(1, 26)
    ]


def _name(seat: int, place: int) -> str:
    """The number that a seat gives a place as white counts it."""
    if place in (0, _BAR):
        return "bar"
    return str(25 - place if seat else place)


def _cell(owner: int, number: int, height: int) -> str:
    """One character of a pile: a checker, or on top the number if there are more."""
    if height == _TALL - 1 and number > _TALL:
        return str(number)
    return "OX"[owner] if number > height else "."


def _pile(x: int, top: bool, owner: int, number: int) -> str:
    """A pile of checkers, as SVG."""
    ys = [64 + 46 * h if top else 546 - 46 * h for h in range(min(number, _TALL))]
    style = f'fill="{_INK[owner]}" stroke="{_INK[1 - owner]}"'
    pile = "".join(
        f'<circle class="piece {_svg.SEATS[owner]}" cx="{x}" cy="{y}" r="22" {style}/>' for y in ys
    )
    if number <= _TALL:
        return pile
    return pile + f'<text x="{x}" y="{ys[-1] + 7}" fill="{_INK[1 - owner]}">{number}</text>'


def _die(seat: int, right: bool, index: int, die: int) -> str:
    """A die, as SVG; on the right side those of the seat that sees the board."""
    x, y = (448 if right else 84) + 52 * index, 283
    pips = "".join(f"M{x + 11 + 11 * (p % 3)} {y + 11 + 11 * (p // 3)}h0" for p in _PIPS[die - 1])
    return (
        f'<g class="die {_svg.SEATS[seat]}" role="img" aria-label="die {die}">'
        f'<rect x="{x}" y="{y}" width="44" height="44" rx="8" fill="{_INK[seat]}"/>'
        f'<path d="{pips}" stroke="{_INK[1 - seat]}" stroke-width="8" stroke-linecap="round"/></g>'
    )
