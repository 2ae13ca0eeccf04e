"""The thread of a server that thinks, and what is still to be done."""

import queue
import threading
from collections.abc import Callable

from league.protocols.streams import warn


class Worker:
    """Does one piece of work after another, in a thread of its own.

    Args:
      failed: called with an exception that a piece of work has raised.
    """

    def __init__(self, failed: Callable[[Exception], None] = lambda error: warn(str(error))):
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._failed, self._waiting, self._lock = failed, 0, threading.Lock()
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def idle(self) -> bool:
        """Whether nothing is to be done, or being done."""
        return self._waiting == 0

    def do(self, job: Callable[[], None]) -> None:
        """Has a piece of work done when all before it is."""
        with self._lock:
            self._waiting += 1
        self._jobs.put(job)

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                job()
            except Exception as error:
                self._failed(error)
            finally:
                with self._lock:
                    self._waiting -= 1
