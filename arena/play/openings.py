"""Random openings, drawn on the device, or on the host with the moves that led there."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena.chance import generators, resolve_chance
from arena.play.sessions import Sessions, starts
from arena.sampling import uniform_move
from arena.types import Key, Positions, PyTree, State, as_host_game
from games import CHANCE, OVER, Game


def random_openings(game: Game, key: Key, *, shape: tuple[int, ...], plies: int) -> PyTree:
    """Positions after random legal moves, a seat to move in each, chance moves resolved.

    The number of moves is uniform, but a walk that ends too soon is drawn anew, length and all, up
    to 64 times for each possible length; after that it is the start.

    Args:
      game: what is played; one outside the device gives ways to begin, see `HostGame.openings`.
      key: PRNG key.
      shape: of the positions.
      plies: the most moves; 0 gives the start.

    Returns:
      positions [*shape, ...].
    """
    if outside := as_host_game(game):
        return outside.openings(key, shape, plies)
    return _openings(game, key, shape, plies)


@partial(jax.jit, static_argnames=("game", "shape", "plies"))
def _openings(game: Game, key: Key, shape: tuple[int, ...], plies: int) -> State:
    return _walked(
        game, key, shape, plies, lambda walk: jax.tree.map(lambda x: x[walk.at], walk.before)
    )


class Walk(NamedTuple):
    """A way to an opening; arrays, with leading axes for several.

    Attributes:
      before: the positions before the plies, [plies + 1, ...], that of the opening and some that
        follow it included.
      moves: i32[plies + 1], the moves made in them.
      at: i32[], which of the positions is the opening.
    """

    before: State
    moves: jax.Array
    at: jax.Array


@partial(jax.jit, static_argnames=("game", "shape", "plies"))
def opening_walks(game: Game, key: Key, *, shape: tuple[int, ...], plies: int) -> Walk:
    """The ways to the positions of `random_openings` by the same arguments; not of a `HostGame`."""
    return _walked(game, key, shape, plies, lambda walk: walk)


def _walked(
    game: Game,
    key: Key,
    shape: tuple[int, ...],
    plies: int,
    result: Callable[[Walk], PyTree],
) -> PyTree:
    """What is to be kept of the walks to random openings, [*shape, ...]."""
    tries = 64 * (plies + 1)

    def walk(key, number):
        length, moves = jax.random.split(key)

        def ply(state, key):
            move = uniform_move(key, game.legal(state)[None])[0]
            after = game.step(state, move)
            return resolve_chance(game, jax.random.fold_in(key, 1), after), (state, move)

        start = resolve_chance(game, jax.random.fold_in(moves, 0), game.init())
        _, (before, made) = jax.lax.scan(ply, start, jax.random.split(moves, plies + 1))
        at = jax.random.randint(length, (), 0, plies + 1)
        at = jnp.where(number < tries, at, 0)
        over = jax.vmap(game.mover)(before) == OVER
        ended = (over & (jnp.arange(plies + 1) <= at)).any()
        return result(Walk(before, made, at)), ended

    def redraw(carry):
        number, key, _, _ = carry
        key, sub = jax.random.split(key)
        return number + 1, key, *walk(sub, number)

    def failed(carry):
        number, _, _, ended = carry
        return ended & (number <= tries)

    def draw(key):
        return jax.lax.while_loop(failed, redraw, redraw((jnp.int32(0), key, None, None)))[2]

    states = jax.vmap(draw)(jax.random.split(key, int(np.prod(shape))))
    return jax.tree.map(lambda x: x.reshape(*shape, *x.shape[1:]), states)


def recorded_openings(game: Game, key: Key, *, count: int, plies: int, room: int) -> Positions:
    """As `random_openings`, other ones, with the moves that led there; not of a `HostGame`.

    Args:
      game: what is played.
      key: PRNG key.
      count: N, how many.
      plies: the most moves; 0 gives the start.
      room: how many games go into one call of a compiled function.

    Returns:
      N positions.
    """
    chance = generators(key, count)
    games = Sessions(game, starts(game, count), generators=chance, room=room)
    left = [int(generator.integers(plies + 1)) for generator in chance]
    while True:
        mover = games.view.mover
        ended = np.flatnonzero(mover == OVER).tolist()
        if ended:
            games.put(ended, starts(game, len(ended)))
        for n in ended:
            left[n] = int(chance[n].integers(plies + 1))
        rolled = np.flatnonzero(mover == CHANCE).tolist()
        moved = [n for n in range(count) if mover[n] >= 0 and left[n]]
        if not rolled + moved:
            return games.positions
        moves = [int(chance[n].choice(np.flatnonzero(games.view.legal[n]))) for n in moved]
        games.step(rolled + moved, [games.draw(n) for n in rolled] + moves)
        for n in moved:
            left[n] -= 1
