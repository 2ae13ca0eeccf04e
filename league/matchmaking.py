"""Who plays whom: rules that weigh the pool.

Every matchmaker has one signature: `matchmaker(losses) -> weights`.

losses: f64[n], the estimated chance that the current policy loses points to each snapshot of the
pool, oldest first. Returns f64[n], the probability to meet each.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

Name = Literal["latest", "uniform", "pfsp"]


def latest(losses: np.ndarray) -> np.ndarray:
    """Always the newest snapshot: naive self-play against one's last self."""
    weights = np.zeros(len(losses))
    weights[-1] = 1.0
    return weights


def uniform(losses: np.ndarray) -> np.ndarray:
    """The whole past, evenly (fictitious self-play)."""
    return np.full(len(losses), 1.0 / len(losses))


def pfsp(losses: np.ndarray) -> np.ndarray:
    """Prioritised fictitious self-play: in proportion to the squared chance to lose.

    O. Vinyals et al., "Grandmaster level in StarCraft II", Nature 575 (2019), f_hard with p = 2.
    """
    weights = np.square(losses)
    return weights / weights.sum()


MATCHMAKERS: dict[Name, Callable[[np.ndarray], np.ndarray]] = {
    "latest": latest,
    "uniform": uniform,
    "pfsp": pfsp,
}


def losses(scores: np.ndarray, games: np.ndarray) -> np.ndarray:
    """The chance to lose to each snapshot, as estimated from games played.

    Args:
      scores: f64[n], the current policy's points against each (a win 1, a draw ½).
      games: f64[n], games behind them; recent games may weigh more than old ones.

    Returns:
      f64[n] in (0, 1). One win and one loss are added to each record, so nobody is written off.
    """
    return 1.0 - (scores + 1.0) / (games + 2.0)
