"""Games of SGF files, as `loadsgf` takes them."""

from dataclasses import dataclass
from typing import Any

from arena.play.records import begin, read_games, rules_of
from games import Game
from league.protocols.gtp_boards import LETTERS, Board
from league.settings import game_names


@dataclass(frozen=True)
class LoadedGame:
    """The first game of a file.

    Attributes:
      rules: by which it was played.
      black: points where black has stones before the first move.
      white: the same of white.
      moves: seat and vertex of each move.
    """

    rules: Game
    black: list[str]
    white: list[str]
    moves: list[tuple[int, str]]


def load(path: str, board: Board, before: int | None) -> LoadedGame:
    """Reads the first game of a file.

    Args:
      path: of the file.
      board: of the game that is played.
      before: the number of the move, from 1, before which to stop; None for the whole game.

    Raises:
      ValueError: the file cannot be read, or has no game of this kind; in one line.
    """
    try:
        kept = next(iter(read_games(path, load=game_names.load)), None)
    except OSError as error:
        raise ValueError(f"cannot load file: {error.strerror}") from None
    if kept is None or kept.game.partition(":")[0] != board.game:
        raise ValueError(f"cannot load file: it has no game of {board.game} that can be read")
    rules: Any = rules_of(kept, game_names.load)
    session = begin(kept, rules)
    stones: tuple[list[str], list[str]] = [], []
    if kept.start:
        size = board.size(rules)
        for row, marks in enumerate(board.points(session)):
            for column, mark in enumerate(marks):
                if mark != ".":
                    stones["XO".index(mark)].append(f"{LETTERS[column]}{size - row}")
    moves = []
    for label in kept.moves[: None if before is None else max(0, before - 1)]:
        moves.append((session.seat, board.vertex(rules, label)))
        session.push(label)
    return LoadedGame(rules, *stones, moves)
