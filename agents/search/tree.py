"""The trees of a batched search: nodes, their edges, expansion and backup.

A node holds its position, its visits and the sum of their values, and a list of its children in the
order in which they were first tried, always the likeliest move next. So all that a selection rule
needs of the moves not yet tried is the prior of the next one and of all together, and a simulation
reads as much of a node as the node has children, however many moves there are. Nodes are numbered
round by round, tree by tree: what a simulation adds is one contiguous row of each array, and
otherwise it reads and writes nothing but its path.

Values are seat 0's; signs follow `mover`, so seats need not alternate.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena.types import State

NOWHERE = np.int32(2**31 - 1)
"""The place of a node that does not exist: writes to it are dropped."""


class Edges(NamedTuple):
    """B nodes' moves: K that have been tried, in that order, and the next one to be tried.

    Values are for the seat to move at the node. Nodes with fewer than K have zeros in the end.

    Attributes:
      visits: f32[K, B], simulations that went through the move.
      value_sum: f32[K, B], the sum of their values.
      prior: f32[K, B], probability before any search.
      next_prior: f32[B], prior of the likeliest move not yet tried; 0 if there is none.
      untried_prior: f32[B], prior of all that have not been tried.
      num_tried: i32[B], how many have been.
      node_visits: f32[B], simulations that came to the node, the one that added it included.
      raw_value: f32[B], the evaluator's value of the node.
      node_value: f32[B], the mean of that and of what later simulations brought.
      lower: f32[K, B], what each move is proven to be worth at least; None if nothing is proven.
      upper: f32[K, B], what it is worth at most.
      node_lower: f32[B], what the node itself is worth at least.
      node_upper: f32[B], what it is worth at most.
      plies: i32[K, B], where a move's value is proven, plies to the end after it; None unless
        asked for, see `proofs.plies_to_end`.
    """

    visits: jax.Array
    value_sum: jax.Array
    prior: jax.Array
    next_prior: jax.Array
    untried_prior: jax.Array
    num_tried: jax.Array
    node_visits: jax.Array
    raw_value: jax.Array
    node_value: jax.Array
    lower: Any = None
    upper: Any = None
    node_lower: Any = None
    node_upper: Any = None
    plies: Any = None

    @property
    def q(self) -> jax.Array:
        """f32[K, B], mean value of each move, within what is proven; 0 where unvisited."""
        mean = self.value_sum / jnp.maximum(self.visits, 1.0)
        return mean if self.lower is None else jnp.clip(mean, self.lower, self.upper)


Select = Callable[[Edges], tuple[jax.Array, jax.Array]]
"""The rule by which a simulation leaves a node.

