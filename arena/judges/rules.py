"""The judge that is never wrong: the rules of the game."""

from dataclasses import dataclass
from typing import Any

import jax

from arena.types import Classifier
from games import Game


@dataclass(frozen=True)
class Rules(Classifier):
    """The infallible judge: the rules of the game."""

    game: Game

    def score(self, finals: Any) -> jax.Array:
        """The payoffs that the rules give, as shares of the largest, f32[B]."""
        return jax.vmap(self.game.payoff)(finals) / self.game.max_payoff
