"""Runs as the pages see them: read from their files and records, never from a process.

So a page follows a run whoever trains it: this server, a command line, another machine on the same
folder. What runs when a page is loaded is read in the thread that computes, which has imported what
it takes; nothing here calls JAX.
"""

import os
import re
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.errors import UserError

if TYPE_CHECKING:
    from league.store.database import Results
    from league.store.status import Status

CARD, RECORD, LOG = "run.json", "league.db", "train.log"
"""The files of a run that are read here; the log is that of a training which a page started."""
_NAME = re.compile(r"\w[\w.=+-]{0,99}")
_DOING = {
    "start": "starts",
    "play": "plays",
    "learn": "learns",
    "measure": "is measured",
    "save": "is saved",
    "report": "is written into the report",
}


@dataclass(frozen=True)
class Look:
    """A run at one moment.

    Attributes:
      name: of the run.
      id: of its folder, another for another run of the same name.
      card: its run card.
      done: the newest generation in the record; -1 before the first.
      total: generations that it is to have; 0 as long as they are not known.
      state: training, busy (another command is at it), stopped, or finished.
      status: what the process that trains it says, or said when it was killed.
      stoppable: whether a signal from here stops it.
      figures: those of every generation, in order.
      fault: why a training that a page started failed; "" if it did not.
      cluster: what the actors do that play for it on a cluster, see `clusters.shown`; None if none
        does.
    """

    name: str
    id: str
    card: Mapping[str, Any]
    done: int
    total: int
    state: str
    status: "Status | None"
    stoppable: bool
    figures: tuple[Mapping[str, Any], ...]
    fault: str = ""
    cluster: Mapping[str, Any] | None = None

    @property
    def words(self) -> str:
        """The state in one sentence."""
        of = f" of {self.total}" if self.total else ""
        if self.state == "training":
            if self.status is None:
                return "Training"
            doing = _DOING.get(self.status.phase, self.status.phase)
            return f"Generation {self.status.generation}{of} {doing}"
        if self.state == "busy":
            return "In use by another command"
        if self.state == "finished":
            return f"Finished: {_count(self.done)}"
        if self.status is not None:
            doing = _DOING.get(self.status.phase, self.status.phase)
            return (
                f"Ended without notice while generation {self.status.generation}{of} {doing}; "
                "what was saved is kept"
            )
        why = f": {self.fault}" if self.fault else ""
        return f"Stopped after generation {max(self.done, 0)}{of}{why}"

    def shown(self) -> dict[str, Any]:
        """What a page shows of it and follows, as JSON."""
        status = self.status if self.state == "training" else None
        return {
            "state": self.state,
            "words": self.words,
            "done": max(self.done, 0),
            "total": self.total,
            "phase": status.phase if status else "",
            "since": status.since if status else 0,
            "stoppable": self.stoppable,
            "host": status.host if status else "",
            "cluster": self.cluster,
        }


def check_name(name: str) -> str:
    """A run's name, as it was given.

    Raises:
      UserError: it cannot be one.
    """
    if not _NAME.fullmatch(name):
        raise UserError(f"{name!r:.99} cannot be the name of a run: letters, digits, . = + - _ can")
    return name


def folder(place: Path, name: str) -> Path:
    """The folder of a run.

    Raises:
      UserError: there is no such run.
    """
    found = place / check_name(name)
    if not (found / CARD).is_file():
        raise UserError(f"there is no run {name!r} here")
    return found


def names(place: Path) -> list[str]:
    """The runs there are, the one that changed last first."""

    def changed(path: Path) -> float:
        files = [path, path.with_name(RECORD), path.with_name(f"{RECORD}-wal")]
        return max((file.stat().st_mtime for file in files if file.exists()), default=0.0)

    paths = [path for path in place.glob(f"*/{CARD}") if _NAME.fullmatch(path.parent.name)]
    return [path.parent.name for path in sorted(paths, key=changed, reverse=True)]


