"""Batched tree search with the true rules: one kernel, and recipes over it.

The kernel grows one tree per position, a node per simulation, for a whole batch in step. Time
comes first in every array of the tree, so that adding a node writes one contiguous row; a
simulation descends with nothing but an index per position, and its result is written along the
path alone. Values are kept from the view of the seat that is to move at a node, and signs follow
`mover`, so seats need not alternate.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena.core import Classifier
from games import OVER, Game

Evaluate = Callable[[jax.Array, Any], tuple[jax.Array, jax.Array]]
"""`evaluate(keys[G], states[B]) -> (logits f32[B, A], value f32[B])`, value for the mover."""

_UNVISITED = 0  # the root is nobody's child


class Edges(NamedTuple):
    """What a node knows of its moves; a simulation chooses by these.

    Attributes:
      logits: f32[B, A], prior; the lowest float where a move is illegal.
      visits: f32[B, A], simulations that went through the move.
      total: f32[B, A], the sum of their values, for the seat to move at the node.
      value: f32[B], the evaluator's value of the node, for the seat to move.
    """

    logits: jax.Array
    visits: jax.Array
    total: jax.Array
    value: jax.Array

    @property
    def legal(self) -> jax.Array:
        """bool[B, A]."""
        return self.logits > _LOWEST

    @property
    def q(self) -> jax.Array:
        """f32[B, A], mean value of each move; 0 where unvisited."""
        return self.total / jnp.maximum(self.visits, 1.0)


_LOWEST = float(np.finfo(np.float32).min)

Select = Callable[[Edges], jax.Array]
"""The rule by which a simulation leaves a node: edges to moves i32[B]."""


def possible(game: Game) -> bool:
    """Whether a game can be searched."""
    return game.perfect_information and not game.num_outcomes


def check(game: Game) -> None:
    """Raises ValueError for a game that cannot be searched."""
    if not possible(game):
        raise ValueError("tree search plays games without chance and hidden information only")


class _Tree(NamedTuple):
    """N nodes of B trees."""

    state: Any  # [N, B, ...]
    mover: jax.Array  # i32[N, B]
    edges: Edges  # [N, B, A]; value [N, B]
    child: jax.Array  # i32[N, B, A], node that the move leads to


def search(
    game: Game,
    judge: Classifier,
    evaluate: Evaluate,
    states: Any,
    keys: jax.Array,
    simulations: int,
    at_root: Select,
    inside: Select,
) -> Edges:
    """Grows a tree under each position and returns what its root has learnt.

    Args:
      game: the true rules.
      judge: who says what an ended game is worth.
      evaluate: prior and value of positions; not asked for the value of ended games.
      states: root positions [B, ...], of which ended ones give meaningless results.
      keys: PRNG keys [G], handed on to `evaluate`, folded with the number of the simulation.
      simulations: nodes to add to each tree.
      at_root: which move a simulation tries at the root.
      inside: which move it tries below.
    """
    batch = jax.tree.leaves(states)[0].shape[0]
    rows = jnp.arange(batch)
    depth = min(simulations, game.max_plies) + 1
    tree = _plant(game, judge, evaluate, states, keys, simulations + 1)

    def simulate(number: jax.Array, tree: _Tree) -> _Tree:
        nodes, moves = _descend(tree, at_root, inside, depth)
        leaf = jnp.maximum((nodes < simulations + 1).sum(0) - 1, 0)
        node, move = nodes[leaf, rows], moves[leaf, rows]
        parents = jax.tree.map(lambda x: x[node, rows], tree.state)
        after = jax.vmap(game.step)(parents, move)
        row, value = _assess(game, judge, evaluate, _fold(keys, number), after)
        # One scatter serves the whole path; rows below the leaf point outside and are dropped.
        signed = jnp.where(tree.mover[nodes, rows] == 0, value, -value)
        edges = jax.tree.map(lambda all, one: all.at[number].set(one), tree.edges, row.edges)
        edges = edges._replace(
            visits=edges.visits.at[nodes, rows, moves].add(1.0, mode="drop"),
            total=edges.total.at[nodes, rows, moves].add(signed, mode="drop"),
        )
        return _Tree(
            jax.tree.map(lambda all, one: all.at[number].set(one), tree.state, after),
            tree.mover.at[number].set(row.mover),
            edges,
            tree.child.at[node, rows, move].set(number),
        )

    tree = jax.lax.fori_loop(1, simulations + 1, simulate, tree)
    return jax.tree.map(lambda x: x[0], tree.edges)


def _fold(keys: jax.Array, number: jax.Array) -> jax.Array:
    return jax.vmap(lambda key: jax.random.fold_in(key, number))(keys)


def _assess(
    game: Game, judge: Classifier, evaluate: Evaluate, keys: jax.Array, states: Any
) -> tuple[_Tree, Any]:
    """New nodes for positions [B], and their values for seat 0 f32[B]."""
    logits, value = evaluate(keys, states)
    mover = jax.vmap(game.mover)(states)
    logits = jnp.where(jax.vmap(game.legal)(states), logits, _LOWEST)
    for_first = jnp.where(mover == 0, value, -value)
    for_first = jnp.where(mover == OVER, judge.score(states), for_first)
    none = jnp.zeros_like(logits)
    edges = Edges(logits, none, none, value)
    return _Tree(states, mover, edges, none.astype(jnp.int32)), for_first


def _plant(
    game: Game, judge: Classifier, evaluate: Evaluate, states: Any, keys: jax.Array, size: int
) -> _Tree:
    """Trees with room for `size` nodes that hold their roots."""
    root, _ = _assess(game, judge, evaluate, _fold(keys, jnp.int32(0)), states)
    return jax.tree.map(lambda x: jnp.zeros((size, *x.shape), x.dtype).at[0].set(x), root)


def _descend(
    tree: _Tree, at_root: Select, inside: Select, depth: int
) -> tuple[jax.Array, jax.Array]:
    """Walks down until a move leads out of the tree or to an ended game.

    An ended game is never entered: the move to it is taken again, and its value counted again.

    Returns:
      nodes i32[depth, B] and moves i32[depth, B]; nodes are N below the end of a path.
    """
    size, batch = tree.mover.shape
    rows = jnp.arange(batch)

    def body(carry):
        level, node, alive, nodes, moves = carry
        edges = jax.tree.map(lambda x: x[node, rows], tree.edges)
        move = inside(edges)
        nodes = nodes.at[level].set(jnp.where(alive, node, size))
        moves = moves.at[level].set(move)
        child = tree.child[node, rows, move]
        alive = alive & (child != _UNVISITED) & (tree.mover[child, rows] != OVER)
        return level + 1, jnp.where(alive, child, node), alive, nodes, moves

    root_move = at_root(jax.tree.map(lambda x: x[0], tree.edges))
    nodes = jnp.full((depth, batch), size).at[0].set(0)
    moves = jnp.zeros((depth, batch), jnp.int32).at[0].set(root_move)
    child = tree.child[0, rows, root_move]
    alive = (child != _UNVISITED) & (tree.mover[child, rows] != OVER)
    carry = (jnp.int32(1), child, alive, nodes, moves)
    _, _, _, nodes, moves = jax.lax.while_loop(lambda c: c[2].any() & (c[0] < depth), body, carry)
    return nodes, moves


class Improved(NamedTuple):
    """The outcome of a Gumbel search.

    Attributes:
      move: i32[B], the move to play.
      policy: f32[B, A], the improved policy: what the prior should have been.
      value: f32[B], mean value of all simulations for the mover, the weaker moves' included.
    """

    move: jax.Array
    policy: jax.Array
    value: jax.Array


def gumbel(
    game: Game,
    judge: Classifier,
    evaluate: Evaluate,
    states: Any,
    keys: jax.Array,
    simulations: int,
    noise: jax.Array,
    considered: int = 16,
) -> Improved:
    """Gumbel AlphaZero: sequential halving at the root, completed values everywhere.

    Follows I. Danihelka et al., "Policy improvement by planning with Gumbel" (ICLR 2022).

    Args:
      game: the true rules.
      judge: who says what an ended game is worth.
      evaluate: prior and value.
      states: positions [B, ...].
      keys: PRNG keys [G] for `evaluate`.
      simulations: budget of each position, at least 1.
      noise: Gumbel variates f32[B, A]; zeros play the strongest move every time.
      considered: moves that sequential halving starts from.
    """
    table = jnp.asarray(_halving_table(min(considered, game.num_actions), simulations))

    def at_root(edges: Edges) -> jax.Array:
        count = jnp.minimum(edges.legal.sum(-1), table.shape[0] - 1)
        turn = edges.visits.sum(-1).astype(jnp.int32)
        return _argmax(_root_score(edges, noise, table[count, turn].astype(jnp.float32)), edges)

    def inside(edges: Edges) -> jax.Array:
        target = jax.nn.softmax(edges.logits + completed_q(edges))
        return _argmax(target - edges.visits / (1.0 + edges.visits.sum(-1, keepdims=True)), edges)

    edges = search(game, judge, evaluate, states, keys, simulations, at_root, inside)
    most = edges.visits.max(-1)
    policy = jax.nn.softmax(jnp.where(edges.legal, edges.logits + completed_q(edges), _LOWEST))
    value = (edges.value + edges.total.sum(-1)) / (1.0 + edges.visits.sum(-1))
    return Improved(_argmax(_root_score(edges, noise, most), edges), policy, value)


def _argmax(score: jax.Array, edges: Edges) -> jax.Array:
    return jnp.argmax(jnp.where(edges.legal, score, -jnp.inf), -1).astype(jnp.int32)


def _root_score(edges: Edges, noise: jax.Array, visits: jax.Array) -> jax.Array:
    """Gumbel plus logit plus value, for moves with just so many visits f32[B] as given."""
    logits = edges.logits - edges.logits.max(-1, keepdims=True)
    score = jnp.maximum(-1e9, noise + logits + completed_q(edges))
    return jnp.where(edges.visits == visits[:, None], score, -jnp.inf)


def completed_q(edges: Edges) -> jax.Array:
    """Values of all moves, scaled to be added to logits, f32[B, A] (equations 8 and 33 there).

    An unvisited move counts as the mean of the node's own value and its visited moves' values;
    the values of a node are stretched to [0, 1], times 0.1, times 50 plus the most visits.
    """
    seen = edges.visits > 0
    prior = jnp.where(seen, jnp.maximum(jax.nn.softmax(edges.logits), _TINY), 0.0)
    visits = edges.visits.sum(-1)
    mean = (prior * edges.q).sum(-1) / jnp.maximum(prior.sum(-1), _TINY)
    mixed = (edges.value + visits * mean) / (1.0 + visits)
    q = jnp.where(seen, edges.q, mixed[:, None])
    low, high = q.min(-1, keepdims=True), q.max(-1, keepdims=True)
    stretched = (q - low) / jnp.maximum(high - low, 1e-8)
    return (50.0 + edges.visits.max(-1, keepdims=True)) * 0.1 * stretched


_TINY = float(np.finfo(np.float32).tiny)


def _halving_table(considered: int, simulations: int) -> np.ndarray:
    """How many visits the move of each turn must have: i32[considered + 1, simulations].

    Row m is for m moves: rounds of equal visits for all that are left, each half as many moves.
    """
    return np.array([_halving(m, simulations) for m in range(considered + 1)], np.int32)


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


def uct(
    game: Game,
    judge: Classifier,
    evaluate: Evaluate,
    states: Any,
    keys: jax.Array,
    simulations: int,
    exploration: float,
    order: jax.Array,
) -> jax.Array:
    """Plain UCT: the most visited move i32[B] (L. Kocsis, C. Szepesvári, ECML 2006).

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

    def select(edges: Edges) -> jax.Array:
        n = jnp.log(jnp.maximum(edges.visits.sum(-1, keepdims=True), 1.0))
        bound = edges.q + exploration * jnp.sqrt(n / jnp.maximum(edges.visits, 1.0))
        return _argmax(jnp.where(edges.visits > 0, bound, 1e3 + order), edges)

    edges = search(game, judge, evaluate, states, keys, simulations, select, select)
    return _argmax(edges.visits + 0.5 * order, edges)
