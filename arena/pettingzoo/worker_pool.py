"""The worker processes of an imported env: they step its games while the device thinks.

One pool serves an env as long as this process lives. A worker that dies, or gives no answer in
time, is replaced; the games that it held have failed.
"""

import atexit
import contextlib
import multiprocessing
import os
import pickle
import threading
from functools import cache
from multiprocessing.shared_memory import SharedMemory

from arena.pettingzoo import validate
from arena.pettingzoo.adapter import FAILED
from arena.pettingzoo.description import Description
from arena.pettingzoo.env_names import parse
from arena.pettingzoo.errors import EnvError
from arena.pettingzoo.spec import EnvSpec
from arena.pettingzoo.worker import (
    HALVES,
    IDLE,
    SLOT_SETS,
    Allocation,
    Check,
    Describe,
    Report,
    Slots,
    serve,
    slot_sets,
    slots_bytes,
)


class Worker:
    """One process.

    Attributes:
      pipe: to it; see `arena.pettingzoo.worker.serve`.
    """

    def __init__(self, name: str):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, name), daemon=True)
        self._process.start()
        theirs.close()

    def send(self, message: Allocation | Check | Describe) -> None:
        """Sends a message other than the byte that steps games."""
        self.pipe.send_bytes(pickle.dumps(message))

    def end(self) -> str:
        """Ends the process, however busy; how it had ended if it was dead already."""
        self._process.join(0.2)
        code = self._process.exitcode
        self._process.kill()
        self._process.join()
        self.pipe.close()
        return "gave no answer" if code is None else f"died (exit code {code})"


def check_env(name: str) -> EnvSpec:
    """Checks an env in a process of its own, which may die or hang of it.

    Raises:
      EnvError: it breaks the contract, in one line.
    """
    try:
        timeout = parse(name).settings.timeout
        worker = Worker(name)
        try:
            return _await_spec(worker, timeout)
        finally:
            worker.end()
    except EnvError as error:
        raise EnvError(f"{_title(name)}: {' '.join(str(error).split())}") from None


def _title(name: str) -> str:
    """The name of an env without its options."""
    return name.partition("?")[0]


def _await_spec(worker: Worker, timeout: float) -> EnvSpec:
    """What the check finds; EnvError if the process hangs or dies, and where in a game."""
    worker.send(Check())
    moves: tuple[int, ...] = ()
    while True:
        try:
            if not worker.pipe.poll(timeout):
                raise EnvError(f"no answer for {timeout:g} seconds {validate.where(moves)}")
            answer = worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            raise EnvError(f"the env's process {worker.end()} {validate.where(moves)}") from None
        if isinstance(answer, EnvSpec):
            return answer
        if isinstance(answer, EnvError):
            raise answer
        moves = answer


class WorkerPool:
    """Workers that hold the games of a match, in two halves.

    Attributes:
      slot_sets: both halves, and for each one as many slots for copies that searches make.
      lock: for who searches, since two players may do so at the same time.
      errors: what went wrong with games and workers, a line each, since the process began.
      voided: games that were lost by it.

    Args:
      name: of the env, as a user types it.
      spec: what a check has found.
      size: how many processes.
    """

    def __init__(self, name: str, spec: EnvSpec, size: int):
        self._name, self._spec = name, spec
        self._timeout = parse(name).settings.timeout
        self._size, self._workers = size, list[Worker]()
        self._memory: SharedMemory | None = None
        self._count = 0
        self.slot_sets: list[Slots] = []
        self.lock = threading.Lock()
        self.errors: list[str] = []
        self.voided = 0
        self._refused = ""
        self._busy: list[set[int]] = [set() for _ in range(SLOT_SETS)]
        atexit.register(self.close)

    def allocate(self, count: int) -> list[Slots]:
        """Two halves with `count` slots each, all of them idle; games of before are gone."""
        for number in range(SLOT_SETS):  # what an interrupted match has left
            self.wait(number)
        if not self._workers:  # the first time, or the first since it was closed
            self._workers = [Worker(self._name) for _ in range(self._size)]
        if count != self._count:
            self._release()
            size = SLOT_SETS * slots_bytes(self._spec, count)
            self._memory, self._count = SharedMemory(create=True, size=size), count
            self.slot_sets = slot_sets(self._spec, count, self._memory)
            for number in range(len(self._workers)):
                self._configure(number)
        for slots in self.slot_sets:
            slots.request[:] = IDLE
        self._refused = ""
        return self.slot_sets[:HALVES]

    def _configure(self, number: int) -> None:
        """Gives a worker its slots."""
        assert self._memory is not None
        part = self._part(number)
        self._workers[number].send(Allocation(self._spec, self._memory.name, self._count, part))

    def _part(self, number: int) -> slice:
        """A worker's slots of each set."""
        size = len(self._workers)
        return slice(number * self._count // size, (number + 1) * self._count // size)

    def submit(self, number: int) -> None:
        """Has the workers carry out the requests of a slot set; returns at once."""
        for index, worker in enumerate(self._workers):
            if (self.slot_sets[number].request[self._part(index)] != IDLE).any():
                with contextlib.suppress(OSError):  # it is dead, as waiting for it will show
                    worker.pipe.send_bytes(bytes([number]))
                self._busy[number].add(index)

    def wait(self, number: int) -> None:
        """Returns when a slot set is done; games that failed have FAILED as their mover.

        Of two sets, the one submitted first is to be waited for first.
        """
        for index in sorted(self._busy[number]):
            if index not in self._busy[number]:
                continue  # it was replaced meanwhile
            pipe = self._workers[index].pipe
            try:
                if not pipe.poll(self._timeout):
                    raise EOFError
                report: Report = pipe.recv()
                self.errors += report.failed
                self._refused = self._refused or report.refused
                self._busy[number].discard(index)
            except (EOFError, OSError):
                self._replace(index)

    def check_observations(self) -> None:
        """Raises EnvError, in one line, if a game since `allocate` gave one that is refused."""
        if self._refused:
            raise EnvError(f"{_title(self._name)}: {self._refused}")

    def describe(self, slot: int) -> Description:
        """A game of the first half, for people; empty if its worker does not answer in time."""
        part = next(n for n in range(len(self._workers)) if slot < self._part(n).stop)
        worker = self._workers[part]
        try:
            worker.send(Describe(slot - self._part(part).start))
            if not worker.pipe.poll(self._timeout):
                raise EOFError
            return worker.pipe.recv()
        except (EOFError, OSError):
            self._replace(part)
            return Description()

    def _replace(self, index: int) -> None:
        """Puts a new worker in the place of a dead or hung one; all its games have failed."""
        self.errors.append(f"a worker {self._workers[index].end()}")
        self._workers[index] = Worker(self._name)
        self._configure(index)
        for slots, busy in zip(self.slot_sets, self._busy, strict=True):
            slots.mover[self._part(index)] = FAILED
            busy.discard(index)

    def _release(self) -> None:
        if self._memory is not None:
            self.slot_sets = []
            self._memory.unlink()
            with contextlib.suppress(BufferError):  # somebody still looks at the last game
                self._memory.close()
            self._memory, self._count = None, 0

    def close(self) -> None:
        """Ends the processes; a later `allocate` starts new ones."""
        for worker in self._workers:
            worker.end()
        self._workers = []
        for busy in self._busy:
            busy.clear()
        self._release()


@cache
def pool_of(name: str, spec: EnvSpec) -> WorkerPool:
    """The pool of an env, with a worker for each core; the same one each time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return WorkerPool(name, spec, cores or 1)
