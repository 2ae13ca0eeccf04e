"""The numbers of moves.

Moves are numbered as the seat that makes them sees the board, by the direction and the square where
they end; the square where they begin follows, as that of the first piece on the way back. So the
first 16·size² numbers are `direction * size² + target`, with `DIRECTIONS` in their order. A pawn
that promotes to a queen has such a number; the last 9·size numbers are promotions to a knight, a
bishop or a rook, in this order, for each of the pawn's directions (`PAWN_RAYS`), by the file of the
target.
"""

import jax
import jax.numpy as jnp
import numpy as np

from games._chess.board import DIRECTIONS, JUMPS, PAWN_RAYS, RAYS, Board, materialize
from games._chess.moves import Move

UNDERPROMOTIONS = "nbr"
"""Letters of the kinds to which a pawn may promote instead of a queen."""


def num_actions(size: int) -> int:
    """A, the number of moves on a board of a size: 1096 on 8×8, 445 on 5×5."""
    return len(DIRECTIONS) * size * size + len(UNDERPROMOTIONS) * len(PAWN_RAYS) * size


def move_planes(size: int) -> np.ndarray:
    """Where each move ends, i64[A]: `plane * size² + target`, one plane for each of `DIRECTIONS`,
    and one for each kind and direction of an underpromotion."""
    squares, rows = size * size, len(UNDERPROMOTIONS) * len(PAWN_RAYS)
    row, file = np.divmod(np.arange(rows * size), size)
    under = (len(DIRECTIONS) + row) * squares + squares - size + file
    return np.append(np.arange(len(DIRECTIONS) * squares), under)


def mask(directions: list[Board], pawns: list[Board]) -> jax.Array:
    """The legal moves as bool[A].

    Args:
      directions: target squares of all moves, one set for each of `DIRECTIONS`.
      pawns: target squares of pawns, one set for each of `PAWN_RAYS`.
    """
    size = directions[0].size
    fields = [(word, min(32, size * size)) for board in directions for word in board.words]
    fields += [(board.last_rank(), size) for _ in UNDERPROMOTIONS for board in pawns]
    # Packed into whole words first: XLA expands those to bits without a gather.
    words, at = [jnp.uint32(0)] * -(-num_actions(size) // 32), 0
    for field, width in fields:
        word, low = divmod(at, 32)
        words[word] = words[word] | field << low
        if low + width > 32:
            words[word + 1] = words[word + 1] | field >> 32 - low
        at += width
    bits = (jnp.stack(words)[:, None] >> jnp.arange(32, dtype=jnp.uint32)) & 1
    return (bits == 1).reshape(-1)[: num_actions(size)]


def decode(size: int, number: jax.Array) -> Move:
    """The move with a number i32[]."""
    number, squares = materialize(number.astype(jnp.uint32)), size * size
    rest = number - len(DIRECTIONS) * squares
    underpromotion = number >= len(DIRECTIONS) * squares
    # PAWN_RAYS counts up from 7 modulo 8.
    direction = jnp.where(underpromotion, (rest // size % 3 + PAWN_RAYS[0]) % 8, number // squares)
    square = jnp.where(underpromotion, squares - size + rest % size, number % squares)
    promotion = jnp.where(underpromotion, rest // (3 * size), len(UNDERPROMOTIONS))
    return Move(direction, Board.square(size, square), promotion)


def encode(size: int, source: int, target: int, *, promotion: str) -> int:
    """The number of a move. On the host only.

    Args:
      size: of the board.
      source: index of the square where it begins, as the seat that moves sees the board.
      target: index of the square where it ends.
      promotion: letter of the kind to which a pawn promotes, or empty.
    """
    files, ranks = target % size - source % size, target // size - source // size
    if (files, ranks) in JUMPS:
        return (8 + JUMPS.index((files, ranks))) * size * size + target
    ray = RAYS.index((int(np.sign(files)), int(np.sign(ranks))))
    if promotion and promotion in UNDERPROMOTIONS:
        row = len(PAWN_RAYS) * UNDERPROMOTIONS.index(promotion) + PAWN_RAYS.index(ray)
        return len(DIRECTIONS) * size * size + row * size + target % size
    return ray * size * size + target


def squares(letters: list[str], number: int) -> tuple[int, int, str]:
    """Source, target and promotion of a move; the inverse of `encode`. On the host only.

    Args:
      letters: the pieces, as `pieces.letters` gives them.
      number: of a legal move.
    """
    size = int(len(letters) ** 0.5)
    direction, target = divmod(number, size * size)
    promotion = ""
    if direction >= len(DIRECTIONS):
        row, file = divmod(number - len(DIRECTIONS) * size * size, size)
        promotion, direction = UNDERPROMOTIONS[row // 3], PAWN_RAYS[row % 3]
        target = size * (size - 1) + file
    files, ranks = DIRECTIONS[direction]
    source = target - files - size * ranks
    while letters[source] == ".":
        source -= files + size * ranks
    if letters[source] == "P" and target >= size * (size - 1) and not promotion:
        promotion = "q"
    return source, target, promotion
