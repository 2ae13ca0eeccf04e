"""The Ehrenfeucht-Fraïssé game's proof: pairs of elements, compared two by two."""

from functools import partial

from games import OVER
from tests.helpers.lockstep import Position


class Pairs(Position):
    """A position as the list of marked pairs; Duplicator holds if they are a partial isomorphism.

    Args:
      sizes: of both orders.
      rounds: how many are played.
    """

    def __init__(self, sizes: tuple[int, int], rounds: int):
        self._sizes, self._rounds = sizes, rounds
        self._pairs: list[tuple[int, int]] = []
        self._asked = -1

    def _holds(self) -> bool:
        return all(
            (a < c) == (b < d) and (a == c) == (b == d)
            for a, b in self._pairs
            for c, d in self._pairs
        )

    def mover(self) -> int:
        """Spoiler unless there is something to answer."""
        if not self._holds() or len(self._pairs) == self._rounds:
            return OVER
        return 0 if self._asked < 0 else 1

    def legal(self) -> list[int]:
        """Elements of A, then of B."""
        first, second = self._sizes
        a, b = list(range(first)), list(range(first, first + second))
        return a + b if self._asked < 0 else b if self._asked < first else a

    def payoff(self) -> float:
        """To Spoiler."""
        if self.mover() != OVER:
            return 0.0
        return -1.0 if self._holds() else 1.0

    def play(self, move: int) -> None:
        """Asks, or answers."""
        if self._asked < 0:
            self._asked = move
            return
        a, b = sorted((self._asked, move))
        self._pairs.append((a, b - self._sizes[0]))
        self._asked = -1


LOCKSTEP = {
    "ehrenfeucht_fraisse": partial(Pairs, (7, 8), 3),
    "ehrenfeucht_fraisse:first=3,second=2,rounds=4": partial(Pairs, (3, 2), 4),
    "ehrenfeucht_fraisse:first=16,second=16,rounds=8": partial(Pairs, (16, 16), 8),
}
STATE_BYTES = 7
