"""Matches between an agent of ours and one of pgx's, in both implementations side by side.

Every opening, some random moves, is played twice, with the seats swapped. Both positions make the
same moves; that the legal ones are the same is checked before every move.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena.evaluation import score
from benchmarks import pgx_moves
from games import Game

Choose = Callable[[jax.Array, Any], jax.Array]
"""`choose(key, states[B]) -> i32[B]`, moves in one's own numbers."""


class Outcome(NamedTuple):
    """What came of a match.

    Attributes:
      score: ours, with intervals.
      distinct: how many of the games were different.
    """

    score: score.Score
    distinct: int


class _Boards(NamedTuple):
    """The games of a match, in both implementations; seat 0 made or makes the first move."""

    ours: Any
    theirs: Any
    first: np.ndarray


def play(
    name: str,
    game: Game,
    env: Any,
    ours: Choose,
    theirs: Choose,
    *,
    pairs: int,
    plies: int,
    seed: int,
) -> Outcome:
    """Plays pairs of games; our score.

    Args:
      name: our name of the game.
      game: our rules.
      env: pgx's.
      ours: how we choose.
      theirs: how the peer chooses.
      pairs: of games.
      plies: openings are 1 to so many random moves long.
      seed: of openings and searches.
    """
    count, rng = 2 * pairs, np.random.default_rng(seed)
    step, their_step = jax.jit(jax.vmap(game.step)), _lenient(jax.vmap(env.step))
    look = jax.jit(jax.vmap(lambda state: (game.mover(state), game.legal(state))))
    boards = _start(game, env, count)
    opening = np.repeat(rng.integers(1, plies + 1, pairs), 2)
    seat = np.tile([0, 1], pairs)  # ours
    payoff, played = np.zeros(count), np.full((count, game.max_plies), -1)
    for ply in range(game.max_plies):
        over = np.asarray(boards.theirs.terminated)
        if over.all():
            break
        mover, legal = map(np.asarray, look(boards.ours))
        mask = np.asarray(boards.theirs.legal_action_mask)
        mover = np.maximum(mover, 0)
        their_legal = pgx_moves.legal(name, mover, mask, game.num_actions)
        np.testing.assert_array_equal(legal[~over], their_legal[~over])
        key = jax.random.fold_in(jax.random.key(seed), ply)
        with jax.numpy_dtype_promotion("standard"):
            chosen = np.asarray(theirs(key, boards.theirs))
        chosen = pgx_moves.ours(name)[mover, chosen]
        move = np.where(mover == seat, np.asarray(ours(key, boards.ours)), chosen)
        # The same for both games of a pair, which are alike as long as the opening lasts.
        likes = rng.random((pairs, game.num_actions)).repeat(2, 0)
        at_random = np.where(legal, likes, -1).argmax(1)
        move = np.where(ply < opening, at_random, move)
        move = np.where(over, legal.argmax(1), move).astype(np.int32)
        played[~over, ply] = move[~over]
        after = their_step(boards.theirs, pgx_moves.theirs(name, mover, mask, move))
        ended = np.asarray(after.terminated) & ~over
        rewards = np.asarray(after.rewards)[np.arange(count), boards.first]
        payoff[ended] = rewards[ended]
        boards = boards._replace(ours=_where(over, boards.ours, step(boards.ours, move)))
        boards = boards._replace(theirs=after)
    points = (1 + np.where(seat == 0, payoff, -payoff)) / 2
    return Outcome(score.of(points.reshape(pairs, 2)), len(np.unique(played, axis=0)))


def _start(game: Game, env: Any, count: int) -> _Boards:
    spread = partial(jax.tree.map, lambda x: jnp.broadcast_to(x, (count, *jnp.shape(x))))
    theirs = _lenient(jax.vmap(env.init))(jax.random.split(jax.random.key(0), count))
    return _Boards(spread(game.init()), theirs, np.asarray(theirs.current_player))


def _lenient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled; pgx mixes types."""
    compiled = jax.jit(function)

    def call(*arguments: Any) -> Any:
        with jax.numpy_dtype_promotion("standard"):
            return compiled(*arguments)

    return call


def _where(over: np.ndarray, old: Any, new: Any) -> Any:
    """Positions that are over stay as they are."""

    def choose(old: jax.Array, new: jax.Array) -> jax.Array:
        return jnp.where(over.reshape(-1, *[1] * (new.ndim - 1)), old, new)

    return jax.tree.map(choose, old, new)
