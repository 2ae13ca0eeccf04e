"""The learners of `agents/`: every file there that has a `Config` and a function `learn`.

Such a file also has `check`, `begin`, `explorer`, `player`, `logits`, `blank` and `harvest`; see
`agents/alphazero.py`.
"""

import importlib
import pkgutil
import sys
from functools import cache
from types import ModuleType
from typing import Any

import agents
from agents.nn import networks
from games import Game
from league.errors import UserError


@cache
def modules() -> dict[str, ModuleType]:
    """All learners by name."""
    found = {
        m.name: importlib.import_module(f"agents.{m.name}")
        for m in pkgutil.iter_modules(agents.__path__)
    }
    return {k: v for k, v in sorted(found.items()) if hasattr(v, "Config") and hasattr(v, "learn")}


def of(config: Any) -> ModuleType:
    """The learner that a configuration belongs to."""
    return sys.modules[type(config).__module__]


def wants_finals(config: Any) -> bool:
    """Whether a learner asks how games ended, for the positions and not only for the scores."""
    return getattr(config, "ownership_weight", 0.0) > 0


def check(game: Game, config: Any) -> None:
    """Raises UserError if this learner or its network cannot learn the game."""
    name = of(config).__name__.removeprefix("agents.")
    try:
        of(config).check(game, config)
        networks.check(game, config.network)
    except ValueError as error:
        raise UserError(f"{name} cannot learn this game: {error}") from None
