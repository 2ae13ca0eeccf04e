"""The moves of a record that are learnt from, in the order in which they were played."""

from typing import NamedTuple

import jax
import numpy as np

from arena.play.device_loop import Record
from arena.types import PyTree, State


class PlayedMoves(NamedTuple):
    """Moves [N], each side's of a game together and in the order of play.

    Attributes:
      state: positions [N, ...] in which they were made.
      aux: pytree [N, ...], what the policy kept beside them.
      outcome: f32[N], how the game ended for who made them, in [-1, 1].
      whose: i64[N], equal for the moves of one side in one game.
    """

    state: State
    aux: PyTree
    outcome: np.ndarray
    whose: np.ndarray


def moves(record: Record, scores: np.ndarray, learns: np.ndarray) -> PlayedMoves:
    """Those of the sides that learn; the arguments are those of `Learner.make_dataset`."""
    pairs = scores.shape[1]
    time, side, group, slot = np.nonzero((record.game < 2 * pairs) & learns[None, :, :, None])
    number = record.game[time, side, group, slot]
    order = np.lexsort((time, side, number, group))
    time, side, group, slot, number = (x[order] for x in (time, side, group, slot, number))
    score = 2 * scores[group, number % pairs, number // pairs] - 1
    outcome = np.where(side == 0, score, -score).astype(np.float32)
    state, aux = jax.tree.map(lambda x: x[time, side, group, slot], (record.state, record.aux))
    return PlayedMoves(state, aux, outcome, (group * 2 * pairs + number) * 2 + side)


class Games(NamedTuple):
    """All moves [N] of games, those of a game together and in the order of play, of both sides.

    Attributes:
      state: positions [N, ...] in which they were made.
      aux: pytree [N, ...], what the policies kept beside them.
      sign: f32[N], 1 where side 0 moved and -1 where side 1 did.
      score: f32[N], how the game ended for side 0, in [-1, 1].
      game: i64[N], equal for the moves of a game, and of no other.
      own: bool[N], whether the side that moved learns.
      group: i64[N], of which match.
      number: i64[N], which game of the match.
    """

    state: State
    aux: PyTree
    sign: np.ndarray
    score: np.ndarray
    game: np.ndarray
    own: np.ndarray
    group: np.ndarray
    number: np.ndarray


def games(record: Record, scores: np.ndarray, learns: np.ndarray) -> Games:
    """The whole games of a record; the arguments are those of `Learner.make_dataset`."""
    pairs = scores.shape[1]
    time, side, group, slot = np.nonzero(record.game < 2 * pairs)
    number = record.game[time, side, group, slot]
    order = np.lexsort((time, number, group))
    time, side, group, slot, number = (x[order] for x in (time, side, group, slot, number))
    state, aux = jax.tree.map(lambda x: x[time, side, group, slot], (record.state, record.aux))
    sign = np.where(side == 0, 1, -1).astype(np.float32)
    score = (2 * scores[group, number % pairs, number // pairs] - 1).astype(np.float32)
    game = group * 2 * pairs + number
    return Games(state, aux, sign, score, game, learns[side, group], group, number)
