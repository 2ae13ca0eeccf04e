"""Stopping long work between its pieces, not at whatever instruction a signal meets.

An exception that a signal raises inside a callback of JAX's is lost there. So the command line only
notes that a stop was asked for, and long work calls `check` between two of its pieces. Where nobody
notes signals in this way, as in a notebook, `check` does nothing.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_asked = threading.Event()
_waiting = threading.Event()


def ask() -> None:
    """Asks for a stop, in a signal handler.

    Raises:
      KeyboardInterrupt: the main thread waits for a person, and stops at once.
    """
    _asked.set()
    if _waiting.is_set():
        raise KeyboardInterrupt


def check() -> None:
    """Raises KeyboardInterrupt if a stop was asked for; called between pieces of long work."""
    if _asked.is_set():
        raise KeyboardInterrupt


def reset() -> bool:
    """Forgets that a stop was asked for; whether one was."""
    was = _asked.is_set()
    _asked.clear()
    return was


def waiting() -> bool:
    """Whether the main thread waits for a person's input."""
    return _waiting.is_set()


@contextmanager
def at_once() -> Iterator[None]:
    """Around a wait for a person's input: a stop ends it at once."""
    _waiting.set()
    try:
        check()
        yield
    finally:
        _waiting.clear()
