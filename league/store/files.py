"""Writing files whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: Path, mode: str = "wb") -> Iterator[Any]:
    """Writes a file whole or not at all: beside it first, then in its place."""
    beside = path.with_name(f".{path.name}.new")
    with open(beside, mode) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
