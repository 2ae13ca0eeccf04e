"""Exact solutions of games without chance that are small enough to enumerate."""

from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena.evaluation.enumeration import levels, payoffs_by, raw
from arena.judges.rules import Rules
from arena.types import Judge, State
from games import OVER, Game


class Solution(NamedTuple):
    """All N positions that legal play can reach and in which a seat is to move.

    Attributes:
      states: pytree of numpy arrays [N, ...], the start first.
      value: i8[N], what the seat to move gets when both play perfectly.
      optimal: bool[N, A], the legal moves after which it still gets that.
    """

    states: State
    value: np.ndarray
    optimal: np.ndarray


class _Graph(NamedTuple):
    """All M positions, ended ones too: seat 0's payoff, mover, legal and successors [M, A]."""

    states: State
    payoff: np.ndarray
    mover: np.ndarray
    legal: np.ndarray
    after: np.ndarray


def _graph(game: Game, judge: Judge) -> _Graph:
    states = jax.tree.map(lambda *x: np.concatenate(x), *[level.states for level in levels(game)])
    # A position may recur at several plies; its first occurrence stands for all.
    _, first = np.unique(raw(states), return_index=True)
    states = jax.tree.map(lambda x: x[np.sort(first)], states)

    def look(state: State) -> tuple[jax.Array, jax.Array, State]:
        after = jax.vmap(game.step, (None, 0))(state, jnp.arange(game.num_actions))
        return game.mover(state), game.legal(state), after

    found = jax.jit(jax.vmap(look))(states)
    mover, legal, after = jax.tree.map(np.asarray, found)
    payoff = _whole(np.asarray(jax.jit(payoffs_by(game, judge))(states)))
    legal = legal & (mover != OVER)[:, None]
    known, row = np.unique(raw(states), return_index=True)
    flat = raw(jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), after))
    at = np.searchsorted(known, flat).clip(max=len(known) - 1)
    if not (known[at] == flat)[legal.reshape(-1)].all():
        raise ValueError("a legal move leads to a position that the enumeration lacks")
    return _Graph(states, payoff, mover, legal, row[at].reshape(legal.shape))


def _whole(payoff: np.ndarray) -> np.ndarray:
    """Payoffs f32[M] without rounding errors; ValueError if one is no whole number."""
    whole = np.rint(payoff)
    if (abs(payoff - whole) > 1e-4).any():
        raise ValueError("only whole payoffs are solved")
    return whole


def solve(game: Game, *, judge: Judge | None = None) -> Solution:
    """Backward induction over the whole game; a solution is kept for the next call.

    Args:
      game: without chance, small enough to be enumerated.
      judge: who says who won in its final positions; the rules if None.

    Raises:
      ValueError: a payoff is not a whole number, or the enumeration is incomplete.
    """
    return _solve(game, judge or Rules(game))


@cache
def _solve(game: Game, judge: Judge) -> Solution:
    graph = _graph(game, judge)
    sign = np.where(graph.mover == 1, -1, 1)[:, None]
    alive = graph.mover != OVER

    def moves(value: np.ndarray) -> np.ndarray:
        """What each move gives the mover [M, A], going by the successors' value to seat 0 [M]."""
        return np.where(graph.legal, sign * value[graph.after], -128)

    value = graph.payoff.astype(np.int8)
    # After n sweeps every position from which at most n plies can follow is right.
    for _ in range(game.max_plies):
        value = np.where(alive, sign[:, 0] * moves(value).max(1), value)
    states = jax.tree.map(lambda x: x[alive], graph.states)
    options = moves(value)[alive]
    best = options.max(1)
    return Solution(states, best.astype(np.int8), options == best[:, None])
