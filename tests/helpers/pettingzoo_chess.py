"""What PettingZoo's chess_v6 calls moves and sees, for `arena verify chess`.

F=tests/helpers/pettingzoo_chess.py
arena verify chess pettingzoo:classic/chess-v6 --moves $F --observations $F
"""

from functools import lru_cache
from typing import Any

import chess
import numpy as np
from pettingzoo.classic.chess import chess_utils

from games import _chess
from games.chess import Chess


def moves(game: Chess, state: Any, move: int) -> int:
    """Their number: the square that a piece leaves, by files, and one of 73 planes."""
    return _numbers(game.to_fen(state))[move]


@lru_cache(1)
def _numbers(fen: str) -> dict[int, int]:
    """All legal moves of a position: ours, theirs."""
    board = chess.Board(fen)
    flip = 0 if board.turn else 56
    numbers = {}
    for move in board.legal_moves:
        seen = chess.Move(move.from_square ^ flip, move.to_square ^ flip, move.promotion)
        promotion = chess.piece_symbol(move.promotion) if move.promotion else ""
        file, rank = seen.from_square % 8, seen.from_square // 8
        ours = _chess.encode(8, seen.from_square, seen.to_square, promotion=promotion)
        numbers[ours] = (8 * file + rank) * 73 + chess_utils.get_move_plane(seen)
    return numbers


def observations(native: np.ndarray, env: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pieces of both seats, own ones first.

    Theirs does not show the board before the first move, and shows a pawn that may be taken en
    passant (or could be, were there a pawn to do it) on its first rank.
    """
    theirs = env[::-1, :, 7:19].copy()
    theirs[4, :, 6] |= theirs[7, :, 6]
    theirs[7, :, 6] = False
    return native[..., :12] if theirs.any() else theirs, theirs
