"""Judges by name: `rules`, `flipped:0.1`, `FILE.py:CLASS`.

A file of `arena/judges/` or `agents/judges/` that defines a subclass of `Judge` is a judge of the
file's name. What follows the name is its class's to read, by `from_text`.
"""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import arena.judges
from arena import extensions
from arena.errors import UserError
from arena.types import Judge
from games import Game


@dataclass(frozen=True)
class JudgeContext:
    """What a judge may need to know beside its game and its argument.

    Attributes:
      make: another judge of the same game, by name.
      seed: of the run.
      learner: the learner of the run, going by the rules; None where nothing learns.
    """

    make: Callable[[str], Judge]
    seed: int = 0
    learner: Any = None


@cache
def builtin() -> dict[str, type[Judge]]:
    """The judges of this folder, by the names of their files."""
    return in_package(arena.judges)


def in_package(package: ModuleType) -> dict[str, type[Judge]]:
    """The judges that the files of a package define, by the names of the files."""
    found = {}
    for module in pkgutil.iter_modules(package.__path__):
        loaded = importlib.import_module(f"{package.__name__}.{module.name}")
        for value in vars(loaded).values():
            if _is_judge(value) and value.__module__ == loaded.__name__:
                found[module.name] = value
    return found


def _is_judge(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Judge) and not inspect.isabstract(value)


def make(
    name: str,
    game: Game,
    *,
    seed: int = 0,
    learner: Any = None,
    known: Mapping[str, type[Judge]] | None = None,
) -> Judge:
    """The judge of a game that a name means: NAME[:ARGUMENT], `MODULE:CLASS` or `FILE.py:CLASS`.

    Args:
      name: as a user types it.
      game: whose positions it judges.
      seed: of the run.
      learner: the learner of the run, going by the rules; None where nothing learns.
      known: judges that are no `MODULE:CLASS`; those of `arena/judges/` if None.

    Raises:
      UserError: there is none, or it does not judge this game.
    """
    own = builtin() if known is None else known
    head, _, argument = name.partition(":")
    if head in own:
        context = JudgeContext(
            lambda other: make(other, game, seed=seed, learner=learner, known=known), seed, learner
        )
        return _own(own[head], name, game, argument, context)
    kind = extensions.find("judge", name, own)
    if not _is_judge(kind):
        raise UserError(f"{name} is no judge: it does not extend arena.types.Judge")
    try:
        return kind(game)
    except Exception as error:
        raise UserError(f"the judge {name} cannot be made: {extensions.reason(error)}") from None


def with_files(
    name: str, change: Callable[[str], str], known: Mapping[str, type[Judge]] | None = None
) -> str:
    """A judge's name with what `change` makes of the paths in it.

    Args:
      name: as a user types it.
      change: another path for a path.
      known: as for `make`.
    """
    own = builtin() if known is None else known
    head, colon, argument = name.partition(":")
    if head not in own:
        return extensions.with_file(name, change)
    if not argument:
        return name
    changed = own[head].with_files(argument, change, lambda other: with_files(other, change, own))
    return f"{head}{colon}{changed}"


def identity(judge: Judge) -> str:
    """What a judge is made of, a user's file for one; "" if its name says it all."""
    file = getattr(sys.modules[type(judge).__module__], "__arena_file__", "")
    return judge.identity() or extensions.file_digest(file)


def _own(kind: Any, name: str, game: Game, argument: str, context: JudgeContext) -> Judge:
    named = hasattr(kind, "from_text")
    if argument and not named:
        raise UserError(f"the judge {name.partition(':')[0]} takes no argument")
    try:
        return kind.from_text(game, argument, context) if named else kind(game)
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"the judge {name}: {error}") from None
