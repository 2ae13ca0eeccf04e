"""The proof of Gardner's minichess."""

import warnings
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import OVER, _chess
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
        from pgx.gardner_chess import Action

        env = pgx.make("gardner_chess")
        with jax.numpy_dtype_promotion("standard"):
            start = jax.jit(env.init)(jax.random.key(0)).replace(observation=None)
            moves = jax.vmap(Action._from_label)(jnp.arange(start.legal_action_mask.size))
    assert start.current_player == 0
    told = zip(*(x.tolist() for x in (moves.from_, moves.to, moves.underpromotion)), strict=True)
    numbers = [
        _chess.encode(
            5, _square(source), _square(target), promotion="rbn"[less] if less >= 0 else ""
        )
        if target >= 0
        else -1
        for source, target, less in told
    ]

    def step(state: Any, move: int) -> Any:
        with jax.numpy_dtype_promotion("standard"):
            return jitted(state, move)

    # Their observation is not needed, and takes time.
    jitted = jax.jit(lambda state, move: env.step(state, move).replace(observation=None))  # pyright: ignore[reportAttributeAccessIssue]
    return _Pgx(start, step, np.array(numbers))


def _square(theirs: int) -> int:
    """They count squares up the files."""
    return theirs % 5 * 5 + theirs // 5


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
