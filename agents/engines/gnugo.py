"""GNU Go, version 3.8 (gnu.org/software/gnugo), as a process, by GTP."""

from arena.engines import process
from arena.engines.gtp import GTP
from games import Game
from games.go import Go

_LARGEST = 19


def make(game: Game, argument: str) -> process.Engines:
    """The agent `gnugo:level=L`, L from 1 to 10, the engine's own default.

    It takes all dead stones off the board before it passes, since here those that lie there count.
    `timeout=N` is how many seconds an answer may take, 60 by default.

    Raises:
      ValueError: there is no such option, it cannot play the game, or it is not installed.
    """
    known = process.options("gnugo", argument, level=range(1, 11), timeout=process.TIMEOUTS)
    level, timeout = known.get("level", 10), known.get("timeout", process.TIMEOUT)
    if not isinstance(game, Go) or game.size > _LARGEST:
        raise ValueError(f"gnugo plays go up to {_LARGEST}×{_LARGEST}, and nothing else")
    program = process.find("gnugo", "gnugo")
    start = f"{program} --mode gtp --chinese-rules --never-resign --capture-all-dead --seed 1"
    ko = "--positional-superko" if game.superko else "--simple-ko"
    name = f"gnugo:level={level}"
    command = [*start.split(), ko, "--level", str(level)]
    return process.Engines(name, lambda: GTP(name, command, timeout=timeout))
