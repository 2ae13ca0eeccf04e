"""The kernel of tree search: B trees grow in step, each by one node a simulation.

`search` runs a fixed number of simulations. Its parts `Kernel.init`, `Kernel.step`, `Kernel.finish`
and `Kernel.summary` grow a tree bit by bit; the results are the same.

Where chance moves, outcomes are drawn in their proportions and the values are backed up as they
are: a node's mean is an expectation.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents.nn.outputs import playable_value
from agents.search import proofs
from agents.search import tree as trees
from agents.search.evaluation import (
    Cache,
    CachedEvaluate,
    Evaluate,
    fold_each,
    prior,
    with_cache,
)
from agents.search.tree import NOWHERE, Edges, Expansion, Node, Select, Tree, at, edges_of
from arena.chance import outcome, resolve_chance
from arena.sampling import game_numbers
from arena.types import Judge, State
from games import CHANCE, OVER, Game

CHANCE_TURN = 2.0
"""`Node.turn` where chance moves."""
_GOLDEN = 0.6180339887  # steps of this fill the unit interval most evenly, wherever they end


class Root(NamedTuple):
    """What is known of positions before they are searched.

    Attributes:
      order: f32[B, A], positive for legal moves and 0 for others; the highest is tried first.
      value: f32[B], the evaluator's value for the mover.
    """

    order: jax.Array
    value: jax.Array


class RootSummary(NamedTuple, Generic[Cache]):
    """What a search has found out about its roots.

    Attributes:
      edges: of the moves tried; their `prior` is that of `Root.order`.
      moves: i32[K, B], which moves they are, A where there is none.
      cache: the evaluator's after the search; () if it has none.
    """

    edges: Edges
    moves: jax.Array
    cache: Cache

    def by_move(self, tried: jax.Array, others: jax.Array, num_actions: int) -> jax.Array:
        """f32[B, A]: f32[K, B] for the moves tried, and f32[B] for all others."""
        row = jnp.repeat(others[:, None], num_actions, 1)
        return row.at[jnp.arange(len(row)), self.moves].set(tried, mode="drop")


class Progress(NamedTuple, Generic[Cache]):
    """A search between two simulations.

    Attributes:
      tree: the trees, without what the last simulation has found.
      found: what it has found, still to be written. So a step first writes, then reads, and XLA
        updates the arrays in place.
      path: i32[D, B], the nodes that it entered.
      levels: i32[], how many rows of `path` are filled.
      cache: the evaluator's.
    """

    tree: Tree
    found: Expansion
    path: jax.Array
    levels: jax.Array
    cache: Cache


@dataclass(frozen=True)
class Kernel:
    """The settings of a search.

    Attributes:
      game: the true rules.
      judge: who says what an ended game is worth.
      at_root: the selection rule at the root.
      inside: the selection rule below.
      prove: prove values; only an exact judge proves anything, and no game of chance is proven.
      measure: find out how long proven wins and losses last, for `RootSummary.edges.plies`.
    """

    game: Game
    judge: Judge
    at_root: Select
    inside: Select
    prove: bool = False
    measure: bool = False

    @property
    def _proves(self) -> bool:
        return self.prove and self.judge.exact and not self.game.num_outcomes

    def init(
        self, root: Root, states: State, *, keys: jax.Array, capacity: int, cache: Cache
    ) -> Progress[Cache]:
        """Trees of a root each.

        Args:
          root: order of the moves, and value, of the root positions.
          states: root positions [B, ...] with a seat to move.
          keys: PRNG keys [G].
          capacity: simulations that there is room for.
          cache: the evaluator's.
        """
        batch = len(root.value)
        turn = _turn(self.game, states)
        value, none = turn * root.value, jnp.zeros(batch, jnp.int32)
        offset, untried = _chance_offset(self.game, keys, batch), trees.untried_of(root.order)
        bounds = proofs.initial_bounds(turn, value) if self._proves else None
        node = Node(states, turn, value, none, turn, root.order, untried, offset, bounds)
        found = Expansion(node, none + NOWHERE, none, untried, value)
        tree = trees.empty(node, capacity, self.width(capacity))
        path = jnp.zeros((self.depth(capacity), batch), jnp.int32)
        path = path.at[0].set(batch + jnp.arange(batch))
        return Progress(tree, found, path, jnp.int32(1), cache)

    def width(self, capacity: int) -> int:
        """How many children a node can have in a tree of this capacity."""
        return min(max(self.game.num_actions, self.game.num_outcomes), capacity)

    def depth(self, capacity: int) -> int:
        """How many nodes a path can have in a tree of this capacity."""
        return min(capacity, self.game.max_plies) + 2

    def step(
        self,
        evaluate: CachedEvaluate[Cache],
        progress: Progress[Cache],
        number: jax.Array,
        *,
        keys: jax.Array,
    ) -> Progress[Cache]:
        """One more simulation.

        Args:
          evaluate: the evaluator; the cache is taken from `progress`.
          progress: the search so far.
          number: i32[], of the simulation; the first is 1.
          keys: PRNG keys [G], folded with the number before they are used.
        """
        tree, found, path, levels, cache = progress
        batch = path.shape[1]
        tree = self._write(tree, found, path, levels, number * batch)
        fresh = (number + 1) * batch + jnp.arange(batch)
        path, levels, parent, child = self._descend(tree, path, fresh)
        move = _move(self.game, tree, parent)
        before = jax.tree.map(lambda x: at(x, parent), tree.node.state)
        after = jax.vmap(self.game.step)(before, move)
        # Where an ended game was come to once more, nothing is new, and nothing wanted.
        evaluated = partial(evaluate.evaluate, cache, child == fresh)
        node, cache = self._assess(evaluated, fold_each(keys, number), after, search=keys)
        node = node._replace(parent_action=move, prior=at(tree.node.untried.next_prior, parent))
        if self._proves:
            node = node._replace(bounds=proofs.initial_bounds(node.turn, node.raw_value))
        found = trees.expansion(tree, node, parent, child, child == fresh)
        return Progress(tree, found, path, levels, cache)

    def finish(self, progress: Progress[Cache], number: jax.Array) -> Progress[Cache]:
        """Writes what the last simulation, of this number i32[], has found; steps may follow."""
        tree, found, path, levels, cache = progress
        batch = path.shape[1]
        tree = self._write(tree, found, path, levels, (number + 1) * batch)
        # To be written once more, it changes nothing.
        found = found._replace(parent=jnp.full_like(found.parent, NOWHERE))
        return Progress(tree, found, path, jnp.zeros_like(levels), cache)

    def summary(self, progress: Progress[Cache]) -> RootSummary[Cache]:
        """The roots, once the search is finished."""
        tree, batch = progress.tree, progress.path.shape[1]
        edges, child = edges_of(tree, progress.path[0], tree.children.shape[1])
        if self.measure and self._proves:
            edges = edges._replace(plies=at(proofs.plies_to_end(tree, batch), child))
        moves = jnp.where(child < batch, self.game.num_actions, at(tree.node.parent_action, child))
        return RootSummary(edges, moves, progress.cache)

    def _write(
        self, tree: Tree, found: Expansion, path: jax.Array, levels: jax.Array, place: jax.Array
    ) -> Tree:
        tree = trees.backup(tree, found, path, levels, place)
        return proofs.update(tree, found, path, levels) if self._proves else tree

    def _assess(
        self, evaluate: Any, keys: jax.Array, states: State, *, search: jax.Array
    ) -> tuple[Node, Any]:
        """New nodes for positions [B, ...]; where chance moves, worth what one outcome is worth.

        Keys [G] are of the simulation and of the search. Parent action and prior are the caller's
        to fill in. With them comes the evaluator's cache.
        """
        game = self.game
        turn = next_turn = _turn(game, states)
        offset = _chance_offset(game, keys, len(turn))
        resolved = states
        if game.num_outcomes:
            each = jax.vmap(jax.random.key)(jax.lax.bitcast_convert_type(offset, jnp.uint32))
            resolved = jax.vmap(partial(resolve_chance, game))(each, states)
            next_turn = _turn(game, resolved)
        logits, value, cache = evaluate(keys, resolved)
        over = next_turn == 0
        verdict = self._verdicts(search, over, resolved)
        value = jnp.where(over, verdict, next_turn * value)
        value = playable_value(value)
        priors = prior(game, resolved, logits)
        action = turn.astype(jnp.int32)
        untried = trees.untried_of(priors)
        return Node(states, turn, value, action, turn, priors, untried, offset, None), cache

    def _verdicts(self, keys: jax.Array, over: jax.Array, states: State) -> jax.Array:
        """What the judge says f32[B] of games that are over, in searches under keys [G]."""
        if not self.judge.by_game:
            return self.judge.verdicts_where(over, states)
        rows = jnp.arange(len(over), dtype=jnp.int32).reshape(len(keys), -1)
        return self.judge.verdicts_in_games(over, states, game_numbers(keys, rows).reshape(-1))

    def _descend(
        self, tree: Tree, path: jax.Array, fresh: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
        """Walks down until a move leads out of the tree, to an ended game or one as good as ended.

        Args:
          tree: the trees.
          path: i32[D, B], the roots, and room for the nodes entered.
          fresh: i32[B], the nodes that moves out of the tree lead to.

        Returns:
          path: the nodes entered, level by level; NOWHERE where a path has ended already.
          levels: i32[], how many rows of it are filled.
          parent: i32[B], from where the last move was made.
          child: i32[B], where it led to.
        """

        def leave(node: jax.Array, select: Select, going: jax.Array) -> tuple[jax.Array, jax.Array]:
            """The node entered next, and whether it can be left again."""
            sizes = widths(tree.children.shape[1])
            most = jnp.where(going, at(tree.num_tried, node), 0).max()
            ways = [partial(_child, self.game, tree, select, width=width) for width in sizes]
            child = jax.lax.switch((most > np.array(sizes[:-1], np.int32)).sum(), ways, node)
            out = child == 0
            more = ~out & (at(tree.node.turn, child) != 0)
            if tree.node.bounds is not None:
                bounds = at(tree.node.bounds, child)
                more &= bounds[:, 0] < bounds[:, 1]
            return jnp.where(out, fresh, child), more

        def body(carry):
            level, path, node, child, going = carry
            node = jnp.where(going, child, node)
            below, more = leave(node, self.inside, going)
            path = path.at[level].set(jnp.where(going, below, NOWHERE))
            return level + 1, path, node, jnp.where(going, below, child), going & more

        child, going = leave(path[0], self.at_root, fresh >= 0)
        carry = jnp.int32(2), path.at[1].set(child), path[0], child, going
        levels, path, parent, child, _ = jax.lax.while_loop(
            lambda c: c[4].any() & (c[0] < len(path)), body, carry
        )
        return path, levels, parent, child


def search(
    kernel: Kernel,
    evaluate: Evaluate | CachedEvaluate[Cache],
    states: State,
    *,
    keys: jax.Array,
    simulations: int,
    root: Root,
) -> RootSummary[Cache]:
    """Grows a tree under each position, and summarises its root.

    Args:
      kernel: the settings.
      evaluate: prior and value of positions.
      states: root positions [B, ...] with a seat to move; others give meaningless results.
      keys: PRNG keys [G], folded with the number of the simulation before they are used.
      simulations: nodes to add to each tree.
      root: order of the moves, and value, of the root positions.
    """
    evaluate = with_cache(evaluate)
    progress = kernel.init(root, states, keys=keys, capacity=simulations, cache=evaluate.cache)

    def step(number: jax.Array, progress: Progress[Cache]) -> Progress[Cache]:
        return kernel.step(evaluate, progress, number, keys=keys)

    progress = jax.lax.fori_loop(1, simulations + 1, step, progress)
    return kernel.summary(kernel.finish(progress, jnp.int32(simulations)))


def _turn(game: Game, states: State) -> jax.Array:
    mover = jax.vmap(game.mover)(states)
    turn = jnp.where(mover == OVER, 0.0, jnp.where(mover == 0, 1.0, -1.0))
    return jnp.where(mover == CHANCE, CHANCE_TURN, turn) if game.num_outcomes else turn


def _chance_offset(game: Game, keys: jax.Array, batch: int) -> Any:
    if not game.num_outcomes:
        return ()
    shape = (batch // len(keys),)
    return jax.vmap(lambda key: jax.random.uniform(key, shape))(keys).reshape(-1)


def _move(game: Game, tree: Tree, node: jax.Array) -> jax.Array:
    """The move i32[B] by which a simulation leaves the tree."""
    move = at(tree.node.untried.next_move, node)
    if not game.num_outcomes:
        return move
    return jnp.where(at(tree.node.turn, node) == CHANCE_TURN, _outcome(game, tree, node), move)


def _outcome(game: Game, tree: Tree, node: jax.Array) -> jax.Array:
    """The next outcome of chance, if it moves here: i32[B].

    The outcomes that one node draws, one after the other, are spread over the unit interval from a
    random start by steps of the golden ratio. So each draw by itself has the right probabilities,
    and together they come nearer to them than independent draws would.
    """
    states = jax.tree.map(lambda x: at(x, node), tree.node.state)
    place = at(tree.node.chance_offset, node) + _GOLDEN * at(tree.visits, node)
    return jax.vmap(lambda x, state: outcome(x, game.chance(state)))(place % 1.0, states)


def widths(most: int) -> list[int]:
    """How many children of a node may be read at once: all, or fewer where that is enough."""
    return [*(4**k for k in range(1, 8) if 2 * 4**k <= most), most]


def _child(game: Game, tree: Tree, select: Select, node: jax.Array, width: int) -> jax.Array:
    """Where a simulation goes from nodes i32[B] with up to `width` children; 0: out of the tree."""
    edges, children = edges_of(tree, node, width)
    scores, next_score = select(edges)
    scores = jnp.where(edges.visits > 0, scores, -jnp.inf)
    chosen = jnp.argmax(scores, 0)
    child = at(tree.children, (node, chosen.astype(jnp.int32)))
    child = jnp.where((next_score > scores.max(0)) & (edges.next_prior > 0), 0, child)
    if not game.num_outcomes:
        return child
    drawn = at(tree.node.parent_action, children) == _outcome(game, tree, node)
    exists = jnp.where(drawn & (edges.visits > 0), children, 0).max(0)
    return jnp.where(at(tree.node.turn, node) == CHANCE_TURN, exists, child)
