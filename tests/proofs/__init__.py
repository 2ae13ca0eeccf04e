"""What proves each game: one module a game, of the same name; found by folder.

A module gives
  LOCKSTEP: dict from a game, as a user types it, to a function that gives the starting position of
    an implementation that nobody here wrote (tests/helpers/lockstep.py);
  STATE_BYTES: the size of the default game's state;
and where they apply
  TWO_PLANES = True: the observation is two planes, own stones and the opponent's;
  BEYOND_REACH: dict from a kind of fact to the reason why no test reproduces it;
  REPRODUCE: dict from a kind of fact to a function of its own that does.
Positions that force a game's rare rules are in tests/games/test_NAME.py.
"""

import importlib
from typing import Any

import games


def proof(name: str) -> Any:
    """A game's module; raises ModuleNotFoundError while it has none."""
    return importlib.import_module(f"tests.proofs.{name}")


def proven() -> dict[str, Any]:
    """The modules of all games that have one."""
    found = {}
    for name in games.names():
        try:
            found[name] = proof(name)
        except ModuleNotFoundError as error:
            if error.name != f"tests.proofs.{name}":
                raise
    return found
