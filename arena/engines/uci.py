"""Engines that speak the Universal Chess Interface, through python-chess."""

import contextlib
from collections.abc import Mapping, Sequence
from functools import lru_cache

import chess
import chess.engine

from arena.engines.process import Engine
from arena.types import Forfeit, Position
from games import Game
from games.chess import Chess, moves


class UCI(Engine):
    """A process that plays chess; it gets every game from its start.

    Args:
      name: what the player is called.
      command: starts the process.
      options: of the engine, by the names that it gives them.
      limit: of the search for a move, in nodes, plies or time.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        options: Mapping[str, int],
        limit: chess.engine.Limit,
    ):
        self._name, self._limit = name, limit
        try:
            self._engine = chess.engine.SimpleEngine.popen_uci(list(command))
            self._engine.configure(dict(options))
        except (chess.engine.EngineError, TimeoutError) as error:
            raise Forfeit(f"{name} cannot be started: {error}") from None

    def choose(self, game: Game, position: Position) -> int:
        """The engine's move."""
        if not isinstance(game, Chess):
            raise Forfeit(f"{self._name} plays chess only")
        board = _board(position.moves)
        try:
            found = self._engine.play(board, self._limit).move
        except chess.engine.EngineTerminatedError:
            raise Forfeit(f"{self._name} has stopped") from None
        except chess.engine.EngineError as error:
            raise Forfeit(f"{self._name} fails: {error}") from None
        numbers = {move: number for number, move in moves(board).items()}
        if found not in numbers:
            raise Forfeit(f"{self._name} gave no move")
        return numbers[found]

    def close(self) -> None:
        """Ends the process."""
        with contextlib.suppress(chess.engine.EngineError, TimeoutError):
            self._engine.quit()
        self._engine.close()


@lru_cache(maxsize=1024)
def _board(made: tuple[int, ...]) -> chess.Board:
    """The board after these moves; built from that two plies ago where it is still in the cache."""
    if not made:
        return chess.Board()
    board = _board(made[:-1]).copy()
    board.push(moves(board)[made[-1]])
    return board
