"""Evaluators: prior and value of positions for a search."""

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from agents.nn.outputs import playable_logits, playable_value
from arena.types import State
from games import Game

Cache = TypeVar("Cache")
"""What an evaluator keeps of earlier evaluations, a pytree of arrays."""

Evaluate = Callable[[jax.Array, State], tuple[jax.Array, jax.Array]]
"""`evaluate(keys[G], states[B]) -> (logits f32[B, A], value f32[B])`, value for the mover.

A seat is to move in all of them, or the game is over, and then the result is not used.
"""

LOWEST = float(np.finfo(np.float32).min)
"""The logit of an illegal move."""
TINY = float(np.finfo(np.float32).tiny)


class CachedEvaluate(NamedTuple, Generic[Cache]):
    """An evaluator with a cache, which goes in and comes out at every call.

    Attributes:
      evaluate: `evaluate(cache, wanted: bool[B], keys[G], states[B]) -> (logits, value, cache)`, as
        `Evaluate`; results that are not wanted are not used.
      cache: before the search.
    """

    evaluate: Callable[[Cache, jax.Array, jax.Array, State], tuple[jax.Array, jax.Array, Cache]]
    cache: Cache


def with_cache(evaluate: Evaluate | CachedEvaluate[Any]) -> CachedEvaluate[Any]:
    """Any evaluator as one with a cache; the cache of one that has none is ()."""
    if isinstance(evaluate, CachedEvaluate):
        return evaluate
    return CachedEvaluate(lambda cache, wanted, keys, states: (*evaluate(keys, states), cache), ())


def evaluate_root(
    evaluate: Evaluate | CachedEvaluate[Cache], keys: jax.Array, states: State
) -> tuple[jax.Array, jax.Array, CachedEvaluate[Cache]]:
    """Finite logits f32[B, A] and values f32[B] of the roots, and the evaluator after that."""
    function, cache = with_cache(evaluate)
    batch = len(jax.tree.leaves(states)[0])
    logits, value, cache = function(cache, jnp.ones(batch, bool), fold_each(keys, 0), states)
    return playable_logits(logits), playable_value(value), CachedEvaluate(function, cache)


def fold_each(keys: jax.Array, number: jax.Array | int) -> jax.Array:
    """The keys [G] of a simulation, or of the roots, whose number is 0."""
    return jax.vmap(lambda key: jax.random.fold_in(key, number))(keys)


def prior(game: Game, states: State, logits: jax.Array) -> jax.Array:
    """Probabilities f32[B, A] from logits: 0 for illegal moves, and more for all others."""
    legal = jax.vmap(game.legal)(states)
    chances = jax.nn.softmax(jnp.where(legal, playable_logits(logits), LOWEST))
    return jnp.where(legal, jnp.maximum(chances, TINY), 0.0)


def check_searchable(game: Game) -> None:
    """Raises ValueError for a game that cannot be searched."""
    if game.searchable:
        return
    if game.on_device:
        raise ValueError("tree search plays games without hidden information only")
    if game.perfect_information:
        raise ValueError("tree search needs copies of the env, and they do not behave alike")
    raise ValueError("tree search plays envs only that hide nothing and leave no chance")
