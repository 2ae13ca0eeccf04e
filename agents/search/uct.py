"""Plain Monte-Carlo tree search: UCT. L. Kocsis, C. Szepesvári, ECML 2006."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from agents.nn.outputs import playable_value
from agents.search.evaluation import Evaluate, fold_each
from agents.search.kernel import Kernel, Root, search
from agents.search.tree import Edges
from arena.judges.rules import Rules
from arena.types import Judge, State
from games import Game


def uct(
    game: Game,
    evaluate: Evaluate,
    states: State,
    *,
    keys: jax.Array,
    simulations: int,
    exploration: float,
    order: jax.Array,
    judge: Judge | None = None,
) -> jax.Array:
    """The most visited move i32[B].

    Args:
      game: the true rules.
      evaluate: gives values, by rollouts for instance; its prior is not used.
      states: positions [B, ...].
      keys: PRNG keys [G] for `evaluate`.
      simulations: budget of each position.
      exploration: weight of the confidence bound, values being in [-1, 1].
      order: f32[B, A] in [0, 1): unvisited moves are tried, and ties broken, from the highest.
      judge: who says what an ended game is worth; the rules if None.
    """

    def ordered(keys: jax.Array, states: State) -> tuple[jax.Array, jax.Array]:
        return order, evaluate(keys, states)[1]

    rule = UpperConfidenceBound(exploration)
    legal = jax.vmap(game.legal)(states)
    value = playable_value(evaluate(fold_each(keys, 0), states)[1])
    root = Root(jnp.where(legal, 1.0 + order, 0.0), value)
    found = search(
        Kernel(game, judge or Rules(game), rule, rule),
        ordered,
        states,
        keys=keys,
        simulations=simulations,
        root=root,
    )
    best = jnp.argmax(found.edges.visits, 0)
    return found.moves[best, jnp.arange(len(best))]


@dataclass(frozen=True)
class UpperConfidenceBound:
    """The selection rule: every move once, then the highest bound.

    Attributes:
      exploration: weight of the bound's second term.
    """

    exploration: float

    def __call__(self, edges: Edges) -> tuple[jax.Array, jax.Array]:
        """Scores the moves; see `tree.Select`."""
        n = jnp.log(jnp.maximum(edges.node_visits - 1.0, 1.0))
        bound = edges.q + self.exploration * jnp.sqrt(n / jnp.maximum(edges.visits, 1.0))
        return bound, jnp.full_like(edges.next_prior, jnp.inf)
