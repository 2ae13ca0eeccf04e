"""Standard input and output of a server: lines of the protocol, and nothing else."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import BinaryIO

Write = Callable[[str], None]
"""Writes a line, or several; from any thread."""


def private_stdout() -> Write:
    """Keeps stdout for the protocol; whatever else is printed, by anybody's code, goes to stderr.

    Programs that this process starts, and libraries in C++, write to stderr too.

    Returns:
      writes a line to what was stdout, whole and at once. A client that has closed its end is told
      nothing more; the end of standard input will follow.
    """
    sys.stdout.flush()
    descriptor = os.dup(sys.stdout.fileno())
    os.set_inheritable(descriptor, False)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    lock = threading.Lock()

    def write(text: str) -> None:
        left = (text + "\n").encode()
        with lock, suppress(OSError):
            while left:
                left = left[os.write(descriptor, left) :]

    return write


def lines(stream: BinaryIO) -> Iterator[str]:
    """The lines of a stream without their ends, LF or CRLF; what is no UTF-8 is replaced."""
    for line in iter(stream.readline, b""):
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def warn(text: str) -> None:
    """One line on stderr."""
    with suppress(OSError, ValueError):
        print(f"arena: {text}", file=sys.stderr, flush=True)
