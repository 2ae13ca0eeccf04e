"""The kernel of tree search: B trees grow in step, each by one node a simulation.

A node holds its position, how many simulations came through it and what they brought, and a list
of its children in the order in which they were first tried, always the likeliest move next. So all
that a rule of selection needs to know of the moves not yet tried is the prior of the next one and
of all together, and a simulation reads as much of a node as the node has children, however many
moves there are. Nodes are numbered round by round, tree by tree: what a simulation adds is one
contiguous row of each array, and otherwise it reads and writes nothing but its path.

Values are seat 0's; signs follow `mover`, so seats need not alternate. Where chance moves, outcomes
are drawn in their proportions and the values pass up as they are: a node's mean is an expectation.

A search may also prove values (T. Cazenave, A. Saffidine, "Score bounded Monte-Carlo tree search",
CG 2010): each node knows between which bounds its value lies, whatever is played below. Ended games
draw them together, and where they meet, the node is as good as an ended game.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena.chance import outcome, resolve_chance
from arena.types import Judge
from games import CHANCE, OVER, Game

Evaluate = Callable[[jax.Array, Any], tuple[jax.Array, jax.Array]]
"""`evaluate(keys[G], states[B]) -> (logits f32[B, A], value f32[B])`, value for the mover.

A seat is to move in all of them, or the game is over, and then the answer is not used.
"""


class Recall(NamedTuple):
    """An evaluator with a memory, which it is handed, and hands on.

    Attributes:
      ask: `ask(memory, wanted: bool[B], keys[G], states[B]) -> (logits, value, memory)`, as
        `Evaluate`; answers that are not wanted are not used.
      memory: what it remembers before the search, a pytree of arrays.
    """

    ask: Callable[[Any, jax.Array, jax.Array, Any], tuple[jax.Array, jax.Array, Any]]
    memory: Any


def recalling(evaluate: Evaluate | Recall) -> Recall:
    """Any evaluator; one that has no memory remembers ()."""
    if isinstance(evaluate, Recall):
        return evaluate
    return Recall(lambda memory, wanted, keys, states: (*evaluate(keys, states), memory), ())


LOWEST = float(np.finfo(np.float32).min)
TINY = float(np.finfo(np.float32).tiny)
_GOLDEN = 0.6180339887  # steps of this fill the unit interval most evenly, wherever they end
_CHANCE = 2.0


class Edges(NamedTuple):
    """What B nodes know of their moves: one by one of K that have been tried, in that order.

    Values are for the seat to move at the node. Nodes with fewer than K have zeros in the end.

    Attributes:
      visits: f32[K, B], simulations that went through the move.
      total: f32[K, B], the sum of their values.
      prior: f32[K, B], probability before any search.
      next: f32[B], prior of the move to be tried next, the likeliest left; 0 if there is none.
      rest: f32[B], prior of all that have not been tried.
      tried: i32[B], how many have been.
      entries: f32[B], simulations that came to the node, the one that added it included.
      value: f32[B], the evaluator's value of the node.
      mean: f32[B], the mean of that and of what later simulations brought.
      low: f32[K, B], what each move is proven to be worth at least; None if nothing is proven.
      high: f32[K, B], what it is worth at most.
      floor: f32[B], what the node itself is worth at least.
      ceiling: f32[B], what it is worth at most.
    """

    visits: jax.Array
    total: jax.Array
    prior: jax.Array
    next: jax.Array
    rest: jax.Array
    tried: jax.Array
    entries: jax.Array
    value: jax.Array
    mean: jax.Array
    low: Any = None
    high: Any = None
    floor: Any = None
    ceiling: Any = None

    @property
    def q(self) -> jax.Array:
        """f32[K, B], mean value of each move, within what is proven; 0 where unvisited."""
        mean = self.total / jnp.maximum(self.visits, 1.0)
        return mean if self.low is None else jnp.clip(mean, self.low, self.high)


Select = Callable[[Edges], tuple[jax.Array, jax.Array]]
"""The rule by which a simulation leaves a node.

