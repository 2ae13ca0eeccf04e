"""Whether a judge keeps its contract, found out on random games before it is trusted with a run."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from arena import extensions, judge_weights
from arena.chance import resolve_chance
from arena.errors import UserError
from arena.sampling import uniform_move
from arena.types import Judge, Key, Params, State
from games import OVER, Game

_GAMES = 64
_CLOSE = 1e-3
"""How far two verdicts on one position may lie apart: sums of floats depend on the batch."""


def finals(game: Game, key: Key, count: int = _GAMES, *, cut_after: int | None = None) -> State:
    """How random games of a compiled game end: positions [N, ...] of numpy arrays.

    Args:
      game: what is played.
      key: of the games.
      count: N.
      cut_after: moves after which they are cut, see `Judge`.
    """
    return jax.tree.map(np.asarray, _random_finals(game, key, count, cut_after))


@partial(jax.jit, static_argnums=(0, 2, 3))
def _random_finals(game: Game, key: Key, count: int, cut_after: int | None) -> State:
    most = np.iinfo(np.int32).max if cut_after is None else cut_after

    def play(key: Key) -> State:
        def goes_on(carry: tuple[Key, State, jax.Array]) -> jax.Array:
            return (game.mover(carry[1]) != OVER) & (carry[2] < most)

        def ply(carry: tuple[Key, State, jax.Array]) -> tuple[Key, State, jax.Array]:
            key, state, made = carry
            key, move, chance = jax.random.split(key, 3)
            after = game.step(state, uniform_move(move, game.legal(state)[None])[0])
            return key, resolve_chance(game, chance, after), made + 1

        start = resolve_chance(game, jax.random.fold_in(key, 0), game.init())
        return jax.lax.while_loop(goes_on, ply, (key, start, jnp.int32(0)))[1]

    return jax.vmap(play)(jax.random.split(key, count))


def verdicts(judge: Judge, states: State, params: Params = ()) -> np.ndarray:
    """A judge's verdicts f32[N] on positions [N, ...], compiled.

    Raises:
      UserError: it has none.
    """

    def ask(states: State, params: Params) -> jax.Array:
        with judge_weights.bound(judge, params):
            return judge.verdict(states)

    try:
        found = np.asarray(jax.jit(ask)(states, params))
        judge.check()
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"the judge raises {extensions.reason(error)}") from None
    return found


def check(judge: Judge, game: Game, params: Params = ()) -> None:
    """Asks a judge about the ends of random games, cut where it cuts them, all of them twice.

    Raises:
      UserError: it raises, gives something else than numbers in [-1, 1], one for each position, or
        changes its mind.
    """
    if judge.exact or not game.on_device:
        return
    states = finals(game, jax.random.key(0), cut_after=judge.cut_after)
    first = verdicts(judge, states, params)
    if first.shape != (_GAMES,):
        raise UserError(f"the judge answers {_GAMES} positions by an array of shape {first.shape}")
    if not (np.abs(first) <= 1 + 1e-6).all():
        raise UserError("the judge gave a verdict that is NaN or lies outside [-1, 1]")
    back = jax.tree.map(lambda x: x[::-1], states)
    check_same(first, verdicts(judge, back, params)[::-1])


def check_same(before: np.ndarray, after: np.ndarray) -> None:
    """Raises UserError if verdicts f32[N] on the same positions are not the same."""
    changed = int((np.abs(before - after) > _CLOSE).sum())
    if changed:
        raise UserError(
            f"the judge changes its mind: on {changed} of {len(before)} positions it says "
            "something else when it is asked again"
        )
