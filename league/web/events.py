"""Server-sent events with ids: who reconnects, or reloads, gets what was missed."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse

from arena.errors import whole_number
from league.web.work import Busy

MOST_STREAMS = 256
"""The most streams that are open at once; a browser opens six to one server at most."""
_KEEP_ALIVE = 15.0
"""Seconds after which a line is sent that says nothing, so that a connection that broke shows."""

_open = threading.BoundedSemaphore(MOST_STREAMS)


class Channel:
    """Events in order, kept until they are dropped: event n has the id n, from 1 on.

    `publish` and `close` may be called from any thread.
    """

    def __init__(self) -> None:
        self.events: list[tuple[str, object] | None] = []
        self.closed = False
        self.watchers = 0
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._lock = threading.Lock()

    def publish(self, kind: str, data: object) -> None:
        """Adds an event, whose data go out as JSON."""
        with self._lock:
            self.events.append((kind, data))
        self._wake()

    def drop(self, *kinds: str) -> None:
        """Forgets the events of these kinds so far, which nobody misses; ids stay as they are."""
        with self._lock:
            for n, event in enumerate(self.events):
                if event is not None and event[0] in kinds:
                    self.events[n] = None

    def close(self) -> None:
        """No event follows."""
        self.closed = True
        self._wake()

    def end(self, future: "Future[Any]") -> None:
        """Closes it when a job has ended, after what went wrong if anything did."""
        error = None if future.cancelled() else future.exception()
        if error is not None:
            text = str(error) if isinstance(error, ValueError) else type(error).__name__
            self.publish("failure", {"error": text})
        self.close()

    def _wake(self) -> None:
        with self._lock:
            waiting = list(self._waiting)
        for loop, event in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def follow(self, after: int = 0) -> AsyncIterator[str]:
        """The lines of a stream: all events after the one with this id, and those to come."""
        mark = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            self._waiting.add(mark)
            self.watchers += 1
        try:
            while True:
                mark[1].clear()
                closed, events = self.closed, self.events[after:]
                for event in events:
                    after += 1
                    if event is not None:
                        yield line(*event, after)
                if closed and after >= len(self.events):
                    yield line("end", {}, after)
                    return
                try:
                    await asyncio.wait_for(mark[1].wait(), _KEEP_ALIVE)
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            with self._lock:
                self._waiting.discard(mark)
                self.watchers -= 1


def line(kind: str, data: object, number: int | None = None) -> str:
    """One event as it is sent."""
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {kind}\ndata: {json.dumps(data)}\n\n"


def last_id(request: Request) -> int:
    """The id of the last event that the browser has, by its header or `?after=`; 0 if none."""
    text = request.headers.get("last-event-id") or request.query_params.get("after", "0")
    return whole_number(text) or 0


def stream(
    lines: AsyncIterator[str], *, ended: Callable[[], None] = lambda: None
) -> StreamingResponse:
    """An answer that goes on.

    Args:
      lines: as `line` makes them.
      ended: called when it has ended, or the visitor has left.

    Raises:
      Busy: there are too many such answers already.
    """
    if not _open.acquire(blocking=False):
        raise Busy("too many visitors are watching; try again in a moment")

    async def send() -> AsyncIterator[str]:
        try:
            async for text in lines:
                yield text
        finally:
            _open.release()
            ended()

    return StreamingResponse(send(), media_type="text/event-stream")
