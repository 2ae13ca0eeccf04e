"""Write a run's report."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from league.cli import console, names
from league.evaluation import leaderboard
from league.report import build


@dataclass(frozen=True)
class Command:
    """Write report.html: ratings, payoffs, losses and speed of a run; opens without a network.

    Attributes:
      run: name of the run.
      json: print one JSON object.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    json: bool = False


def run(command: Command) -> None:
    """Writes the report and says where it lies."""
    work = names.run(command.run)
    with work.results() as results:
        path = build.write(work, results, leaderboard.of(results, work.config.measure.max_elo_step))
    work.close()
    if command.json:
        console.emit({"run": work.name, "report": str(path)})
    else:
        print(path)
