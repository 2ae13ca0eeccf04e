"""Dark Hex."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from games import _hex
from games._bitset import Bitset
from games._phantom import CellT, PhantomGame, State
from games.core import Fact, Facts

_BENCH = "github.com/easonyu0203/2p0s-IIG-bench, docs/games/index.md"


@dataclass(frozen=True)
class DarkHex(PhantomGame):
    """Dark Hex: Hex in which each seat sees only its own stones.

    Rules:
      As in Hex, seat 0, red, begins and connects top and bottom, and seat 1, blue, connects left
      and right. A seat that moves to a cell which the opponent has taken sees that stone and moves
      again; the opponent is not told.

    Moves:
      `row * size + column`, from the top left, in the mover's view; blue's view is the board
      reflected in the long diagonal, so that it, too, connects top and bottom. Labels are as red
      sees the board, `a1` at the top left. Cells that the seat has found taken are illegal.

    Observation:
      f32[size, size, 2], by row and column in the seat's view.

      - 0: own stones.
      - 1: the opponent's stones that the seat has found.

    Attributes:
      size: length of the board's sides, 2 to 11.

    Source:
      OpenSpiel's dark_hex. Its `information_state_string` also has the number of moves made; here,
      as in its tensor, a seat does not observe the opponent's failed moves.
    """

    size: int = 3

    facts = Facts(
        games=Fact(9_469_697_760, _BENCH),
        value=Fact(
            1.0,
            "github.com/gabrfarina/exp-a-spiel, main.ipynb: the best response to uniform play, "
            "which may do anything, gets 1",
        ),
        information_sets=Fact(6_072_917, _BENCH),
    )

    def __post_init__(self) -> None:
        if not 2 <= self.size <= 11:
            raise ValueError(f"dark_hex: size={self.size} is not one of 2 to 11")
        object.__setattr__(self, "num_actions", self.size**2)
        # Every stone but the last one can be found once.
        object.__setattr__(self, "max_plies", 2 * self.size**2 - 1)
        object.__setattr__(self, "typical_plies", round(1.2 * self.size**2))
        if self.size != DarkHex.size:
            object.__setattr__(self, "facts", Facts())

    def symmetries(self, observation: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The board and the board turned half-way round."""
        return (
            jnp.stack([observation, observation[::-1, ::-1]]),
            jnp.stack([policy, policy[::-1]]),
        )

    def show(self, state: State) -> str:
        """Red `X` and blue `O` on a rhombus, small if the other seat has found the stone."""
        return _hex.show(self.size, self._stones(state))

    def view(self, state: State, seat: int) -> str:
        """The seat's own stones and those that it has found, in red's view."""
        return _hex.show(self.size, self._seen(state, seat))

    def draw(self, state: State) -> str:
        """All stones; those that the other seat has found have a dot."""
        return _hex.draw(self.size, self._stones(state))

    def draw_view(self, state: State, seat: int) -> str:
        """The seat's own stones and those that it has found."""
        return _hex.draw(self.size, self._seen(state, seat))

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The cell."""
        return (self.label(state, move),)

    def label(self, state: State, move: int) -> str:
        """The cell as red sees it, `a1` at the top left."""
        return _hex.label(self.size, self._turned(move) if int(state.stones) & 1 else move)

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        cell = _hex.parse(self.size, text)
        if not self._free(state, cell):
            raise ValueError(f"{text.strip().lower()} is known to be taken")
        return self._turned(cell) if int(state.stones) & 1 else cell

    def _wins(self, board: Bitset) -> jax.Array:
        return _hex.connected(board, self.size)

    def _turned(self, cell: CellT) -> CellT:
        return cell % self.size * self.size + cell // self.size
