"""Progress of long work on stderr: a bar on a terminal, elsewhere a line now and then."""

import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress

from arena import interrupt
from league.cli import console
from league.training.events import Event, GenerationEvent

INTERVAL = 10.0
"""Seconds between two lines at least, where stderr is no terminal."""


class Progress:
    """How much of some countable work is done; a context manager.

    Where stderr is no terminal, a line is printed at most every `INTERVAL` seconds, and one when
    all is done; work that fails at once prints nothing.

    Args:
      name: what is counted, such as `matches`.
      total: how many there are.
      done: how many are done already.
      clock: seconds, for tests.
      output: where to print; stderr by default.
    """

    def __init__(
        self,
        name: str,
        total: int,
        *,
        done: int = 0,
        clock: Callable[[], float] = time.monotonic,
        output: Console | None = None,
    ):
        self._name, self._total = name, total
        self._done: float = done
        self._clock, self._output = clock, output or console.stderr
        self._began, self._first, self._printed = clock(), done, clock()
        self._note = ""
        self._bar = _bar(self._output) if self._output.is_terminal else None

    def __enter__(self) -> "Progress":
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(
                self._name, total=self._total, completed=self._first, note=""
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, count: int = 1) -> None:
        """So many more are done."""
        self.update(self._done + count)

    def work_on(self, note: str, done: float, total: int) -> None:
        """What is being done now, and how much is done, in all and of how much.

        Raises:
          KeyboardInterrupt: a stop was asked for.
        """
        self._total, self._note = total, note
        if self._bar is not None:
            self._bar.update(self._task, total=total, note=note)
        self.update(done)

    def skip_to(self, done: int) -> None:
        """So many were done before, and say nothing of how long the others take."""
        self._first, self._began = done, self._clock()
        self.update(done)

    def update(self, done: float) -> None:
        """So many are done in all; raises KeyboardInterrupt if a stop was asked for."""
        self._done = done
        if self._bar is not None:
            self._bar.update(self._task, completed=done)
        elif done >= self._total or self._clock() - self._printed >= INTERVAL:
            self._printed = self._clock()
            self._output.print(self._line())
        interrupt.check()

    def _line(self) -> str:
        line = f"{self._name}: {_count(self._done)}/{self._total}"
        if self._note and self._done < self._total:
            line += f", {self._note}"
        fresh = self._done - self._first
        if fresh <= 0 or self._done >= self._total:
            return line
        left = (self._printed - self._began) / fresh * (self._total - self._done)
        return f"{line}, {_time(left)} left"


class TrainingProgress:
    """A callback for a trainer that shows its progress; a context manager.

    On a terminal a bar shows the generation and its phase; elsewhere every generation prints a
    line with games per second, loss and the time that is left. Alarms are printed in both.

    Args:
      total: gives the generations of the run; 0 as long as it is not known.
      done: generations that are there already.
      clock: seconds, for tests.
      output: where to print; stderr by default.
    """

    def __init__(
        self,
        total: Callable[[], int],
        *,
        done: int = 0,
        clock: Callable[[], float] = time.monotonic,
        output: Console | None = None,
    ):
        self._total, self._done = total, done
        self._clock, self._output = clock, output or console.stderr
        self._bar = _bar(self._output) if self._output.is_terminal else None
        self._times = deque([clock()], maxlen=6)  # of the last generations' ends

    def __enter__(self) -> "TrainingProgress":
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(
                "start", total=self._total() or None, completed=self._done, note=""
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, event: Event) -> None:
        """Shows one event of the trainer."""
        if isinstance(event, GenerationEvent):
            self._generation(event)
        elif self._bar is not None:
            phase = f"gen {event.generation}: {event.phase}"
            self._bar.update(self._task, description=f"{phase:16}")

    def _generation(self, event: GenerationEvent) -> None:
        """A generation is saved; `games_per_s` and `loss` are shown if it has them."""
        self._times.append(self._clock())
        number, figures, note = event.generation, event.figures, ""
        if "loss" in figures:
            note = f"{figures['games_per_s']:.0f} games/s, loss {figures['loss']:.3f}"
        if self._bar is not None:
            total = self._total() or None
            self._bar.update(self._task, completed=number, total=total, note=note)
        else:
            parts = [note] if note else []
            if note and number < self._total():
                parts.append(f"{_time(self._left(number))} left")
            total = self._total() or "?"
            self._output.print(f"gen {number}/{total}: {', '.join(parts) or 'measured'}")
        for alarm in event.alarms:
            (self._bar.console if self._bar else self._output).print(f"alarm: {alarm}")

    def _left(self, number: int) -> float:
        """Seconds, if generations go on to take as long as the last five on average."""
        passed = self._times[-1] - self._times[0]
        return passed / (len(self._times) - 1) * (self._total() - number)


def _bar(output: Console) -> RichProgress:
    """A bar within 80 columns: what is going on, count, note, time left."""
    return RichProgress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=12),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TextColumn("[dim]left"),
        TimeRemainingColumn(),
        console=output,
        speed_estimate_period=600,  # a step may be a whole generation, tens of seconds
    )


def _count(done: float) -> str:
    """A whole number as it is, a part of a piece of work to a tenth."""
    return str(int(done)) if done == int(done) else f"{done:.1f}"


def _time(seconds: float) -> str:
    """Hours, minutes and seconds, 0:02:05."""
    return str(timedelta(seconds=round(seconds)))