It scores the moves tried, f32[K, B], and the next untried one, f32[B]; the best is taken.
"""


class Untried(NamedTuple):
    """The moves of a node that have not been tried, [B]."""

    next_prior: jax.Array  # f32, the highest prior, 0 if none is left
    next_move: jax.Array  # i32, whose it is
    prior: jax.Array  # f32, the sum of all


class Node(NamedTuple):
    """A new node, [B, ...]."""

    state: State
    turn: jax.Array  # f32: 1 where seat 0 is to move, -1 seat 1, 0 over, kernel.CHANCE_TURN
    raw_value: jax.Array  # f32, the evaluator's or the judge's, for seat 0
    parent_action: jax.Array  # i32, the move that led here
    prior: jax.Array  # f32, of that move
    untried_priors: jax.Array  # f32[B, A], of the moves not yet tried, 0 of others
    untried: Untried
    chance_offset: Any  # f32, where in the unit interval outcomes start; () without chance
    bounds: Any  # f32[B, 2], between which the value lies, for seat 0; None if nothing is proven


class Tree(NamedTuple):
    """N rounds of nodes of B trees, [N·B, ...]; node b of round n has the place n·B + b.

    Round 0 is of zeros that stand for children that do not exist, round 1 is of the roots.
    """

    node: Node
    visits: jax.Array  # f32
    value_sum: jax.Array  # f32, for seat 0
    num_tried: jax.Array  # i32, how many moves have been tried
    children: jax.Array  # i32[N·B, K], their places


class Expansion(NamedTuple):
    """What a simulation has found."""

    node: Node
    parent: jax.Array  # i32, whose child it is; NOWHERE where the tree has it already
    slot: jax.Array  # i32, which of the children
    parent_untried: Untried  # after this
    value: jax.Array  # f32, to be backed up along the path, for seat 0


def at(x: jax.Array, places: Any) -> jax.Array:
    """x[places], all of which exist."""
    return x.at[places].get(mode="promise_in_bounds")


def untried_of(priors: jax.Array) -> Untried:
    """Of f32[B, A], the priors of the moves not yet tried."""
    highest = priors.max(-1)
    moves = np.arange(priors.shape[-1], dtype=np.int32)
    # Two plain reductions are far faster than an argmax along the last axis.
    move = jnp.where(priors == highest[:, None], moves, moves[-1]).min(-1)
    return Untried(highest, move, priors.sum(-1))


def empty(node: Node, capacity: int, width: int) -> Tree:
    """Trees without nodes, with room for a root and `capacity` more, of up to `width` children."""
    batch = len(node.turn)
    size = (capacity + 2) * batch
    nodes = jax.tree.map(lambda x: jnp.zeros((size, *x.shape[1:]), x.dtype), node)
    number, none = jnp.zeros(size), jnp.zeros(size, jnp.int32)
    return Tree(nodes, number, number, none, jnp.zeros((size, width), jnp.int32))


def edges_of(tree: Tree, node: jax.Array, width: int) -> tuple[Edges, jax.Array]:
    """The edges of nodes i32[B], and the places i32[width, B] of their first children."""
    child = at(tree.children, (node, np.arange(width, dtype=np.int32)[:, None]))
    turn, visits = at(tree.node.turn, node), at(tree.visits, node)
    edges = Edges(
        at(tree.visits, child),
        at(tree.value_sum, child) * turn,
        at(tree.node.prior, child),
        at(tree.node.untried.next_prior, node),
        at(tree.node.untried.prior, node),
        at(tree.num_tried, node),
        visits,
        at(tree.node.raw_value, node) * turn,
        at(tree.value_sum, node) * turn / visits,
    )
    if tree.node.bounds is not None:
        lower, upper = for_mover(turn, at(tree.node.bounds, child))
        node_lower, node_upper = for_mover(turn, at(tree.node.bounds, node))
        edges = edges._replace(
            lower=lower, upper=upper, node_lower=node_lower, node_upper=node_upper
        )
    return edges, child


def for_mover(turn: jax.Array, bounds: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The lower and the upper bound f32[..., B] for the seat to move, of f32[..., B, 2]."""
    one, other = bounds[..., 0] * turn, bounds[..., 1] * turn
    return jnp.minimum(one, other), jnp.maximum(one, other)


def expansion(
    tree: Tree, node: Node, parent: jax.Array, child: jax.Array, new: jax.Array
) -> Expansion:
    """What a simulation has found that went from `parent` to `child`, which may be new."""
    moves = np.arange(node.untried_priors.shape[1], dtype=np.int32)
    priors = at(tree.node.untried_priors, parent)
    priors = jnp.where(moves == node.parent_action[:, None], 0.0, priors)
    known = tree.node.raw_value if tree.node.bounds is None else tree.node.bounds[:, 0]
    value = jnp.where(new, node.raw_value, at(known, child))
    slot = at(tree.num_tried, parent)
    return Expansion(node, jnp.where(new, parent, NOWHERE), slot, untried_of(priors), value)


def backup(
    tree: Tree, found: Expansion, path: jax.Array, levels: jax.Array, place: jax.Array
) -> Tree:
    """Adds a round of nodes from a place i32[] on, and their values along the paths.

    Args:
      tree: the trees.
      found: what the simulation has found.
      path: i32[D, B], the places of the nodes entered, the root first; NOWHERE after a path's end.
      levels: i32[], how many rows of it are filled.
      place: where the new nodes go.
    """
    (highest, move, prior), parent = found.parent_untried, found.parent
    nodes = jax.tree.map(
        lambda all, one: jax.lax.dynamic_update_slice_in_dim(all, one, place, 0),
        tree.node,
        found.node,
    )
    untried = nodes.untried
    nodes = nodes._replace(
        untried_priors=nodes.untried_priors.at[parent, found.node.parent_action].set(
            0.0, mode="drop"
        ),
        untried=Untried(
            untried.next_prior.at[parent].set(highest, mode="drop"),
            untried.next_move.at[parent].set(move, mode="drop"),
            untried.prior.at[parent].set(prior, mode="drop"),
        ),
    )

    def add(level: jax.Array, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        visits, total = carry
        node = path[level]
        return visits.at[node].add(1.0, mode="drop"), total.at[node].add(found.value, mode="drop")

    visits, total = jax.lax.fori_loop(0, levels, add, (tree.visits, tree.value_sum))
    fresh = place + jnp.arange(len(parent))
    return Tree(
        nodes,
        visits,
        total,
        tree.num_tried.at[parent].add(1, mode="drop"),
        tree.children.at[parent, found.slot].set(fresh, mode="drop"),
    )
