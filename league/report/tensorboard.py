"""A run's figures as TensorBoard event files, written while it trains.

Every generation is one event, written after the generation counts, so a kill leaves no half of one.
What is missing is taken from the run's record: a run that is resumed goes on where its files end,
and one that was trained without the log until now gets all of its past.
"""

import importlib.util
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arena.errors import UserError
from arena.evaluation import ratings
from league.evaluation import leaderboard
from league.report import statistics
from league.report.data import generation
from league.store.database import Results
from league.store.run import Run
from league.training.events import Event, GenerationEvent

FOLDER = "tensorboard"
"""Where the event files lie in a run's folder."""


def check() -> None:
    """Raises UserError if the package that writes event files is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        raise UserError(
            "--log tensorboard needs a package that is not installed: "
            "pip install 'arena-selfplay[tensorboard]'"
        )


class TensorBoardLog:
    """A callback for a trainer; a context manager that closes the file.

    Tags, the step being the generation: `rating/elo` (above snapshot 0, by the games up to then)
    with `rating/elo_low` and `rating/elo_high`, its 95 % interval; `score/uniform` and `score/mcts`
    with `_low` and `_high`; `loss/…`; `speed/games_per_s`, `speed/seconds`;
    `exploitability/snapshot` and `exploitability/pool`; `passes/training` and `passes/measuring`,
    of that generation.

    Args:
      run: the run.
      results: its record.

    Raises:
      UserError: the package `tensorboard` is not installed.
    """

    def __init__(self, run: Run, results: Results):
        check()
        self._run, self._results = run, results
        self._written = last_step(run.folder / FOLDER)
        self._writer = None

    def __enter__(self) -> "TensorBoardLog":
        done = max(self._run.state.numbers(), default=-1)
        self._write_up_to(done)  # not further: what is half saved will be trained once more
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def __call__(self, event: Event) -> None:
        """Writes a generation that has been saved; other events are of no interest."""
        if isinstance(event, GenerationEvent):
            self._write_up_to(event.generation)

    def _write_up_to(self, newest: int) -> None:
        """Writes the generations that the files lack."""
        recorded = {event["generation"]: event for event in self._results.events()}
        for number in range(self._written + 1, newest + 1):
            if number in recorded:
                self._write(number, _figures(self._results, number, recorded[number]))

    def _write(self, step: int, figures: Mapping[str, float]) -> None:
        """Writes one event; every process that has something to write makes a file of its own."""
        from tensorboard.compat.proto import event_pb2
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        if self._writer is None:
            self._writer = EventFileWriter(str(self._run.folder / FOLDER))
        event = event_pb2.Event(wall_time=time.time(), step=step)  # pyright: ignore[reportAttributeAccessIssue]
        for tag, value in figures.items():
            if math.isfinite(value):
                event.summary.value.add(tag=tag, simple_value=value)
        self._writer.add_event(event)
        self._writer.flush()
        self._written = step


def last_step(folder: Path) -> int:
    """The newest generation in a folder of event files; -1 if there is none."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    steps = [
        event.step
        for path in sorted(folder.glob("*tfevents*"))
        for event in EventFileLoader(str(path)).Load()
        if event.HasField("summary")
    ]
    return max(steps, default=-1)


def _figures(results: Results, number: int, recorded: Mapping[str, Any]) -> dict[str, float]:
    """All figures of a generation, by tag."""
    own = generation(recorded)
    return {
        **_rating(results, number),
        **_scores(results, number),
        "loss/total": own.loss,
        **{
            f"loss/{name.removesuffix('_loss')}": float(value)
            for name, value in recorded.items()
            if name.endswith("_loss")
        },
        "speed/games_per_s": own.games_per_s,
        "speed/seconds": own.seconds,
        "exploitability/snapshot": own.exploitability,
        "exploitability/pool": own.pool_exploitability,
        "passes/training": own.type_1,
        "passes/measuring": own.type_2,
    }


def _rating(results: Results, number: int) -> dict[str, float]:
    """The rating of a snapshot above snapshot 0, by the measuring games up to then."""
    games = results.scores("measure", until=number)
    table = leaderboard.table(games, [str(i) for i in range(number + 1)])
    fit = ratings.fit(table, number + 1, first_move=True)
    elo, half = float(fit.elo[number]), float(fit.half_width[number])
    return {"rating/elo": elo, "rating/elo_low": elo - half, "rating/elo_high": elo + half}


def _scores(results: Results, number: int) -> dict[str, float]:
    """The scores of a snapshot against the fixed opponents that it has met."""
    found = {}
    for role in ("uniform", "mcts"):
        for tally in results.tallies(role):
            if tally.generation == number and tally.games:
                record = tally.wins, tally.draws, tally.losses
                score, low, high = statistics.wilson(record)
                found |= {f"score/{role}": score}
                found |= {f"score/{role}_low": low, f"score/{role}_high": high}
    return found
