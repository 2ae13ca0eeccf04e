"""What exact values say of a candidate: does it keep the value of the game as often as another?

Asked are the positions whose values are known (see `arena/judge.py`) and from which training has
never started a game.
"""

from dataclasses import dataclass

import jax
import numpy as np

from arena.evaluation import move_accuracy
from arena.evaluation.move_accuracy import Exam
from arena.types import Agent
from league.evaluation import compute_ledger
from league.gate import heldout
from league.gate.decision import Answers
from league.store.run import Run


@dataclass(frozen=True)
class Solved:
    """Positions with the right answers, put to candidate and champion alike.

    Attributes:
      exam: the positions.
      agents: all who may be asked, by name.
      key: PRNG key of agents that draw lots.
    """

    exam: Exam
    agents: dict[str, Agent]
    key: jax.Array

    def __call__(self, candidate: str, champion: str) -> Answers:
        """Both answers to every position."""
        kept = [
            move_accuracy.kept(self.agents[name], self.exam, self.key)
            for name in (candidate, champion)
        ]
        asked = [
            len(kept[0]) * compute_ledger.evaluations(self.agents[n]) for n in (candidate, champion)
        ]
        return Answers(kept[0], kept[1], sum(asked))


def unseen(run: Run, seen: set[bytes]) -> Exam | None:
    """The positions that training has not started from; None if nobody knows values, or none is.

    Args:
      run: whose game it is.
      seen: keys of the openings of training, see `holdout.trained`.
    """
    try:
        exam = move_accuracy.fixed(run.game)
    except ValueError:
        return None
    new = np.array([key not in seen for key in heldout.keys(run.game, exam.states)])
    states = jax.tree.map(lambda x: x[new], exam.states)
    return Exam(states, exam.legal[new], exam.keeps[new], exam.group) if new.any() else None
