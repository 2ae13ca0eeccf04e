"""What a run's record says: ratings, scores against fixed opponents, who beats whom."""

from dataclasses import dataclass

import numpy as np

from league.evaluation.leaderboard import ROLES, Leaderboard
from league.store.database import Results, Tally

Record = tuple[int, int, int]
"""Games won, drawn and lost."""


@dataclass(frozen=True)
class Row:
    """One snapshot.

    Attributes:
      id: its generation.
      elo: rating above the anchor, raw network against raw network; NaN if there is none.
      half_width: of the 95 % interval of `elo`; 0 for the anchor.
      games: games behind the rating.
      uniform: of the raw network against uniform play; None if not played.
      mcts: with search, against a rung of the ladder; None if not played.
      melo: its rating in mElo_2; this and the next two are None where Elo is enough.
      nash: its probability in the pool's equilibrium.
      alpha_rank: its share in the long run of an evolving population.
      rung: the opponent behind `mcts`.
    """

    id: int
    elo: float
    half_width: float
    games: int
    uniform: Record | None = None
    mcts: Record | None = None
    melo: float | None = None
    nash: float | None = None
    alpha_rank: float | None = None
    rung: str = ""


def score(record: Record) -> float:
    """Points per game of wins, draws, losses."""
    return (record[0] + 0.5 * record[1]) / sum(record)


def table(results: Results, leaderboard: Leaderboard) -> list[Row]:
    """One row a snapshot, oldest first."""
    fixed = {role: _by_snapshot(results.tallies(role)) for role in ("uniform", "mcts")}
    rungs = {int(t.a): t.b for t in results.tallies("mcts")}
    fit, meta = leaderboard.ratings, leaderboard.meta
    return [
        Row(
            number,
            float(fit.elo[i]),
            float(fit.half_width[i]),
            int(fit.games[i]),
            fixed["uniform"].get(number),
            fixed["mcts"].get(number),
            float(meta.melo[i]) if meta else None,
            float(meta.nash[i]) if meta else None,
            float(meta.alpha_rank[i]) if meta else None,
            rungs.get(number, ""),
        )
        for i, number in enumerate(results.digests())
    ]


def _by_snapshot(tallies: list[Tally]) -> dict[int, Record]:
    return {int(t.a): (t.wins, t.draws, t.losses) for t in tallies}


def payoff(results: Results) -> tuple[np.ndarray, np.ndarray]:
    """Who beats whom: scores f64[n, n] of row against column (NaN unmet), and games i64[n, n]."""
    ids = list(results.digests())
    place = {str(number): i for i, number in enumerate(ids)}
    points, games = np.zeros((len(ids), len(ids))), np.zeros((len(ids), len(ids)), int)
    for tally in results.tallies(*ROLES):
        a, b = place[tally.a], place[tally.b]
        points[a, b] += tally.points
        points[b, a] += tally.games - tally.points
        games[a, b] += tally.games
        games[b, a] += tally.games
    return np.where(games > 0, points / np.maximum(games, 1), np.nan), games
