"""Plain Monte-Carlo tree search: UCT. L. Kocsis, C. Szepesvári, ECML 2006."""

from typing import Any

import jax
import jax.numpy as jnp

from agents.search.tree import Edges, Evaluate, Root, fold, search
from arena.types import Judge
from games import Game


def uct(
    game: Game,
    judge: Judge,
    evaluate: Evaluate,
    states: Any,
    keys: jax.Array,
    simulations: int,
    exploration: float,
    order: jax.Array,
) -> jax.Array:
    """The most visited move i32[B].

    Args:
      game: the true rules.
      judge: who says what an ended game is worth.
      evaluate: gives values, by rollouts for instance; its prior is not used.
      states: positions [B, ...].
      keys: PRNG keys [G] for `evaluate`.
      simulations: budget of each position.
      exploration: weight of the confidence bound, values being in [-1, 1].
      order: f32[B, A] in [0, 1): unvisited moves are tried, and ties broken, from the highest.
    """

    def ordered(keys: jax.Array, states: Any) -> tuple[jax.Array, jax.Array]:
        return order, evaluate(keys, states)[1]

    def select(edges: Edges) -> tuple[jax.Array, jax.Array]:
        n = jnp.log(jnp.maximum(edges.entries - 1.0, 1.0))
        bound = edges.q + exploration * jnp.sqrt(n / jnp.maximum(edges.visits, 1.0))
        return bound, jnp.full_like(edges.next, jnp.inf)

    legal = jax.vmap(game.legal)(states)
    root = Root(jnp.where(legal, 1.0 + order, 0.0), evaluate(fold(keys, 0), states)[1])
    found = search(game, judge, ordered, states, keys, simulations, root, select, select)
    best = jnp.argmax(found.edges.visits, 0)
    return found.moves[best, jnp.arange(len(best))]
