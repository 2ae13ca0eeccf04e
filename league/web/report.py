"""The plots and tables of a run, those of its static report, for the pages that show them.

Computed once for all visitors as long as the record stays as it is, one run at a time, beside the
thread that computes: it takes seconds, and nothing of it is for JAX.
"""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.errors import UserError
from league.web import runs

if TYPE_CHECKING:
    from league.store.run import Run

_MOST = 8
"""Runs whose parts are kept."""
_REST = 4.0
"""While a run is trained, parts are kept for so many times as long as making them took."""


@dataclass(frozen=True)
class Parts:
    """What the pages show of a run.

    Attributes:
      generation: the newest of them; -1 if there is nothing to show yet.
      values: by the names of the report's template, and `searchable`; empty if there is nothing to
        show.
      version: of the record, see `runs.version`.
      due: when they may be made again, in seconds of `time.monotonic`.
    """

    generation: int
    values: dict[str, Any]
    version: tuple[Any, ...]
    due: float


class Reports:
    """The parts of runs, kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Path, Parts] = OrderedDict()
        self._lock = asyncio.Lock()

    async def get(self, found: Path, *, patient: bool = False) -> Parts:
        """The parts of a run; takes seconds where they have to be made.

        Args:
          found: the run's folder.
          patient: whether older ones will do, if it is not long since they were made.

        Raises:
          UserError: the run, or its record, cannot be read.
        """
        async with self._lock:
            return await asyncio.to_thread(self._newest, found, patient)

    def _newest(self, found: Path, patient: bool) -> Parts:
        version, kept = runs.version(found), self._kept.get(found)
        if kept is not None and (
            kept.version == version or (patient and time.monotonic() < kept.due)
        ):
            return kept
        began = time.monotonic()
        generation, values = _make(found)
        now = time.monotonic()
        parts = Parts(generation, values, version, now + _REST * (now - began))
        self._kept[found] = parts
        self._kept.move_to_end(found)
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return parts


def _make(found: Path) -> tuple[int, dict[str, Any]]:
    from league.store import record
    from league.store.run import Run

    run = Run(found)
    if record.find(found) is None:
        return -1, {}
    try:
        return _gather(run, found)
    except UserError:
        if runs.is_beginning(found):
            return -1, {}
        raise


def _gather(run: "Run", found: Path) -> tuple[int, dict[str, Any]]:
    from league.evaluation import leaderboard
    from league.report import build, page

    with runs.frozen(found) as results:
        snapshots = results.digests()
        if not snapshots:
            return -1, {}
        standing = leaderboard.compute(results, run.config.measure.max_elo_step)
        values = page.parts(build.gather(run, results, standing, board=False))
        return max(snapshots), {**values, "searchable": _is_searchable(str(run.card["game"]))}


def _is_searchable(name: str) -> bool:
    """Whether a game can be analysed here; games that load code of others are not looked at."""
    import games

    return name.partition(":")[0] in games.names() and games.load(name).searchable
