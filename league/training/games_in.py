"""Games of others, read from files."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from arena.errors import UserError
from arena.judges.rules import Rules
from arena.play.records import SavedGame, Skipped, begin, read_games
from arena.play.sessions import Sessions
from arena.types import Positions, State
from games import OVER, Game, text_positions
from league.store.imported_games import MoveLists

_RATINGS = (("WhiteElo", "WR", "rating_0"), ("BlackElo", "BR", "rating_1"))
"""Tags that give the rating of seat 0 and of seat 1, in PGN, SGF and JSONL."""
_TOGETHER = 256
"""Games that are played through side by side."""


class Import(NamedTuple):
    """What files gave.

    Attributes:
      games: with all their moves.
      skipped: those that were left out, a line a file; empty if none was.
      repeated: how many were left out because the same moves had been there before.
    """

    games: MoveLists
    skipped: list[str]
    repeated: int


@dataclass
class _Line:
    """A game as it is played through.

    Attributes:
      start: the position before its first move.
      moves: all of them, chance outcomes included.
      result: seat 0's in [-1, 1] by the rules; None if the game is not over.
      rating: of the seats.
      fault: why the game is left out; "" if it is not.
    """

    start: State = None
    moves: list[int] = field(default_factory=list)
    result: float | None = None
    rating: tuple[float, float] = (np.nan, np.nan)
    fault: str = ""

    @property
    def key(self) -> tuple[Any, ...]:
        """The same for games with the same moves from the same position."""
        return *self.moves, *(leaf.tobytes() for leaf in jax.tree.leaves(self.start))


def read(paths: Sequence[Path], game: Game, load: Callable[[str], Game], name: str) -> Import:
    """Reads all games of some files; those that are broken are counted and left out.

    Args:
      paths: PGN, SGF or JSONL files.
      game: what must have been played.
      load: gives a game by its name.
      name: of the game, for messages.

    Raises:
      UserError: there is no such file, or no game in any of them.
    """
    distinct: dict[tuple[Any, ...], _Line] = {}
    count, told = 0, []
    for path in paths:
        skipped = Skipped()
        for line in _lines(path, game, load, skipped):
            if line.fault:
                skipped.add(count + skipped.count + 1, line.fault)
            elif line.moves:
                distinct.setdefault(line.key, line)
                count += 1
        if skipped.count:
            told.append(f"{path}: {skipped.describe()}")
    found = list(distinct.values())
    if not found:
        raise UserError("; ".join([f"there is no game of {name} in these files", *told]))
    lists = MoveLists(
        jax.tree.map(lambda *x: np.stack(x), *[line.start for line in found]),
        np.array([len(line.moves) for line in found], np.int32),
        np.concatenate([np.array(line.moves, np.int32) for line in found]),
        np.array([line.result or 0.0 for line in found], np.float32),
        np.array([line.rating for line in found], np.float32),
    )
    return Import(lists, told, count - len(found))


def _lines(
    path: Path, game: Game, load: Callable[[str], Game], skipped: Skipped
) -> Iterator[_Line]:
    """The games of a file; those without chance are played side by side, many times as fast."""
    through = _one_by_one if game.num_outcomes else _side_by_side
    found = read_games(path, game=game, load=load, skipped=skipped, check=False)
    while some := list(islice(found, _TOGETHER)):
        for kept, line in zip(some, through(some, game), strict=True):
            line.result = line.result if kept.result is None else kept.result
            first, second = (_rating(kept.tags, names) for names in _RATINGS)
            line.rating = first, second
            yield line


def _one_by_one(some: Sequence[SavedGame], game: Game) -> Iterator[_Line]:
    """Games played through, chance as it is recorded."""
    for kept in some:
        line = _Line()
        try:
            session = begin(kept, game)
            start = session.position.start
            line.start = jax.tree.map(np.asarray, game.init() if start is None else start)
            for label in kept.moves:
                session.push(label)
            line.moves, line.result = list(session.moves), session.result
        except ValueError as error:
            line.fault = str(error)
        yield line


def _side_by_side(some: Sequence[SavedGame], game: Game) -> list[_Line]:
    """Games without chance played through, a move of each at a time."""
    lines, begins = [_Line() for _ in some], []
    for kept, line in zip(some, lines, strict=True):
        try:
            begins.append(text_positions(game).from_text(kept.start) if kept.start else game.init())
        except ValueError as error:
            line.fault = str(error)
            begins.append(game.init())
    states = jax.tree.map(lambda *x: np.stack([np.asarray(one) for one in x]), *begins)
    for line, start in zip(lines, begins, strict=True):
        line.start = jax.tree.map(np.asarray, start)
    positions = Positions(states, [[] for _ in some])
    games = Sessions(game, positions, generators=(), room=_TOGETHER)
    for ply in range(max((len(kept.moves) for kept in some), default=0)):
        going = [n for n, kept in enumerate(some) if ply < len(kept.moves) and not lines[n].fault]
        moves = [_move(game, games, n, some[n].moves[ply]) for n in going]
        legal = []
        for n, move in zip(going, moves, strict=True):
            if isinstance(move, str):
                lines[n].fault = f"move {ply + 1}, {move}"
                continue
            lines[n].moves.append(move)
            legal.append((n, move))
        if legal:
            games.step([n for n, _ in legal], [move for _, move in legal])
    found = np.asarray(jax.jit(Rules(game).verdict)(games.positions.states))
    for n, line in enumerate(lines):
        over = games.view.mover[n] == OVER
        line.result = float(found[n]) if over else None
    return lines


def _move(game: Game, games: Sessions, n: int, label: str) -> int | str:
    """The number of a move in a game as it stands, or what is wrong with it."""
    if games.view.mover[n] == OVER:
        return f"{label!r:.40}: the game is over"
    try:
        move = int(game.parse(games.position(n).state, label))
    except ValueError as error:
        return f"{label!r:.40}: {error}"
    legal = 0 <= move < game.num_actions and games.view.legal[n][move]
    return move if legal else f"{label!r:.40} is not a legal move"


def _rating(tags: Mapping[str, str | int | float], names: Sequence[str]) -> float:
    """The rating in a game's tags; NaN if there is none."""
    for name in names:
        number = re.match(r"\s*(\d+(\.\d+)?)", str(tags.get(name, "")))
        if number:
            return float(number[1])
    return float("nan")
