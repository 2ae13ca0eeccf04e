"""Games as a network sees them, where that is otherwise than as a player does."""

from abc import abstractmethod
from dataclasses import dataclass

import jax
import numpy as np

from arena.types import State
from games import Game


@dataclass(frozen=True)
class Seen(Game):
    """A game with another observation; for the eyes of a network alone.

    Attributes:
      game: any compiled one.
    """

    game: Game

    def __post_init__(self):
        for name in ("num_actions", "num_outcomes", "max_plies"):
            object.__setattr__(self, name, getattr(self.game, name))

    @abstractmethod
    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """What the network sees, f32[...]."""

    def move_planes(self) -> np.ndarray | None:
        """As of the game, and so are all others."""
        return self.game.move_planes()

    def init(self) -> State:  # noqa: D102
        return self.game.init()

    def mover(self, state: State) -> jax.Array:  # noqa: D102
        return self.game.mover(state)

    def legal(self, state: State) -> jax.Array:  # noqa: D102
        return self.game.legal(state)

    def step(self, state: State, move: jax.Array) -> State:  # noqa: D102
        return self.game.step(state, move)

    def payoff(self, state: State) -> jax.Array:  # noqa: D102
        return self.game.payoff(state)

    def show(self, state: State) -> str:  # noqa: D102
        return self.game.show(state)

    def draw(self, state: State) -> str:  # noqa: D102
        return self.game.draw(state)

    def label(self, state: State, move: int) -> str:  # noqa: D102
        return self.game.label(state, move)

    def parse(self, state: State, text: str) -> int:  # noqa: D102
        return self.game.parse(state, text)
