"""The worker processes of an imported env: they step its games while the device thinks.

One crew serves an env as long as this process lives. A worker that dies, or gives no answer in
time, is replaced; the games that it held have failed.
"""

import atexit
import contextlib
import multiprocessing
import pickle
import threading
from multiprocessing.shared_memory import SharedMemory
from typing import Any

from arena.pettingzoo import validate
from arena.pettingzoo.adapter import FAILED
from arena.pettingzoo.fault import Fault
from arena.pettingzoo.validate import Facts
from arena.pettingzoo.worker import TABLES, WAIT, Slots, room, serve, slots

TIMEOUT = 60.0
"""Seconds without an answer after which a worker counts as hung, unless `arena.timeout` says."""


class Worker:
    """One process."""

    def __init__(self, name: str):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, name), daemon=True)
        self._process.start()
        theirs.close()

    def send(self, *message: Any) -> None:
        """A message that is not sent often."""
        self.pipe.send_bytes(pickle.dumps(message))

    def end(self) -> str:
        """Ends it, however busy; says how it had ended if it was dead already."""
        self._process.join(0.2)
        code = self._process.exitcode
        self._process.kill()
        self._process.join()
        self.pipe.close()
        return "gave no answer" if code is None else f"died (exit code {code})"


def inspect(name: str) -> Facts:
    """Checks an env in a process of its own, which may die or hang of it.

    Raises:
      ValueError: it breaks the contract, in one line.
    """
    try:
        wait = validate.settings(name).get("timeout", TIMEOUT)
        worker = Worker(name)
        try:
            return _verdict(worker, wait)
        finally:
            worker.end()
    except Fault as fault:
        raise Fault(f"{name.partition('?')[0]}: {' '.join(str(fault).split())}") from None


def _verdict(worker: Worker, wait: float) -> Facts:
    worker.send("check")
    moves: tuple[int, ...] = ()
    while True:
        try:
            if not worker.pipe.poll(wait):
                raise Fault(f"no answer for {wait:g} seconds {validate.where(moves)}")
            kind, value = worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            raise Fault(f"the env's process {worker.end()} {validate.where(moves)}") from None
        if kind == "facts":
            return value
        if kind == "fault":
            raise Fault(value)
        moves = value


class Crew:
    """Workers that hold the two halves of a table's games.

    Attributes:
      tables: both halves, and for each one as many slots in which searches ask for copies.
      lock: for who searches, since two players may do so at the same time.
      failed: what went wrong with games and workers, a line each, since the process began.
      voided: games that were lost by it.
    """

    def __init__(self, name: str, facts: Facts, size: int):
        self._name, self._facts = name, facts
        self._timeout = validate.settings(name).get("timeout", TIMEOUT)
        self._size, self._workers = size, list[Worker]()
        self._memory: SharedMemory | None = None
        self._count = 0
        self.tables: list[Slots] = []
        self.lock = threading.Lock()
        self.failed: list[str] = []
        self.voided = 0
        self._busy: list[set[int]] = [set() for _ in range(TABLES)]
        atexit.register(self.close)

    def sit(self, count: int) -> list[Slots]:
        """Two halves with `count` slots each, all of them idle."""
        for number in range(TABLES):  # what an interrupted match has left
            self.wait(number)
        if not self._workers:  # the first time, or the first since it was closed
            self._workers = [Worker(self._name) for _ in range(self._size)]
        if count != self._count:
            self._release()
            size = room(self._facts, count)
            self._memory = memory = SharedMemory(create=True, size=TABLES * size)
            self._count = count
            starts = range(0, TABLES * size, size)
            self.tables = [slots(self._facts, count, memory.buf, at) for at in starts]
            for number in range(len(self._workers)):
                self._instruct(number)
        for table in self.tables:
            table.order[:] = WAIT
        return self.tables[:2]

    def _instruct(self, number: int) -> None:
        assert self._memory is not None
        part = self._part(number)
        self._workers[number].send("sit", self._facts, self._memory.name, self._count, part)

    def _part(self, number: int) -> slice:
        size = len(self._workers)
        return slice(number * self._count // size, (number + 1) * self._count // size)

    def go(self, table: int) -> None:
        """Lets the workers carry out the orders of a table; the caller goes on."""
        for number, worker in enumerate(self._workers):
            if (self.tables[table].order[self._part(number)] != WAIT).any():
                with contextlib.suppress(OSError):  # it is dead, as waiting for it will show
                    worker.pipe.send_bytes(bytes([table]))
                self._busy[table].add(number)

    def wait(self, table: int) -> None:
        """Until they are done; games that failed have FAILED as their mover.

        Of two tables, the one that was let go first is to be waited for first.
        """
        for number in sorted(self._busy[table]):
            if number not in self._busy[table]:
                continue  # it was replaced meanwhile
            pipe = self._workers[number].pipe
            try:
                if not pipe.poll(self._timeout):
                    raise EOFError
                told = pipe.recv_bytes().decode()
                self.failed += told.split("\n") if told else []
                self._busy[table].discard(number)
            except (EOFError, OSError):
                self._replace(number)

    def _replace(self, number: int) -> None:
        self.failed.append(f"a worker {self._workers[number].end()}")
        self._workers[number] = Worker(self._name)
        self._instruct(number)
        for table, busy in zip(self.tables, self._busy, strict=True):
            table.mover[self._part(number)] = FAILED
            busy.discard(number)

    def _release(self) -> None:
        if self._memory is not None:
            self.tables = []
            self._memory.unlink()
            with contextlib.suppress(BufferError):  # somebody still looks at the last game
                self._memory.close()
            self._memory, self._count = None, 0

    def close(self) -> None:
        """Ends the processes; to sit down again starts new ones."""
        for worker in self._workers:
            worker.end()
        self._workers = []
        for busy in self._busy:
            busy.clear()
        self._release()
