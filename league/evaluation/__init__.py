"""How strong a run's snapshots are.

* `leaderboard`: ratings of the snapshots, whether they are enough, what was forgotten;
* `tables`: the same as rows; `tournament`: more matches among snapshots, where they say most;
* `external_ratings`: agents from outside the run, on its scale;
* `external_results`: games that were played elsewhere, rated;
* `compute_ledger`: what training and measuring cost in forward passes.
"""

from league.evaluation import (
    compute_ledger,
    external_ratings,
    external_results,
    leaderboard,
    tables,
    tournament,
)

__all__ = [
    "compute_ledger",
    "external_ratings",
    "external_results",
    "leaderboard",
    "tables",
    "tournament",
]
