"""One tree for one position, grown in compiled chunks of simulations, and what is read off it.

The arrays of a tree have room for a number of nodes, so that few sizes are ever compiled.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents.search import proofs
from agents.search.evaluation import CachedEvaluate, evaluate_root, prior
from agents.search.kernel import CHANCE_TURN, Kernel, Progress, Root, widths
from agents.search.tree import Edges, Select, at, edges_of
from arena.types import Cache, Judge, Params, State
from games import Game

_VARIATION = 32
"""The most moves of a principal variation."""
_LINES = 64
"""The most moves, in the order of their priors, whose variations are read."""


@dataclass(frozen=True)
class TreeSearch:
    """How an agent analyses. Hashable; equal ones share compiled programs.

    Attributes:
      game: the true rules.
      judge: who says what an ended game is worth; an exact one proves values.
      select: the selection rule.
      evaluate: `evaluate(params, cache, wanted, keys, states)`, otherwise as `CachedEvaluate`.
      init_cache: `init_cache(params)`, the evaluator's cache.
    """

    game: Game
    judge: Judge
    select: Select
    evaluate: Callable[..., tuple[jax.Array, jax.Array, Any]]
    init_cache: Callable[[Any], Any]

    @property
    def kernel(self) -> Kernel:
        """Its search."""
        return Kernel(self.game, self.judge, self.select, self.select, self.judge.exact)


class Tree(NamedTuple):
    """A tree of one position, between two chunks.

    Attributes:
      progress: the search.
      number: i32[], of its last simulation.
    """

    progress: Progress[Cache]
    number: jax.Array

    @property
    def capacity(self) -> int:
        """How many simulations there is room for."""
        return len(self.progress.tree.visits) - 2

    @property
    def nbytes(self) -> int:
        """What the arrays take."""
        return sum(x.nbytes for x in jax.tree.leaves(self.progress.tree))


class Report(NamedTuple):
    """What is read off a tree."""

    moves: jax.Array  # i32[K], those tried, A where there is none
    visits: jax.Array  # f32[K]
    q: jax.Array  # f32[K]
    raw_value: jax.Array  # f32[K]
    prior: jax.Array  # f32[A]
    best: jax.Array  # i32[], which of the K
    value: jax.Array  # f32[]
    proven: jax.Array  # bool[]
    variation: jax.Array  # i32[L], moves; -1 after the end
    states: State  # [L, ...], before each of them
    variations: jax.Array  # i32[K, L], those after each of the K


@partial(jax.jit, static_argnames=("search", "capacity"))
def begin(
    search: TreeSearch,
    params: Params,
    cache: Cache,
    key: jax.Array,
    state: State,
    among: jax.Array,
    *,
    capacity: int,
) -> Tree:
    """A tree of a position without a batch axis; params are stacked [1, ...].

    Of the legal moves it has those among bool[A] only.
    """
    states, each = jax.tree.map(lambda x: jnp.asarray(x)[None], state), key[None]
    evaluate = CachedEvaluate(partial(search.evaluate, params), cache)
    logits, value, evaluate = evaluate_root(evaluate, each, states)
    root = Root(jnp.where(among, prior(search.game, states, logits), 0.0), value)
    kernel = search.kernel
    progress = kernel.init(root, states, keys=each, capacity=capacity, cache=evaluate.cache)
    return _typed(Tree(kernel.finish(progress, jnp.int32(0)), jnp.int32(0)))


def _typed(tree: Tree) -> Tree:
    """The tree without weak types, of which another selection would have `grow` compiled anew."""
    return jax.tree.map(lambda x: jax.lax.convert_element_type(x, x.dtype), tree)


@partial(jax.jit, static_argnames="search", donate_argnames="tree")
def grow(
    search: TreeSearch, params: Params, key: jax.Array, tree: Tree, count: jax.Array
) -> tuple[Tree, Report]:
    """The tree after so many simulations more i32[], for which it has room."""
    kernel, each = search.kernel, key[None]
    evaluate = CachedEvaluate(partial(search.evaluate, params), tree.progress.cache)

    def step(number: jax.Array, progress: Progress[Cache]) -> Progress[Cache]:
        return kernel.step(evaluate, progress, number, keys=each)

    last = tree.number + count
    progress = jax.lax.fori_loop(tree.number + 1, last + 1, step, tree.progress)
    tree = _typed(Tree(kernel.finish(progress, last), last))
    return tree, _report(kernel, tree.progress)


@partial(jax.jit, static_argnames=("search", "capacity"))
def enlarge(search: TreeSearch, tree: Tree, *, capacity: int) -> Tree:
    """The same tree with more room."""
    old, kernel = tree.progress, search.kernel

    def pad(x: jax.Array) -> jax.Array:
        return jnp.pad(x, [(0, capacity + 2 - len(x)), *[(0, 0)] * (x.ndim - 1)])

    arrays = jax.tree.map(pad, old.tree)
    more = kernel.width(capacity) - arrays.children.shape[1]
    arrays = arrays._replace(children=jnp.pad(arrays.children, ((0, 0), (0, more))))
    path = jnp.zeros((kernel.depth(capacity), 1), jnp.int32).at[0].set(old.path[0])
    return Tree(old._replace(tree=arrays, path=path), tree.number)


@jax.jit
def _move_nodes(tree: Tree, source: jax.Array, target: jax.Array, count: jax.Array) -> Tree:
    """The tree of some of its nodes, whose root is the first of them.

    Args:
      tree: all nodes.
      source: i32[N], where each node of the new tree was; 0 where there is none.
      target: i32[N], where each node of the old one goes; 0 if nowhere.
      count: i32[], how many nodes the new one has.
    """
    old = tree.progress
    arrays = jax.tree.map(lambda x: x[source], old.tree)
    arrays = arrays._replace(children=target[arrays.children])
    last = jax.tree.map(lambda x: x[count][None], arrays.node)
    found = old.found._replace(node=last)
    return Tree(old._replace(tree=arrays, found=found), count - 1)


def reroot(tree: Tree, move: int) -> Tree | None:
    """The subtree under a move or outcome at the root, visits kept; None if it was not tried."""
    arrays = tree.progress.tree
    children, actions = np.asarray(arrays.children), np.asarray(arrays.node.parent_action)
    tried = children[1][children[1] > 0]
    chosen = tried[actions[tried] == move]
    if not len(chosen):
        return None
    kept = np.zeros(len(children), bool)
    frontier = chosen
    while len(frontier):
        kept[frontier] = True
        frontier = children[frontier]
        frontier = frontier[frontier > 0]
    # Children lie after their parents, as they were added later; so they do after the move.
    places = np.flatnonzero(kept)
    source, target = np.zeros((2, len(children)), np.int32)
    source[1 : len(places) + 1] = places
    target[places] = np.arange(1, len(places) + 1)
    return _move_nodes(tree, source, target, np.int32(len(places)))


def _report(kernel: Kernel, progress: Progress[Cache]) -> Report:
    """Reads a finished tree of one position."""
    arrays, game = progress.tree, kernel.game
    summary = kernel.summary(progress)
    edges, root = summary.edges, progress.path[0]
    proven, plies = jnp.bool_(False), None
    if edges.lower is not None:
        proven = edges.node_lower[0] >= edges.node_upper[0]
        plies = jax.lax.cond(
            proven,
            lambda tree: proofs.plies_to_end(tree, 1),
            lambda tree: jnp.zeros(len(tree.visits), jnp.int32),
            arrays,
        )
    children = at(arrays.children, (root, np.arange(len(edges.visits), dtype=np.int32)[:, None]))
    best = _best(edges, plies, children)
    value = edges.q[best[0], 0]
    if edges.lower is not None:
        value = jnp.clip(value, edges.node_lower[0], edges.node_upper[0])
    untried = at(arrays.node.untried_priors, root)
    priors = untried.at[0, summary.moves[:, 0]].set(edges.prior[:, 0], mode="drop")[0]

    sizes = widths(arrays.children.shape[1])

    def best_child(node: jax.Array, width: int) -> jax.Array:
        edges, children = edges_of(arrays, node, width)
        return children[_best(edges, plies, children), jnp.arange(len(node))]

    def follow(node: jax.Array, _: None) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        """From the root and each of its children one move further."""
        most = at(arrays.num_tried, node).max()
        ways = [partial(best_child, width=size) for size in sizes]
        child = jax.lax.switch((most > np.array(sizes[:-1], np.int32)).sum(), ways, node)
        going = (child > 0) & (at(arrays.node.turn, node) != CHANCE_TURN)
        move = jnp.where(going, at(arrays.node.parent_action, child), -1)
        return jnp.where(going, child, 0), (node[0], move)

    length = min(_VARIATION, game.max_plies)
    starts = jnp.concatenate([root, children[:_LINES, 0]])
    _, (nodes, variations) = jax.lax.scan(follow, starts, None, length)
    return Report(
        summary.moves[:, 0],
        edges.visits[:, 0],
        edges.q[:, 0],
        at(arrays.node.raw_value, children)[:, 0] * at(arrays.node.turn, root),
        priors,
        best[0],
        value,
        proven,
        variations[:, 0],
        jax.tree.map(lambda x: x[nodes], arrays.node.state),
        variations[:, 1:].T,
    )


def _best(edges: Edges, plies: jax.Array | None, children: jax.Array) -> jax.Array:
    """The most visited move that no proof speaks against, i32[B]; of equals the more valuable.

    Of proven wins it is among the quickest, of losses among the slowest, by the plies to the end
    of all nodes and the places i32[K, B] of the children.
    """
    visits = proofs.playable_visits(edges)
    if plies is not None:
        left = proofs.quickest(edges._replace(plies=at(plies, children)), visits > 0)
        visits = jnp.where(left, edges.visits, 0.0)
    return jnp.argmax(visits + 0.25 * edges.q, 0)


def node_bytes(game: Game) -> int:
    """What a node of a tree takes, roughly."""
    state = sum(math.prod(x.shape) * x.dtype.itemsize for x in jax.tree.leaves(game.template()))
    children = max(game.num_actions, game.num_outcomes)
    return state + 4 * (game.num_actions + children) + 64
