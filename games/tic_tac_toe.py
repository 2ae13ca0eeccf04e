"""Tic-tac-toe."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _crosses
from games.core import OVER, Fact, Facts, Game

_LINES = np.array(
    [0b111, 0b111000, 0b111000000, 0o111, 0o222, 0o444, 0b100010001, 0b001010100], np.uint16
)
_CELLS = np.arange(9, dtype=np.uint16)
_FULL = np.uint16(0b111111111)


class State(NamedTuple):
    """Bit c of a board is cell c, row by row from the top left.

    Attributes:
      mine: u16[], stones of the seat to move.
      theirs: u16[], stones of the seat that moved last.
    """

    mine: jax.Array
    theirs: jax.Array


def _plies(state: State) -> jax.Array:
    return jax.lax.population_count(state.mine | state.theirs).astype(jnp.int32)


def _won(board: jax.Array) -> jax.Array:
    return ((board & _LINES) == _LINES).any()


def _turns(grid: jax.Array) -> list[jax.Array]:
    """The eight images of a board f32[3, 3, ...] under rotation and reflection."""
    return [jnp.rot90(g, k) for g in (grid, grid[:, ::-1]) for k in range(4)]


@dataclass(frozen=True)
class TicTacToe(Game[State]):
    """Tic-tac-toe: three in a row on 3×3.

    Rules:
      The seats place marks on empty cells in turn; seat 0 plays X and begins. Three of one's own in
      a row, column or diagonal win. A full board without that is a draw.

    Moves:
      0 to 8, the cells row by row from the top left; `a1`, at the bottom left, is 6.

    Observation:
      f32[3, 3, 2], by row and column from the top left.

      - 0: own marks.
      - 1: the opponent's marks.

    Source:
      en.wikipedia.org/wiki/Tic-tac-toe
    """

    num_actions = 9
    max_plies = 9
    typical_plies = 8
    facts = Facts(
        orbits=Fact((1, 3, 12, 38, 108, 174, 204, 153, 57, 15), "oeis.org/A008907"),
        games=Fact(255_168, "oeis.org/A061526"),
        value=Fact(0.0, "en.wikipedia.org/wiki/Tic-tac-toe"),
    )

    def init(self) -> State:
        """An empty board."""
        return State(jnp.uint16(0), jnp.uint16(0))

    def mover(self, state: State) -> jax.Array:
        """The seats alternate: the parity of the number of stones is the seat."""
        over = _won(state.theirs) | ((state.mine | state.theirs) == _FULL)
        return jnp.where(over, OVER, _plies(state) & 1)

    def legal(self, state: State) -> jax.Array:
        """The empty cells, bool[9]."""
        return ((state.mine | state.theirs) >> _CELLS) & 1 == 0

    def step(self, state: State, move: jax.Array) -> State:
        """Places a stone, then exchanges the seats' boards."""
        stone = jnp.uint16(1) << move.astype(jnp.uint16)
        return State(state.theirs, state.mine | stone)

    def payoff(self, state: State) -> jax.Array:
        """Only the seat that moved last can have a row."""
        sign = jnp.where(_plies(state) & 1 == 1, 1.0, -1.0)
        return jnp.where(_won(state.theirs), sign, 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """Two planes f32[3, 3, 2]: own stones, the opponent's."""
        own = _plies(state) & 1 == seat
        first = jnp.where(own, state.mine, state.theirs)
        second = jnp.where(own, state.theirs, state.mine)
        planes = jnp.stack([(b >> _CELLS) & 1 for b in (first, second)], -1)
        return planes.astype(jnp.float32).reshape(3, 3, 2)

    def move_planes(self) -> np.ndarray:
        """The cell that is marked, i64[9]."""
        return np.arange(9)

    def symmetries(self, observation: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The eight symmetries of the square."""
        observations = jnp.stack(_turns(observation))
        policies = jnp.stack([p.reshape(9) for p in _turns(policy.reshape(3, 3))])
        return observations, policies

    def show(self, state: State) -> str:
        """Rows 3 to 1, columns a to c."""
        cells = self._stones(state)
        rows = [f"{3 - r}  " + " ".join(cells[3 * r : 3 * r + 3]) for r in range(3)]
        return "\n".join([*rows, "   a b c"])

    def draw(self, state: State) -> str:
        """Blue crosses and red rings."""
        return _crosses.draw(self._stones(state))

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The cell."""
        return (_crosses.label(move),)

    def label(self, state: State, move: int) -> str:
        """Column letter and row number, `a1` at the bottom left."""
        return _crosses.label(move)

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        labels = [self.label(state, m) for m in range(9)]
        move = text.strip().lower()
        if move not in labels:
            raise ValueError(f"{text.strip()!r} is not a cell; cells are a1 to c3")
        if not self.legal(state)[labels.index(move)]:
            raise ValueError(f"{move} is taken")
        return labels.index(move)

    def _stones(self, state: State) -> list[str]:
        swap = int(_plies(state)) & 1
        crosses, rings = (state.theirs, state.mine) if swap else (state.mine, state.theirs)
        return [
            "X" if int(crosses) >> c & 1 else "O" if int(rings) >> c & 1 else "." for c in range(9)
        ]
