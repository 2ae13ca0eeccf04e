"""Engines that speak the Universal Chess Interface, through python-chess."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Mapping, Sequence
from functools import lru_cache
from threading import Thread
from typing import Any, TypeVar

import chess
import chess.engine

from arena.engines.process import (
    MOST_BYTES,
    QUIT_TIMEOUT,
    TIMEOUT,
    Engine,
    kill_group,
    no_answer,
    short,
)
from arena.types import Forfeit, Position
from games import Game
from games.chess import Chess, moves

chess.engine.LOGGER.addHandler(logging.NullHandler())  # else its warnings go to stderr

T = TypeVar("T")


class _Protocol(chess.engine.UciProtocol):
    """Bytes that are no UTF-8 are replaced, and lines without end are not kept."""

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        text = data if isinstance(data, str) else data.decode("utf-8", "replace")
        super().pipe_data_received(fd, text.encode())
        if len(self.buffer[fd]) > MOST_BYTES and self.transport is not None:
            self.transport.kill()


class UCI(Engine):
    """A process that plays chess; it gets every game from its start, whichever that is.

    Args:
      name: what the player is called.
      command: starts the process.
      options: of the engine, by the names that it gives them.
      limit: of the search for a move, in nodes, plies or time.
      timeout: seconds that an answer may take, whatever the limit of the search.

    Raises:
      Forfeit: it cannot be started.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        options: Mapping[str, int],
        limit: chess.engine.Limit,
        timeout: float = TIMEOUT,
    ):
        self._name, self._limit, self._timeout = name, limit, timeout
        # A loop of our own, since python-chess's has no deadline for searches by nodes.
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda loop, context: None)
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._transport, self._protocol = self._wait(self._start(command), timeout)
        except OSError as error:
            self._end_loop()
            raise Forfeit(f"{name} cannot be started: {error.strerror}") from None
        try:
            self._ask(self._protocol.initialize(), "uci")
            self._ask(self._protocol.configure(dict(options)), "setoption")
        except Forfeit as error:
            self.close()
            why = str(error).removeprefix(f"{name} ")
            raise Forfeit(f"{name} cannot be started: {why}") from None

    async def _start(
        self, command: Sequence[str]
    ) -> tuple[asyncio.SubprocessTransport, chess.engine.UciProtocol]:
        return await _Protocol.popen(
            list(command), stderr=asyncio.subprocess.DEVNULL, start_new_session=True
        )

    def _wait(self, coroutine: Coroutine[Any, Any, T], timeout: float) -> T:
        """The result of a coroutine that runs in the loop; raises TimeoutError."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise

    def _ask(self, coroutine: Coroutine[Any, Any, T], command: str) -> T:
        """What the engine answers to a command."""
        try:
            return self._wait(coroutine, self._timeout)
        except TimeoutError:
            kill_group(self._transport.get_pid())
            raise Forfeit(no_answer(self._name, self._timeout, command)) from None
        except chess.engine.EngineTerminatedError:
            raise Forfeit(f"{self._name} has stopped") from None
        except chess.engine.EngineError as error:
            raise Forfeit(f"{self._name} fails: {short(error)}") from None

    def choose(self, game: Game, position: Position) -> int:
        """The engine's move."""
        if not isinstance(game, Chess):
            raise Forfeit(f"{self._name} plays chess only")
        start = None if position.start is None else game.to_fen(position.start)
        board = _board(start, position.moves)
        found = self._ask(self._protocol.play(board, self._limit), "go").move
        numbers = {move: number for number, move in moves(board).items()}
        if found not in numbers:
            raise Forfeit(f"{self._name} gave no move")
        return numbers[found]

    def expectation(self, fen: str) -> float:
        """What White expects of a position, wins less losses, in [-1, 1].

        The engine's own chances to win, draw and lose (`UCI_ShowWDL`), by a search that knows of no
        other: its hash is cleared.
        """
        board, game = chess.Board(fen), object()
        searched = self._protocol.analyse(board, self._limit, game=game)
        chances = self._ask(searched, "go").get("wdl")
        if chances is None:
            raise Forfeit(f"{self._name} gives no chances (UCI_ShowWDL)")
        white = chances.white()
        return (white.wins - white.losses) / white.total()

    def close(self) -> None:
        """Ends the process."""
        with contextlib.suppress(chess.engine.EngineError, TimeoutError):
            self._wait(self._protocol.quit(), QUIT_TIMEOUT)
        kill_group(self._transport.get_pid())
        with contextlib.suppress(TimeoutError):
            self._wait(self._ended(), QUIT_TIMEOUT)
        self._end_loop()

    async def _ended(self) -> None:
        """Waits until the process has ended and its pipes are closed."""
        self._transport.close()
        await asyncio.shield(self._protocol.returncode)

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@lru_cache(maxsize=1024)
def _board(start: str | None, made: tuple[int, ...]) -> chess.Board:
    """The board after these moves from a FEN, or from the initial position.

    It is built from that two plies ago where it is still in the cache.
    """
    if not made:
        return chess.Board() if start is None else chess.Board(start)
    board = _board(start, made[:-1]).copy()
    board.push(moves(board)[made[-1]])
    return board
