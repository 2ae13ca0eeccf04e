"""Dark Hex's proof."""

from functools import partial
from typing import Any

from games.dark_hex import DarkHex
from tests.helpers.beliefs import information_sets, sure_wins
from tests.helpers.lockstep import OpenSpiel


class Partner(OpenSpiel):
    """OpenSpiel's Dark Hex, which numbers all moves in the first seat's view."""

    def __init__(self, size: int):
        super().__init__(f"dark_hex(board_size={size},gameversion=cdh,obstype=reveal-nothing)")
        self._size = size

    def legal(self) -> list[int]:
        return [self._turned(move) for move in super().legal()]

    def play(self, move: int) -> None:
        super().play(self._turned(move))

    def information(self, seat: int) -> str:
        """Without the number of moves so far, from which one could tell how often both ran into
        stones; OpenSpiel leaves it out of its `information_state_tensor`, too."""
        lines = super().information(seat).split("\n")
        del lines[self._size]
        return "\n".join(lines)

    def _turned(self, move: int) -> int:
        if self.mover() == 0:
            return move
        row, column = divmod(move, self._size)
        return column * self._size + row


def _value(game: DarkHex, given: Any) -> float:
    """A seat that can be sure to win has a value of 1."""
    assert sure_wins(game, 0)
    return 1.0


LOCKSTEP = {
    "dark_hex": partial(Partner, 3),
    "dark_hex:size=2": partial(Partner, 2),
    "dark_hex:size=4": partial(Partner, 4),
    "dark_hex:size=6": partial(Partner, 6),
}
STATE_BYTES = 18
REPRODUCE = {
    "value": _value,
    "information_sets": lambda game, given: sum(information_sets(game, k) for k in range(2)),
}
