"""Engines that speak the Go Text Protocol, version 2 (lysator.liu.se/~gunnar/gtp)."""

from collections.abc import Sequence

from arena.engines.process import TIMEOUT, Engine, Pipe, short
from arena.types import Forfeit, Position
from games import Game
from games.go import Go

_COLOURS = ("black", "white")


class GTP(Engine):
    """A process that plays Go.

    It gets the moves that its board lacks; if it followed another game, all from the start.

    Args:
      name: what the player is called.
      command: starts the process.
      timeout: seconds that an answer may take.
    """

    def __init__(self, name: str, command: Sequence[str], *, timeout: float = TIMEOUT):
        self._name = name
        self._pipe = Pipe(name, command, timeout=timeout)
        self._game: Game | None = None
        self._sent: tuple[int, ...] = ()

    def choose(self, game: Game, position: Position) -> int:
        """The engine's move."""
        if not isinstance(game, Go):
            raise Forfeit(f"{self._name} plays go only")
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

    def _follow(self, game: Go, position: Position) -> None:
        """Brings the engine's board to a position."""
        moves, known = position.moves, len(self._sent)
        if self._game != game or moves[:known] != self._sent:
            self.command(f"boardsize {game.size}")
            self.command(f"komi {game.komi}")
            self.command("clear_board")
            self._game, known = game, 0
        for ply in range(known, len(moves)):
            self.command(f"play {_COLOURS[ply % 2]} {game.label(position.state, moves[ply])}")
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
