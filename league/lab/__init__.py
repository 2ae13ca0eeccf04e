"""The laboratory: experiments on when self-improvement works and how it breaks.

`arena lab` lists them; the README of this folder shows how to write one. All that an experiment
needs of the frame is here.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from league.lab.charts import Chart, Line, line, mean_line
    from league.lab.estimates import (
        Accept,
        Estimate,
        at_least,
        at_most,
        between,
        near,
        of_share,
        of_slope,
        over_seeds,
        with_error,
    )
    from league.lab.experiment import (
        Chapter,
        Experiment,
        Figure,
        Json,
        Part,
        Results,
        Settings,
        Source,
        Table,
        Work,
    )
    from league.lab.names import every, find
    from league.lab.runner import run

_PLACES = {
    "charts": ("Chart", "Line", "line", "mean_line"),
    "estimates": (
        "Accept",
        "Estimate",
        "at_least",
        "at_most",
        "between",
        "near",
        "of_share",
        "of_slope",
        "over_seeds",
        "with_error",
    ),
    "experiment": (
        "Chapter",
        "Experiment",
        "Figure",
        "Json",
        "Part",
        "Results",
        "Settings",
        "Source",
        "Table",
        "Work",
    ),
    "names": ("every", "find"),
    "runner": ("run",),
}
"""Where public names lie; each is loaded when it is first asked for."""

__all__ = [
    "Accept",
    "Chapter",
    "Chart",
    "Estimate",
    "Experiment",
    "Figure",
    "Json",
    "Line",
    "Part",
    "Results",
    "Settings",
    "Source",
    "Table",
    "Work",
    "at_least",
    "at_most",
    "between",
    "every",
    "find",
    "line",
    "mean_line",
    "near",
    "of_share",
    "of_slope",
    "over_seeds",
    "run",
    "with_error",
]


def __getattr__(name: str) -> Any:
    for module, public in _PLACES.items():
        if name in public:
            return getattr(importlib.import_module(f"league.lab.{module}"), name)
    raise AttributeError(f"module 'league.lab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
