"""AlphaZero's search: PUCT with noise at the root, and play by visits.

D. Silver et al., Science 362 (2018); values are stretched to [0, 1] at every node as in MuZero,
J. Schrittwieser et al., Nature 588 (2020), appendix B.
"""

from typing import Any

import jax
import jax.numpy as jnp

from agents.search.gumbel import Improved
from agents.search.tree import Edges, Evaluate, Recall, Root, begin, prior, search
from arena.types import Judge
from games import Game

_INIT, _BASE = 1.25, 19652.0


def puct(
    game: Game,
    judge: Judge,
    evaluate: Evaluate | Recall,
    states: Any,
    keys: jax.Array,
    simulations: int,
    noise: jax.Array,
    luck: jax.Array,
    share: float = 0.25,
) -> Improved:
    """Searches; the policy is the share of visits, and the move is drawn from it.

    Args:
      game: the true rules.
      judge: who says what an ended game is worth.
      evaluate: prior and value.
      states: positions [B, ...].
      keys: PRNG keys [G] for `evaluate`.
      simulations: budget of each position, at least 1.
      noise: f32[B, A], what is mixed into the prior of the root, as `dirichlet` gives it.
      luck: f32[B, A], Gumbel variates times the temperature; zeros play the most visited move.
      share: of the noise in the mixture.
    """
    logits, value, recall = begin(evaluate, keys, states)
    chances = prior(game, states, logits)
    mixed = (1 - share) * chances + share * jnp.where(chances > 0, noise, 0.0)
    root = Root(mixed / mixed.sum(-1, keepdims=True), value)
    found = search(game, judge, recall, states, keys, simulations, root, _select, _select)
    visits = found.by_move(found.edges.visits, jnp.zeros_like(value), game.num_actions)
    move = jnp.argmax(jnp.where(visits > 0, jnp.log(visits) + luck, -jnp.inf), -1)
    move = move.astype(jnp.int32)
    return Improved(move, visits / simulations, found.edges.mean, found.memory)


def _select(edges: Edges) -> tuple[jax.Array, jax.Array]:
    weight = jnp.sqrt(edges.entries) * (_INIT + jnp.log((edges.entries + _BASE + 1.0) / _BASE))
    q = jnp.where(edges.visits > 0, edges.q, edges.mean)
    low, high = jnp.minimum(edges.mean, q.min(0)), jnp.maximum(edges.mean, q.max(0))
    stretched = (q - low) / jnp.maximum(high - low, 1e-8)
    # A move not tried counts as the worst, 0.
    return stretched + weight * edges.prior / (1.0 + edges.visits), weight * edges.next


def dirichlet(game: Game, keys: jax.Array, states: Any, concentration: float = 0.3) -> jax.Array:
    """Noise for `puct` f32[B, A]: for each position a random distribution over its legal moves."""
    legal = jax.vmap(game.legal)(states)
    shape = len(legal) // len(keys), game.num_actions
    draw = jax.vmap(lambda key: jax.random.loggamma(key, concentration, shape))
    return jax.nn.softmax(jnp.where(legal, draw(keys).reshape(legal.shape), -jnp.inf))
