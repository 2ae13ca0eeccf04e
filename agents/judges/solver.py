"""A judge that knows what any position is worth: exact values under perfect play."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np

from arena.evaluation import solved_positions, solver
from arena.evaluation.enumeration import raw
from arena.judges.hosted import HostedJudge
from arena.judges.rules import Rules
from arena.types import PyTree, State
from games import OVER, Game
from games.connect_four import ConnectFour


@dataclass(frozen=True)
class Solver(HostedJudge):
    """Who wins if both play on perfectly; the rules where the game is over.

    In Connect Four the values are BitBully's.

    Attributes:
      game: one whose exact values are known.
    """

    game: Game
    any_position = True

    def __post_init__(self):
        solved_positions.answers(self.game)

    def verdicts_where(self, wanted: jax.Array, states: State) -> jax.Array:
        """See `Judge`."""
        over = jax.vmap(self.game.mover)(states) == OVER
        solved = super().verdicts_where(wanted & ~over, states)
        return jnp.where(over, Rules(self.game).verdict(states), solved)

    def prepare(self, states: State) -> PyTree:
        """Movers i32[B], and the positions, or the planes of Connect Four."""
        movers = jax.vmap(self.game.mover)(states)
        if self.game == ConnectFour():
            return movers, jax.vmap(self.game.observe, (0, None))(states, jnp.int32(0))
        return movers, states

    def judge_on_host(self, given: PyTree) -> np.ndarray:
        """See `HostedJudge`."""
        movers, states = given
        look_up = _by_bitbully if self.game == ConnectFour() else self._look_up
        return np.where(movers == 0, 1, -1) * look_up(states)

    def _look_up(self, states: State) -> np.ndarray:
        """What positions in which a seat is to move are worth to it."""
        known, value = _table(self.game)
        return value[np.searchsorted(known, raw(states))]


@cache
def _table(game: Game) -> tuple[np.ndarray, np.ndarray]:
    """All positions as bytes, sorted, and what they are worth to the mover, f32[N]."""
    solution = solver.solve(game)
    known, row = np.unique(raw(solution.states), return_index=True)
    return known, (solution.value[row] / game.max_payoff).astype(np.float32)


def _by_bitbully(planes: np.ndarray) -> np.ndarray:
    """The same for Connect Four, by planes f32[N, 6, 7, 2] of seat 0."""
    oracle = solved_positions.bitbully()
    board = import_module("bitbully.bitbully_core").BoardCore
    values = []
    for rows in (planes.astype(int) @ [1, 2]).tolist():
        position = board()
        position.setBoard(rows)
        values.append(max(solved_positions.worth(oracle, position)))
    return np.array(values)
