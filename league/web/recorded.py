"""Recorded games: those in the folders of runs, and in files beside them.

A trainer keeps showcase games in its run's folder, and commands write the games of `--record` where
they are told to; every PGN, SGF and JSONL file in these places is listed. What a file holds is read
once, as long as it does not change.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import games
from arena.errors import UserError
from arena.play.records import SavedGame, Skipped, begin, read_games, rules_of
from arena.types import State
from league.web.lines import Lines

_MOST_FILES = 2000
_MOST_GAMES = 5000
"""The most games of one file that are listed."""
_PIECE = 50
"""Games that are read before others have their turn."""
_MOST_REPLAYS = 16
_MOST_BYTES = 1 << 26
ENDINGS = (".jsonl", ".pgn", ".sgf")


@dataclass(frozen=True)
class Entry:
    """A game in the list.

    Attributes:
      file: where it is, below the folder that the server was started in.
      number: of the game in its file, from 1.
      run: the run in whose folder it is; "" if none.
      kept: the game.
    """

    file: str
    number: int
    run: str
    kept: SavedGame

    @property
    def generation(self) -> int | None:
        """The generation that it was kept with; None if it is not known."""
        found = self.kept.tags.get("generation")
        return found if isinstance(found, int) else None


@dataclass
class File:
    """What a file holds.

    Attributes:
      mark: changes with the file.
      entries: its games.
      fault: what was left out, in one line; "" if nothing was.
    """

    mark: tuple[int, int]
    entries: list[Entry] = field(default_factory=list)
    fault: str = ""


@dataclass(frozen=True, eq=False)
class Replay:
    """A game with all its positions.

    Attributes:
      entry: the game.
      states: before the first move, and after each.
      cells: that the move before each of them was made on.
      seats: who made each move.
      pictures: of an env's game, in place of drawing its states; else empty.
      game: what is played.
    """

    entry: Entry
    states: tuple[State, ...]
    cells: tuple[tuple[str, ...], ...]
    seats: tuple[int, ...]
    pictures: tuple[str, ...]
    game: games.Game

    def picture(self, ply: int) -> str:
        """The position after so many moves, the whole of it, with the last move marked."""
        if self.pictures:
            return self.pictures[ply]
        return games.mark(self.game.draw(self.states[ply]), self.cells[ply])

    def values(self) -> list[float | None]:
        """What who moved thought of each position before a move, for seat 0, in [-1, 1]."""
        notes = self.entry.kept.notes
        return [
            None if n >= len(notes) or (note := notes[n]) is None else (note.value, -note.value)[s]
            for n, s in enumerate(self.seats)
        ]


class Recorded:
    """All recorded games that a server can see.

    Args:
      place: the folder of runs.
      lines: which gives games by their names, those that may be used here.
    """

    def __init__(self, place: Path, lines: Lines):
        self._place, self._lines = place, lines
        self._files: dict[str, File] = {}
        self._order: tuple[str, ...] = ()
        self._replays: OrderedDict[tuple[Any, ...], Replay] = OrderedDict()

    def read(self) -> Iterator[None]:
        """Reads what is new, in pieces."""
        paths = self._paths()
        self._files = {name: kept for name, kept in self._files.items() if name in paths}
        for name, path in paths.items():
            try:
                stat = path.stat()
            except OSError:
                continue
            mark = stat.st_mtime_ns, stat.st_size
            if name not in self._files or self._files[name].mark != mark:
                yield from self._load(name, path, mark)
                yield
        self._order = tuple(paths)

    @property
    def entries(self) -> list[Entry]:
        """All games that have been read, the newest file first, its last game first."""
        files = (self._files.get(name) for name in self._order)
        return [entry for file in files if file for entry in reversed(file.entries)]

    @property
    def faults(self) -> dict[str, str]:
        """The files of which something was left out, and what."""
        return {name: file.fault for name, file in self._files.items() if file.fault}

    def replay(self, file: str, number: int) -> Replay:
        """A game of a file with its positions.

        Raises:
          UserError: there is none, or it cannot be played through.
        """
        found = self._files.get(file)
        entries = found.entries if found else []
        entry = next((entry for entry in entries if entry.number == number), None)
        if found is None or entry is None:
            raise UserError(f"there is no game {number} in {file!r:.200} here")
        key = file, number, found.mark
        if key not in self._replays:
            try:
                self._replays[key] = self._played(entry)
            except UserError:
                raise
            except ValueError as error:
                raise UserError(f"game {number} of {file} cannot be shown: {error}") from None
        self._replays.move_to_end(key)
        while len(self._replays) > _MOST_REPLAYS:
            self._replays.popitem(last=False)
        return self._replays[key]

    def _paths(self) -> dict[str, Path]:
        """The files, by their names as pages show them, the one that changed last first."""
        top = self._place.resolve().parent
        folders = [top, *(p.parent for p in self._place.resolve().glob("*/run.json"))]
        folders += [folder / "games" for folder in folders[1:]]
        found = [
            path
            for folder in folders
            for path in (folder.iterdir() if folder.is_dir() else ())
            if path.suffix.lower() in ENDINGS and path.is_file()
        ]
        found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        return {str(path.relative_to(top)): path for path in found[:_MOST_FILES]}

    def _load(self, name: str, path: Path, mark: tuple[int, int]) -> Iterator[None]:
        file, skipped = File(mark), Skipped()
        parts = Path(name).parts
        run = parts[1] if len(parts) > 2 and parts[0] == self._place.name else ""
        if mark[1] > _MOST_BYTES:
            file.fault = f"it is larger than {_MOST_BYTES >> 20} MiB"
            self._files[name] = file
            return
        try:
            found = read_games(path, load=self._lines.game, skipped=skipped, check=False)
            for number, kept in enumerate(found, 1):
                if number > _MOST_GAMES:
                    file.fault = f"only its first {_MOST_GAMES:,} games are listed"
                    break
                file.entries.append(Entry(name, number, run, kept))
                if number % _PIECE == 0:
                    yield
        except (OSError, UserError) as error:
            file.fault = " ".join(str(error).split())
        file.fault = "; ".join(filter(None, (file.fault, skipped.describe())))
        self._files[name] = file

    def _played(self, entry: Entry) -> Replay:
        kept = entry.kept
        game = rules_of(kept, self._lines.game)
        session = begin(kept, game)
        states, seats, pictures = [session.state], [], []
        cells: list[tuple[str, ...]] = [()]
        if not game.on_device:
            pictures.append(session.drawing(max(session.seat, 0)))
        for number, label in enumerate(kept.moves, 1):
            try:
                move = session.parse(label)
                clicks = session.clicks(move)
                seats.append(session.seat)
                session.push(move)
            except ValueError as error:
                raise ValueError(f"move {number}, {label!r:.40}: {error}") from None
            states.append(session.state)
            cells.append(tuple(name for name in clicks if not name.startswith("=")))
            if not game.on_device:
                pictures.append(session.drawing(max(session.seat, 0)))
        return Replay(entry, tuple(states), tuple(cells), tuple(seats), tuple(pictures), game)
