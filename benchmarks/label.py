"""Makes `arena/positions/connect_four.txt`: positions of Connect Four, labelled by a solver.

    python -m benchmarks.label

10,000 positions, no two the same or mirror images, in which the game goes on and the mover has a
choice: as many of each number of stones from 0 to 35 as of any other, or all there are. Half come
from random play, half from careful play, which takes a win in one, or else stops one, or else is
random too; one position a game, so that they are independent. A line holds the moves that lead
there, columns 1 to 7, and what each column gives the mover under perfect play from then on: `+` a
win, `=` a draw, `-` a loss, `.` a full column. Nothing is left out for being easy.

The solver is BitBully (github.com/MarkusThill/BitBully) with its opening book of 12 plies, from the
extra `test`. The rules are BitBully's too, so that ours have no part in the labels.
"""

import random
from pathlib import Path

import bitbully.bitbully_core as bitbully

from arena.evaluation import solved_positions

FILE = Path(__file__).parents[1] / "arena" / "positions" / "connect_four.txt"
COUNT, PLIES, SEED = 10_000, range(36), 0
_TRIES = 2_000  # games in a row without a new position, after which a ply is taken for exhausted


def main() -> None:
    """Draws, labels and writes."""
    oracle = solved_positions.bitbully()
    lines = [f"{moves} {label(oracle, moves)}".lstrip() for moves in draw(random.Random(SEED))]
    FILE.write_text("\n".join(lines) + "\n")
    print(f"{FILE}: {len(lines)} positions")


def draw(chance: random.Random) -> list[str]:
    """The positions as moves, those of few stones first."""
    found: list[str] = []
    for ply in PLIES:
        share = (COUNT - len(found)) // (len(PLIES) - ply)
        seen: set[int] = set()
        idle = 0
        while len(seen) < share and idle < _TRIES:
            # Wholly random games first, then careful ones.
            board, moves = _play(chance, ply, careful=2 * len(seen) >= share)
            new = board is not None and _identity(board) not in seen
            idle = 0 if new else idle + 1
            if board is not None and new:
                seen.add(_identity(board))
                found.append(moves)
    return found


def _play(
    chance: random.Random, plies: int, careful: bool
) -> tuple[bitbully.BoardCore | None, str]:
    """A game cut after so many moves, and the moves; None if there is no choice to be made."""
    board, moves = bitbully.BoardCore(), ""
    for _ in range(plies):
        column = _move(chance, board, careful)
        if board.canWin(column):
            return None, ""
        board.play(column)
        moves += str(column + 1)
    return (board if len(_legal(board)) > 1 else None), moves


def _legal(board: bitbully.BoardCore) -> list[int]:
    return [column for column in range(7) if board.isLegalMove(column)]


def _move(chance: random.Random, board: bitbully.BoardCore, careful: bool) -> int:
    legal = _legal(board)
    if careful:
        wins = [c for c in legal if board.canWin(c)]
        threats = [c for c in legal if _theirs(board).canWin(c)]
        legal = wins or threats or legal
    return chance.choice(legal)


def _theirs(board: bitbully.BoardCore) -> bitbully.BoardCore:
    """The same stones with the other seat to move."""
    stones, mine, left = board.rawState()
    other = bitbully.BoardCore()
    other.setRawState(stones, stones ^ mine, left)
    return other


def _identity(board: bitbully.BoardCore) -> int:
    """The same for mirror images, and for no two other positions."""
    return min(board.uid(), board.mirror().uid())


def label(oracle: bitbully.BitBullyCore, moves: str) -> str:
    """What each column gives the mover, as in the file."""
    board = bitbully.BoardCore()
    board.play([int(move) - 1 for move in moves])
    return "".join(".-=+"[value + 2] for value in solved_positions.worth(oracle, board))


if __name__ == "__main__":
    main()
