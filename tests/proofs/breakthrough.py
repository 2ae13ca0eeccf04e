"""Breakthrough's proof."""

from tests.helpers.lockstep import OpenSpiel

STATE_BYTES = 17


class Partner(OpenSpiel):
    """OpenSpiel numbers moves by row from the top, column, way (three for each player), capture."""

    def __init__(self):
        super().__init__("breakthrough")
        self._theirs: dict[int, int] = {}

    def legal(self) -> list[int]:
        """By way, row from the mover's side, column; their first player's side is the top."""
        player = self._state.current_player()
        self._theirs = {}
        for action in self._state.legal_actions():
            cell, way = divmod(action // 2, 6)
            row = 7 - cell // 8 if player else cell // 8
            self._theirs[64 * (way % 3) + 8 * row + cell % 8] = action
        return list(self._theirs)

    def play(self, move: int) -> None:
        """One of the moves that `legal` gave last."""
        super().play(self._theirs[move])


LOCKSTEP = {"breakthrough": Partner}