def look(place: Path, name: str) -> Look:
    """A run as it is now.

    Raises:
      UserError: there is none, or what it holds cannot be read.
    """
    from league.store import card as cards
    from league.store import files, status
    from league.web import clusters

    found = folder(place, name)
    try:
        inode = found.stat()
    except OSError:
        raise UserError(f"there is no run {name!r} here") from None
    card = cards.read(found)
    locked, said = files.is_locked(found), status.read(found)
    try:
        figures = _figures(found)
    except UserError:
        if not _is_beginning(locked, said):
            raise
        figures = ()
    done = int(figures[-1]["generation"]) if figures else -1
    config = card["config"]
    known = not config.get("time") or config.get("plateau", 0) > 0
    total = int(config.get("generations", 0)) if known else 0
    if locked:
        state = "training" if said is not None else "busy"
    else:
        whole = total and done >= total and (said is None or said.phase == "report")
        state = "finished" if whole else "stopped"
    stoppable = state == "training" and said is not None and said.heeds and status.is_alive(said)
    number = f"{inode.st_dev}-{inode.st_ino}"
    fault = _fault(found) if state == "stopped" else ""
    played = clusters.shown(found, card) if locked else None
    return Look(name, number, card, done, total, state, said, stoppable, figures, fault, played)


def is_beginning(found: Path) -> bool:
    """Whether a process is about to train a run, whose record need not be whole yet."""
    from league.store import files, status

    return _is_beginning(files.is_locked(found), status.read(found))


def _is_beginning(locked: bool, said: "Status | None") -> bool:
    return locked and (said is None or said.phase == "start")


def _fault(found: Path) -> str:
    """The last line of a log that tells of a failure, if no other training came after it."""
    from league.store import files

    log, lock = found / LOG, found / files.LOCK
    try:
        if log.stat().st_mtime < lock.stat().st_mtime:
            return ""
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - 2000))
            last = file.read().decode(errors="replace").strip().rpartition("\n")[2]
    except OSError:
        return ""
    said = last.removeprefix("arena: ")
    return said if said != last and not said.startswith("interrupted") else ""


def _figures(found: Path) -> tuple[Mapping[str, Any], ...]:
    from league.store import record
    from league.store.database import Results

    if (place := record.find(found)) is None:
        return ()
    with Results(place) as results:
        return tuple(results.events())


def version(found: Path) -> tuple[Any, ...]:
    """Changes whenever the record of a run does."""
    marks = []
    for name in (CARD, RECORD, f"{RECORD}-wal"):
        try:
            stat = os.stat(found / name)
            marks.append((stat.st_ino, stat.st_size, stat.st_mtime_ns))
        except OSError:
            marks.append(None)
    return (*marks, _shared_version(found))


def _shared_version(found: Path) -> tuple[int, ...] | None:
    """The same of a record in a shared database; None if it is in a file."""
    from league.store import record
    from league.store.backend import SharedDatabase
    from league.store.database import Results

    place = record.find(found)
    if not isinstance(place, SharedDatabase):
        return None
    with Results(place) as results:
        return results.version()


@contextmanager
def frozen(found: Path) -> Iterator["Results"]:
    """The record of a run as it is at one moment, though a training goes on writing it.

    Raises:
      UserError: it is missing, or cannot be read.
    """
    from league.store import record
    from league.store.database import Results

    place = record.find(found)
    if place is None:
        raise UserError(f"run {found.name!r} has nothing in its record yet")
    if not isinstance(place, Path):
        with Results(place, frozen=True) as results:
            yield results
        return
    with tempfile.TemporaryDirectory(prefix="arena-") as folder:
        copy = Path(folder) / RECORD
        try:
            with closing(sqlite3.connect(place)) as source, closing(sqlite3.connect(copy)) as sink:
                source.backup(sink)
        except sqlite3.Error as error:
            raise UserError(f"the record of run {found.name!r} cannot be read: {error}") from None
        with Results(copy) as results:
            yield results


def _count(number: int) -> str:
    return f"{number} generation{'' if number == 1 else 's'}"
