"""What a player who moves by a fixed rule is sure of, whatever the other does."""

from functools import cache
from typing import NamedTuple

import jax
import numpy as np

from arena.evaluation.enumeration import choices, in_chunks, raw
from arena.types import Agent, Policy, State, stack
from games import OVER, Game

_BATCH = 256  # positions that the player is asked about in one call


class Guarantee(NamedTuple):
    """The worst that can come out.

    Attributes:
      payoff: the seat's own, against its best opponent.
      positions: in how many the seat had to move, over all that the opponent can do.
    """

    payoff: float
    positions: int


class _Ply(NamedTuple):
    """Positions [N] of a ply; for each move that is tried, M in all, whence and where it leads."""

    payoff: np.ndarray
    own: np.ndarray
    row: np.ndarray
    child: np.ndarray


def guaranteed(game: Game, agent: Agent, seat: int) -> Guarantee:
    """The least that an agent gets from the start of a game without chance.

    It is asked once for each position that it can come to, so that it moves by a fixed rule, and
    all that its opponent can do is tried.

    Args:
      game: without chance; what the agent can come to must be small enough to be enumerated.
      agent: any that is compiled.
      seat: which it takes.
    """
    look, step = _rules(game)
    states, plies = jax.tree.map(lambda x: np.asarray(x)[None], game.init()), []
    while len(jax.tree.leaves(states)[0]):
        mover, legal, payoff = in_chunks(look, states)
        own = mover == seat
        moves = moves_of(agent, jax.tree.map(lambda x, own=own: x[own], states))
        legal[own] &= np.arange(game.num_actions) == moves[:, None]
        row, move = np.nonzero(legal)
        if not len(row):
            plies.append(_Ply(payoff, own, row, row))
            break
        after = in_chunks(step, jax.tree.map(lambda x, row=row: x[row], states), move.astype("i4"))
        _, first, child = np.unique(raw(after), return_index=True, return_inverse=True)
        plies.append(_Ply(payoff, own, row, child.reshape(-1)))
        states = jax.tree.map(lambda x, first=first: x[first], after)
    return Guarantee(_worst(plies, 1 if seat == 0 else -1), sum(int(p.own.sum()) for p in plies))


def _worst(plies: list[_Ply], sign: int) -> float:
    """The seat's payoff at the start if its opponent does what is worst for it."""
    value = np.zeros(0)
    for ply in reversed(plies):
        found = np.full(len(ply.payoff), np.inf)
        np.minimum.at(found, ply.row, value[ply.child])
        value = np.where(np.isinf(found), sign * ply.payoff.astype(np.float64), found)
    return float(value[0])


@cache
def _rules(game: Game):
    """Jitted, of a batch: mover, legal moves and payoff; and step."""

    def look(state: State) -> tuple[jax.Array, jax.Array, jax.Array]:
        mover = game.mover(state)
        return mover, choices(game, state) & (mover != OVER), game.payoff(state)

    return jax.jit(jax.vmap(look)), jax.jit(jax.vmap(game.step))


def moves_of(agent: Agent, states: State) -> np.ndarray:
    """The agent's moves in positions [N, ...], i32[N]."""
    count = len(jax.tree.leaves(states)[0])
    params, run, moves = stack([agent.params]), _compiled(agent.policy), [np.zeros(0, np.int32)]
    for at in range(0, count, _BATCH):
        index = np.minimum(np.arange(at, at + _BATCH), count - 1)
        key = jax.random.fold_in(jax.random.key(0), at)[None]
        moves.append(np.asarray(run(params, key, jax.tree.map(lambda x, i=index: x[i], states))))
    return np.concatenate(moves)[:count]


@cache
def _compiled(policy: Policy):
    return jax.jit(lambda params, keys, states: policy(params, keys, states).move)
