"""Leagues: training, the record, ratings, the gate, and the command line.

What stands in `__all__` is public, and works alike in scripts and on the command line; it is loaded
when it is first asked for, so that `import league` alone starts nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from league.api import League, default_config, open_run, play_match, train
    from league.settings.config import Config, MeasureConfig
    from league.training.events import GenerationEvent, PhaseEvent

_PLACES = {
    "Config": "league.settings.config",
    "GenerationEvent": "league.training.events",
    "MeasureConfig": "league.settings.config",
    "PhaseEvent": "league.training.events",
}
"""Where public names lie that do not lie in `league.api`."""

__all__ = [
    "Config",
    "GenerationEvent",
    "League",
    "MeasureConfig",
    "PhaseEvent",
    "default_config",
    "open_run",
    "play_match",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module(_PLACES.get(name, "league.api")), name)
    raise AttributeError(f"module 'league' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
