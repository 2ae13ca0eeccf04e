"""Proven values: score bounded Monte-Carlo tree search.

Each node has bounds between which its value lies, whatever is played below. Ended games narrow
them, and where they meet, the node is as good as an ended game. T. Cazenave, A. Saffidine, "Score
bounded Monte-Carlo tree search", CG 2010.
"""

import jax
import jax.numpy as jnp
import numpy as np

from agents.search.tree import NOWHERE, Edges, Expansion, Tree, at, for_mover


def initial_bounds(turn: jax.Array, value: jax.Array) -> jax.Array:
    """Of nodes without children: f32[B, 2], the judge's verdict, or all that a payoff can be."""
    over = turn == 0
    return jnp.stack([jnp.where(over, value, -1.0), jnp.where(over, value, 1.0)], -1)


def update(tree: Tree, found: Expansion, path: jax.Array, levels: jax.Array) -> Tree:
    """The trees after a backup, with narrower bounds along the paths if a game has ended."""
    ended = ((found.node.turn == 0) & (found.parent != NOWHERE)).any()
    return jax.lax.cond(ended, _narrow, lambda tree, path, levels: tree, tree, path, levels)


def _narrow(tree: Tree, path: jax.Array, levels: jax.Array) -> Tree:
    """Narrows the bounds of the nodes on a path, from the end of it to the root."""
    width = tree.children.shape[1]

    def narrow(step: jax.Array, bounds: jax.Array) -> jax.Array:
        node = path[levels - 1 - step]
        place = jnp.where(node == NOWHERE, 0, node)
        child = at(tree.children, (place, np.arange(width, dtype=np.int32)[:, None]))
        turn, exists = at(tree.node.turn, place), child > 0
        child_lower, child_upper = for_mover(turn, at(bounds, child))
        lower, upper = for_mover(turn, at(bounds, place))
        lower = jnp.maximum(lower, jnp.where(exists, child_lower, -1.0).max(0))
        # What has not been tried may be worth anything.
        all_tried = (at(tree.node.untried.next_prior, place) == 0) & exists.any(0)
        highest = jnp.where(exists, child_upper, -1.0).max(0)
        upper = jnp.where(all_tried, jnp.minimum(upper, highest), upper)
        found = jnp.stack(for_mover(turn, jnp.stack([lower, upper], -1)), -1)
        target = jnp.where((turn == 0) | (node == NOWHERE), NOWHERE, node)
        return bounds.at[target].set(found, mode="drop")

    bounds = jax.lax.fori_loop(1, levels, narrow, tree.node.bounds)
    return tree._replace(node=tree.node._replace(bounds=bounds))


def plies_to_end(tree: Tree, batch: int) -> jax.Array:
    """How long games last whose values are proven.

    Args:
      tree: of B trees, which prove values.
      batch: B.

    Returns:
      i32[N·B], for each node whose value is proven the plies to the end, if whoever wins goes the
      shortest way and the other the longest that the tree knows; 0 for other nodes.
    """
    rounds, slots = len(tree.visits) // batch, np.arange(tree.children.shape[1], dtype=np.int32)

    def measure(step: jax.Array, plies: jax.Array) -> jax.Array:
        first = (rounds - 1 - step) * batch  # children lie after their parents
        place = first + jnp.arange(batch)
        child, turn = at(tree.children, (place, slots[:, None])), at(tree.node.turn, place)
        lower, upper = for_mover(turn, at(tree.node.bounds, child))
        node_lower, node_upper = for_mover(turn, at(tree.node.bounds, place))
        keeps = (child > 0) & (lower >= node_lower) & (lower >= upper)
        after = 1 + at(plies, child)
        shortest = jnp.where(keeps, after, NOWHERE).min(0)
        longest = jnp.where(keeps, after, 0).max(0)
        proven = (node_lower >= node_upper) & (turn != 0) & keeps.any(0)
        found = jnp.where(proven, jnp.where(node_lower > 0, shortest, longest), 0)
        return jax.lax.dynamic_update_slice_in_dim(plies, found, first, 0)

    return jax.lax.fori_loop(0, rounds - 1, measure, jnp.zeros(len(tree.visits), jnp.int32))


def quickest(edges: Edges, others: jax.Array) -> jax.Array:
    """The moves to choose between if it counts how soon the game ends, bool[K, B].

    Args:
      edges: with `plies`.
      others: bool[K, B], the moves to choose between where no win and no loss is proven. Where one
        is, they are the quickest wins, or the slowest losses, that are proven.
    """
    keeps = (edges.visits > 0) & (edges.lower >= edges.node_lower) & (edges.lower >= edges.upper)
    shortest = jnp.where(keeps, edges.plies, NOWHERE).min(0)
    longest = jnp.where(keeps, edges.plies, -1).max(0)
    chosen = keeps & (edges.plies == jnp.where(edges.node_lower > 0, shortest, longest))
    decided = (edges.node_lower >= edges.node_upper) & (edges.node_lower != 0) & keeps.any(0)
    return jnp.where(decided, chosen, others)


def refuted(edges: Edges) -> jax.Array:
    """Which moves are proven to give no more than another gives, or no more than a loss.

    Nothing can be gained by searching them further: bool[K, B].
    """
    if edges.lower is None:
        return jnp.zeros(edges.visits.shape, bool)
    return edges.upper <= edges.node_lower


def proven_best(edges: Edges) -> jax.Array:
    """Which moves are proven to give the most that is proven, more than a loss: bool[K, B]."""
    if edges.lower is None:
        return jnp.zeros(edges.visits.shape, bool)
    return (edges.visits > 0) & (edges.lower >= edges.node_lower) & (edges.node_lower > -1.0)


def most_visited(edges: Edges) -> jax.Array:
    """The moves to choose between, bool[K, B]: the most visited, and the best that are proven."""
    left = (edges.visits > 0) & ~refuted(edges)
    most = jnp.where(left | ~left.any(0), edges.visits, 0.0).max(0)
    return ((edges.visits == most) & (left | ~left.any(0))) | proven_best(edges)


def playable_visits(edges: Edges) -> jax.Array:
    """Visits f32[K, B] of the moves that proofs leave to choose between, 0 for others.

    A move that is proven best is played; where every move loses, any is.
    """
    best, left = proven_best(edges), (edges.visits > 0) & ~refuted(edges)
    chosen = jnp.where(best.any(0), best, left | ~left.any(0))
    return jnp.where(chosen, edges.visits, 0.0)
