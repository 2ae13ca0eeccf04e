"""Keeps the actors of a pool at work in a thread, whatever the thread that asks is doing."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from arena import interrupt
from league.cluster.pool import Pool, Task

_LOOK = 1.0
"""Seconds after which it is looked whether a stop was asked for."""
_PATIENCE = 10.0
"""Seconds that the thread has to end in; a call of Ray's may hang."""


class Driver:
    """Directs a pool.

    Args:
      pool: of actors, which nobody else directs.
      keep: called with each task and its result, in the thread, before the result can be taken.
    """

    def __init__(self, pool: Pool, keep: Callable[[Task, Any], None]):
        self._pool, self._keep = pool, keep
        self._new: SimpleQueue[Task] = SimpleQueue()
        self._results: dict[str, Future[Any]] = {}
        self._error: BaseException | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="cluster", daemon=True)
        self._thread.start()

    def submit(self, task: Task) -> None:
        """Has a task done, whose result is then to be taken."""
        self._results[task.key] = Future()
        self._new.put(task)

    def take(self, key: str) -> Any:
        """Waits for the result of a task, and forgets it.

        Raises:
          KeyboardInterrupt: a stop was asked for.
          UserError: an actor found something wrong, or what is wrong with the store.
        """
        while True:
            interrupt.check()
            if self._error is not None:
                raise self._error
            with suppress(TimeoutError):
                result = self._results[key].result(timeout=_LOOK)
                del self._results[key]
                return result

    def close(self) -> None:
        """Ends the thread."""
        self._ended.set()
        self._thread.join(_PATIENCE)

    def _work(self) -> None:
        try:
            while not self._ended.is_set():
                self._hand_over()
                for task, result in self._pool.step():
                    self._keep(task, result)
                    self._results[task.key].set_result(result)
        except BaseException as error:  # raised where a result is taken
            self._error = error

    def _hand_over(self) -> None:
        """Gives new tasks to the pool; waits for one, if it has nothing else to do."""
        with suppress(Empty):
            if self._pool.is_idle:
                self._pool.submit(self._new.get(timeout=_LOOK))
            while True:
                self._pool.submit(self._new.get_nowait())
