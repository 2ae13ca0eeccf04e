"""Engines: programs that play one game well, in processes of their own."""

import contextlib
import os
import queue
import select
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from arena.errors import whole_number
from arena.types import Forfeit, HostAgent, Position
from games import Game

T = TypeVar("T")
R = TypeVar("R")

_GAMES = "/usr/games"  # where Debian puts engines; it is not always on PATH

TIMEOUT = 60
"""Seconds that an answer may take, unless a user's `timeout=N` says otherwise."""
TIMEOUTS = range(1, 86_401)
"""What `timeout=N` may be."""
QUIT_TIMEOUT = 2.0
"""Seconds that an engine has to end by itself after the command to quit."""
MOST_BYTES = 1 << 22
"""An answer is shorter: who writes more writes without end."""

_CHUNK = 1 << 16
_SHORT = 100  # characters of an engine's own words in a message


class Engine(ABC):
    """One process that plays one game well."""

    @abstractmethod
    def choose(self, game: Game, position: Position) -> int:
        """A legal move; raises Forfeit if the process gives none."""

    @abstractmethod
    def close(self) -> None:
        """Ends the process, in whatever state it is."""


class Pipe:
    """A process that reads lines from stdin and writes lines to stdout.

    It leads a process group of its own, which ends with it: a wrapper may have started others.

    Args:
      name: what the player is called.
      command: starts it.
      timeout: seconds that an answer may take.

    Raises:
      Forfeit: it cannot be started.
    """

    def __init__(self, name: str, command: Sequence[str], *, timeout: float = TIMEOUT):
        self._name, self._timeout = name, timeout
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise Forfeit(f"{name} cannot be started: {error.strerror}") from None
        self._lines: deque[str] = deque()
        self._rest = b""  # the beginning of the next line

    def send(self, text: str) -> None:
        """Writes a line, or several; no error if the process has stopped, as `lines` will show."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(text.encode() + b"\n")
            self._process.stdin.flush()

    def lines(self, command: str) -> Iterator[str]:
        """The lines that it writes, stripped of white space; bytes that are no UTF-8 are replaced.

        Args:
          command: what they answer, for messages.

        Raises:
          Forfeit: before the caller has had enough, the process has stopped, the time for an answer
            is over, or more was written than any answer holds. In the latter two it is killed.
        """
        deadline, room = time.monotonic() + self._timeout, MOST_BYTES
        while True:
            while not self._lines:
                room -= self._read(deadline, command)
                if room < 0:
                    self._kill()
                    raise Forfeit(f"{self._name} writes without end, at {command!r}")
            yield self._lines.popleft()

    def _read(self, deadline: float, command: str) -> int:
        """Takes in what has been written; how many bytes that was."""
        assert self._process.stdout is not None
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
            self._kill()
            raise Forfeit(no_answer(self._name, self._timeout, command))
        read = os.read(self._process.stdout.fileno(), _CHUNK)
        if not read:
            raise Forfeit(f"{self._name} has stopped, at {command!r}")
        *whole, self._rest = (self._rest + read).split(b"\n")
        self._lines.extend(line.decode("utf-8", "replace").strip() for line in whole)
        return len(read)

    def _kill(self) -> None:
        kill_group(self._process.pid)

    def close(self, quit_command: str) -> None:
        """Sends the command that ends the process, and kills it if it has not ended in time."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.send(quit_command)
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(QUIT_TIMEOUT)
        self._kill()
        self._process.wait()
        self._process.stdout.close()


def kill_group(pid: int) -> None:
    """Kills the process group that a process leads, or led until it ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # the latter on macOS
        os.killpg(pid, signal.SIGKILL)


def no_answer(name: str, timeout: float, command: str) -> str:
    """Why a player forfeits that let the time for an answer pass."""
    return f"{name} gives no answer within {timeout:g} s, at {command!r} (timeout=N allows more)"


def short(text: object) -> str:
    """What an engine has written, or an error about it, as a part of a line."""
    line = " ".join(str(text).split())
    return line if len(line) <= _SHORT else line[: _SHORT - 1] + "…"


class Engines(HostAgent):
    """Processes of one engine that share the games between them.

    They start when a move is first wanted of them.

    Args:
      name: as a user types it.
      start: starts one.
      count: how many there are at most; one a core by default.
    """

    def __init__(self, name: str, start: Callable[[], Engine], *, count: int | None = None):
        self.name, self._start = name, start
        self._count = count or _cores()
        self._started: list[Engine] = []
        self._free: queue.SimpleQueue[Engine] = queue.SimpleQueue()

    def choose(self, game: Game, position: Position) -> int:
        """One engine's move."""
        return self.choose_all(game, [position])[0]

    def choose_all(self, game: Game, positions: Sequence[Position]) -> list[int]:
        """Moves in several games; every process takes the next position as soon as it is free."""
        return self.ask_all(lambda engine, position: engine.choose(game, position), positions)

    def ask_all(self, ask: Callable[[Any, T], R], items: Sequence[T]) -> list[R]:
        """What engines answer about items, of which there is one at least.

        Args:
          ask: puts one item to one engine.
          items: what is asked about; every process takes the next one as soon as it is free.

        Raises:
          Forfeit: one of them gives no answer.
        """
        while len(self._started) < min(self._count, len(items)):
            self._started.append(self._start())
            self._free.put(self._started[-1])

        def answer(item: T) -> R:
            engine = self._free.get()
            try:
                return ask(engine, item)
            finally:
                self._free.put(engine)

        with ThreadPoolExecutor(len(self._started)) as pool:
            return list(pool.map(answer, items))

    def close(self, *, in_turn: bool = False) -> None:
        """Ends all processes, at once, as each may take its time.

        Args:
          in_turn: one after the other, as where Python itself ends, and starts no thread any more.
        """
        if in_turn:
            for engine in self._started:
                engine.close()
        elif self._started:
            with ThreadPoolExecutor(len(self._started)) as pool:
                list(pool.map(lambda engine: engine.close(), self._started))
        self._started.clear()


def _cores() -> int:
    """Cores that this process may use; all, where the system does not say."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def find(program: str, package: str) -> str:
    """The path of an engine's program.

    Raises:
      ValueError: it is not installed; names the package that has it.
    """
    path = shutil.which(program) or shutil.which(program, path=_GAMES)
    if path is None:
        raise ValueError(f"{program} is not installed: apt-get install {package}")
    return path


def options(kind: str, argument: str, **known: range) -> dict[str, int]:
    """What a user typed behind an engine's name: `level=1`, `nodes=1,skill=0`.

    Args:
      kind: the engine's name.
      argument: what was typed.
      known: the options there are, and the values that each may have.

    Raises:
      ValueError: one of them is unknown, or its value is not allowed.
    """
    found = {}
    for item in filter(None, argument.split(",")):
        key, _, value = item.partition("=")
        if key not in known:
            raise ValueError(f"{kind} has no option {key!r}; there are: {', '.join(known)}")
        least, most = known[key][0], known[key][-1]
        number = whole_number(value, least, most)
        if number is None:
            raise ValueError(f"{kind}: {key} lies between {least} and {most}, not {value!r:.50}")
        found[key] = number
    return found
