"""A residual tower with dense heads."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx

from agents.nn.network import Network, TowerConfig, compute_dtype, observation_shape
from games import Game


@dataclass(frozen=True)
class ResNetConfig(TowerConfig):
    """A residual tower with dense heads."""

    def build(self, game: Game, ownership: bool, rngs: nnx.Rngs) -> "ResNet":
        """A `ResNet`."""
        return ResNet(game, self, ownership, rngs)

    def check(self, game: Game) -> None:
        """Raises ValueError if the observation has no planes."""
        if len(observation_shape(game)) != 3:
            raise ValueError("a residual tower reads planes, and this game's observation has none")


class _Block(nnx.Module):
    """x + conv(relu(conv(x))); starts as the identity, so depth does not hurt early learning."""

    def __init__(self, channels: int, rngs: nnx.Rngs):
        he = nnx.initializers.he_normal()
        zeros = nnx.initializers.zeros_init()
        conv = partial(nnx.Conv, channels, channels, (3, 3), dtype=compute_dtype(), rngs=rngs)
        self.first, self.second = conv(kernel_init=he), conv(kernel_init=zeros)

    def __call__(self, x: jax.Array) -> jax.Array:
        return nnx.relu(x + self.second(nnx.relu(self.first(x))))


class ResNet(Network):
    """A residual tower without batch statistics: a snapshot is its parameters.

    The head of ownership has the same planes as that of the value, as in KataGo, so that these
    localise the value on the board.
    """

    def __init__(self, game: Game, config: ResNetConfig, ownership: bool, rngs: nnx.Rngs):
        height, width, planes = observation_shape(game)
        he = nnx.initializers.he_normal()
        cells, small = height * width, config.channels // 4
        conv = partial(nnx.Conv, kernel_init=he, dtype=compute_dtype(), rngs=rngs)
        self.stem = conv(planes, config.channels, (3, 3))
        self.blocks = nnx.List([_Block(config.channels, rngs) for _ in range(config.blocks)])
        self.policy = conv(config.channels, small, (1, 1))
        self.value = conv(config.channels, small, (1, 1))
        self.move = nnx.Linear(cells * small, game.num_actions, rngs=rngs)
        self.hidden = nnx.Linear(cells * small, 2 * config.channels, kernel_init=he, rngs=rngs)
        self.outcome = nnx.Linear(2 * config.channels, 1, rngs=rngs)
        if ownership:
            self.owner = nnx.Linear(small, 1, rngs=rngs)

    def features(self, observations: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Planes f32[B, H W channels / 4] for the policy, and for the value."""
        x = nnx.relu(self.stem(observations))
        for block in self.blocks:
            x = block(x)
        policy, value = (
            nnx.relu(head(x)).reshape(x.shape[0], -1).astype(jnp.float32)
            for head in (self.policy, self.value)
        )
        return policy, value

    def heads(self, features: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        """Logits f32[B, A] and values f32[B] in [-1, 1]."""
        policy, value = features
        hidden = nnx.relu(self.hidden(value))
        return self.move(policy), jnp.tanh(self.outcome(hidden)[:, 0])

    def owners(self, features: tuple[jax.Array, jax.Array]) -> jax.Array:
        """Logits f32[B, N]."""
        _, value = features
        return self.owner(value.reshape(len(value), -1, self.owner.in_features))[..., 0]
