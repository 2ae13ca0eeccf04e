"""Matches between any agents, and what they prove.

What stands in `__all__` is public; it is loaded when it is first asked for, since worker processes
that step imported games import this package without JAX. The packages have public names of their
own: `arena.evaluation`, `arena.play`, `arena.pettingzoo`, `arena.engines`, `arena.judges`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.analysis import Analysis, Analyst, Limit, MoveAnalysis
    from arena.errors import UserError
    from arena.judges.rules import Rules
    from arena.play.session import GameRecord, Session
    from arena.types import (
        Agent,
        CachedPolicy,
        Decision,
        Forfeit,
        HostAgent,
        Judge,
        Policy,
        Position,
    )

_PLACES = {
    "Analysis": "arena.analysis",
    "Analyst": "arena.analysis",
    "GameRecord": "arena.play.session",
    "Limit": "arena.analysis",
    "MoveAnalysis": "arena.analysis",
    "Rules": "arena.judges.rules",
    "Session": "arena.play.session",
    "UserError": "arena.errors",
}
"""Where public names lie that do not lie in `arena.types`."""

__all__ = [
    "Agent",
    "Analysis",
    "Analyst",
    "CachedPolicy",
    "Decision",
    "Forfeit",
    "GameRecord",
    "HostAgent",
    "Judge",
    "Limit",
    "MoveAnalysis",
    "Policy",
    "Position",
    "Rules",
    "Session",
    "UserError",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module(_PLACES.get(name, "arena.types")), name)
    raise AttributeError(f"module 'arena' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
