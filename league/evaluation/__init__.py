"""How strong a run's snapshots are.

* `leaderboard`: ratings of the snapshots, whether they are enough, what was forgotten;
* `tables`: the same as rows; `tournament`: more matches among snapshots, where they say most;
* `external_ratings`: agents from outside the run, on its scale;
* `external_results`: games that were played elsewhere, rated;
* `compute_ledger`: what training and measuring cost in forward passes.

A module is loaded when it is first asked for: ratings do without JAX.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return importlib.import_module(f"league.evaluation.{name}")
    raise AttributeError(f"module 'league.evaluation' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
