"""Ratings of games that were played elsewhere: results from a file, Elo with intervals.

Two kinds of files are read, by their suffix:

* `.pgn`: any number of games, of any game that has the tags White, Black and Result. A comment or a
  variation may hold anything; moves are not looked at.
* any other, as CSV with a header line. Columns are `white,black,result`, with a result as PGN has
  it (1-0, 0-1, 1/2-1/2), or `first,second,score`, with the score of the first player: 1, 0.5 or 0.
  Further columns are ignored.

White, and `first`, made the first move. Games without a result (`*`) are counted and left out.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import chess.pgn
import numpy as np

from arena.errors import UserError
from arena.evaluation import ratings
from arena.evaluation.crosstable import Ints
from arena.evaluation.ratings import Ratings

_OUTCOMES = {"1-0": 0, "1/2-1/2": 1, "0-1": 2, "*": None}
"""Results as PGN has them: the column of wins, draws and losses that counts them."""
_SCORES = {1.0: 0, 0.5: 1, 0.0: 2}


@dataclass(frozen=True, eq=False)
class GameResults:
    """The results of a file.

    Attributes:
      names: of the n players, in order of appearance.
      rows: i64[R, 5], rows (a, b, wins, draws, losses) as `arena.evaluation.ratings.fit` takes
        them, a having made the first move; one for each who met whom.
      unfinished: games without a result, which are not in the rows.
    """

    names: tuple[str, ...]
    rows: Ints
    unfinished: int


@dataclass(frozen=True)
class PlayerRating:
    """The rating of one player.

    Attributes:
      name: as the file has it.
      elo: above the anchor.
      half_width: of its 95 % interval; 0 for the anchor.
      games: that it has played.
      score: its points per game.
    """

    name: str
    elo: float
    half_width: float
    games: int
    score: float


@dataclass(frozen=True, eq=False)
class ResultRatings:
    """The ratings of all players.

    Attributes:
      anchor: whose Elo is 0.
      players: best first.
      fit: the same as arrays, players in order of `GameResults.names`, covariance and all.
      first_move: whether what the first move is worth was fitted (`fit.first_move`).
    """

    anchor: str
    players: tuple[PlayerRating, ...]
    fit: Ratings
    first_move: bool


class _Game(NamedTuple):
    """One game: the line it is on, who moved first, the other, and the result's column or None."""

    line: int
    first: str
    second: str
    outcome: int | None


