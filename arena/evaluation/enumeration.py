"""Walks of whole game trees: perft, distinct positions, all games."""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from math import prod
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena import interrupt
from arena.judges.rules import Rules
from arena.types import Judge, State
from games import CHANCE, OVER, Game

_CHUNKS = (64, 1 << 13)  # positions in one call of a compiled function; each size is one to compile


class Level(NamedTuple):
    """All distinct positions at one ply.

    Attributes:
      states: pytree of numpy arrays [N, ...].
      paths: object[N] of Python ints, the move sequences that lead to each position.
      over: bool[N], whether the game has ended there.
    """

    states: State
    paths: np.ndarray
    over: np.ndarray


def choices(game: Game, state: State) -> jax.Array:
    """What can happen in a position: legal moves, or outcomes that chance may bring.

    Returns:
      bool[M], M the larger of num_actions and num_outcomes; all False where the game is over.
    """
    mover = game.mover(state)
    moves = jnp.pad(game.legal(state), (0, max(0, game.num_outcomes - game.num_actions)))
    if game.num_outcomes:
        outcomes = game.chance(state) > 0
        outcomes = jnp.pad(outcomes, (0, moves.shape[0] - game.num_outcomes))
        moves = jnp.where(mover == CHANCE, outcomes, moves)
    return moves & (mover != OVER)


def payoffs_by(game: Game, judge: Judge | None = None) -> Callable[[State], jax.Array]:
    """What positions are worth to seat 0, in the game's own payoffs, going by a judge.

    Args:
      game: any that is compiled.
      judge: who says who won; the rules if None.

    Returns:
      a function of positions [N, ...] to f32[N]: payoffs of ended games, 0 where the game goes on.
    """
    if judge is None or judge == Rules(game):
        return jax.vmap(game.payoff)

    def payoffs(states: State) -> jax.Array:
        over = jax.vmap(game.mover)(states) == OVER
        return jnp.where(over, judge.verdicts_where(over, states) * game.max_payoff, 0.0)

    return payoffs


@cache
def _batched(game: Game):
    """Jitted, of a batch: choices, step, and whether a game is over."""
    look = jax.jit(jax.vmap(lambda state: choices(game, state)))
    step = jax.jit(jax.vmap(game.step))
    over = jax.jit(jax.vmap(lambda state: game.mover(state) == OVER))
    return look, step, over


def in_chunks(function, *batch: Any) -> Any:
    """A jitted function of a batch [N, ...], in chunks of two different sizes, so of two shapes."""
    count = len(jax.tree.leaves(batch)[0])
    size = _CHUNKS[count > _CHUNKS[0]]
    parts = []
    for at in range(0, count, size):
        index = np.minimum(np.arange(at, at + size), count - 1)
        part = function(*jax.tree.map(lambda x, i=index: x[i], batch))
        parts.append(jax.tree.map(lambda x, n=count - at: np.asarray(x)[:n], part))
    return jax.tree.map(lambda *x: np.concatenate(x), *parts)


def _start(game: Game, state: State) -> Level:
    states = jax.tree.map(lambda x: np.asarray(x)[None], game.init() if state is None else state)
    return Level(states, np.ones(1, object), np.asarray(_batched(game)[2](states)))


def levels(game: Game, start: State = None) -> Iterator[Level]:
    """Every ply, breadth first, until all games have ended.

    Args:
      game: any; what chance may bring counts as a move.
      start: the position to begin with; the game's own start if None.
    """
    level = _start(game, start)
    while len(level.paths):
        interrupt.check()
        yield level
        level = _next(game, level)


def _next(game: Game, level: Level) -> Level:
    """The level one ply deeper, equal positions merged."""
    look, step, over = _batched(game)
    row, move = np.nonzero(in_chunks(look, level.states))
    if not len(row):
        return Level(level.states, np.empty(0, object), np.empty(0, bool))
    states = in_chunks(step, jax.tree.map(lambda x: x[row], level.states), move.astype(np.int32))
    _, first, which = np.unique(raw(states), return_index=True, return_inverse=True)
    paths = np.zeros(len(first), object)
    np.add.at(paths, which.reshape(-1), level.paths[row])
    states = jax.tree.map(lambda x: x[first], states)
    return Level(states, paths, in_chunks(over, states))


def raw(states: State) -> np.ndarray:
    """Positions [N, ...] as one item of raw bytes each, [N]."""
    leaves = [np.ascontiguousarray(x) for x in jax.tree.leaves(states)]
    rows = np.concatenate([x.reshape(len(x), prod(x.shape[1:])).view(np.uint8) for x in leaves], 1)
    return np.ascontiguousarray(rows).view(np.dtype((np.void, rows.shape[1]))).reshape(-1)


def perft(game: Game, depth: int, start: State = None) -> list[int]:
    """Sequences of n legal moves, for n = 0 … depth (chessprogramming.org/Perft).

    The moves at the last ply are counted, not made.
    """
    counts = [1]
    for level in islice(levels(game, start), depth):
        branches = in_chunks(_batched(game)[0], level.states).sum(1)
        counts.append(int((level.paths * branches.astype(object)).sum()))
    return counts + [0] * (depth + 1 - len(counts))


def positions(game: Game, depth: int) -> list[int]:
    """Distinct positions after n plies, for n = 0 … depth."""
    return [len(level.paths) for level in islice(levels(game), depth + 1)]


def count_games(game: Game) -> int:
    """All different games from the start to an end."""
    return sum(int(level.paths[level.over].sum()) for level in levels(game))
