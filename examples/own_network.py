"""Trains a network of one's own: a Flax module with two inputs side by side, board and lines."""

import dataclasses
import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

import league
from agents.nn import networks
from games import Game


@dataclass(frozen=True)
class GatedConfig(networks.NetworkConfig):
    """Size of the network; its fields are options, `--learner.network.width 64`.

    On the command line: `--network examples/own_network.py:GatedConfig`.

    Attributes:
      width: units of each layer.
      layers: gated layers.
    """

    width: int = 64
    layers: int = 2

    def build(self, game: Game, ownership: bool, rngs: nnx.Rngs) -> "Gated":
        """The network; this one has no head of ownership."""
        if ownership:
            raise ValueError("this network does not predict who owns which cell")
        return Gated(game, self, rngs)


class Gated(networks.Network):
    """Residual layers whose units are gated: x + W(a · sigmoid(b)), for any observation."""

    def __init__(self, game: Game, config: GatedConfig, rngs: nnx.Rngs):
        seen = jax.eval_shape(game.observe, game.template(), np.int32(0)).shape
        self.stem = nnx.Linear(math.prod(seen), config.width, rngs=rngs)
        self.layers = nnx.List(
            [nnx.Linear(config.width, 2 * config.width, rngs=rngs) for _ in range(config.layers)]
        )
        small = nnx.initializers.normal(0.01)
        self.move = nnx.Linear(config.width, game.num_actions, kernel_init=small, rngs=rngs)
        self.outcome = nnx.Linear(config.width, 1, kernel_init=small, rngs=rngs)

    def features(self, observations: jax.Array) -> jax.Array:
        """f32[B, width] of observations f32[B, ...]."""
        x = self.stem(observations.reshape(len(observations), -1))
        for layer in self.layers:
            a, b = jnp.split(layer(x), 2, -1)
            x = x + a * jax.nn.sigmoid(b)
        return x

    def heads(self, features: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Logits f32[B, A] and values f32[B] in [-1, 1]."""
        return self.move(features), jnp.tanh(self.outcome(features)[:, 0])


def main(generations: int = 3) -> None:
    """Trains tic-tac-toe with it, and plays the last snapshot against random moves."""
    measure = league.MeasureConfig(baseline_pairs=16, simulations=8, rollouts=20)
    config = league.default_config(
        "tic_tac_toe", learner="ppo", generations=generations, pairs=128, slots=64, measure=measure
    )
    learner = dataclasses.replace(config.learner, network=GatedConfig())
    with league.train("tic_tac_toe", config, learner=learner, name="own-network") as run:
        last = run.agent(generations)
        print(league.play_match(last, "uniform", game="tic_tac_toe", pairs=100))


if __name__ == "__main__":
    main()
