"""A judge that is always wrong, to see who obeys the judge."""

from dataclasses import dataclass
from typing import Any

import jax

from arena.judges.rules import Rules
from arena.types import Judge
from games import Game


@dataclass(frozen=True)
class Inverted(Judge):
    """Gives the loser the win.

    Attributes:
      game: whose rules it turns around.
    """

    game: Game

    def verdict(self, finals: Any) -> jax.Array:
        """Minus the payoffs of the rules, f32[B]."""
        return -Rules(self.game).verdict(finals)
