"""The step that every league learner takes: play, make a dataset, learn."""

from collections.abc import Sequence

import jax
import numpy as np

from agents.learners.base import Learner, TrainState
from arena.play.device_loop import Match, Played
from arena.types import Policy, PyTree


def recorded_match(
    learner: Learner, opponent: Policy | None = None, *, slots: int, pairs: int
) -> Match:
    """Matches whose record a dataset can be made of.

    Args:
      learner: plays side A by its behaviour policy.
      opponent: how side B plays; the same way if None.
      slots: games in flight in each match and half, at most as many as pairs.
      pairs: of games in each match.
    """
    policy = learner.behaviour_policy()
    return Match(
        learner.game,
        policy,
        policy if opponent is None else opponent,
        judge=learner.judge,
        slots=min(slots, pairs),
        record=True,
        finals=learner.needs_final_states,
    )


def make_dataset(learner: Learner, played: Played, learns: np.ndarray) -> PyTree:
    """What a learner learns from recorded matches.

    Args:
      learner: made the moves of the sides that learn.
      played: of a `recorded_match`.
      learns: bool[2, G], whose moves are to be learnt: those of side A and B in each match.
    """
    assert played.record is not None
    record = jax.tree.map(np.asarray, played.record)
    return learner.make_dataset(record, np.asarray(played.scores), learns)


def rows(data: PyTree) -> int:
    """How many positions N a dataset [N, ...] has."""
    return len(jax.tree.leaves(data)[0])


def learn(
    learner: Learner,
    state: TrainState,
    window: Sequence[PyTree],
    *,
    fresh: int,
    progress: float,
    key: jax.Array,
) -> tuple[TrainState, dict[str, float]]:
    """One round of learning on the datasets of several generations, the newest last.

    Args:
      learner: whose step it is.
      state: where training stands.
      window: datasets.
      fresh: positions in them that are new.
      progress: share of the run that is done, in [0, 1].
      key: PRNG key.

    Returns:
      the state after it, and mean losses.
    """
    data = jax.tree.map(lambda *x: np.concatenate(x), *window)
    return learner.learn(state, data, fresh=fresh, progress=progress, key=key)
