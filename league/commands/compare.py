"""Compare several runs, or seeds of one, in one page."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from arena.errors import UserError
from league.cli import console, names
from league.report import comparison, comparison_page
from league.report.comparison import Curve, Group
from league.store.files import replacing


@dataclass(frozen=True)
class Command:
    """Compare several runs of one game, or seeds of one run, in one page and one table.

    Ratings are relative to snapshot 0 of each run: different runs share no scale.

    Attributes:
      runs: names of the runs, at least two. Those that differ in their seed alone are shown with
        mean and spread.
      out: the page; opens without a network. A file that is there is replaced, and nothing else.
      json: print one JSON object.
    """

    runs: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="RUN RUN...")]
    out: Path = Path("compare.html")
    json: bool = False

    def __post_init__(self):
        if len(self.runs) < 2:
            raise UserError("it takes two runs to compare")
        if twice := {name for name in self.runs if self.runs.count(name) > 1}:
            raise UserError(f"named twice: {', '.join(sorted(twice))}")


def run(command: Command) -> None:
    """Writes the page and prints the table."""
    groups = comparison.grouped([_read(name) for name in command.runs])
    with replacing(command.out, "w") as file:
        file.write(comparison_page.render(groups))
    if command.json:
        console.emit({"groups": [_group(group) for group in groups], "page": str(command.out)})
        return
    game = groups[0].curves[0].game
    console.table(
        f"{game}: Elo above snapshot 0 of each run",
        comparison_page.COLUMNS,
        comparison_page.rows(groups),
    )
    console.stderr.print(f"page: {command.out}")


def _read(name: str) -> Curve:
    work = names.run(name)
    with work.results() as results:
        return comparison.read(work, results)


_FIGURES = ("elo", "loss", "policy_loss", "value_loss", "uniform", "mcts")


def _group(group: Group) -> dict[str, object]:
    """A group, for programs: the curves by run, and mean and spread over the seeds."""
    return {
        "runs": [_curve(curve) for curve in group.curves],
        "mean": {name: group.mean(name) for name in _FIGURES},
        "spread": {name: group.spread(name) for name in _FIGURES},
    }


def _curve(curve: Curve) -> dict[str, object]:
    found = {name: value for name, value in vars(curve).items() if name != "settings"}
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in found.items()}
