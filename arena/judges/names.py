"""Judges by name."""

import importlib
import pkgutil
from functools import cache

import arena.judges
from arena import extensions
from arena.errors import UserError
from arena.types import Judge
from games import Game


@cache
def builtin() -> dict[str, type[Judge]]:
    """The judges of this folder, by the names of their files."""
    found = {}
    for module in pkgutil.iter_modules(arena.judges.__path__):
        loaded = importlib.import_module(f"arena.judges.{module.name}")
        for value in vars(loaded).values():
            if _is_judge(value) and value.__module__ == loaded.__name__:
                found[module.name] = value
    return found


def _is_judge(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Judge) and value is not Judge


def make(name: str, game: Game) -> Judge:
    """The judge of a game that a name means: `rules`, `MODULE:CLASS` or `FILE.py:CLASS`.

    Raises:
      UserError: there is none, or it does not judge this game.
    """
    kind = extensions.find("judge", name, builtin())
    if not _is_judge(kind):
        raise UserError(f"{name} is no judge: it does not extend arena.types.Judge")
    try:
        return kind(game)
    except Exception as error:
        raise UserError(f"the judge {name} cannot be made: {extensions.reason(error)}") from None
