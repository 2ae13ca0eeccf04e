"""Networks of an observation: policy logits for every move, and a value for the mover.

Parameters are f32 everywhere. On a GPU or TPU the layers between an observation and the last ones,
which give logits and value, compute in bfloat16; on a CPU in f32, which is about as fast there
(`benchmarks/networks.py`).
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from agents.nn.convnet import ConvNetConfig
from agents.nn.mlp import MLPConfig
from agents.nn.network import Network, NetworkConfig, observation_shape
from agents.nn.outputs import playable_logits, playable_value
from agents.nn.resnet import ResNetConfig
from agents.nn.transformer import TransformerConfig
from arena.types import State
from games import Game

NETWORKS: dict[str, type[NetworkConfig]] = {
    "convnet": ConvNetConfig,
    "mlp": MLPConfig,
    "resnet": ResNetConfig,
    "transformer": TransformerConfig,
}
"""The kinds of networks by name."""


Params = dict[str, Any]
"""Weights: a nested dict of f32 arrays."""

LAST = ("move", "outcome", "owner")
"""Names of the layers that give logits, value and owners, in every kind of network."""


def suitable(game: Game) -> NetworkConfig:
    """A network for the game: by what it observes, and by whether its moves lie on cells."""
    if len(observation_shape(game)) != 3:
        return MLPConfig()
    return ResNetConfig() if game.move_planes() is None else ConvNetConfig()


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
