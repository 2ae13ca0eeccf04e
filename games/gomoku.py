"""Gomoku, freestyle."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _bitset, _go_picture
from games._bitset import Bitset
from games.core import OVER, Fact, Facts, Game

_COLUMNS = "abcdefghijklmnopqrs"


class State(NamedTuple):
    """Cell row * size + column, from the top left, is bit cell % 32 of word cell // 32.

    Attributes:
      mine: u32[] words, stones of the seat to move.
      theirs: u32[] words, stones of the seat that moved last.
      plies: u16[], stones on the board.
      won: bool[], whether the seat that moved last has five in a row.
    """

    mine: Bitset
    theirs: Bitset
    plies: jax.Array
    won: jax.Array


def _slide(row: jax.Array, cells: int) -> jax.Array:
    """Moves the cell so many columns to the right to each place, to the left if negative."""
    return row >> cells if cells >= 0 else row << -cells


def _five(board: Bitset, size: int) -> jax.Array:
    """Whether a row, column or diagonal holds five stones side by side, bool[]."""
    rows = _bitset.rows(board, size, size)
    found = jnp.uint32(0)
    # Where a line of five may begin; what a row word holds above its own cells is cut off here.
    anywhere, west = (np.uint32((1 << columns) - 1) for columns in (size, size - 4))
    for row in rows:
        twos = row & row >> 1
        found |= twos & twos >> 2 & row >> 4 & west
    for slope, start in ((0, anywhere), (1, west), (-1, anywhere)):
        twos = [a & _slide(b, slope) for a, b in pairwise(rows)]
        fours = [a & _slide(b, 2 * slope) for a, b in zip(twos, twos[2:], strict=False)]
        for four, row in zip(fours, rows[4:], strict=False):
            found |= four & _slide(row, 4 * slope) & start
    return found != 0


@dataclass(frozen=True)
class Gomoku(Game[State]):
    """Gomoku: five in a row on a square board, freestyle.

    Rules:
      The seats place stones on empty cells in turn; seat 0 plays black and begins. Five or more of
      one's own in a row, column or diagonal win. A full board without that is a draw.

    Moves:
      `row * size + column`, from the top left; labels are `a1` at the bottom left.

    Observation:
      f32[size, size, 2], by row and column from the top left.

      - 0: own stones.
      - 1: the opponent's stones.

    Attributes:
      size: length of the board's sides, 5 to 19.

    Source:
      en.wikipedia.org/wiki/Gomoku, freestyle
    """

    size: int = 15

    facts = Facts(
        orbits=Fact((1, 36), "oeis.org/A008805: cells of a 15×15 board up to symmetry"),
        value=Fact(1.0, "Allis, van den Herik, Huntjens 1993, Go-Moku solved: Black wins"),
    )

    def __post_init__(self) -> None:
        if not 5 <= self.size <= 19:
            raise ValueError(f"gomoku: size={self.size} is not one of 5 to 19")
        object.__setattr__(self, "num_actions", self.size**2)
        object.__setattr__(self, "max_plies", self.size**2)
        # Fits uniformly random games on sizes 5 to 19 within 1 %.
        object.__setattr__(self, "typical_plies", round(2.48 * self.size**1.4))
        if self.size != Gomoku.size:
            object.__setattr__(self, "facts", Facts())

    def init(self) -> State:
        """An empty board."""
        empty = _bitset.empty(self.size**2)
        return State(empty, empty, jnp.uint16(0), jnp.bool_(False))

    def mover(self, state: State) -> jax.Array:
        """The seats alternate: the parity of the number of stones is the seat."""
        over = state.won | (state.plies == self.size**2)
        return jnp.where(over, OVER, state.plies.astype(jnp.int32) & 1)

    def legal(self, state: State) -> jax.Array:
        """The empty cells, bool[size²]."""
        free = _bitset.complement(_bitset.union(state.mine, state.theirs))
        return _bitset.to_array(free, np.arange(self.size**2), jnp.bool_)

    def step(self, state: State, move: jax.Array) -> State:
        """Places a stone, then exchanges the seats' boards."""
        mine = _bitset.add(state.mine, move)
        return State(state.theirs, mine, state.plies + 1, _five(mine, self.size))

    def payoff(self, state: State) -> jax.Array:
        """Only the seat that moved last can have five."""
        return jnp.where(state.won, jnp.where(state.plies & 1 == 1, 1.0, -1.0), 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """Two planes f32[size, size, 2]: own stones, the opponent's."""
        own = state.plies.astype(jnp.int32) & 1 == seat
        first = _bitset.select(own, state.mine, state.theirs)
        second = _bitset.select(own, state.theirs, state.mine)
        cells = np.arange(self.size**2)
        cells = np.stack([cells, 32 * len(first) + cells], 1).reshape(-1)
        planes = _bitset.to_array(first + second, cells, jnp.float32)
        return planes.reshape(self.size, self.size, 2)

    def move_planes(self) -> np.ndarray:
        """The point of the stone, i64[size²]."""
        return np.arange(self.size**2)

    def symmetries(self, observation: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The eight symmetries of the square."""
        grid = policy.reshape(self.size, self.size)
        images = [
            [jnp.rot90(g, k) for g in (board, board[:, ::-1]) for k in range(4)]
            for board in (observation, grid)
        ]
        return jnp.stack(images[0]), jnp.stack(images[1]).reshape(8, -1)

    def show(self, state: State) -> str:
        """Black `X` and white `O`, columns a, b, … and rows 1, 2, … from the bottom."""
        n, cells = self.size, self._stones(state)
        lines = [f"{n - r:2} {' '.join(cells[n * r : n * (r + 1)])}" for r in range(n)]
        return "\n".join([*lines, "   " + " ".join(_COLUMNS[:n])])

    def draw(self, state: State) -> str:
        """Stones on the crossings of a wooden board."""
        n, cells = self.size, self._stones(state)
        rows = [cells[n * r : n * (r + 1)] for r in reversed(range(n))]
        return _go_picture.draw(n, [stone for row in rows for stone in row], _COLUMNS)

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The crossing."""
        return (self.label(state, move),)

    def label(self, state: State, move: int) -> str:
        """Column letter and row number, `a1` at the bottom left."""
        return f"{_COLUMNS[move % self.size]}{self.size - move // self.size}"

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        move = text.strip().lower()
        cells = {self.label(state, cell): cell for cell in range(self.size**2)}
        if move not in cells:
            last = f"{_COLUMNS[self.size - 1]}{self.size}"
            raise ValueError(f"{text.strip()!r} is not a crossing; they are a1 to {last}")
        if self._stones(state)[cells[move]] != ".":
            raise ValueError(f"{move} is taken")
        return cells[move]

    def _stones(self, state: State) -> list[str]:
        """`X`, `O` or `.` for each cell."""
        boards = _bitset.to_int(state.mine), _bitset.to_int(state.theirs)
        black, white = reversed(boards) if int(state.plies) & 1 else boards
        return [
            "X" if black >> cell & 1 else "O" if white >> cell & 1 else "."
            for cell in range(self.size**2)
        ]
