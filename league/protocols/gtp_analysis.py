"""The lines of an analysis by GTP, in the dialects of Leela Zero and KataGo.

Leela Zero writes shares as whole numbers of ten-thousandths, KataGo as numbers from 0 to 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.analysis import Analysis, MoveAnalysis

Write = Callable[[Sequence[int]], list[str]]
"""A sequence of moves from the position, as vertices."""

_LINE = 20


@dataclass(frozen=True)
class Request:
    """What an analysis is asked for.

    Attributes:
      kata: KataGo's dialect.
      seat: whose move it is; None for the seat to move.
      seconds: between two lines.
      most: moves to tell of, at most.
      allow: vertices to choose from; all if empty.
      avoid: vertices not to choose.
    """

    kata: bool
    seat: int | None
    seconds: float
    most: int = 0
    allow: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()


def parse(words: Sequence[str], *, kata: bool, colour: Callable[[str], int]) -> Request:
    """Reads what follows an analysis command: a colour, an interval, and restrictions.

    Raises:
      ValueError: it cannot be read; in one line.
    """
    seat, seconds, most = None, 1.0, 0
    allow: list[str] = []
    avoid: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0).lower()
        if word.replace(".", "", 1).isdecimal():
            seconds = float(word) / 100
        elif word == "interval" and left:
            seconds = float(left.pop(0)) / 100
        elif word in ("minmoves", "maxmoves") and left:
            number = int(left.pop(0))
            most = number if word == "maxmoves" else most
        elif word in ("allow", "avoid") and len(left) >= 2:
            left.pop(0)  # of which colour, the one to move
            (allow if word == "allow" else avoid).extend(left.pop(0).split(","))
            if left and left[0].isdecimal():
                left.pop(0)  # until which depth; only the first move can be restricted
        elif word in _FLAGS and left:
            left.pop(0)
        else:
            seat = colour(word)
    return Request(kata, seat, max(0.05, seconds), most, tuple(allow), tuple(avoid))


_FLAGS = ("rootinfo", "ownership", "movesownership", "pvvisits", "ownershipstdev")
"""What KataGo can tell in addition, followed by true or false; passed over."""


def line(analysis: "Analysis", write: Write, request: Request) -> str:
    """One line of all moves that have been tried, the best first."""
    moves = [move for move in analysis.moves if move.visits]
    moves.sort(key=lambda move: move.move != analysis.move)
    moves = moves[: request.most] if request.most else moves
    return " ".join(_info(move, order, write, request.kata) for order, move in enumerate(moves))


def _info(move: "MoveAnalysis", order: int, write: Write, kata: bool) -> str:
    def share(value: float) -> str:
        return f"{value:.6f}" if kata else str(round(10_000 * value))

    rate = (1 + max(-1.0, min(move.q or 0.0, 1.0))) / 2
    pv = write(move.variation[:_LINE])
    low = max(0.0, rate - move.visits**-0.5 / 2)
    return (
        f"info move {pv[0]} visits {move.visits} winrate {share(rate)} "
        f"prior {share(move.prior)} lcb {share(low)} order {order} pv {' '.join(pv)}"
    )
