"""Networks of an observation: policy logits for every move, and a value for the mover.

Parameters are f32 everywhere. On a GPU or TPU the layers between an observation and the last ones,
which give logits and value, compute in bfloat16; on a CPU in f32, which is about as fast there
(`benchmarks/networks.py`).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache, partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from agents.nn.outputs import playable_logits, playable_value
from arena.errors import UserError, check_positive
from arena.types import State
from games import Game

_LAYERS = 1000
"""A network has no more layers or blocks, each of which is compiled."""


@dataclass(frozen=True)
class NetworkConfig(ABC):
    """Kind and size of a network; it checks itself.

    A kind of your own is a frozen dataclass that extends this one.

    Raises:
      UserError: a size makes no network.
    """

    def __post_init__(self):
        check_positive(self, *(field.name for field in fields(self)), most=2**16)

    @property
    def evaluation_chunk(self) -> int:
        """Positions that a CPU evaluates at a time: as many as it takes to run at full speed."""
        return 8

    @abstractmethod
    def build(self, game: Game, ownership: bool, rngs: nnx.Rngs) -> "Network":
        """The network, with fresh weights, and with the head of ownership if asked for."""

    def check(self, game: Game) -> None:  # noqa: B027 - most networks take any shape
        """Raises ValueError, in one line, if the network cannot take the game's observation."""


@dataclass(frozen=True)
class ResNetConfig(NetworkConfig):
    """Size of a residual tower.

    Attributes:
      channels: width of every layer, a multiple of 4.
      blocks: residual blocks, of two 3×3 convolutions each.
    """

    channels: int = 32
    blocks: int = 3

    def __post_init__(self):
        super().__post_init__()
        check_positive(self, "blocks", most=_LAYERS)
        if self.channels % 4:
            raise UserError("channels must be a multiple of 4")  # the heads have a quarter

    def build(self, game: Game, ownership: bool, rngs: nnx.Rngs) -> "ResNet":
        """A `ResNet`."""
        return ResNet(game, self, ownership, rngs)

    def check(self, game: Game) -> None:
        """Raises ValueError if the observation has no planes."""
        if len(_observation_shape(game)) != 3:
            raise ValueError("a residual tower reads planes, and this game's observation has none")


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
        check_positive(self, "layers", most=_LAYERS)

    @property
    def evaluation_chunk(self) -> int:
        """More than convolutions need."""
        return 64

    def build(self, game: Game, ownership: bool, rngs: nnx.Rngs) -> "MLP":
        """An `MLP`."""
        return MLP(game, self, ownership, rngs)


@dataclass(frozen=True)
class TransformerConfig(NetworkConfig):
    """Size of a transformer whose tokens are the cells of a board.

    Attributes:
      width: of every token, a multiple of four times the heads.
      layers: of attention and a multilayer perceptron each.
      heads: of attention.
    """

    width: int = 64
    layers: int = 4
    heads: int = 4

    def __post_init__(self):
        super().__post_init__()
        check_positive(self, "layers", most=_LAYERS)
        if self.width % (4 * self.heads):
            raise UserError("a transformer's width must be a multiple of four times its heads")

    def build(self, game: Game, ownership: bool, rngs: nnx.Rngs) -> "Transformer":
        """A `Transformer`."""
        return Transformer(game, self, ownership, rngs)

    def check(self, game: Game) -> None:
        """Raises ValueError if the observation has no planes."""
        if len(_observation_shape(game)) != 3:
            raise ValueError("a transformer reads planes, and this game's observation has none")


NETWORKS: dict[str, type[NetworkConfig]] = {
    "mlp": MLPConfig,
    "resnet": ResNetConfig,
    "transformer": TransformerConfig,
}
"""The kinds of networks by name."""


def _compute() -> Any:
    """The type in which layers compute."""
    return jnp.float32 if jax.default_backend() == "cpu" else jnp.bfloat16


class _Block(nnx.Module):
    """x + conv(relu(conv(x))); starts as the identity, so depth does not hurt early learning."""

    def __init__(self, channels: int, rngs: nnx.Rngs):
        he = nnx.initializers.he_normal()
        zeros = nnx.initializers.zeros_init()
        conv = partial(nnx.Conv, channels, channels, (3, 3), dtype=_compute(), rngs=rngs)
        self.first, self.second = conv(kernel_init=he), conv(kernel_init=zeros)

    def __call__(self, x: jax.Array) -> jax.Array:
        return nnx.relu(x + self.second(nnx.relu(self.first(x))))


