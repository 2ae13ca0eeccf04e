"""What a page that shows a run is told while it is open.

Every generation is an event whose id is its place in the record, counted from 1, so that who
reconnects to this or another server, or reloads, is told what was missed and nothing twice. The
state of the run has no id: it is sent whenever it changes, and at once to who connects.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from arena.errors import UserError
from league.web import runs
from league.web.events import line

_PAUSE = 0.5
"""Seconds between two looks at a run, however many visitors follow it."""
_KEEP_ALIVE = 15.0
_FIGURES = ("generation", "games", "games_per_s", "positions", "seconds", "loss", "policy_loss")
_MORE = ("value_loss", "exploitability", "pool_exploitability", "phase_seconds", "alarms")


class Followed:
    """Looks at runs for all who follow them.

    Args:
      place: the folder of runs.
    """

    def __init__(self, place: Path):
        self._place, self._lock = place, Lock()
        self._looks: dict[str, tuple[float, runs.Look | str]] = {}

    def look(self, name: str) -> runs.Look:
        """A run as it was at most half a second ago.

        Raises:
          UserError: there is none, or what it holds cannot be read.
        """
        with self._lock:
            when, found = self._looks.get(name, (0.0, ""))
            if time.monotonic() - when >= _PAUSE or not found:
                try:
                    found = runs.look(self._place, name)
                except UserError as error:
                    found = str(error)
                self._looks[name] = time.monotonic(), found
                self._forget()
        if isinstance(found, str):
            raise UserError(found)
        return found

    def _forget(self) -> None:
        old = time.monotonic() - 60
        self._looks = {name: kept for name, kept in self._looks.items() if kept[0] > old}

    async def lines(
        self, name: str, after: int, run: str, *, row: Callable[[Mapping[str, Any]], object]
    ) -> AsyncIterator[str]:
        """The lines of a stream.

        Args:
          name: of the run.
          after: how many generations the page has.
          run: the id of the folder that it shows; empty for whichever it is.
          row: makes the data of an event from a generation's figures.
        """
        told, quiet = None, time.monotonic()
        while True:
            try:
                look = await asyncio.to_thread(self.look, name)
            except UserError as error:
                yield line("gone", {"text": f"{error}: it was deleted, or cannot be read"})
                return
            if run and look.id != run:
                yield line("gone", {"text": f"run {name!r} is another one now; reload the page"})
                return
            for figures in look.figures[after:]:
                after += 1
                yield line("generation", row(figures), after)
                quiet = time.monotonic()
            if (shown := look.shown()) != told:
                told, quiet = shown, time.monotonic()
                yield line("status", shown)
            if time.monotonic() - quiet > _KEEP_ALIVE:
                quiet = time.monotonic()
                yield ": still here\n\n"
            await asyncio.sleep(_PAUSE)


def brief(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Of a generation's figures those that the page shows in a row."""
    return {key: figures[key] for key in (*_FIGURES, *_MORE) if key in figures}
