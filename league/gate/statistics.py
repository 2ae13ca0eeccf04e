"""Statistics of the gate: pairs by their points, and the sign test."""

import math
from statistics import NormalDist

import numpy as np


def sign_test(better: int, worse: int) -> float:
    """The probability of so many worse or more among `better + worse`, each as likely as not."""
    total = better + worse
    return sum(math.comb(total, k) for k in range(worse, total + 1)) / 2**total


def expected_maximum(count: int) -> float:
    """The mean of the largest of so many standard normal numbers: ∫ 1 - F(x)^n - F(-x)^n, x > 0."""
    x = np.linspace(0, 10, 4001)
    below = np.array([NormalDist().cdf(value) for value in x])
    return float(np.trapezoid(1 - below**count - (1 - below) ** count, x))


def pentanomial(scores: np.ndarray, seed: int) -> np.ndarray:
    """Pairs int[5] that gave 0, ½, 1, 1½, 2 points.

    Where a game is for stakes and may give anything, a pair goes to one of the two nearest counts,
    drawn so that its mean stays what it was.

    Args:
      scores: f32[P, 2].
      seed: of the draws.
    """
    points = 2 * np.asarray(scores, np.float64).sum(1)
    draws = np.random.default_rng(seed).uniform(size=len(points))
    # Less than a millionth from a whole number is rounding of float32, not a stake.
    whole = np.abs(points - np.rint(points)) < 1e-6
    return np.bincount(
        np.where(whole, np.rint(points), np.floor(points + draws)).astype(np.int64), minlength=5
    )
