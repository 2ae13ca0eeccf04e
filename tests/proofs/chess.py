"""Chess's proof."""

from functools import cache, partial
from itertools import islice

import chess
import jax
import numpy as np
import pyspiel

from arena.evaluation import enumeration
from games import OVER, _chess
from games.chess import Chess
from tests.helpers.lockstep import Position

_number = cache(_chess.encode)
_open_spiel = cache(pyspiel.load_game)
_OPEN_SPIEL_NUMBERS: dict[tuple[int, int], int] = {}  # by their number and player


class PythonChess(Position):
    """A position of python-chess, drawn without a claim as ours is."""

    def __init__(self, plies: int = 500):
        self._board = chess.Board()
        self._plies = plies
        self._moves = {}

    def mover(self) -> int:
        """White is seat 0. Finds the moves, too."""
        board, flip = self._board, 0 if self._board.turn else 56
        self._moves = {
            _number(
                8,
                move.from_square ^ flip,
                move.to_square ^ flip,
                promotion=chess.PIECE_SYMBOLS[move.promotion or 0] or "",
            ): move
            for move in board.legal_moves
        }
        over = (
            not self._moves
            or board.ply() >= self._plies
            or board.halfmove_clock >= 100
            or board.is_insufficient_material()
            or board.is_repetition(3)
        )
        return OVER if over else int(not board.turn)

    def legal(self) -> list[int]:
        """All of theirs, in our numbers."""
        return list(self._moves)

    def payoff(self) -> float:
        """Whoever is mated has lost."""
        if self._moves or not self._board.is_check():
            return 0.0
        return -1.0 if self._board.turn else 1.0

    def play(self, move: int) -> None:
        """In their terms."""
        self._board.push(self._moves[move])


class OpenSpielChess(Position):
    """A position of OpenSpiel's chess, but no longer than ours."""

    def __init__(self, plies: int):
        self._state = _open_spiel("chess").new_initial_state()
        self._left = plies
        self._moves = {}

    def mover(self) -> int:
        """Their player 1 plays White."""
        if self._state.is_terminal() or not self._left:
            return OVER
        return 1 - self._state.current_player()

    def legal(self) -> list[int]:
        """Theirs, in our numbers."""
        self._moves = {self._number(action): action for action in self._state.legal_actions()}
        return list(self._moves)

    def payoff(self) -> float:
        """Theirs, at the end."""
        return self._state.player_return(1) if self._state.is_terminal() else 0.0

    def play(self, move: int) -> None:
        """In their numbers."""
        self._left -= 1
        self._state.apply_action(self._moves[move])

    def _number(self, action: int) -> int:
        key = action, self._state.current_player()
        if key not in _OPEN_SPIEL_NUMBERS:
            _OPEN_SPIEL_NUMBERS[key] = self._translate(action)
        return _OPEN_SPIEL_NUMBERS[key]

    def _translate(self, action: int) -> int:
        move = pyspiel.chess.action_to_move(action, self._state.board())
        flip = 0 if self._state.current_player() == 1 else 56
        text = move.to_lan()
        source, target = (chess.parse_square(text[k : k + 2]) ^ flip for k in (0, 2))
        return _number(8, source, target, promotion=text[4:])


def positions(game: Chess, depth: int) -> list[int]:
    """Distinct positions after n plies for n = 0 … depth, whatever was before them."""
    counts = []
    for level in islice(enumeration.levels(game), depth + 1):
        words = jax.tree.leaves((level.states.pieces, level.states.rights))
        counts.append(len(np.unique(np.stack(words, 1), axis=0)))
    return counts


LOCKSTEP = {"chess": PythonChess, "chess:plies=300": partial(OpenSpielChess, 300)}
STATE_BYTES = 864
REPRODUCE = {"positions": lambda game, given: positions(game, len(given) - 1)}
