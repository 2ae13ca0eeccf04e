"""Analysis by tree search: one tree for one position, grown in compiled chunks of simulations.

Between two chunks a deadline, a stop or a limit is obeyed. The selection rule must not depend on
the number of simulations to come, so AlphaZero's PUCT serves networks, and UCT random rollouts;
Gumbel's sequential halving plans its whole budget beforehand and cannot be stopped. The arrays of a
tree have room for a number of nodes that doubles when it is full, so few sizes are ever compiled.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from agents.search import proofs
from agents.search.evaluation import CachedEvaluate, check_searchable, evaluate_root, prior
from agents.search.kernel import CHANCE_TURN, Kernel, Progress, Root
from agents.search.tree import Edges, Select, at, edges_of
from arena import keys
from arena.analysis import Analysis, Limit, MoveAnalysis
from arena.errors import UserError
from arena.types import Agent, Cache, Judge, Params, Position, State, stack
from games import Game

_CHUNK = 32
"""The most simulations in one call of the compiled loop."""
_CAPACITY = 256
"""How many nodes a new tree has room for."""
_BYTES = 1 << 31
"""The most that the arrays of a tree may take; an analysis whose tree has no more room ends."""
_VARIATION = 32
"""The most moves of a principal variation."""


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


@runtime_checkable
class Searches(Protocol):
    """A policy that can analyse."""

    def tree_search(self) -> TreeSearch:
        """How it analyses a position."""
        ...


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


class _Report(NamedTuple):
    """What is read off a tree."""

    moves: jax.Array  # i32[K], those tried, A where there is none
    visits: jax.Array  # f32[K]
    q: jax.Array  # f32[K]
    prior: jax.Array  # f32[A]
    best: jax.Array  # i32[], which of the K
    value: jax.Array  # f32[]
    proven: jax.Array  # bool[]
    variation: jax.Array  # i32[L], moves; -1 after the end
    states: State  # [L, ...], before each of them


@partial(jax.jit, static_argnames=("search", "capacity"))
def begin(
    search: TreeSearch, params: Params, cache: Cache, key: jax.Array, state: State, *, capacity: int
) -> Tree:
    """A tree of a position without a batch axis; params are stacked [1, ...]."""
    states, each = jax.tree.map(lambda x: jnp.asarray(x)[None], state), key[None]
    evaluate = CachedEvaluate(partial(search.evaluate, params), cache)
    logits, value, evaluate = evaluate_root(evaluate, each, states)
    root = Root(prior(search.game, states, logits), value)
    kernel = search.kernel
    progress = kernel.init(root, states, keys=each, capacity=capacity, cache=evaluate.cache)
    return Tree(kernel.finish(progress, jnp.int32(0)), jnp.int32(0))


@partial(jax.jit, static_argnames="search", donate_argnames="tree")
def grow(
    search: TreeSearch, params: Params, key: jax.Array, tree: Tree, count: jax.Array
) -> tuple[Tree, _Report]:
    """The tree after so many simulations more i32[], for which it has room."""
    kernel, each = search.kernel, key[None]
    evaluate = CachedEvaluate(partial(search.evaluate, params), tree.progress.cache)

    def step(number: jax.Array, progress: Progress[Cache]) -> Progress[Cache]:
        return kernel.step(evaluate, progress, number, keys=each)

    last = tree.number + count
    progress = jax.lax.fori_loop(tree.number + 1, last + 1, step, tree.progress)
    tree = Tree(kernel.finish(progress, last), last)
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


def _report(kernel: Kernel, progress: Progress[Cache]) -> _Report:
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

    def follow(node: jax.Array, _: None) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        edges, children = edges_of(arrays, node, arrays.children.shape[1])
        child = children[_best(edges, plies, children), 0]
        going = (child > 0) & (at(arrays.node.turn, node) != CHANCE_TURN)
        move = jnp.where(going, at(arrays.node.parent_action, child), -1)
        return jnp.where(going, child, 0), (node[0], move[0])

    length = min(_VARIATION, game.max_plies)
    _, (nodes, variation) = jax.lax.scan(follow, root, None, length)
    return _Report(
        summary.moves[:, 0],
        edges.visits[:, 0],
        edges.q[:, 0],
        priors,
        best[0],
        value,
        proven,
        variation,
        jax.tree.map(lambda x: x[nodes], arrays.node.state),
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


class TreeAnalyst:
    """An `Analyst` by tree search; see `arena.analysis.Analyst`.

    Args:
      search: how it searches.
      params: weights, stacked [1, ...].
      seed: of the random numbers that evaluations and chance take.
      chunk: the most simulations between two looks at the clock.
      clock: gives seconds.

    Raises:
      ValueError: the game cannot be searched.
    """

    def __init__(
        self,
        search: TreeSearch,
        params: Params,
        *,
        seed: int = 0,
        chunk: int = _CHUNK,
        clock: Callable[[], float] = time.monotonic,
    ):
        check_searchable(search.game)
        self._search, self._params, self._chunk, self._clock = search, params, chunk, clock
        self._base, self._roots = jax.random.key(seed), 0
        self._cache = search.init_cache(params)
        self._tree: Tree | None = None
        self._state: State = None

    def analyse(
        self,
        position: Position,
        limit: Limit,
        *,
        callback: Callable[[Analysis], None] | None = None,
        stop: Event | None = None,
    ) -> Analysis:
        """Searches a position until a limit is reached, it is stopped, or the value is proven."""
        limit.check(stop)
        if int(self._search.game.mover(position.state)) < 0:
            raise ValueError("no seat is to move in this position")
        began, done = self._clock(), 0
        tree = self._tree
        if tree is None or not _equal(self._state, position.state):
            tree = self._begin(position.state)
        while True:
            left = self._chunk if limit.simulations is None else limit.simulations - done
            count = min(self._chunk, left)
            tree, report = self._grow(tree, count)
            done += count
            seconds = self._clock() - began
            analysis = self._analysis(position.state, report, done, seconds)
            if callback:
                callback(analysis)
            if (
                analysis.proven
                or done == limit.simulations
                or (limit.time is not None and seconds >= limit.time)
                or (stop is not None and stop.is_set())
                or self._full(tree)
            ):
                return analysis

    def advance(self, move: int) -> None:
        """Makes the position after a move the root, if the tree has it; else drops the tree."""
        if self._tree is None:
            return
        tree = reroot(self._tree, move)
        self._cache = self._tree.progress.cache
        self._set(tree)
        if tree is not None:
            self._state = jax.tree.map(lambda x: np.asarray(x[1]), tree.progress.tree.node.state)

    def _begin(self, state: State) -> Tree:
        if self._tree is not None:
            self._cache = self._tree.progress.cache
        key = self._set(None)
        tree = begin(self._search, self._params, self._cache, key, state, capacity=_CAPACITY)
        self._tree, self._state = tree, state
        return tree

    def _set(self, tree: Tree | None) -> jax.Array:
        """Takes another tree; its key, as no two roots share random numbers."""
        self._tree, self._roots = tree, self._roots + 1
        return self._key

    @property
    def _key(self) -> jax.Array:
        return keys.fold(self._base, self._roots)

    def _grow(self, tree: Tree, count: int) -> tuple[Tree, _Report]:
        while int(tree.number) + count > tree.capacity:
            tree = enlarge(self._search, tree, capacity=2 * tree.capacity)
        self._tree = None  # its arrays are given away; an interrupt leaves none
        tree, report = grow(self._search, self._params, self._key, tree, np.int32(count))
        self._tree = tree
        return tree, jax.tree.map(np.asarray, report)

    def _full(self, tree: Tree) -> bool:
        room = tree.capacity - int(tree.number)
        return room < self._chunk and 2 * tree.nbytes > _BYTES

    def _analysis(self, state: State, report: _Report, done: int, seconds: float) -> Analysis:
        game = self._search.game
        visits, q = (np.zeros(game.num_actions + 1) for _ in range(2))
        visits[report.moves], q[report.moves] = report.visits, report.q
        legal = np.flatnonzero(report.prior)
        moves = [
            MoveAnalysis(
                move,
                game.label(state, move),
                float(report.prior[move]),
                int(visits[move]),
                float(q[move]) if visits[move] else None,
            )
            for move in legal.tolist()
        ]
        moves.sort(key=lambda found: (-found.visits, -found.prior))
        line = [int(move) for move in report.variation if move >= 0]
        before = [jax.tree.map(lambda x, n=n: x[n], report.states) for n in range(len(line))]
        return Analysis(
            move=int(report.moves[report.best]),
            value=float(report.value),
            proven=bool(report.proven),
            moves=tuple(moves),
            variation=tuple(line),
            labels=tuple(game.label(s, m) for s, m in zip(before, line, strict=True)),
            simulations=done,
            seconds=seconds,
        )


def analyst(agent: Agent, *, seed: int = 0) -> TreeAnalyst:
    """The analyst of an agent.

    Raises:
      UserError: the agent does not search.
      ValueError: the game cannot be searched.
    """
    if not isinstance(agent.policy, Searches):
        raise UserError(f"{agent.name} does not search, so it cannot analyse")
    return TreeAnalyst(agent.policy.tree_search(), stack([agent.params]), seed=seed)


def _equal(a: State, b: State) -> bool:
    one, other = jax.tree.leaves(a), jax.tree.leaves(b)
    return len(one) == len(other) and all(
        np.array_equal(x, y) for x, y in zip(one, other, strict=True)
    )
