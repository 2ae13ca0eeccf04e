"""What the pairs of one match say: score, Elo difference, and how sure it is."""

import math
from dataclasses import dataclass

import numpy as np

NELO = 800 / math.log(10)
"""Normalised Elo in one standard deviation of a game: equal to Elo for near equals in a game
without draws, where the deviation is a half."""

IN_WORDS = (
    "nElo: the difference in standard deviations of a game, as Elo without draws; "
    "LOS: how likely the first is the stronger; Ptnml: pairs that gave 0, ½, 1, 1½, 2 points"
)
"""What engine testers' figures mean, in one sentence."""

Z95 = 1.959963984540054
"""Half the width of a 95 % interval, in standard errors: the 97.5 % quantile of the standard normal
distribution. Every interval of Arena is this wide."""


@dataclass(frozen=True)
class Score:
    """The outcome of a match from the first agent's view.

    Attributes:
      wins: games that gave more than ½.
      draws: games that gave ½.
      losses: games that gave less.
      pairs: int[5], pairs that gave 0, ½, 1, 1½, 2 points (the pentanomial); None where a game
        can give anything but 0, ½ and 1 and did: five counts would not say it.
      score: points per game, in [0, 1].
      half_width: of the 95 % interval of the score, from the spread between pairs.
      elo: the difference that explains the score; infinite at 0 and 1.
      elo_low: lower end of its 95 % interval.
      elo_high: upper end.
      nelo: normalised Elo, the score above ½ in standard deviations of a game; infinite if every
        pair gave the same, save half the points.
      nelo_half_width: of its 95 % interval.
      los: likelihood of superiority, the probability that the first agent is the stronger one; more
        than 97.5 % where the interval of the score lies above ½.
    """

    wins: int
    draws: int
    losses: int
    pairs: tuple[int, int, int, int, int] | None
    score: float
    half_width: float
    elo: float
    elo_low: float
    elo_high: float
    nelo: float
    nelo_half_width: float
    los: float


def of(scores: np.ndarray) -> Score:
    """Sums up a match.

    The games of a pair share an opening, so pairs, not games, are the independent draws. A pair
    won and a pair lost are added in the error alone, so that no record, not even a clean sweep or
    nothing but draws, is called certain.

    Args:
      scores: f32[P, 2], the first agent's score, in [0, 1], in both games of each pair.

    Raises:
      ValueError: there is no pair.
    """
    if not len(scores):
        raise ValueError("a match needs at least one pair")
    pairs = np.asarray(scores, float).mean(1)
    mean = float(pairs.mean())
    error = float(np.append(pairs, [0.0, 1.0]).std(ddof=1) / np.sqrt(len(pairs)))
    half = Z95 * error
    nelo, nelo_half = _nelo(pairs)
    return Score(
        int((scores > 0.5).sum()),
        int((scores == 0.5).sum()),
        int((scores < 0.5).sum()),
        _pentanomial(scores),
        mean,
        half,
        elo(mean),
        elo(mean - half),
        elo(mean + half),
        nelo,
        nelo_half,
        math.erfc((0.5 - mean) / error / math.sqrt(2)) / 2,
    )


def elo(score: float) -> float:
    """The Elo difference at which this score is expected; infinite beyond 0 and 1."""
    if score <= 0:
        return -np.inf
    if score >= 1:
        return np.inf
    return float(-400 * np.log10(1 / score - 1)) + 0.0  # a tie is 0, not -0


def _pentanomial(scores: np.ndarray) -> tuple[int, int, int, int, int] | None:
    """Pairs by points; None if a game was anything but won, drawn or lost."""
    if not np.isin(scores, (0, 0.5, 1)).all():
        return None
    points = np.rint(2 * np.asarray(scores, float).sum(1)).astype(int)
    none, half, one, more, both = np.bincount(points, minlength=5).tolist()
    return none, half, one, more, both


def _nelo(pairs: np.ndarray) -> tuple[float, float]:
    """Normalised Elo from the scores f64[P] of pairs, and half its 95 % interval.

    A game's deviation is √2 that of a pair, of which it is half. The error is that of mean over
    deviation to first order, both being estimated: 1 - skew t + (kurtosis - 1) t²/4 over P, as on
    the pages of fishtest (tests_stats.mak); fastchess prints 1 over P, right for near equals.
    """
    away, deviation = pairs.mean() - 0.5, pairs.std()
    one = NELO / math.sqrt(2)
    if deviation < 1e-9:  # every pair gave the same
        certain = math.copysign(math.inf, away) if away else 0.0
        return certain, math.inf if away else Z95 * one / math.sqrt(len(pairs))
    ratio, unit = away / deviation, (pairs - pairs.mean()) / deviation
    variance = 1 - (unit**3).mean() * ratio + ((unit**4).mean() - 1) * ratio**2 / 4
    half = Z95 * one * math.sqrt(max(variance, 0.0) / len(pairs))
    return float(one * ratio), half
