"""A residual tower whose heads are convolutions too: as many weights for a board of any size.

What a move is worth is read on the cell where the game says it lies, by the same weights on every
cell, so that what is learnt in one corner holds in the others; and weights of a small board go on
on a larger one. What concerns the whole board is pooled: D. Wu, "Accelerating self-play learning in
Go", arXiv:1902.10565, section 3.3.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from agents.nn.network import Network, TowerConfig, compute_dtype, observation_shape
from games import Game


@dataclass(frozen=True)
class ConvNetConfig(TowerConfig):
    """A residual tower with convolutional heads; every second block pools."""

    def build(self, game: Game, ownership: bool, rngs: nnx.Rngs) -> "ConvNet":
        """A `ConvNet`."""
        return ConvNet(game, self, ownership, rngs)

    def check(self, game: Game) -> None:
        """Raises ValueError if the game does not say on which cells its moves lie."""
        if game.move_planes() is None:
            raise ValueError("a convnet reads moves on cells, and this game has none there")


def _pooled(x: jax.Array) -> jax.Array:
    """Mean and maximum over the board [B, H, W, C], [B, 2 C]."""
    return jnp.concatenate([x.mean((1, 2)), x.max((1, 2))], -1)


class _Block(nnx.Module):
    """x + conv(relu(conv(x) + what is pooled of it)); starts as the identity."""

    def __init__(self, channels: int, *, pools: bool, rngs: nnx.Rngs):
        he, zeros = nnx.initializers.he_normal(), nnx.initializers.zeros_init()
        conv = partial(nnx.Conv, channels, channels, (3, 3), dtype=compute_dtype(), rngs=rngs)
        self.first, self.second = conv(kernel_init=he), conv(kernel_init=zeros)
        self.pools = pools
        if pools:
            self.pool = nnx.Linear(2 * channels, channels, dtype=compute_dtype(), rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """[B, H, W, channels] to the same."""
        between = self.first(x)
        if self.pools:
            between = between + self.pool(_pooled(nnx.relu(between)))[:, None, None]
        return nnx.relu(x + self.second(nnx.relu(between)))


class _Moves(nnx.Module):
    """Logits of the moves: those on cells from planes, all others from what is pooled."""

    def __init__(self, channels: int, where: np.ndarray, cells: int, rngs: nnx.Rngs):
        planes, others = int(where.max()) // cells + 1, int((where < 0).sum())
        self.planes = nnx.Linear(channels, planes, rngs=rngs)
        self.elsewhere = others
        if others:
            self.others = nnx.Linear(2 * channels, others, rngs=rngs)


class ConvNet(Network):
    """A residual tower without batch statistics, with convolutional heads."""

    def __init__(self, game: Game, config: ConvNetConfig, ownership: bool, rngs: nnx.Rngs):
        *board, planes = observation_shape(game)
        where = game.move_planes()
        assert where is not None
        self.cells, self.where = int(np.prod(board)), tuple(where.tolist())
        channels, he = config.channels, nnx.initializers.he_normal()
        conv = partial(nnx.Conv, kernel_init=he, dtype=compute_dtype(), rngs=rngs)
        self.stem = conv(planes, channels, (3, 3))
        self.blocks = nnx.List(
            [_Block(channels, pools=k % 2 == 1, rngs=rngs) for k in range(config.blocks)]
        )
        self.policy = conv(channels, channels, (1, 1))
        self.board = conv(channels, channels, (1, 1))
        self.shift = nnx.Linear(2 * channels, channels, rngs=rngs)
        self.move = _Moves(channels, where, self.cells, rngs)
        self.value = conv(channels, channels, (1, 1))
        self.hidden = nnx.Linear(2 * channels, 2 * channels, kernel_init=he, rngs=rngs)
        self.outcome = nnx.Linear(2 * channels, 1, rngs=rngs)
        if ownership:
            self.owner = nnx.Linear(channels, 1, rngs=rngs)

    def features(self, observations: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Planes f32[B, H, W, C] for moves, what is pooled for them f32[B, 2 C], and for value."""
        x = nnx.relu(self.stem(observations))
        for block in self.blocks:
            x = block(x)
        pooled = _pooled(nnx.relu(self.board(x))).astype(jnp.float32)
        policy = nnx.relu(self.policy(x).astype(jnp.float32) + self.shift(pooled)[:, None, None])
        return policy, pooled, nnx.relu(self.value(x)).astype(jnp.float32)

    def heads(
        self, features: tuple[jax.Array, jax.Array, jax.Array]
    ) -> tuple[jax.Array, jax.Array]:
        """Logits f32[B, A] and values f32[B] in [-1, 1]."""
        policy, pooled, value = features
        batch = len(policy)
        planes = self.move.planes(policy).reshape(batch, self.cells, -1)
        logits = planes.swapaxes(1, 2).reshape(batch, -1)
        where = np.array(self.where)
        if count := self.move.elsewhere:
            where[where < 0] = logits.shape[1] + np.arange(count)
            logits = jnp.concatenate([logits, self.move.others(pooled)], -1)
        if not np.array_equal(where, np.arange(logits.shape[1])):
            logits = logits[:, where]
        hidden = nnx.relu(self.hidden(_pooled(value)))
        return logits, jnp.tanh(self.outcome(hidden)[:, 0])

    def owners(self, features: tuple[jax.Array, jax.Array, jax.Array]) -> jax.Array:
        """Logits f32[B, N]."""
        value = features[2]
        return self.owner(value)[..., 0].reshape(len(value), -1)
