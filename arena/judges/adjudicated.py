"""Games that are cut short, and judged as they stand: cheap feedback in place of dear."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from arena.errors import UserError, whole_number
from arena.judges.names import JudgeContext, identity
from arena.judges.rules import Rules
from arena.types import Judge, ParametricJudge, State
from games import OVER, Game


@dataclass(frozen=True)
class Adjudicated(Judge):
    """The rules where a game has ended; another judge where it was cut.

    A search looks beyond the cut: for it, only games that the rules end are over.

    Attributes:
      game: what is played.
      moves: after the opening, chance not counted, after which a game is cut.
      by: who judges unfinished positions.
    """

    game: Game
    moves: int
    by: Judge

    @classmethod
    def from_text(cls, game: Game, argument: str, context: JudgeContext) -> "Adjudicated":
        """`adjudicated:PLIES,by=JUDGE`."""
        text, _, rest = argument.partition(",")
        moves = whole_number(text, 1)
        if moves is None or not rest.startswith("by="):
            raise ValueError("adjudicated:PLIES,by=JUDGE, as in adjudicated:20,by=solver")
        if not game.on_device:
            raise ValueError("games of an env are not cut short")
        by = context.make(rest.removeprefix("by="))
        if not by.any_position:
            raise UserError(f"{rest.removeprefix('by=')} judges finished games alone")
        return cls(game, moves, by)

    @staticmethod
    def with_files(argument: str, change: Callable[[str], str], other: Callable[[str], str]) -> str:
        """See `Judge`."""
        moves, by, judge = argument.partition(",by=")
        return moves + by + other(judge)

    @property
    def cut_after(self) -> int:
        """See `Judge`."""
        return self.moves

    @property
    def evaluations(self) -> int:
        """As many as of the other judge, at most."""
        return self.by.evaluations

    @property
    def weighted(self) -> ParametricJudge | None:
        """See `Judge`."""
        return self.by.weighted

    def verdict(self, finals: State) -> jax.Array:
        """Seat 0's payoff, or what the other judge gives it where the game goes on, f32[B]."""
        return self.verdicts_where(jnp.ones(len(jax.tree.leaves(finals)[0]), bool), finals)

    def verdicts_where(self, wanted: jax.Array, states: State) -> jax.Array:
        """See `Judge`."""
        over = jax.vmap(self.game.mover)(states) == OVER
        estimated = self.by.verdicts_where(wanted & ~over, states)
        return jnp.where(over, Rules(self.game).verdict(states), estimated)

    def human_verdicts(self) -> int:
        """See `Judge`."""
        return self.by.human_verdicts()

    def identity(self) -> str:
        """What the other judge is made of."""
        return identity(self.by)

    def seconds_spent(self) -> float | None:
        """See `Judge`."""
        return self.by.seconds_spent()

    def positions_judged(self) -> int:
        """See `Judge`."""
        return self.by.positions_judged()

    def check(self) -> None:
        """See `Judge`."""
        self.by.check()
