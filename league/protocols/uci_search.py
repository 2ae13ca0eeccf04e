"""A search of the UCI server, as both of its threads know it."""

import threading
import time
from typing import TYPE_CHECKING

from league.protocols.uci_go import Go

if TYPE_CHECKING:
    from arena.analysis import Analysis

EVERY = 0.1
"""Seconds between two reports."""


class Search:
    """A search in progress.

    Args:
      go: what was asked for, just now.

    Attributes:
      go: the same.
      asked: when, in seconds of `time.monotonic`.
      stop: set to end it.
      hit: set when the move that was pondered on has been played.
      released: set when a best move may be given.
      seconds: how long it may go on once the clock runs; None if nothing says so.
    """

    def __init__(self, go: Go):
        self.go, self.asked = go, time.monotonic()
        self.stop, self.hit, self.released = (threading.Event() for _ in range(3))
        self.seconds: float | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        if not (go.ponder or go.infinite):
            self.released.set()

    def end(self) -> None:
        """Ends it."""
        self.stop.set()
        self.released.set()
        if self._timer:
            self._timer.cancel()

    def ponderhit(self) -> None:
        """The move that was expected has been played: from now on it goes by the clock."""
        with self._lock:
            self.hit.set()
            self._start_clock()
        self.released.set()

    def set_seconds(self, seconds: float | None) -> None:
        """How long it may go on once the clock runs."""
        with self._lock:
            self.seconds = seconds
            self._start_clock()

    def _start_clock(self) -> None:
        if self.hit.is_set() and self.seconds is not None and not self._timer:
            self._timer = threading.Timer(self.seconds, self.stop.set)
            self._timer.daemon = True
            self._timer.start()

    def settled(self, analysis: "Analysis") -> bool:
        """Whether its depth is reached, or no time that is left can change the move.

        Depth is the length of the principal variation in plies. A move is settled if it is the only
        one, or too far ahead.
        """
        depth = self.go.numbers.get("depth")
        if depth is not None and len(analysis.variation) >= depth:
            return True
        timed = not self.go.infinite and (not self.go.ponder or self.hit.is_set())
        if not timed or self.seconds is None or "movetime" in self.go.numbers:
            return False
        visits = sorted((move.visits for move in analysis.moves), reverse=True)
        if len(visits) == 1:
            return True
        rate = analysis.simulations / max(analysis.seconds, 1e-3)
        left = max(0.0, self.seconds - analysis.seconds)
        return analysis.seconds > EVERY and visits[0] - visits[1] > rate * left
