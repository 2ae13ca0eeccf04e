"""Copies of games, for a search that tries out what a move leads to.

A place tells where a game is: in which slot, those of the second half behind the first's, and which
of the copies that the slot's worker holds. A copy never changes, so one answer does for all who ask
the same; copies are dropped when their game moves on.
"""

from typing import Any

import numpy as np

from arena.pettingzoo.adapter import FAILED, OVER
from arena.pettingzoo.worker import WAIT
from arena.pettingzoo.worker_pool import Crew

NOWHERE = np.int32(-1)
"""Both numbers of a place where no game is."""


def place_of(half: int, count: int, slot: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Places i32[..., 2] of the games themselves, in slots i64[...] of a half of `count`.

    `there` is bool[...], which of them are to be searched.
    """
    place = np.stack([half * count + slot, np.zeros_like(slot)], -1)
    return np.where(there[..., None], place, NOWHERE).astype(np.int32)


def branch(crew: Crew, place: Any, order: Any, seed: Any) -> tuple[Any, ...]:
    """Copies games and moves them on.

    Args:
      crew: has them.
      place: i32[..., 2]; NOWHERE gives an ended game, and so does a game that fails.
      order: i32[...], a move, or PLAYOUT.
      seed: u32[...], of the moves of a playout.

    Returns:
      what a `Seen` holds, [...] each.
    """
    place, order, seed = (np.asarray(x) for x in (place, order, seed))
    asked = np.concatenate(
        [place.reshape(-1, 2), order.reshape(-1, 1), seed.reshape(-1, 1)], 1, dtype=np.int64
    )
    asked, back = np.unique(asked, axis=0, return_inverse=True)
    with crew.lock:
        told = _answers(crew, asked)
    return tuple(x[back.reshape(order.shape)] for x in told)


def _answers(crew: Crew, asked: np.ndarray) -> list[np.ndarray]:
    """To requests i64[N, 4], sorted: the places, orders and seeds."""
    for half in (0, 1):  # moves of the games themselves may be under way
        crew.wait(half)
    slots = asked[:, 0]
    like = crew.tables[0]
    told = [
        np.full(len(asked), OVER, np.int32),
        np.zeros((len(asked), *like.legal.shape[1:]), bool),
        np.zeros((len(asked), *like.observation.shape[1:]), like.observation.dtype),
        np.zeros(len(asked), np.float32),
        np.full((len(asked), 2), NOWHERE),
    ]
    # A slot answers one request at a time: the first of each, then the second, and so on.
    nth = np.arange(len(asked)) - np.searchsorted(slots, slots)
    nth[slots < 0] = -1
    for turn in range(nth.max(initial=-1) + 1):
        rows = np.flatnonzero(nth == turn)
        _ask(crew, asked[rows], rows, told)
    return told


def _ask(crew: Crew, asked: np.ndarray, rows: np.ndarray, told: list[np.ndarray]) -> None:
    """Has requests of different slots, all of one half, answered, and puts them into rows."""
    half, slot = np.divmod(asked[:, 0], len(crew.tables[0].order))
    games, table = crew.tables[half[0]], crew.tables[half[0] + 2]
    table.order[:] = WAIT
    _, table.node[slot], table.order[slot], table.seed[slot] = asked.T
    table.order[slot[games.mover[slot] == FAILED]] = WAIT
    crew.go(half[0] + 2)
    crew.wait(half[0] + 2)
    well = games.mover[slot] != FAILED
    slot, rows, place = slot[well], rows[well], asked[well, :1]
    fields = table.mover, table.legal, table.observation, table.payoff
    answer = *(field[slot] for field in fields), np.hstack([place, table.node[slot, None]])
    for whole, part in zip(told, answer, strict=True):
        whole[rows] = part
