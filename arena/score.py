"""What the pairs of one match say: score, Elo difference, and how sure it is."""

from dataclasses import dataclass

import numpy as np

_SURE = 1.96  # half-width of a 95 % interval in standard deviations


@dataclass(frozen=True)
class Score:
    """The outcome of a match from the first agent's view.

    Attributes:
      wins: games.
      draws: games.
      losses: games.
      pairs: int[5], pairs that gave 0, ½, 1, 1½, 2 points (the pentanomial).
      score: points per game, in [0, 1].
      half_width: of the 95 % interval of the score, from the spread between pairs.
      elo: the difference that explains the score; infinite at 0 and 1.
      elo_low: lower end of its 95 % interval.
      elo_high: upper end.
    """

    wins: int
    draws: int
    losses: int
    pairs: tuple[int, int, int, int, int]
    score: float
    half_width: float
    elo: float
    elo_low: float
    elo_high: float


def of(scores: np.ndarray) -> Score:
    """Sums up a match.

    The games of a pair share an opening, so pairs, not games, are the independent draws. A pair
    won and a pair lost are added in the error alone, so that no record, not even a clean sweep or
    nothing but draws, is called certain.

    Args:
      scores: f32[P, 2], the first agent's score (1, ½, 0) in both games of each pair.

    Raises:
      ValueError: there is no pair.
    """
    if not len(scores):
        raise ValueError("a match needs at least one pair")
    pairs = np.asarray(scores, float).mean(1)
    mean = float(pairs.mean())
    spread = np.append(pairs, [0.0, 1.0]).std(ddof=1)
    half = float(_SURE * spread / np.sqrt(len(pairs)))
    counts = np.bincount(np.rint(4 * pairs).astype(int), minlength=5).tolist()
    wins, draws = int((scores == 1).sum()), int((scores == 0.5).sum())
    return Score(
        wins,
        draws,
        int(scores.size) - wins - draws,
        (counts[0], counts[1], counts[2], counts[3], counts[4]),
        mean,
        half,
        elo(mean),
        elo(mean - half),
        elo(mean + half),
    )


def elo(score: float) -> float:
    """The Elo difference at which this score is expected; infinite beyond 0 and 1."""
    if score <= 0:
        return -np.inf
    if score >= 1:
        return np.inf
    return float(-400 * np.log10(1 / score - 1))
