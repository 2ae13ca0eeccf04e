"""Finding games among those of many files."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import games
from arena.errors import UserError
from arena.play.records.files import Skipped, read_games
from arena.play.records.saved import LoadGame, SavedGame

_RESULTS = {"1-0": 1, "draw": 0, "0-1": -1, "*": None}
"""Results that can be asked for, and the sign of seat 0's."""


@dataclass(frozen=True)
class GameFilter:
    """Which games are wanted; all that are given must hold.

    Attributes:
      generation: the tag that showcase games of a training have.
      agents: parts of the names of those who played, each in any seat.
      result: 1-0, draw, 0-1, or * for none; any if empty.
      least: moves.
      most: moves; any number if None.

    Raises:
      UserError: there is no such result.
    """

    generation: int | None = None
    agents: tuple[str, ...] = ()
    result: str = ""
    least: int = 0
    most: int | None = None

    def __post_init__(self):
        if self.result and self.result not in _RESULTS:
            raise UserError(f"a result is one of {', '.join(_RESULTS)}, not {self.result!r:.40}")

    def holds(self, kept: SavedGame) -> bool:
        """Whether a game is wanted."""
        names = [player.name for player in kept.players]
        return (
            (self.generation is None or kept.tags.get("generation") == self.generation)
            and all(any(part in name for name in names) for part in self.agents)
            and (not self.result or _sign(kept.result) == _RESULTS[self.result])
            and self.least <= len(kept.moves)
            and (self.most is None or len(kept.moves) <= self.most)
        )


class FoundGame(NamedTuple):
    """A game and where it lies.

    Attributes:
      path: its file.
      number: its number among the games of the file that can be read, from 1.
      game: the game.
    """

    path: Path
    number: int
    game: SavedGame


def find_games(
    paths: Iterable[Path],
    wanted: GameFilter | None = None,
    *,
    load: LoadGame = games.load,
    skipped: Skipped | None = None,
) -> Iterator[FoundGame]:
    """The games of files, in order, of which moves of JSONL files are not looked at.

    Args:
      paths: the files; folders stand for the JSONL files in them, by the numbers of their names.
      wanted: which games; all if None.
      load: gives a game by its name.
      skipped: counts broken games.
    """
    wanted = wanted or GameFilter()
    for path in paths:
        for file in _files(path):
            found = read_games(file, load=load, skipped=skipped, check=False)
            for number, kept in enumerate(found, 1):
                if wanted.holds(kept):
                    yield FoundGame(file, number, kept)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]

    def order(file: Path) -> tuple[int, str]:
        return (int(file.stem) if file.stem.isdecimal() else 0, file.name)

    return sorted(path.glob("*.jsonl"), key=order)


def _sign(result: float | None) -> int | None:
    return None if result is None else (result > 0) - (result < 0)
