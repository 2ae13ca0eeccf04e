"""Random openings."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from arena.chance import resolve_chance
from arena.sampling import uniform_move
from arena.types import as_host_game
from games import OVER, Game


def random_openings(game: Game, key: jax.Array, shape: tuple[int, ...], plies: int) -> Any:
    """Positions [*shape, ...] after 0 to `plies` random legal moves, a seat to move in each.

    The number of moves is uniform, but a walk that ends too soon is drawn anew, length and all.
    What chance has to decide before the next move is decided.
    """
    if outside := as_host_game(game):
        return outside.openings(key, shape, plies)
    return _openings(game, key, shape, plies)


@partial(jax.jit, static_argnames=("game", "shape", "plies"))
def _openings(game: Game, key: jax.Array, shape: tuple[int, ...], plies: int) -> Any:

    def walk(key):
        length, moves = jax.random.split(key)

        def ply(state, key):
            after = game.step(state, uniform_move(key, game.legal(state)[None])[0])
            return resolve_chance(game, jax.random.fold_in(key, 1), after), state

        start = resolve_chance(game, jax.random.fold_in(moves, 0), game.init())
        _, before = jax.lax.scan(ply, start, jax.random.split(moves, plies + 1))
        at = jax.random.randint(length, (), 0, plies + 1)
        over = jax.vmap(game.mover)(before) == OVER
        ended = (over & (jnp.arange(plies + 1) <= at)).any()
        return jax.tree.map(lambda x: x[at], before), ended

    def redraw(carry):
        key, _, _ = carry
        key, sub = jax.random.split(key)
        return key, *walk(sub)

    def draw(key):
        key, sub = jax.random.split(key)
        return jax.lax.while_loop(lambda c: c[2], redraw, (key, *walk(sub)))[1]

    states = jax.vmap(draw)(jax.random.split(key, int(np.prod(shape))))
    return jax.tree.map(lambda x: x.reshape(*shape, *x.shape[1:]), states)
