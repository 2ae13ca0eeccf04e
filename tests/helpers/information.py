"""What the seats of a game observe, compared with an independent implementation."""

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import jax
import numpy as np

from arena.evaluation.enumeration import choices, in_chunks, raw
from games import OVER, Game
from tests.helpers.lockstep import Position
from tests.helpers.playouts import playouts

_VIEWS = 50  # pairs of positions whose texts are compared for each seat


class Histories(NamedTuple):
    """N beginnings of a game, each after the one that it continues.

    Attributes:
      states: pytree of numpy arrays [N, ...], what they lead to.
      parent: i64[N], the one that is a move shorter; -1 for the start.
      move: i64[N], the last move or outcome.
      mover: i32[N].
      legal: bool[N, A].
    """

    states: Any
    parent: np.ndarray
    move: np.ndarray
    mover: np.ndarray
    legal: np.ndarray

    def path(self, node: int) -> list[int]:
        """All its moves and outcomes."""
        moves = []
        while self.parent[node] >= 0:
            moves.append(int(self.move[node]))
            node = int(self.parent[node])
        return moves[::-1]


def enumerated(game: Game, limit: int) -> tuple[Histories, bool]:
    """All histories of n plies or fewer, n the largest with no more than `limit` of them.

    Returns:
      the histories, and whether there is no longer one.
    """
    look = jax.jit(jax.vmap(lambda s: (game.mover(s), game.legal(s), choices(game, s))))
    step = jax.jit(jax.vmap(game.step))
    states: Any = jax.tree.map(lambda x: np.asarray(x)[None], game.init())
    parent, move = np.array([-1]), np.array([-1])
    plies, count = [], 1
    while True:
        mover, legal, can = in_chunks(look, states)
        plies.append(Histories(states, parent, move, mover, legal))
        row, move = np.nonzero(can)
        if not len(row) or count + len(row) > limit:
            return jax.tree.map(lambda *x: np.concatenate(x), *plies), not len(row)
        parent = count - len(mover) + row
        count += len(row)
        states = jax.tree.map(lambda x, row=row: x[row], states)
        states = in_chunks(step, states, move.astype(np.int32))


def drawn(game: Game, count: int, seed: int) -> Histories:
    """All beginnings of so many random games."""
    played = playouts(game, count, seed)
    going = played.movers != OVER
    number = going.cumsum().reshape(going.shape) - 1
    start = np.full((1, count), -1)
    parent = np.concatenate([start, number[:-1]])[going]
    move = np.concatenate([start, played.moves])[going]
    states = jax.tree.map(lambda x: x[going], played.states)
    legal = in_chunks(jax.jit(jax.vmap(game.legal)), states)
    return Histories(states, parent, move, played.movers[going], legal)


def _equal(rows: np.ndarray) -> np.ndarray:
    """Equal numbers i64[N] for equal rows [N, ...]."""
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)


def _past(nodes: Histories, seat: int, seen: np.ndarray) -> np.ndarray:
    """One number for all that the seat has done; `seen` i64[N] is put beside every move."""
    known: dict[Hashable, int] = {}
    past = np.zeros(len(nodes.parent), np.int64)
    for node, parent in enumerate(nodes.parent.tolist()):
        if parent >= 0 and nodes.mover[parent] == seat:
            done = (past[parent], seen[parent], nodes.move[node])
            past[node] = known.setdefault(done, len(known) + 1)
        elif parent >= 0:
            past[node] = past[parent]
    return past


def _told(start: Callable[[], Position], nodes: Histories, here: np.ndarray) -> np.ndarray:
    """What the partner tells both seats at some nodes, as numbers i64[2, n]."""
    told: list[list[str]] = [[], []]
    for node in here:
        partner = start()
        for move in nodes.path(node):
            partner.play(move)
        for seat in range(2):
            told[seat].append(partner.information(seat))
    return np.stack([_equal(np.array(texts)) for texts in told])


def _follows(nodes: Histories, here: np.ndarray, cause: Any, effect: Any, claim: str) -> None:
    """Raises AssertionError if equal causes [n] have different effects [n] at nodes `here`."""
    known: dict[Hashable, tuple[Hashable, int]] = {}
    for node, a, b in zip(here.tolist(), cause.tolist(), effect.tolist(), strict=True):
        was, before = known.setdefault(a, (b, node))
        if was != b:
            raise AssertionError(
                f"{claim}: after {nodes.path(before)} and after {nodes.path(node)}"
            )


def _views(game: Game, nodes: Histories, here: np.ndarray, mine: np.ndarray, seat: int) -> None:
    """Raises AssertionError if a seat can read off its text or picture what it may not know."""
    order = np.argsort(mine, kind="stable")
    [twins] = np.nonzero(mine[order[1:]] == mine[order[:-1]])
    for at in twins[:: max(1, len(twins) // _VIEWS)]:
        pair = here[order[[at, at + 1]]]
        states = [jax.tree.map(lambda x, i=i: x[i], nodes.states) for i in pair]
        if len({(game.view(s, seat), game.draw_view(s, seat)) for s in states}) > 1:
            paths = " and after ".join(str(nodes.path(i)) for i in pair)
            raise AssertionError(f"seat {seat} reads too much: after {paths}")


def compare(game: Game, start: Callable[[], Position], nodes: Histories) -> None:
    """Checks what both seats are told in every position that is not over.

    A seat that is to move must be told exactly what the partner tells it. One that waits may be
    told less. The information set, which is the observation with the seat's own moves so far,
    must determine what is legal, and what the seat saw and did before (perfect recall).

    Raises:
      AssertionError: one of these fails, with two histories that show it.
    """
    observe = jax.jit(jax.vmap(game.observe))
    here = np.flatnonzero(nodes.mover != OVER)
    told = _told(start, nodes, here)
    for seat in range(2):
        seats = np.full(len(nodes.mover), seat, np.int32)
        seen = _equal(raw(in_chunks(observe, nodes.states, seats)))
        _follows(nodes, here, told[seat], seen[here], f"seat {seat} is told too much")
        did = _past(nodes, seat, np.zeros_like(seen))
        mine = _equal(np.stack([seen, did], 1))
        past = _past(nodes, seat, mine)
        asked = nodes.mover[here] == seat
        theirs, at = told[seat][asked], here[asked]
        _follows(nodes, at, mine[at], theirs, f"seat {seat} is told too little")
        _follows(nodes, at, mine[at], past[at], f"seat {seat} cannot recall what it did")
        _follows(nodes, at, mine[at], _equal(nodes.legal)[at], f"seat {seat} cannot know its moves")
        _views(game, nodes, at, mine[at], seat)
