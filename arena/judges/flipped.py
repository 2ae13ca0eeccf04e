"""A judge that errs by chance: the rules, wrong in a share of the final positions."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from arena.errors import check_seed
from arena.judges.names import JudgeContext
from arena.judges.rules import Rules
from arena.sampling import fingerprint, mix, unit
from arena.types import Judge, State
from games import Game


@dataclass(frozen=True)
class Flipped(Judge):
    """The rules, wrong with a probability: a win goes to the loser, a draw to one of both.

    So a verdict is worth 1 - 2η times what the rules say, on average. Whether it is wrong follows
    from a hash of position, game and seed: asked again about the same game, it says the same again,
    and its errors in different games are independent. Each search imagines games of its own.

    Attributes:
      game: whose rules.
      probability: η, in [0, 1].
      seed: another one errs elsewhere.
    """

    game: Game
    probability: float
    seed: int = 0
    by_game = True

    def __post_init__(self):
        if not 0 <= self.probability <= 1:
            raise ValueError("a probability lies between 0 and 1")
        check_seed(self.seed)

    @classmethod
    def from_text(cls, game: Game, argument: str, context: JudgeContext) -> "Flipped":
        """`flipped:PROBABILITY`."""
        try:
            probability = float(argument)
        except ValueError:
            raise ValueError("flipped:PROBABILITY, as in flipped:0.1") from None
        return cls(game, probability, context.seed)

    def verdict(self, finals: State) -> jax.Array:
        """Seat 0's payoff, or what it is not, f32[B]; of positions that are of no game."""
        everywhere = jnp.ones(len(jax.tree.leaves(finals)[0]), bool)
        return self.verdicts_in_games(everywhere, finals, everywhere.astype(jnp.uint32))

    def verdicts_in_games(self, wanted: jax.Array, states: State, games: jax.Array) -> jax.Array:
        """See `Judge`."""
        truth = Rules(self.game).verdict(states)
        bits = mix(fingerprint(states) ^ mix(games ^ mix(jnp.uint32(self.seed))))
        wrong = unit(bits) < jnp.float32(self.probability)
        other = mix(bits ^ jnp.uint32(0x9E3779B9))
        either = jnp.where(other & jnp.uint32(1) == 0, 1.0, -1.0)
        return jnp.where(wrong, jnp.where(truth == 0, either, -truth), truth)
