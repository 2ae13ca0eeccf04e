"""Networks that read a board: policy logits for every move, and a value for the mover."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from games import Game


@dataclass(frozen=True)
class ResNetConfig:
    """Size of a residual tower.

    Attributes:
      channels: width of every layer.
      blocks: residual blocks, of two 3×3 convolutions each.
    """

    channels: int = 32
    blocks: int = 3


class _Block(nnx.Module):
    """x + conv(relu(conv(x))); starts as the identity, so depth does not hurt early learning."""

    def __init__(self, channels: int, rngs: nnx.Rngs):
        he = nnx.initializers.he_normal()
        zeros = nnx.initializers.zeros_init()
        self.first = nnx.Conv(channels, channels, (3, 3), kernel_init=he, rngs=rngs)
        self.second = nnx.Conv(channels, channels, (3, 3), kernel_init=zeros, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return nnx.relu(x + self.second(nnx.relu(self.first(x))))


class ResNet(nnx.Module):
    """A residual tower with two heads, without batch statistics: a snapshot is its parameters."""

    def __init__(self, game: Game, config: ResNetConfig, rngs: nnx.Rngs):
        height, width, planes = jax.eval_shape(
            lambda: game.observe(game.init(), jnp.int32(0))
        ).shape
        he = nnx.initializers.he_normal()
        cells, small = height * width, config.channels // 4
        self.stem = nnx.Conv(planes, config.channels, (3, 3), kernel_init=he, rngs=rngs)
        self.blocks = nnx.List([_Block(config.channels, rngs) for _ in range(config.blocks)])
        self.policy = nnx.Conv(config.channels, small, (1, 1), kernel_init=he, rngs=rngs)
        self.value = nnx.Conv(config.channels, small, (1, 1), kernel_init=he, rngs=rngs)
        self.move = nnx.Linear(cells * small, game.num_actions, rngs=rngs)
        self.hidden = nnx.Linear(cells * small, 2 * config.channels, kernel_init=he, rngs=rngs)
        self.outcome = nnx.Linear(2 * config.channels, 1, rngs=rngs)

    def __call__(self, observations: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Observations f32[B, H, W, C] to logits f32[B, A] and values f32[B] in [-1, 1]."""
        x = nnx.relu(self.stem(observations))
        for block in self.blocks:
            x = block(x)
        flat = x.shape[0], -1
        logits = self.move(nnx.relu(self.policy(x)).reshape(flat))
        hidden = nnx.relu(self.hidden(nnx.relu(self.value(x)).reshape(flat)))
        return logits, jnp.tanh(self.outcome(hidden)[:, 0])


@cache
def _definition(game: Game, config: ResNetConfig) -> nnx.GraphDef:
    return nnx.graphdef(nnx.eval_shape(lambda: ResNet(game, config, nnx.Rngs(0))))


def initialise(game: Game, config: ResNetConfig, key: jax.Array) -> Any:
    """Fresh parameters, a nested dict of f32 arrays."""
    return nnx.to_pure_dict(nnx.state(ResNet(game, config, nnx.Rngs(key))))


def apply(
    game: Game, config: ResNetConfig, params: Any, observations: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Logits f32[B, A] and values f32[B] of observations f32[B, ...] under pure parameters."""
    return nnx.merge(_definition(game, config), nnx.State(params))(observations)


def over_agents(function: Callable[..., Any], *arguments: Any) -> Any:
    """Maps over the leading axis of G stacked agents.

    On a CPU one after the other: XLA turns a convolution with a weight for each agent into a
    grouped one, which ran at less than half the speed there. Elsewhere all at once.
    """
    if jax.default_backend() == "cpu":
        return jax.lax.map(lambda x: function(*x), arguments)
    return jax.vmap(function)(*arguments)
