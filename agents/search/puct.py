"""AlphaZero's search: PUCT with noise at the root, and play by visits.

D. Silver et al., Science 362 (2018); values are stretched to [0, 1] at every node as in MuZero,
J. Schrittwieser et al., Nature 588 (2020), appendix B.
"""

from typing import Any

import jax
import jax.numpy as jnp

from agents.search import proofs
from agents.search.evaluation import CachedEvaluate, Evaluate, evaluate_root, prior
from agents.search.gumbel import PolicyOutput
from agents.search.kernel import Kernel, Root, search
from agents.search.proofs import playable_visits
from agents.search.tree import Edges
from arena.judges.rules import Rules
from arena.types import Judge, State
from games import Game

_INIT, _BASE = 1.25, 19652.0


def puct(
    game: Game,
    evaluate: Evaluate | CachedEvaluate[Any],
    states: State,
    *,
    keys: jax.Array,
    simulations: int,
    noise: jax.Array,
    gumbels: jax.Array,
    judge: Judge | None = None,
    noise_share: float = 0.25,
    prove: bool = False,
    quickest: bool = False,
) -> PolicyOutput[Any]:
    """Searches; the policy is the share of visits, and the move is drawn from it.

    Args:
      game: the true rules.
      evaluate: prior and value.
      states: positions [B, ...].
      keys: PRNG keys [G] for `evaluate`.
      simulations: budget of each position, at least 1.
      noise: f32[B, A], what is mixed into the prior of the root, as `dirichlet` gives it.
      gumbels: f32[B, A], Gumbel variates times the temperature; zeros play the most visited move.
      judge: who says what an ended game is worth; the rules if None.
      noise_share: of the noise in the mixture.
      prove: prove values if the judge is exact, and play no move that is proven worse.
      quickest: move by the quickest of the wins that are proven, or by the slowest loss.
    """
    logits, value, evaluate = evaluate_root(evaluate, keys, states)
    chances = prior(game, states, logits)
    mixed = (1 - noise_share) * chances + noise_share * jnp.where(chances > 0, noise, 0.0)
    found = search(
        Kernel(game, judge or Rules(game), select, select, prove, quickest),
        evaluate,
        states,
        keys=keys,
        simulations=simulations,
        root=Root(mixed / mixed.sum(-1, keepdims=True), value),
    )
    edges, none = found.edges, jnp.zeros_like(value)
    visits = found.by_move(edges.visits, none, game.num_actions)
    played, node_value, proven = visits, edges.node_value, None
    if edges.lower is not None:
        playable = playable_visits(edges)
        if edges.plies is not None:
            left = proofs.quickest(edges, playable > 0)
            playable = jnp.where(left, edges.visits, 0.0)
        played = found.by_move(playable, none, game.num_actions)
        node_value = jnp.clip(node_value, edges.node_lower, edges.node_upper)
        proven = edges.node_lower >= edges.node_upper
    move = jnp.argmax(jnp.where(played > 0, jnp.log(played) + gumbels, -jnp.inf), -1)
    move = move.astype(jnp.int32)
    return PolicyOutput(move, visits / simulations, node_value, found.cache, proven)


def select(edges: Edges) -> tuple[jax.Array, jax.Array]:
    """The rule of selection, at every node; it does not depend on the number of simulations."""
    visits = edges.node_visits
    weight = jnp.sqrt(visits) * (_INIT + jnp.log((visits + _BASE + 1.0) / _BASE))
    q = jnp.where(edges.visits > 0, edges.q, edges.node_value)
    low, high = jnp.minimum(edges.node_value, q.min(0)), jnp.maximum(edges.node_value, q.max(0))
    stretched = (q - low) / jnp.maximum(high - low, 1e-8)
    # A move not tried counts as the worst, 0.
    return stretched + weight * edges.prior / (1.0 + edges.visits), weight * edges.next_prior


def dirichlet(game: Game, keys: jax.Array, states: State) -> jax.Array:
    """Noise for `puct` f32[B, A]: for each position a random distribution over its legal moves.

    Its concentration is 10 by the number of legal moves. AlphaZero's is in inverse proportion to
    their typical number: 0.3, 0.15 and 0.03 in chess, shogi and go (Science 362, "Methods").
    """
    legal = jax.vmap(game.legal)(states)
    shape = len(legal) // len(keys), game.num_actions
    count = jnp.maximum(legal.sum(-1, keepdims=True), 1).reshape(len(keys), -1, 1)
    alpha = jnp.broadcast_to(10.0 / count.astype(jnp.float32), (len(keys), *shape))
    draw = jax.vmap(lambda key, alpha: jax.random.loggamma(key, alpha, shape))
    return jax.nn.softmax(jnp.where(legal, draw(keys, alpha).reshape(legal.shape), -jnp.inf))
