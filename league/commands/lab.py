"""List and run the experiments of the laboratory."""

from dataclasses import dataclass
from typing import Annotated, Any

import tyro

from arena.errors import UserError
from league.cli import console, device
from league.lab import names, rows, store, watched
from league.lab.experiment import Experiment, Json
from league.report.text import duration

_SEEDS = 1000


@dataclass(frozen=True)
class Command:
    """When does self-improvement work, and how does it break? Experiments with known answers.

    Without a name, the list: what each claims, how its last run here ended, and the minutes that it
    takes on one core. With names, runs them, prints what was expected beside what was measured, and
    writes card.json, result.json and a page to runs/lab/NAME (quick ones to runs/lab/NAME/quick).
    What was done before, by the same code with the same settings, is not done again: a run that was
    killed goes on, and more seeds are added to those that are there. A figure that is not as
    expected is a result, shown as such: the exit code is 0.

    Attributes:
      names: of experiments: NAME, FILE.py:CLASS or MODULE:CLASS.
      all: run all that come with Arena, one after another.
      quick: in sizes for tests, seconds rather than minutes.
      seeds: how many repetitions; by default the experiment's own number.
      json: print one JSON object for the list, or for each experiment.
    """

    names: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="NAME...")] = ()
    all: bool = False
    quick: bool = False
    seeds: int | None = None
    json: bool = False

    def __post_init__(self):
        if self.seeds is not None and not 0 < self.seeds <= _SEEDS:
            raise UserError(f"seeds must lie between 1 and {_SEEDS}, not {self.seeds}")
        if self.all and self.names:
            raise UserError("either names or --all")
        if (self.quick or self.seeds is not None) and not (self.names or self.all):
            raise UserError("which experiment? arena lab lists them, --all is all")


def run(command: Command) -> None:
    """Prints the list, or runs experiments and prints their figures."""
    if not (command.names or command.all):
        _list(command.json)
        return
    chosen = names.every() if command.all else [names.find(name) for name in command.names]
    device.prepare()
    for experiment in chosen:
        _run(experiment, command)


def _list(json: bool) -> None:
    last = [(one, store.last_result(one.name)) for one in names.every()]
    if json:
        console.emit({"experiments": [_entry(one, result) for one, result in last]})
        return
    chapter, width = "", max(len(one.name) for one, _ in last)
    for one, result in last:
        if one.chapter != chapter:
            print("\n" * bool(chapter) + one.chapter)
            chapter = one.chapter
        told = rows.summary(result) if result else "not run here yet"
        print(f"  {one.name:{width}}  {one.minutes:g} min, {told}\n    {one.claim}")


def _entry(experiment: Experiment[Any], result: dict[str, Json] | None) -> dict[str, Json]:
    return {
        "name": experiment.name,
        "chapter": experiment.chapter,
        "claim": experiment.claim,
        "minutes": experiment.minutes,
        "passed": result and result["passed"],
        "figures": result and len(result["figures"]),
        "quick": result and result["quick"],
    }


def _run(experiment: Experiment[Any], command: Command) -> None:
    result = watched.run(experiment, quick=command.quick, seeds=command.seeds)
    where = store.place(experiment.name, quick=command.quick)
    if command.json:
        console.emit({key: value for key, value in result.items() if key != "charts"})
        return
    title = f"{experiment.name}: {experiment.claim}"
    # Where an expectation comes from stands on the page; a terminal is narrow.
    shown = [(*row[:4], row[5]) for row in rows.figure_rows(result)]
    console.table(title, (*rows.FIGURE_COLUMNS[:4], ""), shown)
    for table in result["tables"]:
        console.table(table["title"], table["columns"], table["rows"])
    told = f"{rows.summary(result)}, took {duration(result['seconds'])}"
    console.stderr.print(f"{told}; page: {where / store.PAGE}")
