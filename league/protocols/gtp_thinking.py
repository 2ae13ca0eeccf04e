"""The commands of the GTP server that make the agent think."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from arena.errors import UserError
from league.protocols import gtp_analysis, gtp_boards
from league.protocols.gtp_analysis import Request
from league.protocols.gtp_commands import BoardCommands, CommandError

if TYPE_CHECKING:
    from arena.analysis import Analysis

_SIMULATIONS = 32
"""Simulations a move where neither a clock nor the agent's name says more."""
_OVERHEAD = 0.1
"""Seconds of each move that are lost between the clock and the search."""


def _streams(method: Any) -> Any:
    """Marks a command that writes its answer line by line."""
    method.streams = True
    return method


class Commands(BoardCommands):
    """All commands.

    Args:
      spec: the agent, as a user types it.
      game: the name of the game.
      simulations: a move, at most; 0 if the agent's name gives no number.
      fatal: called with an error after which nothing can be answered.
    """

    def __init__(
        self, spec: str, game: str, *, simulations: int, fatal: Callable[[UserError], None]
    ):
        super().__init__(spec, game, fatal=fatal)
        self._simulations = simulations
        self._inputs = 0  # lines that have been read
        self._lock = threading.Lock()
        self._stop, self._analysing = threading.Event(), False

    def interrupt(self, *, thinking: bool = False) -> int:
        """Ends an analysis, since a line has been read.

        Args:
          thinking: end a search for a move too.

        Returns:
          how many lines have been read.
        """
        with self._lock:
            self._inputs += 1
            if self._analysing or thinking:
                self._stop.set()
            return self._inputs

    def _begin(self, *, analysing: bool, inputs: int = 0) -> threading.Event:
        """What ends a search; set already if a line has been read after the analysis's own."""
        with self._lock:
            self._stop, self._analysing = threading.Event(), analysing
            if analysing and self._inputs != inputs:
                self._stop.set()
            return self._stop

    # Moves.

    def _do_genmove(self, colour: str) -> str:
        return self._move(gtp_boards.colour(colour), play=True)

    def _do_reg_genmove(self, colour: str) -> str:
        return self._move(gtp_boards.colour(colour), play=False)

    def _do_kgs__genmove_cleanup(self, colour: str) -> str:
        return self._do_genmove(colour)

    def _move(self, seat: int, *, play: bool, tell: Any = None, every: float = 1.0) -> str:
        """Thinks about a move, and makes it if it shall be played."""
        from arena.analysis import Limit

        line, stop = self.line, self._begin(analysing=False)
        extra = line.turn_to(seat)
        began = time.monotonic()
        clock = self.clocks.clock(seat)
        seconds = clock.budget(_OVERHEAD) if clock else None
        most = self._simulations or (None if clock else _SIMULATIONS)
        analysis = self.player.think(
            Limit(simulations=most, time=seconds), stop=stop, callback=tell, every=every
        )
        if not play:
            vertex = line.line([analysis.move])[0]
            line.back(extra)
            return vertex
        self.clocks.spend(seat, time.monotonic() - began)
        return line.push(analysis.move, extra)

    # Analysis.

    @_streams
    def _do_analyze(self, stream: Any, inputs: int, *words: str) -> str:
        return self._analyse(stream, inputs, words, kata=False)

    @_streams
    def _do_lz__analyze(self, stream: Any, inputs: int, *words: str) -> str:
        return self._analyse(stream, inputs, words, kata=False)

    @_streams
    def _do_kata__analyze(self, stream: Any, inputs: int, *words: str) -> str:
        return self._analyse(stream, inputs, words, kata=True)

    @_streams
    def _do_genmove_analyze(self, stream: Any, inputs: int, *words: str) -> str:
        return self._move_and_tell(stream, words, kata=False)

    @_streams
    def _do_lz__genmove_analyze(self, stream: Any, inputs: int, *words: str) -> str:
        return self._move_and_tell(stream, words, kata=False)

    @_streams
    def _do_kata__genmove_analyze(self, stream: Any, inputs: int, *words: str) -> str:
        return self._move_and_tell(stream, words, kata=True)

    def _analyse(self, stream: Any, inputs: int, words: tuple[str, ...], *, kata: bool) -> str:
        """Writes a line every so often until any input comes."""
        from arena.analysis import Limit

        request = self._request(words, kata)
        line = self.line
        extra = 0 if request.seat is None else line.turn_to(request.seat)
        if line.session.over:
            raise CommandError("the game is over")
        stop = self._begin(analysing=True, inputs=inputs)
        stream.head()
        try:
            self.player.think(
                Limit(),
                stop=stop,
                callback=lambda found: stream(gtp_analysis.line(found, line.line, request)),
                every=request.seconds,
                among=self._among(request),
            )
            stop.wait()  # a proven position, or a full tree: there is no more to tell
        finally:
            line.back(extra)
        return ""

    def _move_and_tell(self, stream: Any, words: tuple[str, ...], *, kata: bool) -> str:
        """As `genmove`; what is found is told meanwhile."""
        request = self._request(words, kata)
        line = self.line
        stream.head()

        def tell(found: "Analysis") -> None:
            stream(gtp_analysis.line(found, line.line, request))

        seat = line.session.seat if request.seat is None else request.seat
        return f"play {self._move(seat, play=True, tell=tell, every=request.seconds)}"

    def _request(self, words: tuple[str, ...], kata: bool) -> Request:
        try:
            return gtp_analysis.parse(words, kata=kata, colour=gtp_boards.colour)
        except (ValueError, IndexError) as error:
            raise CommandError(f"syntax error: {error}") from None

    def _among(self, request: Request) -> list[int] | None:
        """The moves to choose from; None for all."""
        if not (request.allow or request.avoid):
            return None
        session = self.line.session
        by_vertex = {
            self.board.vertex(session.game, label).lower(): move
            for label, move in session.legal_moves.items()
        }
        allowed = [v.lower() for v in request.allow] or list(by_vertex)
        avoided = {v.lower() for v in request.avoid}
        found = [by_vertex[v] for v in allowed if v in by_vertex and v not in avoided]
        return found or None

    # GoGui.

    def _do_gogui__analyze_commands(self) -> str:
        return "\n".join(
            [
                "pspairs/Prior/arena-prior",
                "pspairs/Visits/arena-visits",
                "pspairs/Value/arena-value",
                "var/Principal variation/arena-variation",
                "string/Win rate/arena-winrate",
            ]
        )

    def _do_gogui__interrupt(self) -> str:
        return ""

    def _do_arena__prior(self) -> str:
        return self._labels(lambda move: f"{100 * move.prior:.0f}" if move.prior >= 0.005 else "")

    def _do_arena__visits(self) -> str:
        return self._labels(lambda move: str(move.visits) if move.visits else "")

    def _do_arena__value(self) -> str:
        return self._labels(lambda move: "" if move.q is None else f"{50 * (1 + move.q):.0f}")

    def _do_arena__variation(self) -> str:
        return " ".join(self.line.line(self._looked().variation))

    def _do_arena__winrate(self) -> str:
        return f"{50 * (1 + self._looked().value):.1f} %"

    def _labels(self, text: Callable[[Any], str]) -> str:
        """Points and what is to be written on them, for points where there is something."""
        found = ((move, text(move)) for move in self._looked().moves)
        pairs = ((self.line.line([move.move])[0], label) for move, label in found if label)
        return " ".join(f"{vertex.upper()} {label}" for vertex, label in pairs if vertex != "pass")

    def _looked(self) -> "Analysis":
        """What a short search says of the position."""
        from arena.analysis import Limit

        if self.line.session.over:
            raise CommandError("the game is over")
        count = self._simulations or _SIMULATIONS
        return self.player.think(Limit(simulations=count), stop=self._begin(analysing=False))
