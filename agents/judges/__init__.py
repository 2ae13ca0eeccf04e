"""Judges that are networks, one a file; and all judges by name."""

import sys
from collections.abc import Callable
from functools import cache

from agents.learners.base import LearnerConfig
from arena.judges import check as contract
from arena.judges import names
from arena.judges.rules import Rules
from arena.types import Judge
from games import Game

__all__ = ["builtin", "check", "identity", "make", "with_files"]


@cache
def builtin() -> dict[str, type[Judge]]:
    """The judges of `arena/judges/` and of this folder, by the names of their files."""
    return {**names.builtin(), **names.in_package(sys.modules[__name__])}


def make(name: str, game: Game, learner: LearnerConfig | None = None, *, seed: int = 0) -> Judge:
    """The judge of a game that a name means.

    Args:
      name: as a user types it.
      game: whose positions it judges.
      learner: of the run, whose policy may be its own judge; None where nothing learns.
      seed: of the run.

    Raises:
      UserError: there is none, or it does not judge this game.
    """
    rules = learner.make(game, Rules(game)) if learner else None
    return names.make(name, game, seed=seed, learner=rules, known=builtin())


def with_files(name: str, change: Callable[[str], str]) -> str:
    """A judge's name with what `change` makes of the paths in it."""
    return names.with_files(name, change, builtin())


def identity(judge: Judge) -> str:
    """What a judge is made of, its files; "" if its name says it all."""
    return names.identity(judge)


def check(name: str, game: Game, learner: LearnerConfig | None = None, *, seed: int = 0) -> Judge:
    """As `make`, and sees whether the judge keeps its contract on the ends of random games.

    Raises:
      UserError: there is none, or it does not.
    """
    judge = make(name, game, learner, seed=seed)
    if judge.weighted is None:  # others have no weights yet
        contract.check(judge, game)
    return judge
