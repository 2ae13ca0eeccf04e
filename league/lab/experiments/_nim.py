"""Nim's theorem over whole sets of positions, as truth and as something to learn from."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents.learners.alphazero import Dataset
from agents.learners.base import Learner
from agents.policies import SearchTarget
from arena.types import Params
from games.nim import Nim, State

_CHUNK = 4096


class Truth(NamedTuple):
    """What C. Bouton's theorem says of N positions in which a seat is to move.

    Attributes:
      won: bool[N], whether the mover wins: the nim-sum of the piles is not 0.
      winning: bool[N, A], the moves that leave a nim-sum of 0.
      legal: bool[N, A].
    """

    won: np.ndarray
    winning: np.ndarray
    legal: np.ndarray


def every(game: Nim) -> np.ndarray:
    """The piles u8[N, K] of all positions from which something can be taken."""
    sizes = game.sizes
    piles = np.indices([size + 1 for size in sizes], np.uint8).reshape(len(sizes), -1).T
    return piles[1:]


def some(game: Nim, most: int) -> np.ndarray:
    """As `every`, or so many of them, the same each time, if there are more."""
    piles = every(game)
    if len(piles) <= most:
        return piles
    return piles[np.random.default_rng(0).choice(len(piles), most, replace=False)]


def states(piles: np.ndarray) -> State:
    """Positions [N] of piles u8[N, K], seat 0 to move."""
    return State(tuple(piles.T), np.zeros(len(piles), np.uint8))


def piles_of(state: State) -> np.ndarray:
    """Piles u8[N, K] of positions [N]."""
    return np.stack([np.asarray(pile) for pile in state.piles], 1)


def truth(game: Nim, piles: np.ndarray) -> Truth:
    """The theorem on piles u8[N, K]; normal play."""
    number = np.arange(game.num_actions)
    pile, take = number % piles.shape[1], number // piles.shape[1] + 1
    nim_sum = np.bitwise_xor.reduce(piles, 1)
    left = piles[:, pile].astype(np.int16) - take
    wanted = piles[:, pile] ^ nim_sum[:, None]
    return Truth(nim_sum != 0, (left == wanted) & (left >= 0), left >= 0)


def lessons(game: Nim, piles: np.ndarray) -> Dataset:
    """What AlphaZero's learner would be taught by a perfect search of piles u8[N, K].

    The policy is even over the winning moves, or over all where none wins.
    """
    known = truth(game, piles)
    chosen = np.where(known.won[:, None], known.winning, known.legal)
    policy = (chosen / chosen.sum(1, keepdims=True)).astype(np.float32)
    value = np.where(known.won, 1.0, -1.0).astype(np.float32)
    moves = np.broadcast_to(np.arange(game.num_actions, dtype=np.int16), policy.shape)
    target = SearchTarget(moves, policy, value, np.ones(len(piles), bool))
    return Dataset(states(piles), target, value)


@dataclass(frozen=True)
class Scores:
    """How good a network is on some positions.

    Attributes:
      first_choice: share of the won positions in which its favourite move wins.
      value: share in which the sign of its value is right.
      balanced: the same, as the mean of the shares among won and among lost positions.
    """

    first_choice: float
    value: float
    balanced: float


def score(learner: Learner, params: Params, piles: np.ndarray) -> Scores:
    """The scores of a network without search on positions with piles u8[N, K]."""
    game = learner.game
    favourite, value = [], []
    for at in range(0, len(piles), _CHUNK):
        index = np.minimum(np.arange(at, at + _CHUNK), len(piles) - 1)
        moves, values = _look(learner, params, states(piles[index]))
        favourite.append(np.asarray(moves)[: len(piles) - at])
        value.append(np.asarray(values)[: len(piles) - at])
    known, move = truth(game, piles), np.concatenate(favourite)
    right = (np.concatenate(value) > 0) == known.won
    wins = known.winning[np.arange(len(piles)), move][known.won]
    shares = [right[part].mean() for part in (known.won, ~known.won) if part.any()]
    return Scores(float(wins.mean()), float(right.mean()), float(np.mean(shares)))


@partial(jax.jit, static_argnums=0)
def _look(learner: Learner, params: Params, positions: State) -> tuple[jax.Array, jax.Array]:
    game = learner.game
    seen = jax.vmap(game.observe, (0, None))(positions, jnp.int32(0))
    legal = jax.vmap(game.legal)(positions)
    logits = jnp.where(legal, learner.logits(params, seen), -jnp.inf)
    return logits.argmax(-1), learner.value(params, seen)
