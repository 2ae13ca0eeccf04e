"""Ctrl-C: the first ends a command between two pieces of its work, the second at once."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from arena import interrupt

CODE = 130
"""The exit code of a command that was interrupted, as shells have it."""

_PATIENCE = 1.0
"""Seconds after which it is said that a piece of work has to end first."""
_NUDGE = 0.1
"""Seconds between two signals to a main thread that waits for a person, and has not been woken."""


@contextmanager
def listening() -> Iterator[None]:
    """Around a command: notes what Ctrl-C asks for, see `arena.interrupt`.

    Does nothing outside the main thread, and where the process ignores Ctrl-C.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before == signal.SIG_IGN:
        yield
        return
    interrupt.reset()
    # Handlers run in the main thread, between instructions of Python; compiled work may take
    # minutes. A thread that reads a pipe knows of every signal at once.
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    earlier = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, lambda *_: interrupt.ask())
    done = threading.Event()
    threading.Thread(target=_Watch(reader, done).run, daemon=True).start()
    try:
        yield
    finally:
        done.set()
        signal.set_wakeup_fd(earlier)
        os.close(writer)
        # What is left to do at the end of the process is to be ended without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL if interrupt.reset() else before)


class _Watch:
    """Counts signals; the second ends the process.

    Args:
      reader: the end of the pipe from which they are read.
      done: set when the command has ended.
    """

    def __init__(self, reader: int, done: threading.Event):
        self._reader, self._done = reader, done
        self._nudges = 0

    def run(self) -> None:
        """Reads signals until the pipe is closed."""
        count = 0
        with open(self._reader, "rb", buffering=0) as signals:
            while number := signals.read(1):
                if number[0] != signal.SIGINT:
                    continue
                if self._nudges:
                    self._nudges -= 1
                    continue
                count += 1
                if count == 1:
                    threading.Thread(target=self._follow, daemon=True).start()
                else:
                    _end()

    def _follow(self) -> None:
        """After the first signal: wakes a wait that it has missed, or says what is waited for.

        A signal that another thread took, or that came just before the wait began, ends no wait.
        """
        main, waited = threading.main_thread().ident, 0.0
        while not self._done.wait(_NUDGE):
            waited += _NUDGE
            if interrupt.waiting() and main is not None:
                self._nudges += 1
                signal.pthread_kill(main, signal.SIGINT)
            elif waited >= _PATIENCE:
                _say("arena: stops after this piece of work; Ctrl-C once more ends it at once\n")
                return


def _end() -> None:
    """Ends the process, whatever it is at."""
    _say(("\x1b[?25h" if sys.stderr.isatty() else "") + "arena: interrupted\n")  # shows the cursor
    os._exit(CODE)


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


@contextmanager
def closing_line(text: str) -> Iterator[None]:
    """Around work that may be interrupted: what is then said, beside that it was."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(text) from None
