"""English draughts' proof."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena.evaluation import enumeration
from games import OVER
from games.english_draughts import EnglishDraughts, State
from tests.helpers.lockstep import OpenSpiel

STATE_BYTES = 18
BEYOND_REACH = {"value": "5e20 positions cannot be enumerated"}


class Partner(OpenSpiel):
    """OpenSpiel numbers moves by row from the top, column, way, and whether it is a jump."""

    def __init__(self):
        super().__init__("checkers")
        self._theirs: dict[int, int] = {}

    def legal(self) -> list[int]:
        """By way, then square from the mover's side; their first player's side is the bottom."""
        first = self._state.current_player() == 0
        self._theirs = {}
        for action in self._state.legal_actions():
            cell, way = divmod(action // 2, 4)
            row, column = divmod(63 - cell if first else cell, 8)
            # Theirs are up left, up right, down right, down left, as the first player sees them.
            ours = (1, 0, 2, 3)[way] if first else (2, 3, 1, 0)[way]
            self._theirs[32 * ours + 4 * row + column // 2] = action
        return list(self._theirs)

    def play(self, move: int) -> None:
        """One of the moves that `legal` gave last."""
        super().play(self._theirs[move])


LOCKSTEP = {"english_draughts": Partner}


class Turns(NamedTuple):
    """A position and how many whole turns, u8[], have led to it."""

    state: State
    turns: jax.Array


@dataclass(frozen=True)
class _InTurns(EnglishDraughts):
    """The game, cut off after so many turns."""

    turns: int = 0

    def init(self) -> Any:
        return Turns(super().init(), jnp.uint8(0))

    def mover(self, state: Any) -> jax.Array:
        return jnp.where(state.turns == self.turns, OVER, super().mover(state.state))

    def legal(self, state: Any) -> jax.Array:
        return super().legal(state.state)

    def step(self, state: Any, move: jax.Array) -> Any:
        after = super().step(state.state, move)
        return Turns(after, state.turns + (after.jumper == 0).astype(jnp.uint8))


def _perft(game: EnglishDraughts, given: Sequence[int]) -> list[int]:
    """Sequences of whole turns."""
    counts = [0] * len(given)
    for level in enumeration.levels(_InTurns(len(given) - 1)):
        done = level.states.state.jumper == 0
        for turns in np.unique(level.states.turns[done]).tolist():
            counts[turns] += int(level.paths[done & (level.states.turns == turns)].sum())
    return counts


REPRODUCE = {"perft": _perft}
