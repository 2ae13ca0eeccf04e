"""Bounded work: one thread computes, one piece for each visitor in turn.

A job is a generator: between two of its values others have their turn, so that a long analysis
delays a click by one chunk of its tree, and not by all of it. Only this thread calls JAX, so that
no number of visitors compiles or computes at once. A job ends when its visitor leaves.
"""

import asyncio
import contextlib
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from starlette.requests import Request

from arena.errors import UserError

MOST_SIMULATIONS = 4096
"""The most simulations a move that a visitor may ask for."""
MOST_SECONDS = 30.0
"""The most seconds a move."""
MOST_JOBS = 16
"""The most jobs of one visitor, running or waiting."""
MOST_WAITING = 400
"""The most jobs of all visitors."""
MOST_HEAVY = 24
"""The most heavy jobs, such as searches with a tree in memory, that have begun and not ended."""
JOB_SECONDS = 120.0
"""The most seconds of computing that one job gets, all its pieces together."""

T = TypeVar("T")
Job = Generator[T, None, None]
"""A piece of work in pieces; its last value is its result."""


class Busy(UserError):
    """There is no room for more work; the message is one line."""


@dataclass(eq=False)
class _Task:
    """A job in the queue."""

    visitor: str
    job: Generator[Any, None, None]
    callback: Callable[[Any], None] | None
    limited: bool
    heavy: bool
    begun: bool = False
    future: Future[Any] = field(default_factory=Future)
    cancelled: bool = False
    seconds: float = 0.0
    last: Any = None


class Worker:
    """The thread that computes.

    Args:
      prepare: called first, in the thread: it loads what jobs need.
    """

    def __init__(self, prepare: Callable[[], None] = lambda: None):
        self._prepare = prepare
        self._queues: OrderedDict[str, deque[_Task]] = OrderedDict()
        self._change = threading.Condition()
        self._count, self._heavy = 0, 0  # jobs; heavy ones that have begun
        self._started, self._closing = False, False
        self._ready = threading.Event()
        self._failure = ""
        self._thread = threading.Thread(target=self._run, name="arena-worker", daemon=True)

    @property
    def ready(self) -> bool:
        """Whether all is loaded that jobs need."""
        return self._ready.is_set()

    def start(self) -> None:
        """Starts the thread, if it has not begun; the first job does so, too."""
        with self._change:
            if not self._started:
                self._started = True
                self._thread.start()

    def close(self) -> None:
        """Ends the thread after the piece it is at; jobs that wait are cancelled."""
        with self._change:
            self._closing = True
            self._change.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)

    def submit(
        self,
        visitor: str,
        job: Job[T],
        *,
        callback: Callable[[T], None] | None = None,
        limited: bool = True,
        heavy: bool = False,
    ) -> "Ticket[T]":
        """Puts a job in the queue.

        Args:
          visitor: whose turn it takes.
          job: the work.
          callback: called with every value, in the thread that computes.
          limited: whether it may compute for so many seconds only.
          heavy: whether few of its kind may be under way at once.

        Raises:
          Busy: the visitor, or all of them together, have enough waiting already.
        """
        self.start()
        with self._change:
            waiting = self._queues.get(visitor, ())
            if len(waiting) >= MOST_JOBS:
                raise Busy(f"you have {MOST_JOBS} requests waiting already")
            if self._count >= MOST_WAITING:
                raise Busy("the server is busy; try again in a moment")
            task = _Task(visitor, job, cast(Any, callback), limited, heavy)
            self._queues.setdefault(visitor, deque()).append(task)
            self._count += 1
            self._change.notify()
        return Ticket(task)

    async def run(self, request: Request, job: Job[T], *, heavy: bool = False) -> T:
        """The result of a job, which is cancelled if the one who asked for it leaves.

        Args:
          request: who asks.
          job: the work.
          heavy: see `submit`.

        Raises:
          Busy: see `submit`.
          UserError: the job could not be done.
        """
        ticket = self.submit(request.state.visitor, job, heavy=heavy)
        future = asyncio.wrap_future(ticket.future)
        try:
            while not (await asyncio.wait({future}, timeout=0.25))[0]:
                if await request.is_disconnected():
                    break
            else:
                return future.result()
        finally:
            ticket.cancel()
        future.cancel()
        raise UserError("the visitor has left")

    def _run(self) -> None:
        try:
            self._prepare()
        except Exception as error:
            self._failure = f"{type(error).__name__}: {error}"
        self._ready.set()
        while (task := self._next()) is not None:
            more = self._step(task)
            with self._change:
                self._count -= 0 if more else 1
                self._put_back(task, more)

    def _next(self) -> _Task | None:
        """The task whose turn it is, taken from its queue; None when all is to end."""
        with self._change:
            task = self._choose()
            while task is None and not self._closing:
                self._change.wait()
                task = self._choose()
            if task is None or self._closing:
                for waiting in (one for queue in self._queues.values() for one in queue):
                    waiting.future.cancel()
                return None
            self._queues[task.visitor].remove(task)
            self._heavy += task.heavy and not task.begun
            task.begun = True
            return task

    def _choose(self) -> _Task | None:
        """The first visitor's first task that may go on, or begin."""
        for queue in self._queues.values():
            for task in queue:
                if task.begun or task.cancelled or not task.heavy or self._heavy < MOST_HEAVY:
                    return task
        return None

    def _put_back(self, task: _Task, more: bool) -> None:
        """The visitor goes to the end of the line, and the task to the end of the visitor's."""
        queue = self._queues.pop(task.visitor)
        if more:
            queue.append(task)
        else:
            self._heavy -= task.heavy
        if queue:
            self._queues[task.visitor] = queue

    def _step(self, task: _Task) -> bool:
        """One piece of a job; whether more are to come."""
        if task.cancelled:
            task.job.close()
            task.future.cancel()
            return False
        began = time.monotonic()
        try:
            if self._failure:
                raise UserError(f"JAX could not be loaded: {self._failure}")
            task.last = next(task.job)
            task.seconds += time.monotonic() - began
            if task.limited and task.seconds > JOB_SECONDS:
                raise UserError(f"this took more than {JOB_SECONDS:g} s of computing")
            if task.callback:
                task.callback(task.last)
        except StopIteration:
            _settle(task, lambda: task.future.set_result(task.last))
            return False
        except Exception as error:
            failure = error
            _settle(task, lambda: task.future.set_exception(failure))
            return False
        return True


@dataclass(frozen=True, eq=False)
class Ticket(Generic[T]):
    """A job that was put in the queue."""

    task: _Task

    @property
    def future(self) -> Future[T]:
        """Its result."""
        return self.task.future

    def cancel(self) -> None:
        """Ends it before its next piece, if it has not ended yet."""
        self.task.cancelled = True


def _settle(task: _Task, settle: Callable[[], None]) -> None:
    # Who waited for it may have left in the meantime.
    with contextlib.suppress(Exception):
        settle()


def once(call: Callable[[], T]) -> Job[T]:
    """A job of one piece."""
    yield call()
