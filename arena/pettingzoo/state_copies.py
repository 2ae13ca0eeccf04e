"""Copies of games in the workers, for a search that tries out what a move leads to.

A handle, i32[2], names one: the slot of the game, those of the second half behind the first's, and
which of the copies in that slot, 0 being the game itself. A copy never changes, so one answer does
for all equal requests; copies are dropped when their game moves on.
"""

import operator
from typing import NamedTuple

import jax
import numpy as np
from numpy.typing import ArrayLike

from arena.pettingzoo.adapter import FAILED, OVER
from arena.pettingzoo.env_state import EnvState, states_of
from arena.pettingzoo.worker import HALVES, IDLE, Slots
from arena.pettingzoo.worker_pool import WorkerPool

NO_GAME = np.int32(-1)
"""Both numbers of a handle of no game."""


def game_handles(half: int, count: int, slot: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Handles of the games themselves.

    Args:
      half: in which the games lie.
      count: slots in each half.
      slot: i64[...], within the half.
      valid: bool[...], which of them may be searched; the others get NO_GAME.

    Returns:
      i32[..., 2].
    """
    handles = np.stack([half * count + slot, np.zeros_like(slot)], -1)
    return np.where(valid[..., None], handles, NO_GAME).astype(np.int32)


class _Requests(NamedTuple):
    """N requests, sorted by slot.

    Attributes:
      slot: i64[N], -1 for no game.
      copy: i64[N], which copy in that slot is to be moved on.
      request: i64[N], a move, or PLAYOUT.
      seed: i64[N], of a playout's moves.
    """

    slot: np.ndarray
    copy: np.ndarray
    request: np.ndarray
    seed: np.ndarray

    def at(self, rows: np.ndarray) -> "_Requests":
        """Some of them."""
        return _Requests(*(field[rows] for field in self))


def step_copies(
    pool: WorkerPool, handle: ArrayLike, request: ArrayLike, seed: ArrayLike
) -> EnvState[np.ndarray]:
    """Copies games and moves the copies on.

    Args:
      pool: has the games.
      handle: i32[..., 2]; NO_GAME gives an ended game, and so does a game that fails.
      request: i32[...], a move, or PLAYOUT.
      seed: u32[...], of the moves of a playout.

    Returns:
      the positions [..., ...] that the copies come to, with their handles.
    """
    handle, request, seed = (np.asarray(x) for x in (handle, request, seed))
    rows = np.concatenate(
        [handle.reshape(-1, 2), request.reshape(-1, 1), seed.reshape(-1, 1)], 1, dtype=np.int64
    )
    rows, back = np.unique(rows, axis=0, return_inverse=True)
    with pool.lock:
        states = _answer(pool, _Requests(*rows.T))
    return EnvState(*(x[back.reshape(request.shape)] for x in states))


def _answer(pool: WorkerPool, requests: _Requests) -> EnvState[np.ndarray]:
    """The positions [N, ...] that requests come to."""
    for half in range(HALVES):  # moves of the games themselves may be under way
        pool.wait(half)
    states = _ended(len(requests.slot), pool.slot_sets[0])
    # A slot answers one request at a time: the first of each, then the second, and so on.
    nth = np.arange(len(requests.slot)) - np.searchsorted(requests.slot, requests.slot)
    nth[requests.slot < 0] = -1
    for turn in range(nth.max(initial=-1) + 1):
        rows = np.flatnonzero(nth == turn)
        _answer_some(pool, requests.at(rows), rows, states)
    return states


def _ended(count: int, like: Slots) -> EnvState[np.ndarray]:
    """Ended games [N, ...] without a handle."""
    return EnvState(
        np.full(count, OVER, np.int32),
        np.zeros((count, *like.legal.shape[1:]), bool),
        np.zeros((count, *like.observation.shape[1:]), like.observation.dtype),
        np.zeros(count, np.float32),
        np.full((count, 2), NO_GAME),
    )


def _answer_some(
    pool: WorkerPool, requests: _Requests, rows: np.ndarray, states: EnvState[np.ndarray]
) -> None:
    """Writes the answers to requests of different slots, all of one half, into rows of states."""
    halves, slot = np.divmod(requests.slot, len(pool.slot_sets[0].request))
    number = halves[0] + HALVES
    games, copies = pool.slot_sets[halves[0]], pool.slot_sets[number]
    copies.request[:] = IDLE
    copies.copy[slot], copies.seed[slot] = requests.copy, requests.seed
    copies.request[slot] = requests.request
    copies.request[slot[games.mover[slot] == FAILED]] = IDLE
    pool.submit(number)
    pool.wait(number)
    well = games.mover[slot] != FAILED
    handle = np.stack([requests.slot[well], copies.copy[slot[well]]], -1)
    slot, rows = slot[well], rows[well]
    found = jax.tree.map(lambda field: field[slot], states_of(copies))._replace(handle=handle)
    jax.tree.map(lambda whole, part: operator.setitem(whole, rows, part), states, found)
