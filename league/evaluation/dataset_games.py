"""Games that a dataset holds, put together again from its positions and moves."""

from collections import defaultdict
from pathlib import Path

import jax
import numpy as np

from agents.learners.base import Preferred
from arena.play.records import Player, append_games, saved
from arena.play.session import GameRecord, Session
from arena.types import State
from games import OVER, Game

Moves = tuple[int, ...]


def rows_as_bytes(states: State) -> np.ndarray:
    """Positions [N, ...] as an array [N] of their bytes."""
    leaves = [np.ascontiguousarray(leaf) for leaf in jax.tree.leaves(states)]
    parts = [leaf.reshape(len(leaf), -1).view(np.uint8) for leaf in leaves if leaf[:1].size]
    table = np.ascontiguousarray(np.concatenate(parts, 1))
    return table.view(np.dtype((np.void, table.shape[1]))).ravel()


def games(game: Game, found: Preferred, *, count: int = 3) -> tuple[Moves, ...]:
    """Whole games from the start in which every move is one that the data prefers.

    A row is followed by one of the position to which its move leads, so that tails of games that
    met may be exchanged.

    Args:
      game: what was played.
      found: what the dataset prefers.
      count: games at most.

    Returns:
      different games; none of games of chance, whose rolls are not in a dataset.
    """
    if game.num_outcomes or not game.on_device:
        return ()
    unused: dict[bytes, list[int]] = defaultdict(list)
    for row, name in enumerate(rows_as_bytes(found.state)):
        if found.weight[row].any():
            unused[name.tobytes()].append(row)
    step = jax.jit(game.step)
    lines: dict[Moves, None] = {}
    starts = unused[_name(game.init())]
    while starts and len(lines) < count:
        if line := _follow(game, found, step, starts.pop(0), unused):
            lines[line] = None
    return tuple(lines)


def _follow(game: Game, found: Preferred, step, row: int, unused: dict[bytes, list[int]]) -> Moves:
    """The moves of a game from a row on; () if it is not whole."""
    line: list[int] = []
    while True:
        state = jax.tree.map(lambda x, k=row: np.asarray(x)[k], found.state)
        following = -1
        for at in np.argsort(-found.weight[row], kind="stable"):
            if found.weight[row, at] <= 0:
                return ()
            after = step(state, np.int32(found.move[row, at]))
            if int(game.mover(after)) == OVER:
                return (*line, int(found.move[row, at]))
            if rows := unused.get(_name(after)):
                line.append(int(found.move[row, at]))
                following = rows.pop(0)
                break
        if following < 0:
            return ()
        row = following


def _name(state: State) -> bytes:
    return rows_as_bytes(jax.tree.map(lambda x: np.asarray(x)[None], state))[0].tobytes()


def record(game: Game, line: Moves) -> GameRecord:
    """A game from its start, by its moves."""
    return _played(game, line).record


def final(game: Game, line: Moves) -> State:
    """The position in which a game ends."""
    return _played(game, line).position.state


def _played(game: Game, line: Moves) -> Session:
    session = Session(game)
    for move in line:
        session.push(move)
    return session


def write(path: Path, game: Game, lines: tuple[Moves, ...], *, name: str, source: str) -> None:
    """Adds games to a file that `arena replay` reads.

    Args:
      path: a PGN, SGF or JSONL file.
      game: what was played.
      lines: the games.
      name: of the game.
      source: whose data they are from.

    Raises:
      UserError: there is no such format, or it cannot be written.
    """
    players = Player(source), Player(source)
    kept = [saved(record(game, line), name, players) for line in lines]
    append_games(path, kept)
