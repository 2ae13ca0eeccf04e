"""The clocks of a game that is played by GTP."""

from dataclasses import dataclass

from league.protocols.clock import Clock


@dataclass
class _Side:
    left: float
    stones: int = 0  # to be played in this time; 0 in main time


class Clocks:
    """Main time and overtime of both sides; no limit until there are settings.

    Clients that tell the time left are believed; otherwise it is counted here.
    """

    def __init__(self) -> None:
        self._limited = False
        self._main = self._over = 0.0
        self._stones = self._periods = 0
        self._sides: list[_Side] = []

    def set(self, main: float, over: float, stones: int) -> None:
        """Main time, and Canadian overtime for each so many stones; seconds.

        Overtime without stones means no limit, as GTP 2 has it.
        """
        self._limited = not (over > 0 and stones == 0)
        self._main, self._over, self._stones = main, over, stones
        self._periods = 0
        self.reset()

    def set_byoyomi(self, main: float, over: float, periods: int) -> None:
        """Japanese overtime: a move in each period."""
        self.set(main, over, 1)
        self._periods = periods

    def unlimited(self) -> None:
        """No limit."""
        self._limited = False

    def reset(self) -> None:
        """A new game begins."""
        side = _Side(self._main) if self._main > 0 else _Side(self._over, self._stones)
        self._sides = [_Side(side.left, side.stones) for _ in range(2)]

    def tell(self, seat: int, left: float, stones: int) -> None:
        """What a client's clock says: seconds, and stones in overtime, 0 in main time."""
        if not self._limited:
            self._limited, self._sides = True, [_Side(left), _Side(left)]
        self._sides[seat] = _Side(left, stones)

    def clock(self, seat: int) -> Clock | None:
        """The clock of a side, None if nothing limits it."""
        if not self._limited:
            return None
        side = self._sides[seat]
        if side.stones or not self._over:
            return Clock(side.left, 0.0, side.stones or None)
        # In main time; what one stone has in overtime comes on top for good.
        return Clock(side.left, self._over / max(1, self._stones) if self._stones else 0.0)

    def spend(self, seat: int, seconds: float) -> None:
        """Counts the time of a move."""
        if not self._limited:
            return
        side = self._sides[seat]
        side.left -= seconds
        if side.stones:
            side.stones -= 1
            if not side.stones:
                self._sides[seat] = _Side(self._over, self._stones)
        elif side.left <= 0 and self._stones:
            self._sides[seat] = _Side(self._over, self._stones)
