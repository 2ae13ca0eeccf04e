"""Running an experiment of the laboratory with its progress on stderr."""

from dataclasses import replace
from typing import Any

from league.cli.progress import Progress
from league.lab import runner
from league.lab.experiment import Experiment, Json, Part


class _Callback:
    """Shows parts as they go on; those that were done before count, but not for the time left."""

    def __init__(self, progress: Progress):
        self._progress, self._begun = progress, -1

    def __call__(self, part: Part, number: int, total: int, share: float) -> None:
        if share == 1.0 and self._begun != number:
            self._progress.skip_to(number + 1)
            return
        self._begun = number
        self._progress.work_on(part.key, number + share, total)


def run(
    experiment: Experiment[Any], *, quick: bool = False, seeds: int | None = None
) -> dict[str, Json]:
    """See `league.lab.run`."""
    settings = experiment.quick if quick else experiment.full
    if seeds is not None:
        settings = replace(settings, seeds=seeds)
    with Progress(experiment.name, len(experiment.parts(settings))) as progress:
        return runner.run(experiment, quick=quick, seeds=seeds, callback=_Callback(progress))
