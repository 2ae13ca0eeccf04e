"""Texts and pictures of a backgammon board.

Functions take `counts`, the numbers of white's and of black's checkers on places 0 (borne off) to
25 (the bar), each as its own seat counts them, and `seat`, the seat to move, 0 for white.
"""

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
_FRAME = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 610" '
    'font-family="sans-serif" font-size="20" text-anchor="middle">'
    '<rect width="800" height="610" rx="14" fill="#4d3222"/>'
    '<path d="M30 40h312v530h-312zM394 40h312v530h-312z" fill="#e6d5b3"/>'
    '<path d="M716 40h56v240h-56zM716 330h56v240h-56z" fill="#8b6a4d"/>'
    f'<path d="{_TRIANGLES[0]}{_TRIANGLES[3]}" fill="#b98a5c"/>'
    f'<path d="{_TRIANGLES[1]}{_TRIANGLES[2]}" fill="#8a4b38"/>'
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


def draw(counts: list[list[int]], seat: int, dice: list[int]) -> str:
    """An SVG picture of the board and of the dice that are left."""
    piles, marks = _piles(counts), []
    for top, row in ((True, _TOP), (False, _BOTTOM)):
        for column, place in enumerate(row):
            x = 56 + 52 * column
            name = _name(seat, place)
            marks.append(f'<text x="{x}" y="{29 if top else 595}" fill="#e9dcc3">{name}</text>')
            marks.append(_pile(x, top, *piles[place]))
    for owner, numbers in enumerate(counts):
        ys = [47 + 15 * k if owner else 563 - 15 * k for k in range(numbers[_OFF])]
        bars = "".join(f"M720 {y}h48" for y in ys)
        marks.append(f'<path d="{bars}" stroke="{_INK[owner]}" stroke-width="12"/>')
    marks += [_die(seat, k, die) for k, die in enumerate(dice)]
    return _FRAME + "".join(marks) + "</svg>"


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
    pile = "".join(f'<circle cx="{x}" cy="{y}" r="22" {style}/>' for y in ys)
    if number <= _TALL:
        return pile
    return pile + f'<text x="{x}" y="{ys[-1] + 7}" fill="{_INK[1 - owner]}">{number}</text>'


def _die(seat: int, index: int, die: int) -> str:
    """A die, as SVG."""
    x, y = (84 if seat else 448) + 52 * index, 283
    pips = "".join(f"M{x + 11 + 11 * (p % 3)} {y + 11 + 11 * (p // 3)}h0" for p in _PIPS[die - 1])
    return (
        f'<rect x="{x}" y="{y}" width="44" height="44" rx="8" fill="{_INK[seat]}"/>'
        f'<path d="{pips}" stroke="{_INK[1 - seat]}" stroke-width="8" stroke-linecap="round"/>'
    )
