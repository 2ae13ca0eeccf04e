"""The policy in training as its own judge, by its value head: as it is, or as it was."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from agents.nn.outputs import playable_value
from arena.errors import whole_number
from arena.judges.names import JudgeContext
from arena.types import ParametricJudge, Params, State, TrainingMoment
from games import Game


@dataclass(frozen=True)
class SelfJudge(ParametricJudge):
    """Half the difference of what the policy expects in either seat.

    Nothing that it says comes from the rules: whatever it begins to believe, it confirms.

    Attributes:
      game: what is played.
      learner: whose value head judges.
      lag: how many generations older the judge is than the policy; 0 is the policy itself.
    """

    game: Game
    learner: Any
    lag: int = 0
    any_position = True

    @classmethod
    def from_text(cls, game: Game, argument: str, context: JudgeContext) -> "SelfJudge":
        """`self` or `self:lag=GENERATIONS`."""
        lag = whole_number((argument or "lag=0").removeprefix("lag="))
        if lag is None or (argument and not argument.startswith("lag=")):
            raise ValueError("self or self:lag=GENERATIONS")
        if context.learner is None:
            raise ValueError("there is no policy in training that could be its own judge")
        if not game.on_device:
            raise ValueError("it judges games whose rules are compiled")
        return cls(game, context.learner, lag)

    @property
    def evaluations(self) -> int:
        """One in either seat."""
        return 2

    def weights_for(self, moment: TrainingMoment) -> Params:
        """See `ParametricJudge`."""
        if not self.lag:
            return moment.current
        return moment.snapshot(max(0, moment.generation - 1 - self.lag))

    def verdict_by(self, params: Params, finals: State) -> jax.Array:
        """See `ParametricJudge`."""

        def expected(seat: int) -> jax.Array:
            seen = jax.vmap(self.game.observe, (0, None))(finals, jnp.int32(seat))
            return playable_value(self.learner.value(params, seen))

        return (expected(0) - expected(1)) / 2