It scores the moves tried, f32[K, B], and the next one, f32[B]; the best is taken.
"""


class Root(NamedTuple):
    """What is known of positions before they are searched.

    Attributes:
      order: f32[B, A], positive for legal moves and 0 for others; the highest is tried first.
      value: f32[B], the evaluator's value for the mover.
    """

    order: jax.Array
    value: jax.Array


class Found(NamedTuple):
    """What the roots have learnt.

    Attributes:
      edges: of the moves tried; their `prior` is what `Root.order` said.
      moves: i32[K, B], which moves they are, A where there is none.
      memory: of the evaluator; () if it has none.
    """

    edges: Edges
    moves: jax.Array
    memory: Any = ()

    def by_move(self, tried: jax.Array, others: jax.Array, num_actions: int) -> jax.Array:
        """f32[B, A] of what f32[K, B] says of the moves tried, and f32[B] of all others."""
        row = jnp.repeat(others[:, None], num_actions, 1)
        return row.at[jnp.arange(len(row)), self.moves].set(tried, mode="drop")


def begin(
    evaluate: Evaluate | Recall, keys: jax.Array, states: Any
) -> tuple[jax.Array, jax.Array, Recall]:
    """Logits f32[B, A] and values f32[B] of the roots, and the evaluator after that."""
    ask, memory = recalling(evaluate)
    batch = len(jax.tree.leaves(states)[0])
    logits, value, memory = ask(memory, jnp.ones(batch, bool), fold(keys, 0), states)
    return logits, value, Recall(ask, memory)


def check(game: Game) -> None:
    """Raises ValueError for a game that cannot be searched."""
    if game.searchable:
        return
    if game.on_device:
        raise ValueError("tree search plays games without hidden information only")
    if game.perfect_information:
        raise ValueError("tree search needs copies of the env, and they do not behave alike")
    raise ValueError("tree search plays envs only that hide nothing and leave no chance")


def fold(keys: jax.Array, number: jax.Array | int) -> jax.Array:
    """The keys [G] of a simulation, or of the roots, whose number is 0."""
    return jax.vmap(lambda key: jax.random.fold_in(key, number))(keys)


def prior(game: Game, states: Any, logits: jax.Array) -> jax.Array:
    """Probabilities f32[B, A] from logits: 0 for illegal moves, and more for all others."""
    legal = jax.vmap(game.legal)(states)
    chances = jax.nn.softmax(jnp.where(legal, logits, LOWEST))
    return jnp.where(legal, jnp.maximum(chances, TINY), 0.0)


class _Left(NamedTuple):
    """Of the moves of a node that have not been tried, [B]."""

    most: jax.Array  # f32, the highest prior, 0 if none is left
    move: jax.Array  # i32, whose it is
    rest: jax.Array  # f32, prior of all


class _Node(NamedTuple):
    """What a new node brings, [B, ...]."""

    state: Any
    turn: jax.Array  # f32: 1 where seat 0 is to move, -1 seat 1, 0 over, _CHANCE
    value: jax.Array  # f32, the evaluator's or the judge's, for seat 0
    came: jax.Array  # i32, the move that led here
    prior: jax.Array  # f32, of that move
    untried: jax.Array  # f32[B, A], prior of the moves not yet tried, 0 of others
    left: _Left
    luck: Any  # f32, from which place in the unit interval outcomes are drawn; () without chance
    bounds: Any  # f32[B, 2], between which the value lies, for seat 0; None if nothing is proven


class _Tree(NamedTuple):
    """N rounds of nodes of B trees, [N·B, ...]; node b of round n is known by its place n·B + b.

    Round 0 is of nodes that stand for children that are not there, round 1 is of the roots.
    """

    node: _Node
    visits: jax.Array  # f32
    total: jax.Array  # f32, for seat 0
    tried: jax.Array  # i32, how many moves have been tried
    child: jax.Array  # i32[N·B, K], where they led to


class _Leaf(NamedTuple):
    """What a simulation has found."""

    node: _Node
    parent: jax.Array  # i32, whose child it is; _NOWHERE where the tree has it already
    slot: jax.Array  # i32, which of the children
    left: _Left  # what the parent has left to try
    value: jax.Array  # f32, for all nodes on the path, for seat 0


_NOWHERE = np.int32(2**31 - 1)


def search(
    game: Game,
    judge: Judge,
    evaluate: Evaluate | Recall,
    states: Any,
    keys: jax.Array,
    simulations: int,
    root: Root,
    at_root: Select,
    inside: Select,
    prove: bool = False,
) -> Found:
    """Grows a tree under each position and returns what its root has learnt.

    Args:
      game: the true rules.
      judge: who says what an ended game is worth.
      evaluate: prior and value of positions.
      states: root positions [B, ...] with a seat to move; others give meaningless results.
      keys: PRNG keys [G], folded with the number of the simulation before they are used.
      simulations: nodes to add to each tree.
      root: order of the moves, and value, of the root positions.
      at_root: by which rule a simulation leaves the root.
      inside: by which rule it goes on below.
      prove: prove values where it can; not in games of chance.
    """
    prove = prove and not game.num_outcomes
    batch = len(root.value)
    rows = jnp.arange(batch)
    ask, memory = recalling(evaluate)
    turn = _turn(game, states)
    value, none = turn * root.value, jnp.zeros(batch, jnp.int32)
    luck, left = _luck(game, keys, batch), _left(root.order)
    bounds = _bounds(turn, value) if prove else None
    node = _Node(states, turn, value, none, turn, root.order, left, luck, bounds)
    leaf = _Leaf(node, none + _NOWHERE, none, left, value)
    width = min(max(game.num_actions, game.num_outcomes), simulations)
    tree = _blank(node, simulations, width)
    top = batch + rows
    path = jnp.zeros((min(simulations, game.max_plies) + 2, batch), jnp.int32).at[0].set(top)

    def simulate(
        number: jax.Array, carry: tuple[_Tree, _Leaf, jax.Array, jax.Array, Any]
    ) -> tuple[_Tree, _Leaf, jax.Array, jax.Array, Any]:
        # First all that the last one has found is written, then all is read: so nothing is
        # copied, since nobody asks for what was there before.
        tree, leaf, path, levels, memory = carry
        tree = _write(tree, leaf, path, levels, number * batch)
        fresh = (number + 1) * batch + rows
        path, levels, parent, child = _descend(game, tree, path, fresh, at_root, inside)
        move = _move(game, tree, parent)
        before = jax.tree.map(lambda x: _at(x, parent), tree.node.state)
        after = jax.vmap(game.step)(before, move)
        # Where an ended game was come to once more, nothing is new, and nothing wanted.
        asking = partial(ask, memory, child == fresh)
        node, memory = _assess(game, judge, asking, fold(keys, number), after)
        node = node._replace(came=move, prior=_at(tree.node.left.most, parent))
        if prove:
            node = node._replace(bounds=_bounds(node.turn, node.value))
        leaf = _leaf(tree, node, parent, child, child == fresh)
        return tree, leaf, path, levels, memory

    carry = tree, leaf, path, jnp.int32(1), memory
    carry = jax.lax.fori_loop(1, simulations + 1, simulate, carry)
    tree, leaf, path, levels, memory = carry
    tree = _write(tree, leaf, path, levels, jnp.int32((simulations + 1) * batch))
    edges, child = _look(tree, top, width)
    moves = jnp.where(child < batch, game.num_actions, _at(tree.node.came, child))
    return Found(edges, moves, memory)


def _at(x: jax.Array, places: Any) -> jax.Array:
    return x.at[places].get(mode="promise_in_bounds")


def _left(untried: jax.Array) -> _Left:
    """Of f32[B, A]."""
    most = untried.max(-1)
    moves = np.arange(untried.shape[-1], dtype=np.int32)
    # Two plain reductions are far faster than an argmax along the last axis.
    move = jnp.where(untried == most[:, None], moves, moves[-1]).min(-1)
    return _Left(most, move, untried.sum(-1))


def _blank(node: _Node, simulations: int, width: int) -> _Tree:
    """Trees without nodes, with room for a root and simulations, of up to `width` children."""
    batch = len(node.turn)
    size = (simulations + 2) * batch
    nodes = jax.tree.map(lambda x: jnp.zeros((size, *x.shape[1:]), x.dtype), node)
    number, none = jnp.zeros(size), jnp.zeros(size, jnp.int32)
    return _Tree(nodes, number, number, none, jnp.zeros((size, width), jnp.int32))


def _turn(game: Game, states: Any) -> jax.Array:
    mover = jax.vmap(game.mover)(states)
    turn = jnp.where(mover == OVER, 0.0, jnp.where(mover == 0, 1.0, -1.0))
    return jnp.where(mover == CHANCE, _CHANCE, turn) if game.num_outcomes else turn


def _bounds(turn: jax.Array, value: jax.Array) -> jax.Array:
    """Of nodes without children: f32[B, 2], the judge's word, or all that a payoff can be."""
    over = turn == 0
    return jnp.stack([jnp.where(over, value, -1.0), jnp.where(over, value, 1.0)], -1)


