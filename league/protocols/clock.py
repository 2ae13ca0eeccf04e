"""How long to think about a move when there is a clock.

The time left is shared evenly among the moves that are expected to come, and most of the increment
is added. A search by visits changes its mind late and rarely, so no move is given a multiple of its
share, and nothing is kept for emergencies beyond a reserve.
"""

from dataclasses import dataclass

_MOVES = 30
"""Moves that are expected to come, where no control says how many."""
_MOST_SHARE = 0.6
"""The most of the time left that goes into one move, if others are to follow."""
_LAST_SHARE = 0.9
"""The same if none is to follow before more time is added."""
_INCREMENT_SHARE = 0.8
"""How much of the increment is used at once; the rest makes up for moves that took longer."""
_LEAST = 0.001


@dataclass(frozen=True)
class Clock:
    """What a clock says before a move.

    Attributes:
      left: seconds.
      increment: seconds that every move adds.
      moves: moves to the next control; None if all are to be made in this time.
    """

    left: float
    increment: float = 0.0
    moves: int | None = None

    def budget(self, overhead: float) -> float:
        """Seconds for the next move.

        Args:
          overhead: seconds of each move that are lost between the clock and the search.
        """
        left = max(0.0, self.left - overhead)
        if self.moves == 1:
            return max(_LEAST, _LAST_SHARE * left)
        moves = _MOVES if self.moves is None else max(2, min(self.moves, _MOVES))
        share = left / moves + _INCREMENT_SHARE * self.increment - overhead
        return max(_LEAST, min(share, _MOST_SHARE * left))
