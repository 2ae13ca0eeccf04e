"""Networks that are told how strong the player is whose moves they are to make.

An observation gets one plane more, or one number, which holds the player's rating in standard
deviations from the mean of those that were learnt from. In training every row brings its own; in
play it is a weight that is never trained, so that each agent has one.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from agents.nn.network import Network, NetworkConfig, observation_shape
from agents.nn.seen import Seen
from arena.types import Params, State
from games import Game

RATING = "rating"
"""The name of that weight, f32[]."""


@dataclass(frozen=True)
class RatedConfig(NetworkConfig):
    """A network of any kind with a rating as one more input.

    Attributes:
      network: the kind and size.
    """

    network: NetworkConfig

    def __post_init__(self):
        """The network has checked itself."""

    @property
    def evaluation_chunk(self) -> int:
        """As the network's own."""
        return self.network.evaluation_chunk

    def check(self, game: Game) -> None:
        """Raises ValueError if the network cannot take the observation."""
        self.network.check(_Wider(game))

    def build(self, game: Game, ownership: bool, rngs: nnx.Rngs) -> Network:
        """The network, whose rating is 0: the mean."""
        planes = observation_shape(game)[-1]
        found: Any = self.network.build(_Wider(game), ownership, rngs)
        object.__setattr__(found, "__class__", _rated(type(found), planes))
        setattr(found, RATING, nnx.Param(jnp.zeros(())))
        return found


@cache
def _rated(kind: type[Network], planes: int) -> type[Network]:
    """A kind of network whose observations may lack the plane of the rating."""

    class Rated(kind):
        rating: nnx.Param

        def features(self, observations: jax.Array) -> jax.Array:
            if observations.shape[-1] == planes:
                rating = jax.lax.stop_gradient(self.rating[...])
                observations = rated(observations, jnp.full(len(observations), rating))
            return super().features(observations)

    return Rated


def rated(observations: jax.Array, ratings: jax.Array) -> jax.Array:
    """Observations f32[B, ..., C] with the plane of the ratings f32[B], f32[B, ..., C + 1]."""
    shape = (len(observations), *[1] * (observations.ndim - 1))
    plane = jnp.broadcast_to(ratings.reshape(shape), (*observations.shape[:-1], 1))
    return jnp.concatenate([observations, plane.astype(observations.dtype)], -1)


def at_rating(params: Params, rating: float) -> Params:
    """The weights of a rated network, at another rating; in standard deviations from the mean."""
    return {**params, RATING: jnp.asarray(rating, jnp.float32)}


@dataclass(frozen=True)
class _Wider(Seen):
    """A game whose observation has the plane of a rating, which is 0."""

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        seen = self.game.observe(state, seat)
        return rated(seen[None], jnp.zeros(1))[0]
