"""Walks of whole game trees: perft, distinct positions, all games."""

from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import OVER, Game


class Level(NamedTuple):
    """All distinct positions at one ply.

    Attributes:
      states: pytree of numpy arrays [N, ...].
      paths: object[N] of Python ints, the move sequences that lead to each position.
      over: bool[N], whether the game has ended there.
    """

    states: Any
    paths: np.ndarray
    over: np.ndarray


@cache
def _expand(game: Game):
    """Jitted: positions [N] to (legal bool[N, A], successors [N, A], their mover i32[N, A])."""
    moves = jnp.arange(game.num_actions)

    def expand(state):
        after = jax.vmap(game.step, (None, 0))(state, moves)
        return game.legal(state), after, jax.vmap(game.mover)(after)

    return jax.jit(jax.vmap(expand))


def levels(game: Game) -> Iterator[Level]:
    """Every ply of a game without chance, breadth first, until all games have ended."""
    start = jax.tree.map(lambda x: np.asarray(x)[None], game.init())
    level = Level(start, np.ones(1, object), np.zeros(1, bool))
    while len(level.paths):
        yield level
        level = _next(game, level)


def _next(game: Game, level: Level, chunk: int = 1 << 14) -> Level:
    """The level one ply deeper, equal positions merged."""
    rows, paths, over = [], [], []
    alive = np.flatnonzero(~level.over)
    for at in range(0, len(alive), chunk):
        index = np.resize(alive[at : at + chunk], min(chunk, 1 << (len(alive) - 1).bit_length()))
        legal, after, mover = _expand(game)(jax.tree.map(lambda x, i=index: x[i], level.states))
        keep = np.array(legal)
        keep[len(alive[at : at + chunk]) :] = False
        row, move = np.nonzero(keep)
        rows.append(jax.tree.map(lambda x, r=row, m=move: np.asarray(x)[r, m], after))
        paths.append(level.paths[index[row]])
        over.append(np.asarray(mover)[row, move] == OVER)
    if not rows:
        return Level(level.states, np.empty(0, object), np.empty(0, bool))
    states = jax.tree.map(lambda *x: np.concatenate(x), *rows)
    _, first, which = np.unique(_bytes(states), axis=0, return_index=True, return_inverse=True)
    merged = np.zeros(len(first), object)
    np.add.at(merged, which.reshape(-1), np.concatenate(paths))
    return Level(jax.tree.map(lambda x: x[first], states), merged, np.concatenate(over)[first])


def _bytes(states: Any) -> np.ndarray:
    """Positions [N, ...] as rows of bytes u8[N, K]."""
    leaves = [np.ascontiguousarray(x) for x in jax.tree.leaves(states)]
    return np.concatenate([x.reshape(len(x), -1).view(np.uint8) for x in leaves], 1)


def perft(game: Game, depth: int) -> list[int]:
    """Sequences of n legal moves from the start, for n = 0 … depth (chessprogramming.org/Perft)."""
    return [int(level.paths.sum()) for level in islice(levels(game), depth + 1)]


def positions(game: Game, depth: int) -> list[int]:
    """Distinct positions after n plies, for n = 0 … depth."""
    return [len(level.paths) for level in islice(levels(game), depth + 1)]


def count_games(game: Game) -> int:
    """All different games from the start to an end."""
    return sum(int(level.paths[level.over].sum()) for level in levels(game))
