"""A multilayer perceptron, for observations that are no planes."""

import math
from dataclasses import dataclass
from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx

from agents.nn.network import LAYERS, Network, NetworkConfig, compute_dtype, observation_shape
from arena.errors import check_positive
from games import Game


@dataclass(frozen=True)
class MLPConfig(NetworkConfig):
    """Size of a multilayer perceptron, for observations that are no planes.

    Attributes:
      width: units of every hidden layer.
      layers: hidden layers.
    """

    width: int = 128
    layers: int = 2

    def __post_init__(self):
        super().__post_init__()
        check_positive(self, "layers", most=LAYERS)

    @property
    def evaluation_chunk(self) -> int:
        """More than convolutions need."""
        return 64

    def build(self, game: Game, ownership: bool, rngs: nnx.Rngs) -> "MLP":
        """An `MLP`."""
        return MLP(game, self, ownership, rngs)


class MLP(Network):
    """Hidden layers of rectified units that policy and value share."""

    def __init__(self, game: Game, config: MLPConfig, ownership: bool, rngs: nnx.Rngs):
        he, small = nnx.initializers.he_normal(), nnx.initializers.normal(0.01)
        widths = [math.prod(observation_shape(game)), *[config.width] * config.layers]
        self.hidden = nnx.List(
            [
                nnx.Linear(a, b, kernel_init=he, dtype=compute_dtype(), rngs=rngs)
                for a, b in pairwise(widths)
            ]
        )
        self.move = nnx.Linear(widths[-1], game.num_actions, kernel_init=small, rngs=rngs)
        self.outcome = nnx.Linear(widths[-1], 1, kernel_init=small, rngs=rngs)
        if ownership:
            self.owner = nnx.Linear(widths[-1], math.prod(observation_shape(game)[:2]), rngs=rngs)

    def features(self, observations: jax.Array) -> jax.Array:
        """f32[B, width]."""
        x = observations.reshape(observations.shape[0], -1)
        for layer in self.hidden:
            x = nnx.relu(layer(x))
        return x.astype(jnp.float32)

    def heads(self, features: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Logits f32[B, A] and values f32[B] in [-1, 1]."""
        return self.move(features), jnp.tanh(self.outcome(features)[:, 0])

    def owners(self, features: jax.Array) -> jax.Array:
        """Logits f32[B, N]."""
        return self.owner(features)
