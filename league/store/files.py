"""Writing files whole or not at all, and one process at a time."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arena.errors import UserError

LOCK = "lock"
"""The file in a run's folder that the process which changes the run keeps locked."""
_ATTEMPTS, _PAUSE = 3, 0.05
"""How often it is tried, and seconds between: `is_locked` holds it for an instant."""


_NEW = ".new"
"""Ends the name of a file that is being written, or whose writer was killed."""


def half_written(path: Path) -> bool:
    """Whether it is what `replacing` has not put in its place."""
    return path.name.startswith(".") and path.name.endswith(_NEW)


@contextmanager
def replacing(path: Path, mode: str = "wb") -> Iterator[Any]:
    """Writes a file whole or not at all: beside it first, then in its place.

    Args:
      path: where; what a link there points to is replaced, the link stays.
      mode: `w`, as UTF-8, or `wb`.

    Raises:
      UserError: something that is no regular file is there, or its folder is not.
    """
    place = Path(os.path.realpath(path))
    if os.path.lexists(place) and not place.is_file():
        raise UserError(f"{path} is there, and is no regular file: it is not replaced")
    if not place.parent.is_dir():
        raise UserError(f"{path} cannot be written: there is no folder {path.parent}")
    beside = place.with_name(f".{place.name}{_NEW}")
    with open(beside, mode, encoding=None if "b" in mode else "utf-8") as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    os.replace(beside, place)


@contextmanager
def lock(folder: Path, *, alone: bool = True) -> Iterator[None]:
    """Keeps other processes out of a run's folder; a kill releases it.

    Args:
      folder: of the run.
      alone: keep all out; else only those who want to be alone.

    Raises:
      UserError: another process holds it.
    """
    with open(folder / LOCK, "a") as file:
        for attempt in range(_ATTEMPTS):
            try:
                kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
                fcntl.flock(file, kind | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt + 1 == _ATTEMPTS:
                    raise UserError(f"run {folder.name!r} is in use by another process") from None
                time.sleep(_PAUSE)
        if alone:
            file.truncate(0)  # what the last holder wrote, see `status.py`
        yield


def is_locked(folder: Path) -> bool:
    """Whether a process keeps others out of a run's folder."""
    try:
        with open(folder / LOCK) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # nobody ever held it
        return False
    return False
