"""Stockfish's estimate of a position of chess as a judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from agents.judges.estimates import EstimateJudge
from arena.engines.process import Engines
from arena.engines.uci import UCI
from arena.types import PyTree
from games.chess import Chess

_NODES = "nodes=10000"


@dataclass(frozen=True)
class Stockfish(EstimateJudge):
    """`stockfish[:nodes=N]`, or `depth=D`: its chances to win less those to lose.

    The chances are those of its own model of games between engines (`UCI_ShowWDL`), after a search
    of 10,000 nodes by default that begins with an empty hash.
    """

    def engines(self) -> Engines:
        """See `EstimateJudge`."""
        from agents.engines import stockfish  # which loads python-chess's protocol

        options = [item for item in self.argument.split(",") if item]
        if any(item.startswith("skill=") for item in options):
            raise ValueError("below skill 20 it draws lots: a judge has all its skill")
        if not any(item.startswith(("nodes=", "depth=")) for item in options):
            options.append(_NODES)
        return stockfish.make(self.game, ",".join(options), chances=True)

    def prepare(self, states: Any) -> PyTree:
        """The positions, without the history that a FEN does not tell."""
        return states._replace(history=())

    def positions(self, given: PyTree) -> Sequence[str]:
        """See `EstimateJudge`: FENs."""
        assert isinstance(self.game, Chess)
        count = len(np.asarray(given.ply))
        return [
            self.game.to_fen(jax.tree.map(lambda x, k=k: np.asarray(x)[k], given))
            for k in range(count)
        ]

    def estimate(self, engine: UCI, position: str) -> float:
        """See `EstimateJudge`."""
        return engine.expectation(position)