def _observation_shape(game: Game) -> tuple[int, ...]:
    """The shape of an observation."""
    return jax.eval_shape(game.observe, game.template(), np.int32(0)).shape


Params = dict[str, Any]
"""Weights: a nested dict of f32 arrays."""

LAST = ("move", "outcome", "owner")
"""Names of the layers that give logits, value and owners, in every kind of network."""


class Network(nnx.Module):
    """What all kinds have in common: features of an observation, and heads on top of them.

    With `ownership` there is one more head, `owner`, for training only.
    """

    def __call__(self, observations: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Observations f32[B, ...] to logits f32[B, A] and values f32[B] in [-1, 1]."""
        return self.heads(self.features(observations))

    @abstractmethod
    def features(self, observations: jax.Array) -> Any:
        """The input of the heads."""

    @abstractmethod
    def heads(self, features: Any) -> tuple[jax.Array, jax.Array]:
        """Logits f32[B, A] and values f32[B] in [-1, 1]."""

    def owners(self, features: Any) -> jax.Array:
        """Logits of each of the N cells being the mover's in the end, f32[B, N].

        Raises:
          ValueError: the network has no head for it.
        """
        raise ValueError(f"{type(self).__name__} has no head for ownership")


class MLP(Network):
    """Hidden layers of rectified units that policy and value share."""

    def __init__(self, game: Game, config: MLPConfig, ownership: bool, rngs: nnx.Rngs):
        he, small = nnx.initializers.he_normal(), nnx.initializers.normal(0.01)
        widths = [math.prod(_observation_shape(game)), *[config.width] * config.layers]
        self.hidden = nnx.List(
            [
                nnx.Linear(a, b, kernel_init=he, dtype=_compute(), rngs=rngs)
                for a, b in pairwise(widths)
            ]
        )
        self.move = nnx.Linear(widths[-1], game.num_actions, kernel_init=small, rngs=rngs)
        self.outcome = nnx.Linear(widths[-1], 1, kernel_init=small, rngs=rngs)
        if ownership:
            self.owner = nnx.Linear(widths[-1], math.prod(_observation_shape(game)[:2]), rngs=rngs)

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


class ResNet(Network):
    """A residual tower without batch statistics: a snapshot is its parameters.

    The head of ownership has the same planes as that of the value, as in KataGo, so that these
    localise the value on the board.
    """

    def __init__(self, game: Game, config: ResNetConfig, ownership: bool, rngs: nnx.Rngs):
        height, width, planes = _observation_shape(game)
        he = nnx.initializers.he_normal()
        cells, small = height * width, config.channels // 4
        conv = partial(nnx.Conv, kernel_init=he, dtype=_compute(), rngs=rngs)
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


class _Layer(nnx.Module):
    """Attention between tokens, then a perceptron for each, both with normalised inputs.

    R. Xiong et al., "On layer normalization in the transformer architecture", ICML 2020. Starts as
    the identity, as a residual block does.
    """

    def __init__(self, config: TransformerConfig, rngs: nnx.Rngs):
        width, self.heads = config.width, config.heads
        linear = partial(nnx.Linear, dtype=_compute(), rngs=rngs)
        norm = partial(nnx.LayerNorm, width, dtype=_compute(), rngs=rngs)
        he, zeros = nnx.initializers.he_normal(), nnx.initializers.zeros_init()
        self.before, self.between = norm(), norm()
        self.look = linear(width, 3 * width)
        self.tell = linear(width, width, kernel_init=zeros)
        self.up = linear(width, 2 * width, kernel_init=he)
        self.down = linear(2 * width, width, kernel_init=zeros)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Tokens [B, N, D]."""
        seen = self.look(self.before(x)).reshape(*x.shape[:2], 3, self.heads, -1)
        query, key, value = (seen[:, :, i] for i in range(3))
        attended = jax.nn.dot_product_attention(query, key, value)
        x = x + self.tell(attended.reshape(x.shape))
        return x + self.down(nnx.relu(self.up(self.between(x))))


class Transformer(Network):
    """Attention between the cells of a board, with learnt position embeddings."""

    def __init__(self, game: Game, config: TransformerConfig, ownership: bool, rngs: nnx.Rngs):
        height, width, planes = _observation_shape(game)
        cells, small = height * width, config.width // 4
        he, normal = nnx.initializers.he_normal(), nnx.initializers.normal(0.02)
        linear = partial(nnx.Linear, dtype=_compute(), rngs=rngs)
        self.stem = linear(planes, config.width)
        self.place = nnx.Param(normal(rngs.params(), (cells, config.width)))
        self.layers = nnx.List([_Layer(config, rngs) for _ in range(config.layers)])
        self.norm = nnx.LayerNorm(config.width, dtype=_compute(), rngs=rngs)
        self.policy = linear(config.width, small, kernel_init=he)
        self.move = nnx.Linear(cells * small, game.num_actions, rngs=rngs)
        self.hidden = nnx.Linear(config.width, 2 * config.width, kernel_init=he, rngs=rngs)
        self.outcome = nnx.Linear(2 * config.width, 1, rngs=rngs)
        if ownership:
            self.owner = nnx.Linear(config.width, 1, rngs=rngs)

    def features(self, observations: jax.Array) -> jax.Array:
        """Tokens [B, N, width]."""
        batch, planes = observations.shape[0], observations.shape[-1]
        x = self.stem(observations.reshape(batch, -1, planes))
        x = x + self.place[...].astype(x.dtype)
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)

    def heads(self, features: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Logits f32[B, A] and values f32[B] in [-1, 1]."""
        policy = nnx.relu(self.policy(features)).reshape(len(features), -1).astype(jnp.float32)
        hidden = nnx.relu(self.hidden(features.mean(1).astype(jnp.float32)))
        return self.move(policy), jnp.tanh(self.outcome(hidden)[:, 0])

    def owners(self, features: jax.Array) -> jax.Array:
        """Logits f32[B, N]."""
        return self.owner(features.astype(jnp.float32))[..., 0]


def suitable(game: Game) -> NetworkConfig:
    """A network for the game: by the shape of its observation."""
    return ResNetConfig() if len(_observation_shape(game)) == 3 else MLPConfig()


@cache
def _definition(game: Game, config: NetworkConfig, ownership: bool) -> nnx.GraphDef:
    return nnx.graphdef(nnx.eval_shape(lambda: config.build(game, ownership, nnx.Rngs(0))))


def _network(game: Game, config: NetworkConfig, params: Params) -> Network:
    """The network with these parameters; they contain the head of ownership or not."""
    return nnx.merge(_definition(game, config, "owner" in params), nnx.State(params))


def initialise(
    game: Game, config: NetworkConfig, key: jax.Array, *, ownership: bool = False
) -> Params:
    """Fresh parameters, a nested dict of f32 arrays; those of `ownership`'s head if asked for."""
    return nnx.to_pure_dict(nnx.state(config.build(game, ownership, nnx.Rngs(key))))


def for_play(params: Params) -> Params:
    """Parameters without those for training only."""
    if "owner" not in params:
        return params
    return {name: leaves for name, leaves in params.items() if name != "owner"}


def apply(
    game: Game, config: NetworkConfig, params: Params, observations: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Logits f32[B, A] and values f32[B] of observations f32[B, ...] under pure parameters."""
    return _network(game, config, params)(observations)


def apply_with_ownership(
    game: Game, config: NetworkConfig, params: Params, observations: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """As `apply`, and logits f32[B, N] of each cell being the mover's in the end."""
    network = _network(game, config, params)
    features = network.features(observations)
    return *network.heads(features), network.owners(features)


def mover_outputs(
    game: Game, config: NetworkConfig, params: Params, states: State
) -> tuple[jax.Array, jax.Array]:
    """Logits and values for the seats to move.

    Args:
      game: what is played.
      config: the network.
      params: weights of G agents, stacked [G, ...].
      states: positions [B, ...], B = G·S, the first S of them the first agent's.

    Returns:
      f32[B, A], and f32[B] for the mover; finite whatever the weights are, see `agents.nn.outputs`.
    """
    movers = jnp.maximum(jax.vmap(game.mover)(states), 0)
    seen = jax.vmap(game.observe)(states, movers)
    groups = len(jax.tree.leaves(params)[0])
    seen = seen.reshape(groups, -1, *seen.shape[1:])
    logits, value = over_agents(partial(apply, game, config), params, seen)
    logits = playable_logits(logits.reshape(-1, logits.shape[-1]))
    return logits, playable_value(value.reshape(-1))


def over_agents(function: Callable[..., Any], *arguments: Any) -> Any:
    """Maps over the leading axis of G stacked agents.

    On a CPU one after the other: XLA turns a convolution with a weight for each agent into a
    grouped one, which ran at less than half the speed there. Elsewhere all at once.
    """
    if jax.default_backend() == "cpu":
        return jax.lax.map(lambda x: function(*x), arguments)
    return jax.vmap(function)(*arguments)
