"""Phantom tic-tac-toe."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from games import _crosses
from games._bitset import Bitset
from games._phantom import PhantomGame, State
from games.core import Fact, Facts

_LINES = (0b111, 0b111000, 0b111000000, 0o111, 0o222, 0o444, 0b100010001, 0b001010100)
_BENCH = "github.com/easonyu0203/2p0s-IIG-bench, docs/games/index.md"


@dataclass(frozen=True)
class PhantomTicTacToe(PhantomGame):
    """Phantom tic-tac-toe: tic-tac-toe in which each seat sees only its own marks.

    Rules:
      Seat 0 plays X and begins. A seat that moves to a cell which the opponent has taken sees that
      mark and moves again; the opponent is not told. Three of one's own in a row, column or
      diagonal win. A full board without that is a draw.

    Moves:
      0 to 8, the cells row by row from the top left; `a1`, at the bottom left, is 6. Cells that the
      seat knows to be taken are illegal.

    Observation:
      f32[3, 3, 2], by row and column from the top left.

      - 0: own marks.
      - 1: the opponent's marks that the seat has found.

    Source:
      OpenSpiel's phantom_ttt
    """

    size = 3
    num_actions = 9
    max_plies = 17  # every mark but the last one can be found once
    typical_plies = 11
    facts = Facts(
        games=Fact(9_829_101_024, _BENCH),
        information_sets=Fact(5_990_669, _BENCH),
    )

    def symmetries(self, observation: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The eight symmetries of the square."""
        images = [
            jnp.stack([jnp.rot90(g, k) for g in (board, board[:, ::-1]) for k in range(4)])
            for board in (observation, policy.reshape(3, 3))
        ]
        return images[0], images[1].reshape(8, 9)

    def show(self, state: State) -> str:
        """`X` and `O`, small if the other seat has found the mark."""
        return _text(self._stones(state))

    def view(self, state: State, seat: int) -> str:
        """The seat's own marks and those that it has found."""
        return _text(self._seen(state, seat))

    def draw(self, state: State) -> str:
        """Blue crosses and red rings; those that the other seat has found have a dot."""
        return _crosses.draw(self._stones(state))

    def draw_view(self, state: State, seat: int) -> str:
        """The seat's own marks and those that it has found."""
        return _crosses.draw(self._seen(state, seat))

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The cell."""
        return (_crosses.label(move),)

    def label(self, state: State, move: int) -> str:
        """Column letter and row number, `a1` at the bottom left."""
        return _crosses.label(move)

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        cells = {self.label(state, cell): cell for cell in range(9)}
        move = text.strip().lower()
        if move not in cells:
            raise ValueError(f"{text.strip()!r} is not a cell; cells are a1 to c3")
        if not self._free(state, cells[move]):
            raise ValueError(f"{move} is known to be taken")
        return cells[move]

    def _wins(self, board: Bitset) -> jax.Array:
        [word] = board
        won = jnp.bool_(False)
        for line in _LINES:
            won |= word & line == line
        return won


def _text(marks: list[str]) -> str:
    """Rows 3 to 1, columns a to c."""
    rows = [f"{3 - row}  " + " ".join(marks[3 * row : 3 * row + 3]) for row in range(3)]
    return "\n".join([*rows, "   a b c"])
