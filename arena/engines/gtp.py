"""Engines that speak the Go Text Protocol, version 2 (lysator.liu.se/~gunnar/gtp)."""

from collections.abc import Callable, Sequence

from arena.engines.process import TIMEOUT, Engine, Pipe, short
from arena.types import Forfeit, Position
from games import Game
from games.go import Go

Setup = Callable[[Game], Sequence[str]]
"""Commands that begin a game of some rules; raises Forfeit if the engine does not know them."""
_COLOURS = ("black", "white")


def go_setup(game: Game) -> Sequence[str]:
    """Commands that begin a game of go."""
    if not isinstance(game, Go):
        raise Forfeit("the engine plays go only")
    return f"boardsize {game.size}", f"komi {game.komi}", "clear_board"


class GTP(Engine):
    """A process that plays Go, or another game in which black begins and the colours alternate.

    It gets the moves that its board lacks; if it followed another game, all from the start.

    Args:
      name: what the player is called.
      command: starts the process.
      setup: begins a game.
      told_passes: whether it has to be told of passes, or knows of them by the next move.
      timeout: seconds that an answer may take.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        setup: Setup = go_setup,
        told_passes: bool = True,
        timeout: float = TIMEOUT,
    ):
        self._name, self._setup, self._told_passes = name, setup, told_passes
        self._pipe = Pipe(name, command, timeout=timeout)
        self._game: Game | None = None
        self._sent: tuple[int, ...] = ()

    def choose(self, game: Game, position: Position) -> int:
        """The engine's move."""
        moves = position.moves_from_init(self._name)
        self._follow(game, position)
        colour = len(moves) % 2
        answer = self.command(f"genmove {_COLOURS[colour]}")
        try:
            move = game.parse(position.state, answer)
        except ValueError as error:
            raise Forfeit(f"{self._name} played {short(answer)!r}: {short(error)}") from None
        self._sent = (*moves, move)
        return move

    def _follow(self, game: Game, position: Position) -> None:
        """Brings the engine's board to a position."""
        moves, known = position.moves, len(self._sent)
        if self._game != game or moves[:known] != self._sent:
            for command in self._setup(game):
                self.command(command)
            self._game, known = game, 0
        for ply in range(known, len(moves)):
            label = game.label(position.state, moves[ply])
            if self._told_passes or label != "pass":
                self.command(f"play {_COLOURS[ply % 2]} {label}")
        self._sent = moves

    def command(self, command: str) -> str:
        """Sends a command and returns the engine's answer, without `=` and white space.

        What it writes before the `=` or `?` of an answer is no part of it.

        Raises:
          Forfeit: it fails, has stopped, or gives no answer.
        """
        self._pipe.send(command)
        lines = []
        for line in self._pipe.lines(command):
            if lines or line.startswith(("=", "?")):
                if not line:  # an empty line ends an answer
                    break
                lines.append(line)
        answer = "\n".join(lines)
        if answer.startswith("?"):
            raise Forfeit(f"{self._name} fails at {command!r}: {short(answer[1:])}")
        return answer[1:].strip()

    def close(self) -> None:
        """Ends the process."""
        self._pipe.close("quit")
