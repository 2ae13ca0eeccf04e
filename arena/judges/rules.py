"""The judge that is never wrong: the rules of the game."""

from dataclasses import dataclass

import jax

from arena.types import Judge, State
from games import Game


@dataclass(frozen=True)
class Rules(Judge):
    """Verdicts are the payoffs that the rules give, as shares of the largest.

    Attributes:
      game: whose rules.
    """

    game: Game
    exact = True

    def verdict(self, finals: State) -> jax.Array:
        """Seat 0's payoffs in final positions [B, ...], f32[B]."""
        return jax.vmap(self.game.payoff)(finals) / self.game.max_payoff
