"""Hex: a chain of stones from one's own edge of the rhombus to the opposite one.

Seat 0, red, begins and connects top and bottom; seat 1, blue, connects left and right. There is no
draw. Each seat sees the board so that it connects top and bottom itself: blue's is reflected in the
long diagonal. Moves, observations and stored boards are all in the view of the seat they belong to;
only text and pictures show every move where red sees it.

With `swap`, blue may answer the first move by taking red's stone over: it becomes a blue stone on
the reflected cell, which is the same cell in blue's view.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _words
from games._words import Words
from games.core import OVER, Fact, Facts, Game

_RED, _BLUE = "#d8433b", "#2c5aa0"
_COLUMNS = "abcdefghijklmnopqrs"
# A hexagon of the picture: its circumradius, half its width, its corners.
_RADIUS = 20.0
_HALF = _RADIUS * math.sqrt(3) / 2
_CORNERS = [
    (dx * _HALF, dy * _RADIUS / 2)
    for dx, dy in ((0, -2), (1, -1), (1, 1), (0, 2), (-1, 1), (-1, -1))
]


class State(NamedTuple):
    """Cell row * size + column of a board is bit cell % 32 of its word cell // 32.

    Attributes:
      mine: u32[] words, stones of the seat to move, in its own view.
      theirs: u32[] words, stones of the other seat, in that seat's view.
      seat: u8[], the seat to move.
      over: bool[], whether the other seat has joined its edges.
    """

    mine: Words
    theirs: Words
    seat: jax.Array
    over: jax.Array


def _reflected(size: int) -> np.ndarray:
    """For each cell of one seat's view, its number in the other's, i64[size²]."""
    return np.arange(size * size).reshape(size, size).T.reshape(-1)


def _connected(board: Words, size: int) -> jax.Array:
    """Whether a chain of stones joins top and bottom, bool[].

    Hex is the game of Y on a triangle, two corners of which are filled with stones: own ones above
    the rhombus, the opponent's beside it. Whoever joins all three sides of a filled triangle also
    does so on the triangle one smaller in which each cell takes the majority of three that meet
    (C. Schensted; J. van Rijswijck, Search and evaluation in Hex, 2002); so the last cell tells.
    An empty cell counts as the opponent's.
    """
    triangle = [np.uint32(0xFFFFFFFF)] * (size - 1) + _words.rows(board, size, size)
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


@dataclass(frozen=True)
class Hex(Game):
    """Hex on a rhombus.

    Attributes:
      size: of the board's sides, 1 to 19.
      swap: whether blue may take over red's first stone, as a move of its own, the last number.
    """

    size: int = 11
    swap: bool = False

    facts = Facts(
        value=Fact(
            1.0, "J. Nash 1949, by strategy stealing; en.wikipedia.org/wiki/Hex_(board_game)"
        ),
    )

    def __post_init__(self) -> None:
        if not 1 <= self.size <= 19:
            raise ValueError(f"hex: size={self.size} is not one of 1 to 19")
        moves = self.size**2 + self.swap
        object.__setattr__(self, "num_actions", moves)
        object.__setattr__(self, "max_plies", moves)
        if self.swap:
            object.__setattr__(self, "facts", Facts())

    def init(self) -> State:
        """An empty board."""
        empty = _words.empty(self.size**2)
        return State(empty, empty, jnp.uint8(0), jnp.bool_(False))

    def mover(self, state: State) -> jax.Array:
        """The seats take turns until the one that moved last has joined its edges."""
        return jnp.where(state.over, OVER, state.seat.astype(jnp.int32))

    def legal(self, state: State) -> jax.Array:
        """The empty cells, and the swap as answer to the first stone, bool[size² (+ 1)]."""
        mine = _words.parts(state.mine, np.arange(self.size**2))
        theirs = _words.parts(state.theirs, _reflected(self.size))
        free = [(a | b) & 1 == 0 for a, b in zip(mine, theirs, strict=True)]
        swap = [self._swappable(state)[None]] if self.swap else []
        return jnp.concatenate(free + swap)

    def step(self, state: State, move: jax.Array) -> State:
        """Set a stone, or take the other seat's as one's own."""
        mine, theirs = _words.put(state.mine, move), state.theirs
        if self.swap:
            swaps = move == self.size**2
            mine = _words.choose(swaps, state.theirs, mine)
            theirs = _words.choose(swaps, state.mine, theirs)
        return State(theirs, mine, 1 - state.seat, _connected(mine, self.size))

    def payoff(self, state: State) -> jax.Array:
        """Only the seat that moved last can have joined its edges."""
        sign = jnp.where(state.seat == 1, 1.0, -1.0)
        return jnp.where(state.over, sign, 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """Planes f32[size, size, 2 (+ 1)]: own stones, the opponent's, whether a swap is open."""
        own = state.seat == seat.astype(jnp.uint8)
        first = _words.choose(own, state.mine, state.theirs)
        second = _words.choose(own, state.theirs, state.mine)
        swap = (self._swappable(state).astype(jnp.uint32),)
        bits = 32 * len(first)
        planes = [np.arange(self.size**2), bits + _reflected(self.size)]
        if self.swap:
            planes.append(np.full(self.size**2, 2 * bits))
        cells = np.stack(planes, 1).reshape(-1)
        seen = _words.spread(first + second + swap, cells, jnp.float32)
        return seen.reshape(self.size, self.size, len(planes))

    def symmetries(self, observation: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The board and the board turned half-way round."""
        turned = np.arange(self.size**2)[::-1]
        turned = np.append(turned, np.arange(self.size**2, self.num_actions))
        return (
            jnp.stack([observation, observation[::-1, ::-1]]),
            jnp.stack([policy, policy[turned]]),
        )

    def show(self, state: State) -> str:
        """Red `X` and blue `O` on a rhombus, columns a, b, … and rows 1, 2, … from the top."""
        n, cells = self.size, self._stones(state)
        lines = ["  " + " ".join(_COLUMNS[:n])]
        lines += [f"{' ' * r}{r + 1:2} {' '.join(cells[n * r : n * (r + 1)])}" for r in range(n)]
        return "\n".join(lines)

    def draw(self, state: State) -> str:
        """Hexagons between two red and two blue edges; columns a, b, … and rows 1, 2, …."""
        n = self.size
        parts = [*_edges(n)]
        for cell, stone in enumerate(self._stones(state)):
            x, y = _centre(*divmod(cell, n))
            corners = " ".join(f"{x + dx:.5g},{y + dy:.5g}" for dx, dy in _CORNERS)
            parts.append(f'<polygon points="{corners}" fill="#f7f1e3" stroke="#a79c85"/>')
            if stone != ".":
                colour = _RED if stone == "X" else _BLUE
                parts.append(f'<circle cx="{x:.5g}" cy="{y:.5g}" r="13" fill="{colour}"/>')
        names = [(*_centre(-1.3, i + 0.65), _COLUMNS[i]) for i in range(n)]
        names += [(*_centre(i, -1.1), i + 1) for i in range(n)]
        parts += [f'<text x="{x:.5g}" y="{y + 4:.5g}">{name}</text>' for x, y, name in names]
        width, height = (a + b for a, b in zip(_centre(0, 0), _centre(n - 1, n - 1), strict=True))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.5g} {height:.5g}" '
            'font-family="sans-serif" font-size="13" text-anchor="middle">'
            '<rect width="100%" height="100%" fill="#fdfaf3"/>' + "".join(parts) + "</svg>"
        )

    def label(self, state: State, move: int) -> str:
        """Column letter and row number as red sees them, `a1` at the top left; or `swap`."""
        if move == self.size**2:
            return "swap"
        row, column = divmod(self._turned(state, move), self.size)
        return f"{_COLUMNS[column]}{row + 1}"

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        move = text.strip().lower()
        if self.swap and move == "swap":
            if not self._swappable(state):
                raise ValueError("only the first stone can be swapped, and at once")
            return self.size**2
        cells = {f"{_COLUMNS[c]}{r + 1}": (r, c) for r, c in np.ndindex(self.size, self.size)}
        if move not in cells:
            last = f"{_COLUMNS[self.size - 1]}{self.size}"
            raise ValueError(f"{text.strip()!r} is not a cell; cells are a1 to {last}")
        row, column = cells[move]
        cell = row * self.size + column
        if self._stones(state)[cell] != ".":
            raise ValueError(f"{move} is taken")
        return self._turned(state, cell)

    def _turned(self, state: State, cell: int) -> int:
        """A cell of red's view in the view of the seat to move, and back."""
        return int(_reflected(self.size)[cell]) if int(state.seat) else cell

    def _stones(self, state: State) -> list[str]:
        """`X`, `O` or `.` for each cell of red's view."""
        boards = _words.whole(state.mine), _words.whole(state.theirs)
        red, blue = reversed(boards) if int(state.seat) else boards
        return [
            "X" if red >> cell & 1 else "O" if blue >> turned & 1 else "."
            for cell, turned in enumerate(_reflected(self.size).tolist())
        ]

    def _swappable(self, state: State) -> jax.Array:
        stones = _words.count(state.mine) + _words.count(state.theirs)
        return (state.seat == 1) & (stones == 1)
