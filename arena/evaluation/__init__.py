"""What games say: ratings, scores, tests, exact values.

Every module named here is public, and so is each name in it that has no leading underscore.

* `score`: what the pairs of one match say; `sprt`: the sequential test of a match;
* `ratings`: Elo with intervals from many results, and whom to pair next;
* `transitivity`: whether ratings are enough; `cycles`: circles of agents who beat each other;
* `metagame`: Nash averaging, α-Rank, mElo; `forgetting`: whether a generation loses to its past;
* `enumeration`, `solver`, `exploitability`: whole game trees, exact values, best responses;
* `solved_positions`, `move_accuracy`: how often an agent's moves are optimal.

A module is loaded when it is first asked for: ratings and tests of scores do without JAX.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.evaluation import (
        cycles,
        enumeration,
        exploitability,
        forgetting,
        metagame,
        move_accuracy,
        ratings,
        score,
        solved_positions,
        solver,
        sprt,
        transitivity,
    )

__all__ = [
    "cycles",
    "enumeration",
    "exploitability",
    "forgetting",
    "metagame",
    "move_accuracy",
    "ratings",
    "score",
    "solved_positions",
    "solver",
    "sprt",
    "transitivity",
]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return importlib.import_module(f"arena.evaluation.{name}")
    raise AttributeError(f"module 'arena.evaluation' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
