"""How many generations fit into the time that a run is given.

The first generations are timed, all of them at the full learning rate, so that nothing of what they
do depends on the answer. Then the number is fixed, and written into the run card: from there on
schedule and bits follow from card and seed, on any machine.
"""

from collections.abc import Sequence
from statistics import mean

LEAST = 3
"""Generations that are timed at least: the first one compiles, and says little."""
_SHARE = 0.2
"""Of the time, which the timed generations take at least: while a player learns the first things,
its games may become half as long again."""


def generations(spent: Sequence[float], budget: float) -> int | None:
    """The number of generations of a run, once it can be known.

    Args:
      spent: seconds that generations 1, 2, … took.
      budget: seconds that all of them may take.

    Returns:
      the number, at least one more than there are; None if more have to be timed.
    """
    done, passed = len(spent), sum(spent)
    if done < LEAST or (passed < _SHARE * budget):
        return None
    later = spent[1:]
    pace = mean(later[-max(2, len(later) // 3) :])
    return done + max(1, round((budget - passed) / pace))
