"""GNU Backgammon's equity of an unfinished game of backgammon as a judge."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np

from agents.judges.estimates import EstimateJudge
from arena.engines.process import Engines
from arena.types import PyTree, State
from games import backgammon

Asked = tuple[tuple[int, ...], tuple[int, ...], tuple[int, int] | None, bool]
"""Checkers of who is to play and of the other, the dice, and whether seat 0 is to play."""


@dataclass(frozen=True)
class Gnubg(EstimateJudge):
    """`gnubg[:plies=P]`: its cubeless equity as a share of the largest payoff, 0 plies by default.

    Where a turn begins it is that of the best play of the roll; within a turn, that of the board as
    if the dice were yet to be rolled.
    """

    def engines(self) -> Engines:
        """See `EstimateJudge`."""
        from agents.engines import gnubg

        options = [item for item in self.argument.split(",") if item]
        if not any(item.startswith("plies=") for item in options):
            options.append("plies=0")
        return gnubg.make(self.game, ",".join(options))

    def prepare(self, states: State) -> PyTree:
        """The positions themselves."""
        return states

    def positions(self, given: PyTree) -> Sequence[Asked]:
        """See `EstimateJudge`."""
        return [
            _asked(jax.tree.map(lambda x, k=k: np.asarray(x)[k], given))
            for k in range(len(np.asarray(given.dice)))
        ]

    def estimate(self, engine, position: Asked) -> float:
        """See `EstimateJudge`."""
        from agents.engines.gnubg import simple

        mine, theirs, dice, first = position
        found = engine.equity(simple(mine, theirs), dice)
        if found is None:  # a pass: the other is to roll
            found = -engine.equity(simple(theirs, mine), None)
        return max(-1.0, min(1.0, (found if first else -found) / self.game.max_payoff))


def _asked(state: backgammon.State) -> Asked:
    """What is asked about a position, of numpy arrays."""
    mine, theirs = (tuple(backgammon.numbers(c)) for c in (state.mine, state.theirs))
    dice = [int(state.dice) >> shift & 15 for shift in range(0, 16, 4)]
    left = [die for die in dice if die]
    begins = len(left) == 4 or (len(left) == 2 and left[0] != left[1])
    roll = (left[0], left[1]) if begins else None
    return mine, theirs, roll, int(state.turn) % 2 == 0
