"""Engines: programs that play one game well, in processes of their own."""

import contextlib
import os
import queue
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from arena.errors import whole_number
from arena.types import HostAgent, Position
from games import Game

_GAMES = "/usr/games"  # where Debian puts engines; it is not always on PATH
_QUIT_TIMEOUT = 2.0  # seconds that an engine has to end by itself after the command to quit


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

    Args:
      command: starts it.
      environment: its variables, those of this process by default.
    """

    def __init__(self, command: Sequence[str], *, environment: Mapping[str, str] | None = None):
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    def send(self, text: str) -> None:
        """Writes a line, or several; no error if the process has stopped, as `lines` will show."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(text + "\n")
            self._process.stdin.flush()

    def lines(self) -> Iterator[str]:
        """The lines that it writes, stripped of white space; ends when the process has stopped."""
        assert self._process.stdout is not None
        return map(str.strip, self._process.stdout)

    def close(self, quit_command: str) -> None:
        """Sends the command that ends the process, and kills it if it has not ended in time."""
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self._process.communicate(quit_command + "\n", _QUIT_TIMEOUT)
        self._process.kill()
        self._process.communicate()


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
        while len(self._started) < min(self._count, len(positions)):
            self._started.append(self._start())
            self._free.put(self._started[-1])

        def choose(position: Position) -> int:
            engine = self._free.get()
            try:
                return engine.choose(game, position)
            finally:
                self._free.put(engine)

        with ThreadPoolExecutor(len(self._started)) as pool:
            return list(pool.map(choose, positions))

    def close(self) -> None:
        """Ends all processes."""
        for engine in self._started:
            engine.close()
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
