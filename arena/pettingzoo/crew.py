"""The worker processes of an imported env: they step its games while the device thinks.

One crew serves an env as long as this process lives. A worker that dies, or gives no answer in
time, is replaced; the games that it held have failed.
"""

import atexit
import contextlib
import multiprocessing
import pickle
from multiprocessing.shared_memory import SharedMemory
from typing import Any

from arena.pettingzoo import check
from arena.pettingzoo.check import Facts
from arena.pettingzoo.env import FAILED
from arena.pettingzoo.fault import Fault
from arena.pettingzoo.worker import WAIT, Slots, room, serve, slots

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
        wait = check.settings(name).get("timeout", TIMEOUT)
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
                raise Fault(f"no answer for {wait:g} seconds {check.where(moves)}")
            kind, value = worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            raise Fault(f"the env's process {worker.end()} {check.where(moves)}") from None
        if kind == "facts":
            return value
        if kind == "fault":
            raise Fault(value)
        moves = value


class Crew:
    """Workers that hold the two halves of a table's games.

    Attributes:
      halves: the table.
      failed: what went wrong with games and workers, a line each, since the process began.
      voided: games that were lost by it.
    """

    def __init__(self, name: str, facts: Facts, size: int):
        self._name, self._facts = name, facts
        self._timeout = check.settings(name).get("timeout", TIMEOUT)
        self._workers = [Worker(name) for _ in range(size)]
        self._memory: SharedMemory | None = None
        self._count = 0
        self.halves: list[Slots] = []
        self.failed: list[str] = []
        self.voided = 0
        self._busy: list[set[int]] = [set(), set()]
        atexit.register(self.close)

    def sit(self, count: int) -> list[Slots]:
        """A table with `count` slots in each half, all of them idle."""
        for half in (0, 1):  # what an interrupted match has left
            self.wait(half)
        if count != self._count:
            self._release()
            size = room(self._facts, count)
            self._memory = memory = SharedMemory(create=True, size=2 * size)
            self._count = count
            self.halves = [slots(self._facts, count, memory.buf, at) for at in (0, size)]
            for number in range(len(self._workers)):
                self._instruct(number)
        for half in self.halves:
            half.order[:] = WAIT
        return self.halves

    def _instruct(self, number: int) -> None:
        assert self._memory is not None
        part = self._part(number)
        self._workers[number].send("sit", self._facts, self._memory.name, self._count, part)

    def _part(self, number: int) -> slice:
        size = len(self._workers)
        return slice(number * self._count // size, (number + 1) * self._count // size)

    def go(self, half: int) -> None:
        """Lets the workers carry out the orders of a half; the caller goes on."""
        for number, worker in enumerate(self._workers):
            if (self.halves[half].order[self._part(number)] != WAIT).any():
                with contextlib.suppress(OSError):  # it is dead, as waiting for it will show
                    worker.pipe.send_bytes(bytes([half]))
                self._busy[half].add(number)

    def wait(self, half: int) -> None:
        """Until they are done; games that failed have FAILED as their mover."""
        for number in sorted(self._busy[half]):
            if number not in self._busy[half]:
                continue  # it was replaced meanwhile
            pipe = self._workers[number].pipe
            try:
                if not pipe.poll(self._timeout):
                    raise EOFError
                told = pipe.recv_bytes().decode()
                self.failed += told.split("\n") if told else []
                self._busy[half].discard(number)
            except (EOFError, OSError):
                self._replace(number)

    def _replace(self, number: int) -> None:
        self.failed.append(f"a worker {self._workers[number].end()}")
        self._workers[number] = Worker(self._name)
        self._instruct(number)
        for half, busy in zip(self.halves, self._busy, strict=True):
            half.mover[self._part(number)] = FAILED
            busy.discard(number)

    def _release(self) -> None:
        if self._memory is not None:
            self.halves = []
            self._memory.unlink()
            with contextlib.suppress(BufferError):  # somebody still looks at the last game
                self._memory.close()
            self._memory = None

    def close(self) -> None:
        """Ends the processes."""
        for worker in self._workers:
            worker.end()
        self._release()