def _luck(game: Game, keys: jax.Array, batch: int) -> Any:
    if not game.num_outcomes:
        return ()
    shape = (batch // len(keys),)
    return jax.vmap(lambda key: jax.random.uniform(key, shape))(keys).reshape(-1)


def _assess(
    game: Game, judge: Judge, ask: Callable[..., Any], keys: jax.Array, states: Any
) -> tuple[_Node, Any]:
    """New nodes for positions [B, ...]; where chance moves, worth what one outcome is worth.

    Who came, and by which move, the caller knows. With them comes the evaluator's memory.
    """
    turn = next_turn = _turn(game, states)
    luck = _luck(game, keys, len(turn))
    settled = states
    if game.num_outcomes:
        each = jax.vmap(jax.random.key)(jax.lax.bitcast_convert_type(luck, jnp.uint32))
        settled = jax.vmap(partial(resolve_chance, game))(each, states)
        next_turn = _turn(game, settled)
    logits, value, memory = ask(keys, settled)
    value = jnp.where(next_turn == 0, judge.verdict(settled), next_turn * value)
    untried = prior(game, settled, logits)
    came = turn.astype(jnp.int32)
    return _Node(states, turn, value, came, turn, untried, _left(untried), luck, None), memory


def _move(game: Game, tree: _Tree, node: jax.Array) -> jax.Array:
    """The move i32[B] by which a simulation leaves the tree."""
    move = _at(tree.node.left.move, node)
    if not game.num_outcomes:
        return move
    return jnp.where(_at(tree.node.turn, node) == _CHANCE, _outcome(game, tree, node), move)


def _outcome(game: Game, tree: _Tree, node: jax.Array) -> jax.Array:
    """What chance brings, if it moves here: i32[B].

    The outcomes that one node draws, one after the other, are spread over the unit interval from a
    random start by steps of the golden ratio. So each draw by itself has the right probabilities,
    and together they come nearer to them than independent draws would.
    """
    states = jax.tree.map(lambda x: _at(x, node), tree.node.state)
    place = _at(tree.node.luck, node) + _GOLDEN * _at(tree.visits, node)
    return jax.vmap(lambda x, state: outcome(x, game.chance(state)))(place % 1.0, states)


def _look(tree: _Tree, node: jax.Array, width: int) -> tuple[Edges, jax.Array]:
    """What nodes i32[B] know, and their first children i32[width, B]."""
    child = _at(tree.child, (node, np.arange(width, dtype=np.int32)[:, None]))
    turn, entries = _at(tree.node.turn, node), _at(tree.visits, node)
    edges = Edges(
        _at(tree.visits, child),
        _at(tree.total, child) * turn,
        _at(tree.node.prior, child),
        _at(tree.node.left.most, node),
        _at(tree.node.left.rest, node),
        _at(tree.tried, node),
        entries,
        _at(tree.node.value, node) * turn,
        _at(tree.total, node) * turn / entries,
    )
    if tree.node.bounds is not None:
        low, high = _seen_by(turn, _at(tree.node.bounds, child))
        floor, ceiling = _seen_by(turn, _at(tree.node.bounds, node))
        edges = edges._replace(low=low, high=high, floor=floor, ceiling=ceiling)
    return edges, child


def _seen_by(turn: jax.Array, bounds: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The lower and the upper bound f32[..., B] for the seat to move, of f32[..., B, 2]."""
    one, other = bounds[..., 0] * turn, bounds[..., 1] * turn
    return jnp.minimum(one, other), jnp.maximum(one, other)


def _descend(
    game: Game, tree: _Tree, path: jax.Array, fresh: jax.Array, at_root: Select, inside: Select
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Walks down until a move leads out of the tree, to an ended game or one as good as ended.

    Args:
      game: the rules.
      tree: the trees.
      path: i32[D, B], the roots, and room for the nodes entered.
      fresh: i32[B], the nodes that moves out of the tree lead to.
      at_root: rule at the root.
      inside: rule below.

    Returns:
      path: the nodes entered, level by level; _NOWHERE where a path has ended already.
      levels: i32[], how many rows of it are filled.
      parent: i32[B], from where the last move was made.
      child: i32[B], where it led to.
    """

    def leave(node: jax.Array, select: Select, going: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The node entered next, and whether it can be left again."""
        widths = _widths(tree.child.shape[1])
        most = jnp.where(going, _at(tree.tried, node), 0).max()
        ways = [partial(_child, game, tree, select, width=width) for width in widths]
        child = jax.lax.switch((most > np.array(widths[:-1], np.int32)).sum(), ways, node)
        out = child == 0
        more = ~out & (_at(tree.node.turn, child) != 0)
        if tree.node.bounds is not None:
            bounds = _at(tree.node.bounds, child)
            more &= bounds[:, 0] < bounds[:, 1]
        return jnp.where(out, fresh, child), more

    def body(carry):
        level, path, node, child, going = carry
        node = jnp.where(going, child, node)
        below, more = leave(node, inside, going)
        path = path.at[level].set(jnp.where(going, below, _NOWHERE))
        return level + 1, path, node, jnp.where(going, below, child), going & more

    child, going = leave(path[0], at_root, fresh >= 0)
    carry = jnp.int32(2), path.at[1].set(child), path[0], child, going
    levels, path, parent, child, _ = jax.lax.while_loop(
        lambda c: c[4].any() & (c[0] < len(path)), body, carry
    )
    return path, levels, parent, child


def _widths(most: int) -> list[int]:
    """How many children a look at a node can take in: all, or fewer where that is enough."""
    return [*(4**k for k in range(1, 8) if 2 * 4**k <= most), most]


def _child(game: Game, tree: _Tree, select: Select, node: jax.Array, width: int) -> jax.Array:
    """Where a simulation goes from nodes i32[B] with up to `width` children; 0: out of the tree."""
    edges, children = _look(tree, node, width)
    scores, next_score = select(edges)
    scores = jnp.where(edges.visits > 0, scores, -jnp.inf)
    chosen = jnp.argmax(scores, 0)
    child = _at(tree.child, (node, chosen.astype(jnp.int32)))
    child = jnp.where((next_score > scores.max(0)) & (edges.next > 0), 0, child)
    if not game.num_outcomes:
        return child
    come = (_at(tree.node.came, children) == _outcome(game, tree, node)) & (edges.visits > 0)
    there = jnp.where(come, children, 0).max(0)
    return jnp.where(_at(tree.node.turn, node) == _CHANCE, there, child)


def _leaf(tree: _Tree, node: _Node, parent: jax.Array, child: jax.Array, new: jax.Array) -> _Leaf:
    """What a simulation has found that came from `parent` to `child`, which may be new."""
    moves = np.arange(node.untried.shape[1], dtype=np.int32)
    untried = jnp.where(moves == node.came[:, None], 0.0, _at(tree.node.untried, parent))
    known = tree.node.value if tree.node.bounds is None else tree.node.bounds[:, 0]
    value = jnp.where(new, node.value, _at(known, child))
    slot = _at(tree.tried, parent)
    return _Leaf(node, jnp.where(new, parent, _NOWHERE), slot, _left(untried), value)


def _write(tree: _Tree, leaf: _Leaf, path: jax.Array, levels: jax.Array, place: jax.Array) -> _Tree:
    """Adds a round of nodes from a place i32[] on, and tells their parents."""
    (most, move, rest), parent = leaf.left, leaf.parent
    nodes = jax.tree.map(
        lambda all, one: jax.lax.dynamic_update_slice_in_dim(all, one, place, 0),
        tree.node,
        leaf.node,
    )
    left = nodes.left
    nodes = nodes._replace(
        untried=nodes.untried.at[parent, leaf.node.came].set(0.0, mode="drop"),
        left=_Left(
            left.most.at[parent].set(most, mode="drop"),
            left.move.at[parent].set(move, mode="drop"),
            left.rest.at[parent].set(rest, mode="drop"),
        ),
    )

    def credit(level: jax.Array, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        visits, total = carry
        node = path[level]
        return visits.at[node].add(1.0, mode="drop"), total.at[node].add(leaf.value, mode="drop")

    visits, total = jax.lax.fori_loop(0, levels, credit, (tree.visits, tree.total))
    fresh = place + jnp.arange(len(parent))
    tree = _Tree(
        nodes,
        visits,
        total,
        tree.tried.at[parent].add(1, mode="drop"),
        tree.child.at[parent, leaf.slot].set(fresh, mode="drop"),
    )
    if leaf.node.bounds is None:
        return tree
    ended = ((leaf.node.turn == 0) & (parent != _NOWHERE)).any()
    return jax.lax.cond(ended, _prove, lambda tree, path, levels: tree, tree, path, levels)


def _prove(tree: _Tree, path: jax.Array, levels: jax.Array) -> _Tree:
    """Draws the bounds of the nodes on a path together, from the end of it to the root."""
    width = tree.child.shape[1]

    def tighten(step: jax.Array, bounds: jax.Array) -> jax.Array:
        node = path[levels - 1 - step]
        place = jnp.where(node == _NOWHERE, 0, node)
        child = _at(tree.child, (place, np.arange(width, dtype=np.int32)[:, None]))
        turn, there = _at(tree.node.turn, place), child > 0
        low, high = _seen_by(turn, _at(bounds, child))
        floor, ceiling = _seen_by(turn, _at(bounds, place))
        floor = jnp.maximum(floor, jnp.where(there, low, -1.0).max(0))
        # What has not been tried may be worth anything.
        all_tried = (_at(tree.node.left.most, place) == 0) & there.any(0)
        most = jnp.where(there, high, -1.0).max(0)
        ceiling = jnp.where(all_tried, jnp.minimum(ceiling, most), ceiling)
        found = jnp.stack(_seen_by(turn, jnp.stack([floor, ceiling], -1)), -1)
        at = jnp.where((turn == 0) | (node == _NOWHERE), _NOWHERE, node)
        return bounds.at[at].set(found, mode="drop")

    bounds = jax.lax.fori_loop(1, levels, tighten, tree.node.bounds)
    return tree._replace(node=tree.node._replace(bounds=bounds))
