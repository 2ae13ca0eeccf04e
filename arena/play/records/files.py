"""Files of games: PGN, SGF or JSONL, by the ending of their name."""

import codecs
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import games
from arena.errors import UserError
from arena.play.records import jsonl, pgn
from arena.play.records.saved import LoadGame, SavedGame, replay
from games import Game
from games.chess import Chess

ENDINGS = (".pgn", ".sgf", ".jsonl")
_LONGEST = 1 << 24  # bytes of a line
_FIRST = 3  # faults that are told of


@dataclass
class Skipped:
    """The games of a file that were left out, and why.

    Attributes:
      count: how many.
      reasons: the first of them, by the number of the game in its file.
    """

    count: int = 0
    reasons: dict[int, str] = field(default_factory=dict)

    def add(self, number: int, reason: object) -> None:
        """One more."""
        self.count += 1
        if len(self.reasons) < _FIRST:
            self.reasons[number] = " ".join(str(reason).split())

    def describe(self) -> str:
        """In one line; "" if there are none."""
        if not self.count:
            return ""
        told = "; ".join(f"game {number}: {reason}" for number, reason in self.reasons.items())
        more = "; …" if self.count > len(self.reasons) else ""
        return f"{self.count} game{'s' * (self.count > 1)} skipped ({told}{more})"


def read_games(
    path: str | Path,
    *,
    game: Game | None = None,
    load: LoadGame = games.load,
    skipped: Skipped | None = None,
    check: bool = True,
) -> Iterator[SavedGame]:
    """The games of a file, one after the other.

    Args:
      path: a PGN, SGF or JSONL file; text in UTF-8 or Latin-1.
      game: games of others are left out; SGF of this kind and size is read as this game, whatever
        its komi.
      load: gives a game by its name.
      skipped: counts the games that are left out: broken ones, and those with illegal moves.
      check: whether the moves of a JSONL file are played through; those of PGN and SGF are always.

    Raises:
      OSError: the file cannot be read.
      UserError: its ending is another.
    """
    path, ending = Path(path), ending_of(Path(path))
    skipped = skipped if skipped is not None else Skipped()
    with open(path, "rb") as file:
        for number, found in enumerate(_found(file, ending, load, game), 1):
            try:
                if isinstance(found, ValueError):
                    raise found
                _check_game(found, ending, game, load)
                if check and ending == ".jsonl":
                    replay(found, load)
            except (ValueError, UserError) as error:
                skipped.add(number, error)
                continue
            yield found


def _found(
    file: BinaryIO, ending: str, load: LoadGame, game: Game | None
) -> Iterator[SavedGame | ValueError]:
    if ending == ".pgn":
        with io.TextIOWrapper(file, "utf-8-sig", errors=_LATIN_1) as text:
            yield from pgn.read(text)
    elif ending == ".jsonl":
        yield from _lines(file)
    else:
        from arena.play.records import sgf  # which imports the rules of five games

        yield from sgf.read(file, load, game)


def _lines(file: BinaryIO) -> Iterator[SavedGame | ValueError]:
    while line := file.readline(_LONGEST):
        if len(line) == _LONGEST and not line.endswith(b"\n"):
            while (more := file.readline(_LONGEST)) and not more.endswith(b"\n"):
                pass
            yield ValueError("a line is too long")
        elif line.strip():
            try:
                yield jsonl.read(line)
            except ValueError as error:
                yield error


def _check_game(found: SavedGame, ending: str, game: Game | None, load: LoadGame) -> None:
    """Raises ValueError unless it is a game that is asked for."""
    if game is None or ending == ".sgf":
        return
    if ending == ".pgn" and isinstance(game, Chess):
        return
    if load(found.game) != game:
        raise ValueError(f"it is a game of {found.game}")


def ending_of(path: Path) -> str:
    """The format of a file, by its ending; raises UserError if it is none of `ENDINGS`."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise UserError(f"{path}: games are kept in files that end in {', '.join(ENDINGS)}")
    return ending


def check_writable(path: str | Path, game: Game) -> None:
    """Raises UserError, before anything is played, if games cannot be written there."""
    path = Path(path)
    ending = ending_of(path)
    if not path.parent.is_dir() or (path.exists() and not path.is_file()):
        raise UserError(f"{path} cannot be written: there is no such folder, or it is no file")
    name = type(game).__module__.rpartition(".")[2]
    if ending == ".pgn" and not isinstance(game, Chess):
        raise UserError(f"{path}: a PGN file holds games of chess; {name} goes into a .jsonl")
    if ending == ".sgf":
        from arena.play.records import sgf

        if sgf.kind_of(game) is None:
            raise UserError(f"{path}: SGF has no games of {name}, which go into a .jsonl")


def append_games(
    path: str | Path, kept: Iterable[SavedGame], *, load: LoadGame = games.load
) -> None:
    """Writes games behind those that a file holds already, each one whole.

    A process that is killed at any instant leaves the games before, and of the last one at most a
    part, which readers skip.

    Raises:
      UserError: a game cannot be written in this format.
    """
    path, ending = Path(path), ending_of(Path(path))
    with open(path, "ab+", buffering=0) as file:
        for one in kept:
            text = _written(one, ending, load).encode("utf-8")
            text = _separator(file, ending) + text
            while text:
                text = text[file.write(text) or 0 :]
            os.fsync(file.fileno())


def _written(one: SavedGame, ending: str, load: LoadGame) -> str:
    try:
        if ending == ".jsonl":
            return jsonl.write(one)
        if ending == ".pgn":
            return pgn.write(one)
        from arena.play.records import sgf

        return sgf.write(one, load)
    except ValueError as error:
        raise UserError(f"a game cannot be written: {error}") from None


def _separator(file: io.FileIO, ending: str) -> bytes:
    """What ends a game that was cut off, or that others wrote without an end of line."""
    file.seek(0, os.SEEK_END)
    wanted = b"\n\n" if ending == ".pgn" else b"\n"
    if not file.tell():
        return b""
    file.seek(-min(len(wanted), file.tell()), os.SEEK_END)
    return b"" if file.read(len(wanted)) == wanted else wanted


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    """What is no UTF-8 is Latin-1, which the standard of PGN asks for."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


_LATIN_1 = "arena-latin-1"
codecs.register_error(_LATIN_1, _as_latin_1)
