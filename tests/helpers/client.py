"""A client of a server of `league/protocols`, in this process."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

_PATIENCE = 120.0


class Serves(Protocol):
    def serve(self, lines: Iterable[str]) -> None: ...


class Client:
    """Sends lines to a server that runs in a thread, and reads what it answers.

    Args:
      make: makes the server, given what writes its lines.
    """

    def __init__(self, make: Callable[[Callable[[str], None]], Serves]):
        self._sent: queue.Queue[str | None] = queue.Queue()
        self._told: queue.Queue[str] = queue.Queue()
        self.server = make(self._write)
        self._thread = threading.Thread(
            target=self.server.serve, args=(self._lines(),), daemon=True
        )
        self._thread.start()

    def _write(self, text: str) -> None:
        for line in text.split("\n"):
            self._told.put(line)

    def _lines(self) -> Iterator[str]:
        while (line := self._sent.get()) is not None:
            yield line

    def send(self, *lines: str) -> None:
        for line in lines:
            self._sent.put(line)

    def read(self) -> str:
        return self._told.get(timeout=_PATIENCE)

    def until(self, head: str) -> list[str]:
        """All lines up to the first that begins so."""
        found = [self.read()]
        while not found[-1].startswith(head):
            found.append(self.read())
        return found

    def ask(self, line: str, head: str) -> list[str]:
        self.send(line)
        return self.until(head)

    def command(self, line: str) -> str:
        """A command of GTP and its answer, which an empty line ends."""
        self.send(line)
        found = [self.read()]
        while found[-1]:
            found.append(self.read())
        return "\n".join(found[:-1])

    def silent(self) -> bool:
        return self._told.empty()

    def close(self) -> None:
        self._sent.put(None)
        self._thread.join(_PATIENCE)
        assert not self._thread.is_alive()
