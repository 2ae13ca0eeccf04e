"""Openings from a file: positions in EPD, or the first moves of games in PGN, SGF or JSONL."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import chess
import numpy as np

import games
from arena.errors import UserError
from arena.play.recording import Opening, opening_of
from arena.play.records import SavedGame, Skipped, begin, read_games
from arena.play.records.saved import LoadGame
from games import Game
from games.chess import Chess

_EPD = ".epd"


def draw_openings(
    path: Path,
    game: Game,
    *,
    count: int,
    seed: int,
    plies: int | None = None,
    load: LoadGame = games.load,
    skipped: Skipped | None = None,
) -> list[Opening]:
    """Different openings of a book, in random order.

    Args:
      path: an EPD file of chess, or a PGN, SGF or JSONL file.
      game: what is to be played.
      count: how many.
      seed: of the order.
      plies: so many moves of each game at most; all if None.
      load: gives a game by its name.
      skipped: counts what is broken, not legal, or over.

    Raises:
      UserError: the book has fewer, or is no book of this game.
    """
    skipped = skipped if skipped is not None else Skipped()
    lines = _lines(path, game, plies, load, skipped)
    found: list[Opening] = []
    for number in np.random.default_rng(seed).permutation(len(lines)).tolist():
        try:
            found.append(_opening(lines[number], game))
        except ValueError as error:
            skipped.add(number + 1, error)
        if len(found) == count:
            return found
    reason = f" ({skipped.describe()})" if skipped.count else ""
    hint = f": --pairs {len(found)}" if found else ""
    raise UserError(
        f"{path} has {len(found)} different openings that can be played; {count} pairs need as "
        f"many{hint}{reason}"
    )


def _lines(
    path: Path, game: Game, plies: int | None, load: LoadGame, skipped: Skipped
) -> list[SavedGame]:
    """The games of a book, up to so many moves, without those that are there before."""
    if path.suffix.lower() == _EPD:
        read = _epd(path, game, skipped)
    else:
        read = read_games(path, game=game, load=load, skipped=skipped, check=False)
    found: dict[tuple[str, tuple[str, ...], tuple[int, ...]], SavedGame] = {}
    for one in read:
        moves = one.moves if plies is None else one.moves[:plies]
        found.setdefault((one.start, moves, one.outcomes), replace(one, moves=moves))
    return list(found.values())


def _opening(line: SavedGame, game: Game) -> Opening:
    session = begin(line, game)
    for number, label in enumerate(line.moves, 1):
        try:
            session.push(label)
        except ValueError as error:
            raise ValueError(f"move {number}, {label!r:.40}: {error}") from None
    return opening_of(session)


def _epd(path: Path, game: Game, skipped: Skipped) -> Iterator[SavedGame]:
    """Positions of chess, one a line: EPD with its operations, or FEN."""
    if not isinstance(game, Chess):
        raise UserError(f"{path}: an EPD file holds positions of chess")
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield SavedGame(game="chess", start=_fen(line))
            except ValueError as error:
                skipped.add(number, error)


def _fen(line: str) -> str:
    fields = line.split()
    board = chess.Board(None)
    if len(fields) >= 6 and fields[4].isdecimal() and fields[5].isdecimal():
        board.set_fen(" ".join(fields[:6]))
    else:
        board.set_epd(line.strip())
    return board.fen(en_passant="legal")
