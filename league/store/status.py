"""What the process that trains a run is doing, for others to read: in the run's `lock` file.

The lock itself tells whether a process is at it, also after a kill; what the file holds tells which
one, and where it is. Nothing of it goes into the record.
"""

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from league.store import files

_BYTES = 512
"""The length of the text, blanks included, so that one write replaces another at once."""


@dataclass(frozen=True)
class Status:
    """Where a training is.

    Attributes:
      generation: that it is at.
      phase: start, play, learn, measure, save or report.
      since: when the phase began, seconds since 1970.
      host: the machine's name.
      pid: the process's number there.
      born: when the process began, as the system tells it, so that the number of another that came
        after it is not taken for it; empty where it is not told.
      heeds: whether it stops on SIGINT: shells start what is in the background deaf to it.
    """

    generation: int
    phase: str
    since: float
    host: str
    pid: int
    born: str
    heeds: bool


def write(folder: Path, generation: int, phase: str) -> None:
    """Says what this process, which holds the run's lock, is at."""
    pid = os.getpid()
    status = Status(
        generation,
        phase,
        time.time(),
        socket.gethostname(),
        pid,
        _born(pid),
        signal.getsignal(signal.SIGINT) != signal.SIG_IGN,
    )
    _put(folder, json.dumps(asdict(status)))


@contextmanager
def telling(folder: Path, generation: int) -> Iterator[None]:
    """Around a training: says that it starts, and in the end that it has ended in good order."""
    write(folder, generation, "start")
    try:
        yield
    finally:
        _put(folder, "")


def read(folder: Path) -> Status | None:
    """What was said last; None if a training ended in good order, or none ever began."""
    try:
        return Status(**json.loads((folder / files.LOCK).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def is_alive(status: Status) -> bool:
    """Whether the process still runs on this machine."""
    if status.host != socket.gethostname():
        return False
    try:
        os.kill(status.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _born(status.pid) == status.born


def _put(folder: Path, text: str) -> None:
    with (
        contextlib.suppress(FileNotFoundError),
        open(folder / files.LOCK, "r+b", buffering=0) as file,
    ):
        file.write(text.encode().ljust(_BYTES))


def _born(pid: int) -> str:
    """When a process began, in ticks since the machine did; empty where the system does not say."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]  # man 5 proc: field 22, of which two precede
