"""Writing files whole or not at all, and one process at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arena.errors import UserError


@contextmanager
def replacing(path: Path, mode: str = "wb") -> Iterator[Any]:
    """Writes a file whole or not at all: beside it first, then in its place."""
    beside = path.with_name(f".{path.name}.new")
    with open(beside, mode) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Keeps other processes out of a run's folder; a kill releases it.

    Raises:
      UserError: another process holds it.
    """
    with open(folder / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"run {folder.name!r} is in use by another process") from None
        yield
