"""The proof of Gardner's minichess."""

import warnings
from functools import cache
from typing import Any, NamedTuple

import jax
import numpy as np

from benchmarks import pgx_moves
from games import OVER
from tests.helpers.lockstep import Position


class _Pgx(NamedTuple):
    """Their game.

    Attributes:
      start: the position at the start; seat 0 plays White.
      step: compiled.
      numbers: i32[1225], our number of each of their moves.
    """

    start: Any
    step: Any
    numbers: np.ndarray


@cache
def _pgx() -> _Pgx:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pgx

        env = pgx.make("gardner_chess")
        with jax.numpy_dtype_promotion("standard"):
            start = jax.jit(env.init)(jax.random.key(0)).replace(observation=None)
    assert start.current_player == 0

    def step(state: Any, move: int) -> Any:
        with jax.numpy_dtype_promotion("standard"):
            return jitted(state, move)

    # Their observation is not needed, and takes time.
    jitted = jax.jit(lambda state, move: env.step(state, move).replace(observation=None))  # pyright: ignore[reportAttributeAccessIssue]
    return _Pgx(start, step, pgx_moves.ours("gardner_chess")[0])


class PgxGardnerChess(Position):
    """A position of pgx's Gardner chess."""

    def __init__(self):
        self._state = _pgx().start
        self._moves = {}

    def mover(self) -> int:
        """Their player is our seat."""
        return OVER if self._state.terminated else int(self._state.current_player)

    def legal(self) -> list[int]:
        """Theirs, in our numbers."""
        actions = np.flatnonzero(self._state.legal_action_mask)
        self._moves = dict(zip(_pgx().numbers[actions].tolist(), actions.tolist(), strict=True))
        return list(self._moves)

    def payoff(self) -> float:
        """What their player 0 gets."""
        return float(np.asarray(self._state.rewards)[0])

    def play(self, move: int) -> None:
        """In their numbers."""
        self._state = _pgx().step(self._state, self._moves[move])


LOCKSTEP = {"gardner_chess": PgxGardnerChess}
STATE_BYTES = 832
BEYOND_REACH = {"value": "the proof takes a tree of openings and an engine for what follows them"}
