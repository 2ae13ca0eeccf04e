"""The experiments of the laboratory at full size, for the site.

    python -m benchmarks.laboratory               # all
    python -m benchmarks.laboratory forgetting    # or some

Goes on where it was left, as `arena lab` does, in ./runs/lab, and writes the result of each to
benchmarks/results/laboratory/NAME.json.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from league.cli import device
from league.lab import names, rows, store, watched

RESULTS = Path(__file__).parent / "results" / "laboratory"


@dataclass(frozen=True)
class Options:
    """What to run.

    Attributes:
      names: of experiments; all by default.
    """

    names: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="NAME...")] = (
        field(default=())
    )


def main(options: Options) -> None:
    """Runs them and writes their results."""
    device.prepare()
    for experiment in [names.find(name) for name in options.names] or names.every():
        result = watched.run(experiment)
        command = {"command": f"python -m benchmarks.laboratory {experiment.name}"}
        RESULTS.mkdir(exist_ok=True)
        store.write_json(RESULTS / f"{experiment.name}.json", command | result)
        print(f"{experiment.name}: {rows.summary(result)}")


if __name__ == "__main__":
    main(tyro.cli(Options))
