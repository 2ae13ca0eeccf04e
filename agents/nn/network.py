"""What all kinds of networks have in common: a config that builds one, features, and heads."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from arena.errors import UserError, check_positive
from games import Game

LAYERS = 1000
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
class TowerConfig(NetworkConfig):
    """Size of a residual tower on the cells of a board, whatever its heads are.

    Attributes:
      channels: width of every layer, a multiple of 4.
      blocks: residual blocks, of two 3×3 convolutions each.
    """

    channels: int = 32
    blocks: int = 3

    def __post_init__(self):
        super().__post_init__()
        check_positive(self, "blocks", most=LAYERS)
        if self.channels % 4:
            raise UserError("channels must be a multiple of 4")  # a head may have a quarter


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


def compute_dtype() -> Any:
    """The type in which layers compute."""
    return jnp.float32 if jax.default_backend() == "cpu" else jnp.bfloat16


def observation_shape(game: Game) -> tuple[int, ...]:
    """The shape of an observation."""
    return jax.eval_shape(game.observe, game.template(), np.int32(0)).shape