def read_results(path: str | Path) -> GameResults:
    """Reads the results of a PGN or CSV file.

    Raises:
      UserError: there is no such file, something in it is not as this module says (with the number
        of the line), or no game in it has a result.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")  # what the standard of PGN asks for
    games = _pgn(path, text) if path.suffix.lower() == ".pgn" else _csv(path, text)
    return _sum_up(path, games)


def rate_results(results: GameResults, *, anchor: str = "") -> ResultRatings:
    """Ratings by the model of `arena.evaluation.ratings`.

    What the first move is worth is fitted where the games tell it from strength: not where, say,
    one of two players had it always.

    Args:
      results: from `read_results`.
      anchor: whose Elo is 0; the first player of the file if empty.

    Raises:
      UserError: the anchor is none of the players.
    """
    names, rows = results.names, results.rows
    anchor = anchor or names[0]
    if anchor not in names:
        raise UserError(f"the anchor {anchor!r} is not among the players: {_few(names)}")
    first_move = _tells_first_move(rows, len(names))
    fit = ratings.fit(rows, len(names), anchor=names.index(anchor), first_move=first_move)
    points = np.zeros(len(names))
    np.add.at(points, rows[:, 0], rows[:, 2] + rows[:, 3] / 2)
    np.add.at(points, rows[:, 1], rows[:, 4] + rows[:, 3] / 2)
    players = [
        PlayerRating(
            names[i],
            float(fit.elo[i]),
            float(fit.half_width[i]),
            int(fit.games[i]),
            float(points[i] / fit.games[i]),
        )
        for i in np.argsort(-fit.elo, kind="stable")
    ]
    return ResultRatings(anchor, tuple(players), fit, first_move)


def _tells_first_move(rows: Ints, n: int) -> bool:
    """Whether no difference of strengths gives the same chances as an advantage of who moves first.

    There is one if every player can be given a level that is one above that of all against whom it
    moved first. Levels are spread from player to player until two disagree.
    """
    steps: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    for a, b in rows[:, :2].tolist():
        steps[a].append((b, -1))
        steps[b].append((a, 1))
    level: dict[int, int] = {}
    for start in range(n):
        level.setdefault(start, 0)
        front = [start]
        while front:
            player = front.pop()
            for other, step in steps[player]:
                if other not in level:
                    level[other] = level[player] + step
                    front.append(other)
                elif level[other] != level[player] + step:
                    return True
    return False


def _sum_up(path: Path, games: Iterator[_Game]) -> GameResults:
    place: dict[str, int] = {}
    counts: Counter[tuple[int, int, int]] = Counter()
    unfinished = 0
    for game in games:
        if game.first == game.second:
            raise UserError(f"{path}, line {game.line}: {game.first!r} plays against itself")
        if game.outcome is None:
            unfinished += 1
            continue
        a, b = (place.setdefault(name, len(place)) for name in (game.first, game.second))
        counts[a, b, game.outcome] += 1
    if not counts:
        raise UserError(f"{path}: no game in it has a result")
    pairs = sorted({(a, b) for a, b, _ in counts})
    rows = [(a, b, *(counts[a, b, outcome] for outcome in range(3))) for a, b in pairs]
    return GameResults(tuple(place), np.array(rows, np.int64), unfinished)


class _Lines(io.StringIO):
    """Text that is read by lines.

    Attributes:
      number: of the line read last, from 1.
      start: of the first line since the last game that is not empty.
    """

    def __init__(self, text: str):
        super().__init__(text, newline=None)
        self.number, self.start = 0, 0

    def readline(self, size: int = -1, /) -> str:
        """The next line."""
        line = super().readline(size)
        self.number += 1
        if not self.start and line.strip():
            self.start = self.number
        return line


def _pgn(path: Path, text: str) -> Iterator[_Game]:
    lines = _Lines(text)
    while (headers := chess.pgn.read_headers(lines)) is not None:
        where = f"{path}, line {lines.start}"
        white, black = (headers.get(tag, "?").strip() for tag in ("White", "Black"))
        if {white, black} & {"", "?"}:
            raise UserError(f"{where}: a game that does not name White and Black")
        result = headers.get("Result", "*")
        if result not in _OUTCOMES:
            raise UserError(f"{where}: the result {result!r} is none of 1-0, 0-1, 1/2-1/2 and *")
        yield _Game(lines.start, white, black, _OUTCOMES[result])
        lines.start = 0


def _csv(path: Path, text: str) -> Iterator[_Game]:
    rows = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True)
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        kinds = (("white", "black", "result"), ("first", "second", "score"))
        kind = next((kind for kind in kinds if set(kind) <= set(header)), None)
        if kind is None:
            raise UserError(
                f"{path}, line 1: the columns must be white,black,result or first,second,score "
                "(or the file a .pgn)"
            )
        at = [header.index(column) for column in kind]
        for row in rows:
            if any(cell.strip() for cell in row):
                yield _csv_game(f"{path}, line {rows.line_num}", row, at, rows.line_num)
    except csv.Error as error:
        raise UserError(f"{path}, line {rows.line_num}: {error}") from None


def _csv_game(where: str, row: list[str], at: list[int], line: int) -> _Game:
    first, second, result = (row[i].strip() if i < len(row) else "" for i in at)
    if not first or not second or not result:
        raise UserError(f"{where}: two players and a result are needed")
    if result in _OUTCOMES:
        return _Game(line, first, second, _OUTCOMES[result])
    try:
        return _Game(line, first, second, _SCORES[float(result)])
    except (ValueError, KeyError):
        raise UserError(
            f"{where}: {result!r} is no result: 1-0, 0-1, 1/2-1/2 or *; as a score 1, 0.5 or 0"
        ) from None


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
