"""Go's proof."""

from functools import cache, partial
from typing import Any

import jax
import numpy as np
import pyspiel

from arena.evaluation import enumeration
from games import OVER, Game
from games.go import Go, State
from tests.helpers.lockstep import Position


@cache
def _load(size: int, komi: float) -> Any:
    # Longer than any of our games: a board that is set up anew takes plies of its own.
    return pyspiel.load_game(f"go(board_size={size},komi={komi},max_game_length={8 * size**2})")


class Partner(Position):
    """OpenSpiel's go, which numbers its moves as we do.

    Where it ends a game because the board has been so before, it goes on with that board, set up
    anew.
    """

    def __init__(self, size: int, komi: float = 7.5):
        self._game = _load(size, komi)
        self._pass = size**2
        self._moves: list[int] = []
        self._state = self._game.new_initial_state()

    def mover(self) -> int:
        over = self._passed() or len(self._moves) == 2 * self._pass
        return OVER if over else len(self._moves) % 2

    def legal(self) -> list[int]:
        return self._state.legal_actions()

    def payoff(self) -> float:
        if self.mover() != OVER:
            return 0.0
        state = self._state.clone()
        while not state.is_terminal():  # it counts the board after two passes
            state.apply_action(self._pass)
        return state.player_return(0)

    def play(self, move: int) -> None:
        self._moves.append(move)
        self._state.apply_action(move)
        if self._state.is_terminal() and not self._passed():
            self._state = self._renewed()

    def _passed(self) -> bool:
        return self._moves[-2:] == [self._pass] * 2

    def _renewed(self) -> Any:
        """The same position without a past: the board before the last move, and that move."""
        before, after = self._game.new_initial_state(), self._game.new_initial_state()
        *past, move = self._state.history()
        for action in past:
            before.apply_action(action)
        planes = np.array(before.observation_tensor(0)).reshape(4, -1)
        black, white = (np.flatnonzero(plane).tolist() for plane in planes[:2])
        # Part of a legal board is legal, so that the stones can be set in any order; and since the
        # move's point stays empty, the board after the move does not come up on the way. Whoever
        # has run out of stones passes.
        while black or white or after.current_player() != before.current_player():
            stones = (black, white)[after.current_player()]
            after.apply_action(stones.pop() if stones else self._pass)
        after.apply_action(move)
        return after


class SuperkoPartner(Partner):
    """The same with positional superko: a repetition is what would end their game."""

    def legal(self) -> list[int]:
        moves = super().legal()
        return [m for m in moves if m == self._pass or not self._state.child(m).is_terminal()]


class StonesOnly(Go):
    """Nobody passes."""

    def legal(self, state: State) -> jax.Array:
        return super().legal(state).at[-1].set(False)


def _perft_of_stones(game: Game, given: tuple[int, ...]) -> list[int]:
    return enumeration.perft(StonesOnly(), len(given) - 1)


LOCKSTEP = {
    "go": partial(Partner, 9),
    "go:size=5,komi=1": partial(Partner, 5, 1.0),
    "go:size=13": partial(Partner, 13),
    "go:size=19": partial(Partner, 19),
    "go:superko=true": partial(SuperkoPartner, 9),
    "go:size=3,komi=0.5,superko=true": partial(SuperkoPartner, 3, 0.5),
    "go:size=5,komi=0.5,superko=true": partial(SuperkoPartner, 5, 0.5),
}
STATE_BYTES = 236
REPRODUCE = {"perft": _perft_of_stones}
