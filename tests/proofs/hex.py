"""Hex's proof."""

from functools import partial
from typing import Any

import games
from arena.evaluation.solver import solve
from games import Game
from tests.helpers.lockstep import OpenSpiel


class Partner(OpenSpiel):
    """OpenSpiel's Hex, which numbers all moves in the first seat's view."""

    def __init__(self, size: int, swap: bool = False):
        super().__init__(f"hex(board_size={size},swap={swap})")
        self._size = size

    def legal(self) -> list[int]:
        return [self._turned(move) for move in super().legal()]

    def play(self, move: int) -> None:
        super().play(self._turned(move))

    def _turned(self, move: int) -> int:
        if self.mover() == 0 or move == self._size**2:
            return move
        row, column = divmod(move, self._size)
        return column * self._size + row


def _value_of_small_boards(game: Game, given: Any) -> float:
    """Strategy stealing does not ask for the size, and up to 3×3 the whole game can be solved."""
    values = {float(solve(games.load(f"hex:size={size}")).value[0]) for size in (1, 2, 3)}
    assert len(values) == 1
    return values.pop()


LOCKSTEP = {
    "hex": partial(Partner, 11),
    "hex:size=4": partial(Partner, 4),
    "hex:size=19": partial(Partner, 19),
    "hex:swap=true": partial(Partner, 11, True),
    "hex:size=4,swap=true": partial(Partner, 4, True),
}
STATE_BYTES = 34
REPRODUCE = {"value": _value_of_small_boards}
