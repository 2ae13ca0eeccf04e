"""The moves of a record that are learnt from, for learners that go by results."""

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
