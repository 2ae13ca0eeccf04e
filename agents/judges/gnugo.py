"""GNU Go's estimate of the score of an unfinished game of go as a judge."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from agents.judges.estimates import EstimateJudge
from arena.engines.gtp import GTP, go_setup
from arena.engines.process import Engines
from arena.types import Forfeit, PyTree, State
from games.go import COLUMNS, Go

_SCORE = re.compile(r"(?:([BW])\+|0)(\d*\.?\d*) ")
Stones = tuple[tuple[str, ...], tuple[str, ...], int]
"""Black's stones and White's by their points, and how many points are empty."""


@dataclass(frozen=True)
class GnuGo(EstimateJudge):
    """`gnugo[:level=L]`: how sure its estimate of the score makes Black's win.

    If Black leads by s points, komi counted, and E points are empty, the verdict is erf(s/√(2E)):
    Black's chances to win less those to lose, if each empty point were yet to move the score by one
    point to either side, by the toss of a coin.
    """

    def engines(self) -> Engines:
        """See `EstimateJudge`."""
        from agents.engines import gnugo

        return gnugo.make(self.game, self.argument)

    def prepare(self, states: State) -> PyTree:
        """Black's stones and White's, bool[B, size, size, 2]."""
        return jax.vmap(self.game.observe, (0, None))(states, jnp.int32(0))[..., :2] > 0

    def positions(self, given: PyTree) -> Sequence[Stones]:
        """See `EstimateJudge`."""
        assert isinstance(self.game, Go)
        size = self.game.size
        points = range(size**2)
        labels = np.array([f"{COLUMNS[k % size]}{k // size + 1}" for k in points], object)
        return [
            (tuple(labels[black]), tuple(labels[white]), int(size**2 - black.sum() - white.sum()))
            for black, white in np.asarray(given).reshape(-1, size**2, 2).transpose(0, 2, 1)
        ]

    def estimate(self, engine: GTP, position: Stones) -> float:
        """See `EstimateJudge`."""
        *stones, empty = position
        for command in (*go_setup(self.game), "clear_cache"):
            engine.command(command)
        # In whatever order they are played, none is taken: all live in the position itself.
        for colour, points in zip(("black", "white"), stones, strict=True):
            for point in points:
                engine.command(f"play {colour} {point}")
        answer = engine.command("estimate_score")
        found = _SCORE.match(answer)
        if not found:
            raise Forfeit(f"gnugo gives no score but {answer!r:.50}")
        lead = float(found[2] or 0) * (1 if found[1] == "B" else -1)
        return math.erf(lead / math.sqrt(2 * max(empty, 1)))
