"""What a run's record says: ratings, scores against fixed opponents, who beats whom."""

from dataclasses import dataclass

import numpy as np

from arena import ratings
from league.errors import UserError
from league.results import Results, Tally

Record = tuple[int, int, int]
"""Games won, drawn and lost."""


@dataclass(frozen=True)
class Row:
    """One snapshot.

    Attributes:
      id: its generation.
      elo: rating above the first snapshot, raw network against raw network; NaN if there is none.
      half_width: of the 95 % interval of `elo`; 0 for the first snapshot.
      games: games behind the rating.
      uniform: of the raw network against uniform play; None if not played.
      mcts: with search, against Monte-Carlo tree search; None if not played.
    """

    id: int
    elo: float
    half_width: float
    games: int
    uniform: Record | None = None
    mcts: Record | None = None


def score(record: Record) -> float:
    """Points per game of wins, draws, losses."""
    return (record[0] + 0.5 * record[1]) / sum(record)


def rate(results: Results) -> tuple[list[int], ratings.Ratings]:
    """Ratings of all snapshots, from all games between raw networks; the first one is 0.

    Returns:
      ids of the snapshots, and their ratings in this order.
    """
    ids = list(results.digests())
    if not ids:
        raise UserError("the run has no snapshot yet")
    place = {str(number): i for i, number in enumerate(ids)}
    rows = [
        (place[t.a], place[t.b], t.wins, t.draws, t.losses)
        for t in results.tallies("measure", "rate")
    ]
    return ids, ratings.fit(rows, len(ids), 0)


def table(results: Results) -> list[Row]:
    """One row a snapshot, oldest first."""
    ids, fit = rate(results)
    exams = {role: _exams(results.tallies(role)) for role in ("uniform", "mcts")}
    return [
        Row(
            number,
            float(fit.elo[i]),
            float(fit.half_width[i]),
            int(fit.games[i]),
            exams["uniform"].get(number),
            exams["mcts"].get(number),
        )
        for i, number in enumerate(ids)
    ]


def _exams(tallies: list[Tally]) -> dict[int, Record]:
    return {int(t.a): (t.wins, t.draws, t.losses) for t in tallies}


def payoff(results: Results) -> tuple[np.ndarray, np.ndarray]:
    """Who beats whom: scores f64[n, n] of row against column (NaN unmet), and games i64[n, n]."""
    ids = list(results.digests())
    place = {str(number): i for i, number in enumerate(ids)}
    points, games = np.zeros((len(ids), len(ids))), np.zeros((len(ids), len(ids)), int)
    for tally in results.tallies("measure", "rate"):
        a, b = place[tally.a], place[tally.b]
        points[a, b] += tally.points
        points[b, a] += tally.games - tally.points
        games[a, b] += tally.games
        games[b, a] += tally.games
    return np.where(games > 0, points / np.maximum(games, 1), np.nan), games
