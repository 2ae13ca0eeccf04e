"""What a match needs: an agent that chooses moves, and a classifier that says who won."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from games import Game


class Decision(NamedTuple):
    """What an agent answers for a batch of positions.

    Attributes:
      move: i32[B], a legal move each.
      note: pytree [B, ...] that a recorded match keeps beside the position (a learner's targets),
        or () if there is nothing to note.
    """

    move: jax.Array
    note: Any = ()


Act = Callable[[Any, jax.Array, Any], Decision]
"""`act(params, keys, states) -> Decision`: how an agent moves, as a pure function.

params: pytree [G, ...], the weights of G agents stacked; keys: PRNG keys [G]; states: positions
[B, ...] with B = G·S, the first S of them the first agent's. An `Act` is hashable, and equal ones
share a compiled program; so a new snapshot never means a new compilation.
"""


@dataclass(frozen=True)
class Agent:
    """A player that lives on the device.

    Attributes:
      name: as a user types it.
      act: how it moves.
      params: pytree of its weights, without a leading axis; () if it has none.
    """

    name: str
    act: Act
    params: Any = ()


class HostAgent(ABC):
    """A player outside the device: a person, an engine process."""

    name: str

    @abstractmethod
    def choose(self, game: Game, state: Any) -> int:
        """A legal move in one position."""


class Classifier(ABC):
    """The judge: the one door through which anything learns who won."""

    @abstractmethod
    def score(self, finals: Any) -> jax.Array:
        """Seat 0's payoff f32[B] in final positions [B, ...]."""


@dataclass(frozen=True)
class Rules(Classifier):
    """The infallible judge: the rules of the game."""

    game: Game

    def score(self, finals: Any) -> jax.Array:
        """The payoffs that the rules give, f32[B]."""
        return jax.vmap(self.game.payoff)(finals)


def uniform_move(key: jax.Array, legal: jax.Array) -> jax.Array:
    """A legal move each, all equally likely: bool[B, A] to i32[B]."""
    count = legal.sum(-1)
    nth = jnp.floor(jax.random.uniform(key, count.shape) * count.astype(jnp.float32))
    nth = jnp.minimum(nth.astype(jnp.int32), count - 1)  # a product may round up to count
    return jnp.argmax(jnp.cumsum(legal, -1) > nth[..., None], -1).astype(jnp.int32)


def stack(params: list[Any]) -> Any:
    """Weights of several agents on a new leading axis [G, ...]."""
    return jax.tree.map(lambda *x: jnp.stack(x), *params)
