"""A small game as a table of all its positions, for laws that hold exactly."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

import games
from arena.evaluation.enumeration import in_chunks, levels, raw
from arena.types import State
from games import OVER


@dataclass(frozen=True, eq=False)
class Table:
    """All N positions of a game without chance, ply by ply.

    Attributes:
      states: pytree of numpy arrays [N, ...], the start first.
      mover: i32[N].
      legal: bool[N, A], False where the game is over.
      after: i64[N, A], the position that a legal move leads to; 0 for others.
      payoff: f64[N], of seat 0 where the game is over.
      plies: the positions of each ply.
    """

    states: State
    mover: np.ndarray
    legal: np.ndarray
    after: np.ndarray
    payoff: np.ndarray
    plies: tuple[slice, ...]

    @property
    def over(self) -> np.ndarray:
        """Where the game is over, bool[N]."""
        return self.mover == OVER

    @property
    def sign(self) -> np.ndarray:
        """1 where seat 0 moves, -1 where seat 1 does, f64[N]."""
        return np.where(self.mover == 1, -1.0, 1.0)

    def uniform(self) -> np.ndarray:
        """The policy without preferences, f64[N, A]."""
        return self.legal / np.maximum(1, self.legal.sum(1, keepdims=True))

    def mean(self, policy: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """What is expected of the ends of games f64[N] under a policy f64[N, A], f64[N]."""
        value = np.where(self.over, ends, 0.0)
        for ply in reversed(self.plies):
            here = (policy[ply] * value[self.after[ply]]).sum(1)
            value[ply] = np.where(self.over[ply], value[ply], here)
        return value

    def solved(self) -> np.ndarray:
        """What seat 0 gets in each position if both play perfectly, f64[N]."""
        value = np.where(self.over, self.payoff, 0.0)
        for ply in reversed(self.plies):
            sign = self.sign[ply]
            gains = np.where(self.legal[ply], sign[:, None] * value[self.after[ply]], -np.inf)
            value[ply] = np.where(self.over[ply], value[ply], sign * gains.max(1))
        return value

    def optimal(self) -> np.ndarray:
        """The legal moves that keep the value, bool[N, A]."""
        value = self.solved()
        return self.legal & (value[self.after] == value[:, None])

    def reached(self, policy: np.ndarray) -> np.ndarray:
        """How often games of a policy with itself come to each position, f64[N]."""
        found = np.zeros(len(self.mover))
        found[0] = 1.0
        for ply in self.plies:
            np.add.at(found, self.after[ply], policy[ply] * found[ply, None] * self.legal[ply])
        return found


@cache
def table(name: str) -> Table:
    """All positions of a game, which must be small and without chance."""
    game = games.load(name)

    def look(state: State) -> tuple[jax.Array, ...]:
        mover = game.mover(state)
        return mover, game.legal(state) & (mover != OVER), game.payoff(state)

    step = jax.jit(jax.vmap(jax.vmap(game.step, (None, 0)), (0, None)))
    found = [level.states for level in levels(game)]
    starts = np.cumsum([0, *(len(jax.tree.leaves(states)[0]) for states in found)])
    states = jax.tree.map(lambda *x: np.concatenate(x), *found)
    mover, legal, payoff = in_chunks(jax.jit(jax.vmap(look)), states)
    after = np.zeros(legal.shape, np.int64)
    moves = jnp.arange(game.num_actions, dtype=jnp.int32)
    for ply, here in enumerate(found[:-1]):
        rows = slice(starts[ply], starts[ply + 1])
        nexts = jax.tree.map(lambda x: np.asarray(x).reshape(-1, *x.shape[2:]), step(here, moves))
        known, order = np.unique(raw(found[ply + 1]), return_index=True)
        place = np.searchsorted(known, raw(nexts)).clip(max=len(known) - 1)
        after[rows] = starts[ply + 1] + order[place].reshape(-1, len(moves))
    plies = tuple(slice(a, b) for a, b in pairwise(starts))
    after = np.where(legal, after, 0)
    return Table(states, mover, legal, after, payoff.astype(np.float64), plies)
