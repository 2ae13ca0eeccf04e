"""GRhino, version 0.16 (rhino.sourceforge.net), which plays othello, as a process, by GTP."""

from collections.abc import Sequence

from arena.engines import process
from arena.engines.gtp import GTP
from arena.types import Forfeit, HostAgent
from games import Game
from games.othello import Othello


def make(game: Game, argument: str) -> HostAgent:
    """The agent `grhino:level=L`, L from 1 to 5; 3 is the engine's own default.

    It plays without its book of openings, and knows nothing of chance. `timeout=N` is how many
    seconds an answer may take, 60 by default.

    Raises:
      ValueError: there is no such option, it cannot play the game, or it is not installed.
    """
    known = process.options("grhino", argument, level=range(1, 6), timeout=process.TIMEOUTS)
    level, timeout = known.get("level", 3), known.get("timeout", process.TIMEOUT)
    if not isinstance(game, Othello):
        raise ValueError("grhino plays othello, and nothing else")
    program = process.find("gtp-rhino", "grhino")
    name, command = f"grhino:level={level}", [program, f"--level={level}", "--book=0"]

    def start() -> GTP:
        return GTP(name, command, setup=_setup, told_passes=False, timeout=timeout)

    return process.Engines(name, start)


def _setup(game: Game) -> Sequence[str]:
    if not isinstance(game, Othello):
        raise Forfeit("grhino plays othello only")
    return ("clear_board",)
