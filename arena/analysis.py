"""Analysis: what an agent that searches finds out about one position, and how long it may take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from arena.errors import UserError, check_positive
from arena.types import Position


@dataclass(frozen=True)
class Limit:
    """When an analysis ends; whichever comes first. With neither it goes on until it is stopped.

    Attributes:
      simulations: to add to the tree, beside those that it has already.
      time: seconds.

    Raises:
      UserError: a limit is not positive.
    """

    simulations: int | None = None
    time: float | None = None

    def __post_init__(self):
        check_positive(self, *(name for name in ("simulations", "time") if self._has(name)))

    def _has(self, name: str) -> bool:
        return getattr(self, name) is not None

    def check(self, stop: Event | None) -> None:
        """Raises UserError if an analysis with this limit would never end."""
        if self.simulations is None and self.time is None and stop is None:
            raise UserError("an analysis needs a number of simulations, a time or a stop")


@dataclass(frozen=True)
class MoveAnalysis:
    """One legal move of the position.

    Attributes:
      move: its number.
      label: as players write it.
      prior: its probability before any search.
      visits: simulations that went through it, those of earlier analyses included.
      q: the mean of their values for the mover, in [-1, 1]; None if there are none.
      raw_value: what the evaluator alone says of the position after the move, for the mover; None
        if there are no visits.
      variation: the principal variation that begins with this move, as numbers; empty if there are
        no visits.
    """

    move: int
    label: str
    prior: float
    visits: int
    q: float | None
    raw_value: float | None = None
    variation: tuple[int, ...] = ()


@dataclass(frozen=True)
class Analysis:
    """What is known of a position.

    Attributes:
      move: the best one.
      value: of the position for the mover, in [-1, 1]: that of the best move.
      proven: the value is exact, whatever is played.
      moves: all that are legal, or may be chosen, the most visited first.
      variation: the principal variation: the best move, the best reply, and so on, as far as the
        tree goes and up to the first move of chance.
      labels: the same moves as players write them.
      simulations: how many this analysis has made.
      seconds: how long it has taken.
      filled: the share of the tree's room that is taken, in [0, 1].
    """

    move: int
    value: float
    proven: bool
    moves: tuple[MoveAnalysis, ...]
    variation: tuple[int, ...]
    labels: tuple[str, ...]
    simulations: int
    seconds: float
    filled: float = 0.0


class Analyst(Protocol):
    """Analyses the positions of one game in progress, one after the other."""

    def analyse(
        self,
        position: Position,
        limit: Limit,
        *,
        callback: Callable[[Analysis], None] | None = None,
        every: float = 0.0,
        stop: Event | None = None,
        among: Sequence[int] | None = None,
    ) -> Analysis:
        """Searches a position until a limit is reached, it is stopped, or the value is proven.

        Args:
          position: a seat is to move.
          limit: when to end.
          callback: called with the analysis so far, again and again.
          every: the least number of seconds between two such calls.
          stop: ends the analysis soon after it is set.
          among: the moves to choose from, if not from all that are legal.

        Raises:
          ValueError: no seat is to move, nothing would ever end the analysis, or none of the moves
            to choose from is legal.
        """
        ...

    def advance(self, move: int) -> None:
        """Keeps what is known of the position after a move, or outcome of chance, of the last one.

        The next analysis goes on from there if it is of that position; any other starts afresh.
        """
        ...
