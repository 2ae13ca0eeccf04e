"""What exact values say of a candidate: are its moves optimal as often as the champion's?

Only positions count whose values are known (see `arena/evaluation/solved_positions.py`) and from
which training has never started a game.
"""

from dataclasses import dataclass

import jax
import numpy as np

from arena.evaluation import move_accuracy, solved_positions
from arena.evaluation.solved_positions import SolvedPositions
from arena.types import Agent
from league.evaluation import compute_ledger
from league.gate import heldout
from league.gate.decision import OptimalMoves
from league.store.run import Run


@dataclass(frozen=True)
class MoveComparison:
    """Compares the moves of two agents in solved positions; a `CompareMoves`.

    Attributes:
      positions: N of them.
      agents: all that may be compared, by name.
      key: PRNG key of agents that play at random.
    """

    positions: SolvedPositions
    agents: dict[str, Agent]
    key: jax.Array

    def __call__(self, candidate: str, champion: str) -> OptimalMoves:
        """Where the moves of both are optimal, and the forward passes behind them."""
        pair = [self.agents[name] for name in (candidate, champion)]
        first, second = (
            move_accuracy.optimal_moves(agent, self.positions, self.key) for agent in pair
        )
        passes = sum(len(first) * compute_ledger.evaluations(agent) for agent in pair)
        return OptimalMoves(first, second, passes)


def unseen(run: Run, seen: set[bytes]) -> SolvedPositions | None:
    """The solved positions that training has not started from.

    Args:
      run: whose game it is.
      seen: keys of the openings of training, see `heldout.trained`.

    Returns:
      None if no exact values are known, or training has started from all positions.
    """
    try:
        every = solved_positions.fixed(run.game)
    except ValueError:
        return None
    new = np.array([key not in seen for key in heldout.keys(run.game, every.states)])
    if not new.any():
        return None
    states = jax.tree.map(lambda x: x[new], every.states)
    return SolvedPositions(states, every.legal[new], every.optimal[new], every.group)
