"""A transformer whose tokens are the cells of a board."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx

from agents.nn.network import LAYERS, Network, NetworkConfig, compute_dtype, observation_shape
from arena.errors import UserError, check_positive
from games import Game


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
        check_positive(self, "layers", most=LAYERS)
        if self.width % (4 * self.heads):
            raise UserError("a transformer's width must be a multiple of four times its heads")

    def build(self, game: Game, ownership: bool, rngs: nnx.Rngs) -> "Transformer":
        """A `Transformer`."""
        return Transformer(game, self, ownership, rngs)

    def check(self, game: Game) -> None:
        """Raises ValueError if the observation has no planes."""
        if len(observation_shape(game)) != 3:
            raise ValueError("a transformer reads planes, and this game's observation has none")


class _Layer(nnx.Module):
    """Attention between tokens, then a perceptron for each, both with normalised inputs.

    R. Xiong et al., "On layer normalization in the transformer architecture", ICML 2020. Starts as
    the identity, as a residual block does.
    """

    def __init__(self, config: TransformerConfig, rngs: nnx.Rngs):
        width, self.heads = config.width, config.heads
        linear = partial(nnx.Linear, dtype=compute_dtype(), rngs=rngs)
        norm = partial(nnx.LayerNorm, width, dtype=compute_dtype(), rngs=rngs)
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
        height, width, planes = observation_shape(game)
        cells, small = height * width, config.width // 4
        he, normal = nnx.initializers.he_normal(), nnx.initializers.normal(0.02)
        linear = partial(nnx.Linear, dtype=compute_dtype(), rngs=rngs)
        self.stem = linear(planes, config.width)
        self.place = nnx.Param(normal(rngs.params(), (cells, config.width)))
        self.layers = nnx.List([_Layer(config, rngs) for _ in range(config.layers)])
        self.norm = nnx.LayerNorm(config.width, dtype=compute_dtype(), rngs=rngs)
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
