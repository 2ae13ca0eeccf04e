"""Agents that need no run, by name: `uniform`, `mcts:100`, `stockfish:nodes=1`, `policy:./mine.py`.

A file of `agents/` or `agents/engines/` that defines `make(game, argument)` is one. One of your own
is such a function, named `MODULE:FUNCTION` or `FILE.py:FUNCTION`, or by an entry point in the group
`arena.agents`.
"""

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path

from arena import extensions
from arena.errors import UserError
from arena.types import Agent, HostAgent
from games import Game

Make = Callable[[Game, str], Agent | HostAgent]
"""`make(game, argument)`: the agent that plays a game; raises ValueError, in one line."""

_FILES = {"policy": "user_policy"}
"""Names that are not those of their files."""


@cache
def _modules() -> dict[str, str]:
    """Files that may make an agent, by the names that users type."""
    here = Path(__file__).parent
    found = {
        module.name: f"{package}.{module.name}"
        for package, folder in (("agents", here), ("agents.engines", here / "engines"))
        for module in pkgutil.iter_modules([str(folder)])
        if not module.ispkg
    }
    return found | {name: f"agents.{file}" for name, file in _FILES.items()}


def exists(kind: str) -> bool:
    """Whether an agent of this name needs no run."""
    return _own(kind) is not None or kind in metadata.entry_points(group="arena.agents").names


def _own(kind: str) -> Make | None:
    if kind not in _modules():
        return None
    return getattr(importlib.import_module(_modules()[kind]), "make", None)


def make(spec: str, game: Game) -> Agent | HostAgent:
    """The agent that a name means, for a game.

    Raises:
      UserError: there is none, or it cannot play the game.
    """
    kind, _, argument = spec.partition(":")
    own = _own(kind)
    if own is None:
        foreign = not exists(kind)
        own = extensions.load(spec) if foreign else extensions.find("agent", kind, {})
        argument = "" if foreign else argument
    try:
        return own(game, argument)
    except UserError:
        raise
    except ValueError as error:
        raise UserError(str(error)) from None
