"""Gumbel AlphaZero: sequential halving at the root, completed values everywhere.

I. Danihelka et al., "Policy improvement by planning with Gumbel" (ICLR 2022).
"""

from functools import partial
from typing import Any, Generic, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents.search import proofs
from agents.search.evaluation import (
    LOWEST,
    TINY,
    Cache,
    CachedEvaluate,
    Evaluate,
    evaluate_root,
    prior,
)
from agents.search.kernel import Kernel, Root, search
from agents.search.proofs import most_visited, proven_best, refuted
from agents.search.tree import Edges
from arena.judges.rules import Rules
from arena.types import Judge, State
from games import Game

_NEVER = -1e6  # far below any logit, and above those of illegal moves


class PolicyOutput(NamedTuple, Generic[Cache]):
    """The outcome of a search.

    Attributes:
      move: i32[B], the move to play.
      policy: f32[B, A], the improved policy: what the prior should have been.
      value: f32[B], mean value of all simulations for the mover, the weaker moves' included.
      cache: the evaluator's after the search; () if it has none.
      proven: bool[B], whether the value is exact, whatever is played; None if nothing is proven.
    """

    move: jax.Array
    policy: jax.Array
    value: jax.Array
    cache: Cache
    proven: Any = None


def gumbel(
    game: Game,
    evaluate: Evaluate | CachedEvaluate[Cache],
    states: State,
    *,
    keys: jax.Array,
    simulations: int,
    noise: jax.Array,
    judge: Judge | None = None,
    max_considered_actions: int = 16,
    min_value_range: float = 1e-8,
    prove: bool = False,
    quickest: bool = False,
) -> PolicyOutput[Cache]:
    """Searches, and improves on the prior.

    Args:
      game: the true rules.
      evaluate: prior and value.
      states: positions [B, ...].
      keys: PRNG keys [G] for `evaluate`.
      simulations: budget of each position, at least 1.
      noise: Gumbel variates f32[B, A]; zeros play the strongest move every time.
      judge: who says what an ended game is worth; the rules if None.
      max_considered_actions: moves that sequential halving starts from.
      min_value_range: values that lie closer together than this are not stretched any further.
      prove: prove values if the judge is exact, and give moves that are proven worse no
        probability.
      quickest: move by the quickest of the wins that are proven, or by the slowest loss.
    """
    logits, value, evaluate = evaluate_root(evaluate, keys, states)
    chances = prior(game, states, logits)
    logits = jnp.where(chances > 0, logits - logits.max(-1, keepdims=True), LOWEST)
    rank = jnp.maximum(logits + noise, -1e9)
    # The moves that will be tried, in that order: the root's list of children is known beforehand.
    order = jnp.where(chances > 0, jnp.maximum(jax.nn.softmax(rank), TINY), 0.0)
    _, first = jax.lax.top_k(order, min(max_considered_actions, game.num_actions, simulations))
    ranks, priors = (jnp.take_along_axis(x, first, 1).T for x in (rank, chances))
    table = jnp.asarray(_halving_table(min(max_considered_actions, game.num_actions), simulations))
    moves = jnp.minimum((chances > 0).sum(-1), table.shape[0] - 1)

    completed = partial(completed_q, game.num_actions, min_value_range)

    def scores(edges: Edges) -> jax.Array:
        width = len(edges.visits)
        tried, _ = completed(edges._replace(prior=_fit(priors, width)))
        return _fit(ranks, width) + tried

    def at_root(edges: Edges) -> tuple[jax.Array, jax.Array]:
        visits = table[moves, edges.node_visits.astype(jnp.int32) - 1].astype(jnp.float32)
        score = jnp.where(refuted(edges), _NEVER, scores(edges))
        score = jnp.where(edges.visits == visits, score, -jnp.inf)
        return score, jnp.where(visits == 0, jnp.inf, -jnp.inf)

    inside = partial(_inside, game.num_actions, min_value_range)
    found = search(
        Kernel(game, judge or Rules(game), at_root, inside, prove, quickest),
        evaluate,
        states,
        keys=keys,
        simulations=simulations,
        root=Root(order, value),
    )
    edges = found.edges
    left = most_visited(edges)
    if edges.plies is not None:
        left = proofs.quickest(edges, left)
    best = jnp.argmax(jnp.where(left, scores(edges), -jnp.inf), 0)
    move = found.moves[best, jnp.arange(len(best))]
    tried, others = completed(edges._replace(prior=_fit(priors, len(edges.visits))))
    value, proven = edges.node_value, None
    if edges.lower is not None:
        value = jnp.clip(value, edges.node_lower, edges.node_upper)
        proven = edges.node_lower >= edges.node_upper
        tried = jnp.where(refuted(edges) & ~proven_best(edges), _NEVER, tried)
        # If the value is known, none of the moves not tried can be better.
        others = jnp.where(proven, _NEVER, others)
    policy = jax.nn.softmax(logits + found.by_move(tried, others, game.num_actions))
    return PolicyOutput(move, policy, value, found.cache, proven)


