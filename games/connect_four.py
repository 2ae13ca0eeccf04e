"""Connect Four."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _svg
from games.core import OVER, Fact, Facts, Game

# A column takes seven bits, its lowest cell first and an empty one on top, so that no line runs
# on into the next column and adding to a column never carries out of it.
_COLUMN, _LOW_COLUMNS = 7, 4
_LOW_BITS = _COLUMN * _LOW_COLUMNS
_TOPS_LOW = np.array([5, 12, 19, 26], np.uint32)
_TOPS_HIGH = np.array([5, 12, 19], np.uint32)
# For each cell, row by row from the top and the two seats' stones side by side: which word it is
# in, its bit there, and whose stones.
_WORD, _BIT, _PLANE = (
    x.reshape(-1)
    for x in np.broadcast_arrays(
        (np.arange(7) < _LOW_COLUMNS)[None, :, None],
        (np.arange(5, -1, -1)[:, None] + _COLUMN * (np.arange(7) % _LOW_COLUMNS))[..., None].astype(
            np.uint32
        ),
        np.array([True, False]),
    )
)
# Bit distances to the next cell of a line: up, right, and the two diagonals.
_LINES = (1, _COLUMN, _COLUMN - 1, _COLUMN + 1)
_RACK = '<rect class="board" x="10" y="10" width="700" height="600" rx="24" fill="#2c5aa0"/>'


class Board(NamedTuple):
    """49 bits in two words: columns 0 to 3 in `low`, 4 to 6 in `high`.

    Attributes:
      low: u32[].
      high: u32[].
    """

    low: jax.Array
    high: jax.Array


class State(NamedTuple):
    """16 bytes.

    Attributes:
      mine: stones of the seat to move.
      theirs: stones of the seat that moved last.
    """

    mine: Board
    theirs: Board


def _and(a: Board, b: Board) -> Board:
    return Board(a.low & b.low, a.high & b.high)


def _or(a: Board, b: Board) -> Board:
    return Board(a.low | b.low, a.high | b.high)


def _shift(b: Board, bits: int) -> Board:
    """Shifts right. Bits 28 and above of `low` come out dirty; no board has a stone there."""
    return Board((b.low >> bits) | (b.high << (_LOW_BITS - bits)), b.high >> bits)


def _four(b: Board) -> jax.Array:
    """Four in a row: twos that have another two right behind them."""
    found = jnp.uint32(0)
    for line in _LINES:
        twos = _and(b, _shift(b, line))
        fours = _and(twos, _shift(twos, 2 * line))
        found = found | fours.low | fours.high
    return found != 0


def _plies(state: State) -> jax.Array:
    stones = _or(state.mine, state.theirs)
    count = jax.lax.population_count(stones.low) + jax.lax.population_count(stones.high)
    return count.astype(jnp.int32)


@dataclass(frozen=True)
class ConnectFour(Game[State]):
    """Connect Four: four in a row on 7 columns of height 6.

    Rules:
      The seats drop stones in turn into columns that are not full; a stone falls to the lowest
      empty cell. Seat 0 plays X and begins. Four of one's own in a row, column or diagonal win. A
      full board without that is a draw.

    Moves:
      0 to 6, the columns from the left.

    Observation:
      f32[6, 7, 2], by row from the top and column from the left.

      - 0: own stones.
      - 1: the opponent's stones.

    Source:
      en.wikipedia.org/wiki/Connect_Four
    """

    num_actions = 7
    max_plies = 42
    typical_plies = 21
    facts = Facts(
        positions=Fact((1, 7, 49, 238, 1120, 4263, 16422, 54859, 184275), "oeis.org/A212693"),
        value=Fact(1.0, "oeis.org/A090224, V. Allis 1988: White wins"),
    )

    def init(self) -> State:
        """An empty board."""
        empty = Board(jnp.uint32(0), jnp.uint32(0))
        return State(empty, empty)

    def mover(self, state: State) -> jax.Array:
        """The seats alternate: the parity of the number of stones is the seat."""
        plies = _plies(state)
        return jnp.where(_four(state.theirs) | (plies == 42), OVER, plies & 1)

    def legal(self, state: State) -> jax.Array:
        """The columns whose top cell is empty, bool[7]."""
        stones = _or(state.mine, state.theirs)
        tops = jnp.concatenate([stones.low >> _TOPS_LOW, stones.high >> _TOPS_HIGH])
        return tops & 1 == 0

    def step(self, state: State, move: jax.Array) -> State:
        """Drops a stone, then exchanges the seats' boards."""
        stones = _or(state.mine, state.theirs)
        # Adding one at the bottom of a column carries up to its first free cell.
        column = move.astype(jnp.uint32) * _COLUMN
        low = jnp.where(move < _LOW_COLUMNS, jnp.uint32(1) << column, 0)
        high = jnp.where(move < _LOW_COLUMNS, 0, jnp.uint32(1) << (column - _LOW_BITS))
        stone = Board(
            (stones.low + low) & (low * jnp.uint32(0x3F)),
            (stones.high + high) & (high * jnp.uint32(0x3F)),
        )
        return State(state.theirs, _or(state.mine, stone))

    def payoff(self, state: State) -> jax.Array:
        """Only the seat that moved last can have four."""
        sign = jnp.where(_plies(state) & 1 == 1, 1.0, -1.0)
        return jnp.where(_four(state.theirs), sign, 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """Two planes f32[6, 7, 2]: own stones, the opponent's; the top row first."""
        own = (_plies(state) & 1 == seat) == _PLANE
        low = jnp.where(own, state.mine.low, state.theirs.low)
        high = jnp.where(own, state.mine.high, state.theirs.high)
        planes = (jnp.where(_WORD, low, high) >> _BIT) & 1
        return planes.astype(jnp.float32).reshape(6, 7, 2)

    def symmetries(self, observation: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The board and its mirror image."""
        return (
            jnp.stack([observation, observation[:, ::-1]]),
            jnp.stack([policy, policy[::-1]]),
        )

    def show(self, state: State) -> str:
        """The board, column numbers below."""
        return "\n".join([" ".join(row) for row in self._stones(state)] + ["1 2 3 4 5 6 7"])

    def draw(self, state: State) -> str:
        """A blue rack with red and yellow discs; the cells are the columns."""
        stones = self._stones(state)
        columns = [self._column(c, [row[c] for row in stones]) for c in range(7)]
        return _svg.picture(720, 660, _RACK, *columns, font=30)

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The column."""
        return (self.label(state, move),)

    def _column(self, column: int, stones: list[str]) -> str:
        """A column, its stones from the top."""
        x, colours = 60 + 100 * column, {"X": "#d8433b", "O": "#f4c531"}
        holes = "".join(
            f'<circle class="hole" cx="{x}" cy="{60 + 100 * r}" r="40" fill="#f7f5ef"/>'
            for r in range(6)
        )
        discs = "".join(
            f'<circle class="piece {_svg.SEATS[stone == "O"]}" cx="{x}" cy="{60 + 100 * r}" '
            f'r="40" fill="{colours[stone]}"/><circle cx="{x}" cy="{60 + 100 * r}" r="27" '
            'fill="none" stroke="#000" stroke-opacity=".14" stroke-width="5"/>'
            for r, stone in enumerate(stones)
            if stone != "."
        )
        held = [{"X": "red", "O": "yellow"}[stone] for stone in reversed(stones) if stone != "."]
        name = f'<text class="names" x="{x}" y="648" fill="{_svg.INK}">{column + 1}</text>'
        return _svg.cell(
            str(column + 1),
            f'<rect x="{x - 50}" y="10" width="100" height="600" rx="20"',
            says=", ".join(held) or "empty",
            ground=name,
            piece=holes + discs,
            kind="column",
        )

    def label(self, state: State, move: int) -> str:
        """The column, `1` to `7` from the left."""
        return str(move + 1)

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        column = text.strip()
        if column not in tuple("1234567"):
            raise ValueError(f"{column!r} is not a column; columns are 1 to 7")
        if not self.legal(state)[int(column) - 1]:
            raise ValueError(f"column {column} is full")
        return int(column) - 1

    def _stones(self, state: State) -> list[list[str]]:
        first, second = np.asarray(self.observe(state, jnp.int32(0))).transpose(2, 0, 1) > 0
        return [
            ["X" if first[r, c] else "O" if second[r, c] else "." for c in range(7)]
            for r in range(6)
        ]
