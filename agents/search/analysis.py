"""Analysis by tree search: one tree for one position, grown in compiled chunks of simulations.

Between two chunks a deadline, a stop or a limit is obeyed. The selection rule must not depend on
the number of simulations to come, so AlphaZero's PUCT serves networks, and UCT random rollouts;
Gumbel's sequential halving plans its whole budget beforehand and cannot be stopped. The arrays of a
tree have room for a number of nodes that doubles when it is full, so few sizes are ever compiled.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np

from agents.search.evaluation import check_searchable
from agents.search.growth import Report, Tree, TreeSearch, begin, enlarge, grow, reroot
from agents.search.traced import Traced, name_of
from arena import keys
from arena.analysis import Analysis, Limit, MoveAnalysis
from arena.errors import UserError
from arena.types import Agent, Params, Position, State, stack

_CHUNK = 32
"""The most simulations in one call of the compiled loop."""
_CAPACITY = 256
"""How many nodes a new tree has room for."""
_BYTES = 1 << 31
"""The most that the arrays of a tree may take; an analysis whose tree has no more room ends."""


@runtime_checkable
class Searches(Protocol):
    """A policy that can analyse."""

    def tree_search(self) -> TreeSearch:
        """How it analyses a position."""
        ...


class TreeAnalyst:
    """An `Analyst` by tree search; see `arena.analysis.Analyst`.

    Args:
      search: how it searches.
      params: weights, stacked [1, ...].
      seed: of the random numbers that evaluations and chance take.
      chunk: the most simulations between two looks at the clock.
      patience: seconds between two such looks, by the rate of the last chunk, so that a stop is
        obeyed soon; all chunks are whole if None.
      capacity: simulations that a new tree has room for.
      fixed: a full tree ends an analysis, in place of getting more room; so no other size is ever
        compiled.
      keep_traced: keep what is compiled on disk in a form that needs no tracing, so that the next
        process starts sooner; for a fixed room only.
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
        patience: float | None = None,
        capacity: int | None = None,
        fixed: bool = False,
        keep_traced: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ):
        check_searchable(search.game)
        self._search, self._params, self._chunk, self._clock = search, params, chunk, clock
        self._capacity, self._fixed, self._patience = capacity or _CAPACITY, fixed, patience
        self._base, self._roots = jax.random.key(seed), 0
        self._cache = search.init_cache(params)
        self._tree: Tree | None = None
        self._state: State = None
        self._among: np.ndarray | None = None
        self._labels: dict[int, str] = {}
        self._rate = 0.0  # simulations a second
        self._begin_tree = partial(begin, search, capacity=self._capacity)
        self._grow_tree = partial(grow, search)
        if keep_traced and fixed:
            name = name_of(search, self._capacity)
            begins, grows = (f"{head} {name}" if name else "" for head in ("begin", "grow"))
            self._begin_tree = Traced(self._begin_tree, begins)
            self._grow_tree = Traced(self._grow_tree, grows, donated=(2,))

    def analyse(
        self,
        position: Position,
        limit: Limit,
        *,
        callback: Callable[[Analysis], None] | None = None,
        every: float = 0.0,
        stop: Event | None = None,
        among: Sequence[int] | None = None,
    ) -> Analysis:
        """Searches a position until a limit is reached, it is stopped, or the value is proven."""
        limit.check(stop)
        if int(self._search.game.mover(position.state)) < 0:
            raise ValueError("no seat is to move in this position")
        began, seconds, done, called = self._clock(), 0.0, 0, -every
        tree = self._tree_of(position.state, among)
        while True:
            left = self._chunk if limit.simulations is None else limit.simulations - done
            tree, report = self._grow(tree, count := min(self._size(tree), left))
            done, before, seconds = done + count, seconds, self._clock() - began
            self._rate = count / max(seconds - before, 1e-6)
            ends = (
                bool(report.proven)
                or done == limit.simulations
                or (limit.time is not None and seconds >= limit.time)
                or (stop is not None and stop.is_set())
                or self._full(tree)
            )
            tells = callback is not None and seconds - called >= every
            if not ends and not tells:
                continue
            analysis = self._analysis(position.state, report, tree, done, seconds)
            if callback and tells:
                called = seconds
                callback(analysis)
            if ends or (stop is not None and stop.is_set()):
                return analysis

    def advance(self, move: int) -> None:
        """Makes the position after a move the root, if the tree has it; else drops the tree."""
        if self._tree is None:
            return
        tree = reroot(self._tree, move)
        self._cache = self._tree.progress.cache
        self._set(tree)
        self._among = None
        if tree is not None:
            self._state = jax.tree.map(lambda x: np.asarray(x[1]), tree.progress.tree.node.state)

    def clear(self) -> None:
        """Drops the tree."""
        if self._tree is not None:
            self._cache = self._tree.progress.cache
            self._set(None)

    def _tree_of(self, state: State, among: Sequence[int] | None) -> Tree:
        """The tree at hand if it is of this position and these moves, else a new one."""
        mask = None
        if among is not None:
            mask = np.zeros(self._search.game.num_actions, bool)
            mask[list(among)] = True
            if not (mask & np.asarray(self._search.game.legal(state))).any():
                raise ValueError("none of the moves to choose from is legal")
        if self._tree is None or not _same(mask, self._among) or not _equal(self._state, state):
            return self._begin(state, mask)
        return self._tree

    def _begin(self, state: State, mask: np.ndarray | None) -> Tree:
        self.clear()
        key = self._set(None)
        among = np.ones(self._search.game.num_actions, bool) if mask is None else mask
        tree = self._begin_tree(self._params, self._cache, key, state, among)
        self._tree, self._state, self._among = tree, state, mask
        return tree

    def _set(self, tree: Tree | None) -> jax.Array:
        """Takes another tree; its key, as no two roots share random numbers."""
        self._tree, self._roots, self._labels = tree, self._roots + 1, {}
        return self._key

    @property
    def _key(self) -> jax.Array:
        return keys.fold(self._base, self._roots)

    def _size(self, tree: Tree) -> int:
        """Simulations in the next call: as many as take no longer than a stop may wait."""
        count = self._chunk
        if self._patience and self._rate:
            count = min(count, max(1, int(self._rate * self._patience)))
        return min(count, tree.capacity - int(tree.number)) if self._fixed else count

    def _grow(self, tree: Tree, count: int) -> tuple[Tree, Report]:
        while int(tree.number) + count > tree.capacity:
            tree = enlarge(self._search, tree, capacity=2 * tree.capacity)
        self._tree = None  # its arrays are given away; an interrupt leaves none
        tree, report = self._grow_tree(self._params, self._key, tree, np.int32(count))
        self._tree = tree
        return tree, jax.tree.map(np.asarray, report)

    def _full(self, tree: Tree) -> bool:
        room = tree.capacity - int(tree.number)
        return room <= 0 if self._fixed else room < self._chunk and 2 * tree.nbytes > _BYTES

    def _analysis(
        self, state: State, report: Report, tree: Tree, done: int, seconds: float
    ) -> Analysis:
        game = self._search.game
        tried = {int(move): k for k, move in enumerate(report.moves) if report.visits[k]}
        legal = np.flatnonzero(report.prior).tolist()
        if not self._labels:
            self._labels = {move: game.label(state, move) for move in legal}
        moves = [self._move(report, move, tried.get(move)) for move in legal]
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
            filled=int(tree.number) / tree.capacity,
        )

    def _move(self, report: Report, move: int, place: int | None) -> MoveAnalysis:
        """What the report says of a move, which has this place among those tried."""
        label, prior = self._labels[move], float(report.prior[move])
        if place is None:
            return MoveAnalysis(move, label, prior, 0, None)
        after = report.variations[place] if place < len(report.variations) else ()
        return MoveAnalysis(
            move,
            label,
            prior,
            int(report.visits[place]),
            float(report.q[place]),
            float(report.raw_value[place]),
            (move, *(int(x) for x in after if x >= 0)),
        )


def analyst(agent: Agent, *, seed: int = 0, **options: Any) -> TreeAnalyst:
    """The analyst of an agent; `options` are those of `TreeAnalyst`.

    Raises:
      UserError: the agent does not search.
      ValueError: the game cannot be searched.
    """
    if not isinstance(agent.policy, Searches):
        raise UserError(f"{agent.name} does not search, so it cannot analyse")
    return TreeAnalyst(agent.policy.tree_search(), stack([agent.params]), seed=seed, **options)


def _same(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    return a is b if a is None or b is None else np.array_equal(a, b)


def _equal(a: State, b: State) -> bool:
    one, other = jax.tree.leaves(a), jax.tree.leaves(b)
    return len(one) == len(other) and all(
        np.array_equal(x, y) for x, y in zip(one, other, strict=True)
    )
