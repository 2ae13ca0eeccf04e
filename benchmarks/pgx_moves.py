"""Our numbers of moves in pgx's, game by game; whoever uses them compares the legal moves too."""

from functools import cache
from importlib import import_module

import numpy as np

from games import _chess

GAMES = (
    "animal_shogi",
    "chess",
    "connect_four",
    "gardner_chess",
    "go:size=9",
    "hex:swap=true",
    "othello",
)
"""Games of ours that pgx has, too, and whose moves are compared here."""

_SAME = {"connect_four": 7, "go:size=9": 82, "othello": 65}
"""Games whose moves are numbered alike, and how many there are."""

# Columns to the right and rows ahead that a piece of animal shogi goes, by our number and by pgx's.
_OUR_WAYS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
_PGX_WAYS = ((1, 1), (1, 0), (1, -1), (0, 1), (0, -1), (-1, 1), (-1, 0), (-1, -1))


@cache
def ours(game: str) -> np.ndarray:
    """Our number of each of pgx's moves, by the seat to move: i32[2, A], -1 for what is no move.

    Several of theirs may have the same one, since in chess ours do not say where a piece comes
    from; at most one of these is legal.

    Args:
      game: our name of it.
    """
    if game == "hex:swap=true":  # the second seat's board is reflected
        plain = np.arange(122)
        reflected = np.append(plain[:121].reshape(11, 11).T, 121)
        return np.stack([plain, reflected]).astype(np.int32)
    if game in _SAME:
        return np.tile(np.arange(_SAME[game], dtype=np.int32), (2, 1))
    found = {"animal_shogi": _animal_shogi, "chess": _chess_8, "gardner_chess": _chess_5}[game]()
    return np.tile(np.array(found, np.int32), (2, 1))


def legal(game: str, seat: np.ndarray, mask: np.ndarray, moves: int) -> np.ndarray:
    """pgx's legal moves in our numbers, bool[B, moves]; seat i32[B], mask bool[B, A]."""
    found = np.zeros((len(mask), moves), bool)
    row, action = np.nonzero(mask)
    found[row, ours(game)[seat[row], action]] = True
    return found


def theirs(game: str, seat: np.ndarray, mask: np.ndarray, move: np.ndarray) -> np.ndarray:
    """pgx's numbers i32[B] of our moves i32[B], legal ones."""
    return (mask & (ours(game)[seat] == move[:, None])).argmax(1).astype(np.int32)


def _animal_shogi() -> list[int]:
    """A move says where from, or for a drop where to; cells go up the columns, right one first."""
    found = []
    for plane in range(11):
        for cell in range(12):
            column, row = 2 - cell // 4, 3 - cell % 4
            if plane >= 8:
                found.append(12 * plane + 3 * row + column)
                continue
            right, ahead = _PGX_WAYS[plane]
            column, row = column + right, row + ahead
            inside = 0 <= column < 3 and 0 <= row < 4
            way = _OUR_WAYS.index((right, ahead))
            found.append(12 * way + 3 * row + column if inside else -1)
    return found


def _chess_8() -> list[int]:
    """From-square and one of 73 planes, the first nine of them promotions to less than a queen."""
    planes = np.asarray(import_module("pgx._src.games.chess").FROM_PLANE)
    return [
        _encode(8, source, int(planes[source, plane]), "rbn"[plane // 3] if plane < 9 else "")
        for source in range(64)
        for plane in range(73)
    ]


def _chess_5() -> list[int]:
    """As chess, on 5×5."""
    action = import_module("pgx.gardner_chess").Action
    found = []
    for label in range(1225):
        move = action._from_label(label)
        source, target, less = int(move.from_), int(move.to), int(move.underpromotion)
        found.append(_encode(5, source, target, "rbn"[less] if less >= 0 else ""))
    return found


def _encode(size: int, source: int, target: int, promotion: str) -> int:
    """Our number; they count squares up the files. -1 for what leaves the board."""
    if target < 0:
        return -1
    squares = (square % size * size + square // size for square in (source, target))
    try:
        return _chess.encode(size, *squares, promotion=promotion)
    except (KeyError, ValueError):
        return -1
