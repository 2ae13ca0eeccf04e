"""Games of an env one move at a time, for players outside the device."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from arena.pettingzoo.adapter import FAILED
from arena.pettingzoo.description import Description
from arena.pettingzoo.env_state import states_of
from arena.pettingzoo.errors import EnvError
from arena.pettingzoo.state_copies import game_handles
from arena.pettingzoo.worker import IDLE, NEW_GAME
from arena.pettingzoo.worker_pool import WorkerPool
from arena.types import Position


class View(NamedTuple):
    """What the env says of N games.

    Attributes:
      mover: i32[N].
      legal: bool[N, A].
    """

    mover: np.ndarray
    legal: np.ndarray


class EnvGames:
    """N games in the workers. What fails, in any of them, raises EnvError.

    Attributes:
      view: what the env says of all of them.

    Args:
      pool: the workers; whatever games they hold are dropped.
      seeds: i64[N], of the games and their openings.
      plies: the most random moves that a game opens with.
    """

    def __init__(self, pool: WorkerPool, *, seeds: np.ndarray, plies: int):
        self._pool, self._slots = pool, pool.allocate(len(seeds))[0]
        self._moves: list[list[int]] = [[] for _ in seeds]
        self._slots.seed[:], self._slots.plies[:] = seeds, plies
        self._request(slice(None), NEW_GAME)

    def _request(self, rows: Sequence[int] | slice, requests: Sequence[int] | int) -> None:
        self._check()
        self._slots.request[:] = IDLE
        self._slots.request[rows] = requests
        self._pool.submit(0)
        self._pool.wait(0)
        self._check()
        self.view = View(self._slots.mover.copy(), self._slots.legal.copy())

    def _check(self) -> None:
        self._pool.check_observations()
        if (self._slots.mover == FAILED).any():
            raise EnvError(self._pool.errors[-1])

    def step(self, rows: Sequence[int], moves: Sequence[int]) -> None:
        """Makes a move in some of the games."""
        self._request(list(rows), list(moves))
        for n, move in zip(rows, moves, strict=True):
            self._moves[n].append(move)

    def describe(self, n: int) -> Description:
        """One game as it stands, for people."""
        return self._pool.describe(n)

    def position(self, n: int) -> Position:
        """One game as it stands, and its moves since the opening."""
        state = jax.tree.map(lambda field: field[n].copy(), states_of(self._slots))
        handle = game_handles(0, len(self._moves), np.array(n), np.array(True))
        return Position(state._replace(handle=handle), tuple(self._moves[n]))
