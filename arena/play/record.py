"""What a batch of matches brings: scores, and the record of every move."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena.play import seats
from arena.types import PyTree, State


class Record(NamedTuple):
    """Every position in which a side chose a move: A on the first row of axis 1, B on the second.

    Attributes:
      state: positions [T, 2, G, S, ...].
      aux: what the policies returned beside their moves, [T, 2, G, S, ...].
      game: i32[T, 2, G, S], numbers of the games, see `arena.play.seats`; 2P where the slot was
        idle.
      finals: how the games ended, positions [G, 2P, ...]; () if they were not to be kept.
    """

    state: State
    aux: PyTree
    game: Any
    finals: State = ()


class Played(NamedTuple):
    """The result of a batch of matches.

    Attributes:
      scores: f32[G, P, 2], A's score (1, ½ or 0) in both games of each pair; in the first A makes
        the first move after the opening.
      record: the moves in T ticks, as numpy arrays; None if they were not to be recorded.
      moves: i32[G, 2], how many moves A and B chose; None where they were not counted.
    """

    scores: jax.Array | np.ndarray
    record: Record | None
    moves: jax.Array | np.ndarray | None = None


def of_matches(record: Record, some: slice, *, pairs: int) -> Record:
    """The record of some of the matches, as if they alone had been played.

    Args:
      record: of G matches on their own devices.
      some: which of them.
      pairs: P, of games in each match.
    """
    game = np.asarray(record.game)[:, :, some]
    ticks = (game < seats.no_game(pairs)).any((1, 2, 3)).sum()

    def cut(x: np.ndarray) -> np.ndarray:
        return np.asarray(x)[:ticks, :, some]

    state, aux = jax.tree.map(cut, (record.state, record.aux))
    finals = jax.tree.map(lambda x: np.asarray(x)[some], record.finals)
    return Record(state, aux, game[:ticks], finals)


def joined(parts: Sequence[Played]) -> Played:
    """The results of all matches from those of parts of them, which may differ in ticks T."""
    scores, moves = (
        np.concatenate([np.asarray(x) for x in found])
        for found in ([p.scores for p in parts], [p.moves for p in parts])
    )
    records = [part.record for part in parts if part.record is not None]
    if not records:
        return Played(jnp.asarray(scores), None, jnp.asarray(moves))
    ticks, none = max(len(r.game) for r in records), seats.no_game(scores.shape[1])

    def pad(x: np.ndarray, value: int) -> np.ndarray:
        widths = [(0, ticks - len(x)), *[(0, 0)] * (x.ndim - 1)]
        return np.pad(x, widths, constant_values=value)

    def join(*found: PyTree) -> PyTree:
        return jax.tree.map(lambda *x: np.concatenate([pad(y, 0) for y in x], 2), *found)

    game = np.concatenate([pad(np.asarray(r.game), none) for r in records], 2)
    finals = jax.tree.map(lambda *x: np.concatenate(x), *[r.finals for r in records])
    state, aux = join(*[r.state for r in records]), join(*[r.aux for r in records])
    record = Record(state, aux, game, finals)
    return Played(jnp.asarray(scores), record, jnp.asarray(moves))
