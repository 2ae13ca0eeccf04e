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
        self._jobs: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._failed = failed
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def do(self, job: Callable[[], object]) -> None:
        """Has a piece of work done when all before it is."""
        self._jobs.put(job)

    def close(self, *, wait: bool = False) -> None:
        """Ends the thread when all is done; waits for that, if asked."""
        self._jobs.put(None)
        if wait:
            self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as error:
                self._failed(error)
