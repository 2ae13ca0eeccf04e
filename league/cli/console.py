"""What a person sees, and what a program reads: progress on stderr, results on stdout."""

import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from league.training.events import Event, GenerationEvent, PhaseEvent

stderr = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def emit(value: dict[str, Any]) -> None:
    """One JSON object on a line of stdout; what is no number or infinite becomes null."""
    print(json.dumps(_finite(value), allow_nan=False), flush=True)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _finite(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A table on stdout; the first column is left-aligned, numbers right."""
    view = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for i, column in enumerate(columns):
        view.add_column(column, justify="right" if i else "left", no_wrap=True)
    for row in rows:
        view.add_row(*row)
    console = Console(highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = 120  # else rich guesses 80 and may cut columns
    console.print(view)


def bar() -> Progress:
    """A progress bar on stderr, within 80 columns: what is going on, count, note, time left."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=12),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TextColumn("[dim]left"),
        TimeRemainingColumn(),
        console=stderr,
        speed_estimate_period=600,  # a step is a whole generation, tens of seconds
    )


class Watch:
    """Turns a trainer's events into a progress bar, or into JSON lines.

    Args:
      json: write events to stdout instead.
      done: generations that are there already.
      total: generations to come to.
    """

    def __init__(self, json: bool, done: int, total: int):
        self._json = json
        self._bar = None if json else bar()
        self._total, self._done = total, done

    def __enter__(self) -> "Watch":
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(
                "start", total=self._total, completed=self._done, note=""
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        if self._json:
            emit(_as_json(event))
        elif self._bar is not None and isinstance(event, PhaseEvent):
            phase = f"gen {event.generation}: {event.phase}"
            self._bar.update(self._task, description=f"{phase:16}")
        elif self._bar is not None and isinstance(event, GenerationEvent):
            note, figures = "", event.figures
            if "loss" in figures:
                note = f"{figures['games_per_s']:.0f} games/s, loss {figures['loss']:.3f}"
            self._bar.update(self._task, completed=event.generation, note=note)
            for alarm in event.alarms:
                self._bar.console.print(f"alarm: {alarm}")


def _as_json(event: Event) -> dict[str, Any]:
    if isinstance(event, PhaseEvent):
        return {"event": "phase", **asdict(event)}
    return {"event": "generation", **event.figures}
