"""Chess on a board of any size: pieces, check, pins, moves, repetition.

The board is always that of the seat to move: its pieces are `mine`, and its pawns move up. All
operations work on whole sets of squares, bits of 32-bit words.
"""

from games._chess.attacks import CheckInfo, check_info, slide
from games._chess.board import (
    DIRECTIONS,
    JUMPS,
    PAWN_RAYS,
    RAYS,
    Board,
    materialize,
    planes,
    union,
)
from games._chess.history import CLOCK, History, Key, key
from games._chess.moves import Move, origin, pawn_targets, play, targets
from games._chess.numbering import (
    UNDERPROMOTIONS,
    decode,
    encode,
    mask,
    move_planes,
    num_actions,
    squares,
)
from games._chess.pieces import KINDS, Pieces, from_letters, insufficient, letters

__all__ = [
    "CLOCK",
    "DIRECTIONS",
    "JUMPS",
    "KINDS",
    "PAWN_RAYS",
    "RAYS",
    "UNDERPROMOTIONS",
    "Board",
    "CheckInfo",
    "History",
    "Key",
    "Move",
    "Pieces",
    "check_info",
    "decode",
    "encode",
    "from_letters",
    "insufficient",
    "key",
    "letters",
    "mask",
    "materialize",
    "move_planes",
    "num_actions",
    "origin",
    "pawn_targets",
    "planes",
    "play",
    "slide",
    "squares",
    "targets",
    "union",
]
