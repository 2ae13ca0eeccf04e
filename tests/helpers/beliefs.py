"""Phantom games by what a seat may believe: the positions that it cannot tell apart.

Such a game has some 10¹⁰ courses. But what a seat may believe does not depend on what the other one
has run into, and histories after which it believes the same need to be followed only once.
"""

from collections import Counter, defaultdict
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena.evaluation.enumeration import in_chunks, raw
from games import OVER
from games._phantom import PhantomGame, State

Belief = frozenset[int]
"""Positions, by number, in which one seat is to move and sees the same."""


class Graph(NamedTuple):
    """All M positions, as if the other seat had run into nothing; the start comes first.

    Attributes:
      mover: list[M], who is to move.
      payoff: list[M], what the believing seat gets.
      seen: list[M], equal numbers where it sees the same.
      after: for each position, by move, the position that follows.
    """

    mover: list[int]
    payoff: list[float]
    seen: list[int]
    after: list[dict[int, int]]


def _forget(state: State, seat: int) -> State:
    """The position as if the other seat had run into nothing."""
    waits = state.stones & 1 != seat
    return state._replace(
        known=tuple(jnp.where(waits, 0, word) for word in state.known),
        found=tuple(jnp.where(waits, word, 0) for word in state.found),
    )


@cache
def _graph(game: PhantomGame, seat: int) -> Graph:
    def look(state: State) -> tuple[jax.Array, ...]:
        mover, payoff = game.mover(state), (1 - 2 * seat) * game.payoff(state)
        seen = game.observe(state, jnp.int32(seat))
        return mover, payoff, seen, game.legal(state) & (mover != OVER)

    def step(state: State, move: jax.Array) -> State:
        return _forget(game.step(state, move), seat)

    look, step = jax.jit(jax.vmap(look)), jax.jit(jax.vmap(step))
    states: Any = jax.tree.map(lambda x: np.asarray(x)[None], game.init())
    numbers = {raw(states)[0].tobytes(): 0}
    sights: dict[bytes, int] = {}
    graph = Graph([], [], [], [])
    while len(jax.tree.leaves(states)[0]):
        mover, payoff, seen, legal = in_chunks(look, states)
        first = len(graph.mover)
        graph.mover.extend(mover.tolist())
        graph.payoff.extend(payoff.tolist())
        graph.seen.extend(sights.setdefault(x.tobytes(), len(sights)) for x in raw(seen))
        graph.after.extend({} for _ in mover)
        row, move = np.nonzero(legal)
        states = jax.tree.map(lambda x, row=row: x[row], states)
        states = in_chunks(step, states, move.astype(np.int32)) if len(row) else states
        new = []
        for k, key in enumerate(raw(states)):
            number = numbers.setdefault(key.tobytes(), len(numbers))
            graph.after[first + row[k]][int(move[k])] = number
            if number == first + len(mover) + len(new):
                new.append(k)
        states = jax.tree.map(lambda x, new=new: x[new], states)
    return graph


def _follows(graph: Graph, seat: int, position: int) -> list[int]:
    """What a position becomes before the seat moves again, or the game is over."""
    if graph.mover[position] in (seat, OVER):
        return [position]
    # The other seat sets a stone; running into one changes nothing that is not forgotten.
    return [after for after in graph.after[position].values() if after != position]


def _outcomes(graph: Graph, seat: int, positions: list[int]) -> tuple[set[float], list[Belief]]:
    """What may come of positions: payoffs at an end, and what the seat believes if it goes on."""
    ends, groups = set(), defaultdict(set)
    for position in positions:
        for after in _follows(graph, seat, position):
            if graph.mover[after] == OVER:
                ends.add(graph.payoff[after])
            else:
                groups[graph.seen[after]].add(after)
    return ends, [frozenset(group) for group in groups.values()]


def _moves(graph: Graph, belief: Belief) -> list[int]:
    return list(graph.after[min(belief)])


def _move(graph: Graph, seat: int, belief: Belief, move: int) -> tuple[set[float], list[Belief]]:
    return _outcomes(graph, seat, [graph.after[position][move] for position in belief])


def information_sets(game: PhantomGame, seat: int) -> int:
    """What a seat to move can tell apart, everything that it has done included."""
    graph = _graph(game, seat)
    believed = Counter(_outcomes(graph, seat, [0])[1])
    total = 0
    while believed:
        total += believed.total()
        later: Counter[Belief] = Counter()
        for belief, count in believed.items():
            for move in _moves(graph, belief):
                for after in _move(graph, seat, belief, move)[1]:
                    later[after] += count
        believed = later
    return total


def sure_wins(game: PhantomGame, seat: int) -> list[int]:
    """The seat's first moves after which it can win whatever the other one does.

    What the other seat knows does not matter: it may do the worst by luck.
    """
    graph = _graph(game, seat)

    def wins_by(belief: Belief, move: int) -> bool:
        ends, beliefs = _move(graph, seat, belief, move)
        return min(ends, default=1) == 1 and all(map(wins, beliefs))

    @cache
    def wins(belief: Belief) -> bool:
        return any(wins_by(belief, move) for move in _moves(graph, belief))

    _, [start] = _outcomes(graph, seat, [0])
    return [move for move in _moves(graph, start) if wins_by(start, move)]
