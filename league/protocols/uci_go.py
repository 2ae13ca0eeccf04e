"""What a client asks for with `go`."""

from collections.abc import Sequence
from dataclasses import dataclass

from league.protocols.clock import Clock

_NUMBERS = ("wtime", "btime", "winc", "binc", "movestogo", "depth", "nodes", "mate", "movetime")
_WORDS = (*_NUMBERS, "searchmoves", "ponder", "infinite", "perft")


@dataclass(frozen=True)
class Go:
    """A search that is asked for.

    Attributes:
      numbers: what stands behind `wtime`, `nodes`, and the like.
      searchmoves: the moves to choose from, as written; all if empty.
      ponder: on the opponent's time, until it plays the move that was expected.
      infinite: until it is stopped.
    """

    numbers: dict[str, int]
    searchmoves: tuple[str, ...] = ()
    ponder: bool = False
    infinite: bool = False

    def clock(self, seat: int) -> Clock | None:
        """The clock of the seat to move, 0 for White; None if there is none.

        A side whose time is not given has no clock, whatever the other one's is.
        """
        colour, get = "wb"[seat], self.numbers.get
        if (left := get(f"{colour}time")) is None:
            return None
        moves = get("movestogo")
        return Clock(left / 1000, get(f"{colour}inc", 0) / 1000, moves if moves else None)

    def seconds(self, seat: int, overhead: float) -> float | None:
        """How long the search may take; None if nothing says so.

        Args:
          seat: who is to move.
          overhead: seconds of each move that are lost between the clock and the search.
        """
        found = []
        if (movetime := self.numbers.get("movetime")) is not None:
            found.append(max(0.001, movetime / 1000 - min(overhead, movetime / 10_000)))
        if clock := self.clock(seat):
            found.append(clock.budget(overhead))
        elif not found and self._other_clock(seat):
            # Only the other side's clock was given; no search without end is meant.
            found.append(Clock(self._other_clock(seat) / 1000).budget(overhead))
        return min(found, default=None)

    def _other_clock(self, seat: int) -> int:
        return self.numbers.get(f"{'bw'[seat]}time", 0)


def parse(words: Sequence[str]) -> Go:
    """Reads what follows `go`; words that mean nothing are left out."""
    numbers: dict[str, int] = {}
    moves: list[str] = []
    flags = set()
    at = 0
    while at < len(words):
        word, at = words[at].lower(), at + 1
        if word in _NUMBERS and at < len(words):
            try:
                numbers[word] = int(words[at])
            except ValueError:
                continue
            at += 1
        elif word in ("ponder", "infinite"):
            flags.add(word)
        elif word == "searchmoves":
            while at < len(words) and words[at].lower() not in _WORDS:
                moves.append(words[at])
                at += 1
    return Go(numbers, tuple(moves), "ponder" in flags, "infinite" in flags)
