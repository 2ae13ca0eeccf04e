"""Experiments by name: a file of `league/lab/experiments/`, `MODULE:CLASS`, `FILE.py:CLASS`.

A file of that folder that defines a subclass of `Experiment` is an experiment of the file's name.
Files whose names begin with `_` hold what several share.
"""

import importlib
import inspect
import pkgutil
from typing import Any

import league.lab.experiments as folder
from arena import extensions
from arena.errors import UserError
from league.lab.experiment import REQUIRED, Chapter, Experiment

_LONGEST = 100
"""Letters of a claim."""


def own() -> list[str]:
    """The names of those that come with Arena, sorted; nothing is imported."""
    files = (module.name for module in pkgutil.iter_modules(folder.__path__))
    return sorted(name for name in files if not name.startswith("_"))


def every() -> list[Experiment[Any]]:
    """Those that come with Arena and those of entry points, chapter by chapter.

    Raises:
      UserError: one does not load.
    """
    chapters = list(Chapter)
    found = [find(name) for name in extensions.names("experiment", dict.fromkeys(own()))]
    return sorted(found, key=lambda one: (chapters.index(one.chapter), one.name))


def find(name: str) -> Experiment[Any]:
    """The experiment that a name means.

    Raises:
      UserError: there is none, or it is not written as one has to be.
    """
    if name in own():
        kind = _in_file(name)
    else:
        kind = extensions.find("experiment", name, dict.fromkeys(own()))
    if not (isinstance(kind, type) and issubclass(kind, Experiment)):
        raise UserError(f"{name} is no experiment: it does not extend league.lab.Experiment")
    if inspect.isabstract(kind):
        missing = ", ".join(sorted(kind.__abstractmethods__))
        raise UserError(f"the experiment {name} does not define {missing}")
    made = kind()
    _check(name, made)
    return made


def _in_file(name: str) -> Any:
    module = importlib.import_module(f"{folder.__name__}.{name}")
    for value in vars(module).values():
        mine = isinstance(value, type) and value.__module__ == module.__name__
        if mine and issubclass(value, Experiment) and not inspect.isabstract(value):
            return value
    raise UserError(f"league/lab/experiments/{name}.py defines no experiment")


def _check(name: str, experiment: Experiment[Any]) -> None:
    """Raises UserError unless everything is there that its page and its list need."""
    missing = [
        key
        for key in ("title", "chapter", "minutes", "full", "quick")
        if not hasattr(experiment, key)
    ]
    missing += [f"a section {head!r}" for head in REQUIRED if head not in experiment.sections]
    if missing:
        raise UserError(f"the experiment {name} does not say {', '.join(missing)}")
    if not 0 < len(experiment.claim) <= _LONGEST:
        raise UserError(
            f"the docstring of the experiment {name} does not begin with a claim of at most "
            f"{_LONGEST} letters"
        )