def _fit(x: jax.Array, width: int) -> jax.Array:
    """The first rows of [M, B], zeros after the last."""
    return jnp.pad(x[:width], ((0, max(0, width - len(x))), (0, 0)))


def _inside(num_actions: int, min_value_range: float, edges: Edges) -> tuple[jax.Array, jax.Array]:
    """Below the root: visits in proportion to the improved policy, as nearly as they can be."""
    tried, others = completed_q(num_actions, min_value_range, edges)
    tried = edges.prior * jnp.exp(jnp.where(refuted(edges), _NEVER, tried))
    others = jnp.exp(others)
    total = jnp.maximum(tried.sum(0) + edges.untried_prior * others, TINY)
    return tried / total - edges.visits / edges.node_visits, edges.next_prior * others / total


def completed_q(
    num_actions: int, min_value_range: float, edges: Edges
) -> tuple[jax.Array, jax.Array]:
    """What values add to logits, of moves tried f32[K, B] and of all others f32[B].

    Equations 8 and 33 there. A move not tried counts as the mean of the node's own value and its
    other moves' values; the values of a node are stretched to an interval of length 1, unless they
    lie within `min_value_range`, times 0.1, times 50 plus the most visits. Here they end at 0, so
    that no exponential is too large.
    """
    seen = edges.visits > 0
    weights = jnp.where(seen, jnp.maximum(edges.prior, TINY), 0.0)
    q = edges.q
    mean = (weights * q).sum(0) / jnp.maximum(weights.sum(0), TINY)
    mixed = (edges.raw_value + (edges.node_visits - 1.0) * mean) / edges.node_visits
    # Like mctx: where there is a move that has not been tried, be it an illegal one.
    left = edges.num_tried < num_actions
    low = jnp.where(seen, q, jnp.inf).min(0)
    high = jnp.where(seen, q, -jnp.inf).max(0)
    low = jnp.where(left, jnp.minimum(low, mixed), low)
    high = jnp.where(left, jnp.maximum(high, mixed), high)
    scale = (50.0 + edges.visits.max(0)) * 0.1 / jnp.maximum(high - low, min_value_range)
    return jnp.minimum(scale * (q - high), 0.0), scale * (mixed - high)


def _halving_table(max_considered_actions: int, simulations: int) -> np.ndarray:
    """How many visits the move of each turn must have, i32[M + 1, simulations] for M moves.

    Row m is for m moves: rounds of equal visits for all that are left, each half as many moves.
    """
    return np.array([_halving(m, simulations) for m in range(max_considered_actions + 1)], np.int32)


def _halving(moves: int, simulations: int) -> list[int]:
    if moves <= 1:
        return list(range(simulations))
    rounds = int(np.ceil(np.log2(moves)))
    visits, order, left = [0] * moves, [], moves
    while len(order) < simulations:
        for _ in range(max(1, simulations // (rounds * left))):
            order.extend(visits[:left])
            visits[:left] = [v + 1 for v in visits[:left]]
        left = max(2, left // 2)
    return order[:simulations]
