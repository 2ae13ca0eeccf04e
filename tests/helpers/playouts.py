"""Random games, all in one compiled program."""

from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena.chance import outcome
from arena.sampling import choose
from games import CHANCE, OVER, Game


class Playouts(NamedTuple):
    """B random games of T = max_plies plies; a finished game stays where it ended.

    Attributes:
      states: pytree of numpy arrays [T + 1, B, ...].
      movers: i32[T + 1, B].
      moves: i32[T, B], chance outcomes among them; meaningless once the game is over.
    """

    states: Any
    movers: np.ndarray
    moves: np.ndarray


def _step(game: Game, state: Any, move: jax.Array) -> Any:
    over = game.mover(state) == OVER
    return jax.tree.map(lambda a, b: jnp.where(over, a, b), state, game.step(state, move))


def _random(game: Game, key: jax.Array, state: Any) -> jax.Array:
    """A move, all legal ones equally likely, or an outcome."""
    draw = jax.random.uniform(key)
    move = choose(draw, game.legal(state))
    if not game.num_outcomes:
        return move
    return jnp.where(game.mover(state) == CHANCE, outcome(draw, game.chance(state)), move)


def _join(states: Any, last: Any) -> Any:
    return jax.tree.map(lambda x, y: jnp.concatenate([x, y[None]]), states, last)


@cache
def _player(game: Game):
    """Jitted: keys [B] to states [B, T + 1, ...], movers [B, T + 1], moves [B, T]."""

    def ply(state: Any, key: jax.Array) -> tuple[Any, Any]:
        move = _random(game, key, state)
        return _step(game, state, move), (state, move)

    def play(key: jax.Array) -> tuple[Any, jax.Array, jax.Array]:
        last, (states, moves) = jax.lax.scan(
            ply, game.init(), jax.random.split(key, game.max_plies)
        )
        states = _join(states, last)
        return states, jax.vmap(game.mover)(states), moves

    return jax.jit(jax.vmap(play, out_axes=1))


def playouts(game: Game, count: int, seed: int) -> Playouts:
    """Plays `count` games, every move uniform among the legal ones."""
    played = _player(game)(jax.random.split(jax.random.key(seed), count))
    return Playouts(*jax.tree.map(np.asarray, played))


@cache
def _replayer(game: Game):
    """Jitted: moves i32[T, B] to states [T + 1, B, ...]."""

    def replay(moves: jax.Array) -> Any:
        def ply(state: Any, move: jax.Array) -> tuple[Any, Any]:
            return _step(game, state, move), state

        last, states = jax.lax.scan(ply, game.init(), moves)
        return _join(states, last)

    return jax.jit(jax.vmap(replay, in_axes=1, out_axes=1))


def replay(game: Game, moves: np.ndarray) -> Any:
    """The positions [T + 1, B, ...] that moves i32[T, B] lead through, held at the end."""
    return jax.tree.map(np.asarray, _replayer(game)(moves))
