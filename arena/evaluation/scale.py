"""The scale of Elo: a player d Elo above another is expected to score 1 / (1 + 10^(-d / 400)).

That is the score over both seats. What the first move is worth, and how often games are drawn, is
laid beside it without moving it: whoever moves first scores more and whoever moves second less, by
as much, and draws take from wins and from losses alike.

Differences are in natural units here: of log strengths, one of which is ELO points.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ELO = 400 / np.log(10)
"""Elo points in one unit of natural log strength."""

IN_WORDS = "Elo: at d points above, a score of 1/(1+10^(-d/400)) is expected; 400 are 10 to 1"
"""The scale in one sentence, for whoever reads numbers on it."""


class Seats(NamedTuple):
    """What a player scores moving first, and moving second.

    Attributes:
      score: f64[..., 2], expected scores.
      odds: f64[..., 2], their log odds.
      by_difference: f64[..., 2], their derivatives by the difference of log strengths.
      by_first_move: f64[..., 2], their derivatives by what the first move is worth.
    """

    score: Floats
    odds: Floats
    by_difference: Floats
    by_first_move: Floats


def expected(d: Floats) -> Floats:
    """Expected score f64[...] at a difference of log strengths."""
    return np.exp(-np.logaddexp(0, -d))


def by_seat(d: Floats, first_move: float) -> Seats:
    """The expected scores of both seats at differences f64[...] of log strengths.

    Their log odds are x + g and x - g, with g what the first move is worth in log strength, and x
    such that the scores average to that expected at d. Between equals whoever moves first so scores
    1 / (1 + exp(-g)).
    """
    turn = np.array([1.0, -1.0])
    odds = _root(d, 2 * np.cosh(first_move))[..., None] + first_move * turn
    score = expected(odds)
    slope = score * expected(-odds)
    both = slope.sum(-1, keepdims=True)
    middle = (2 * expected(d) * expected(-d))[..., None]
    return Seats(
        score, odds, slope * middle / both, 2 * turn * slope.prod(-1, keepdims=True) / both
    )


def outcomes(odds: Floats, nu: float) -> tuple[Floats, Floats, Floats]:
    """Probabilities f64[...] of win, draw and loss of a player whose score has these log odds.

    Of all that have this mean, those of Davidson (1970), "On Extending the Bradley-Terry Model to
    Accommodate Ties in Paired Comparison Experiments", JASA 65(329):317-328: win : draw : loss =
    t : nu : 1/t for some t. Equals draw with probability nu / (2 + nu).
    """
    x = _root(odds, nu)
    top = np.maximum(abs(x), np.log(nu))
    win, draw, loss = np.exp(x - top), np.exp(np.log(nu) - top), np.exp(-x - top)
    total = win + draw + loss
    return win / total, draw / total, loss / total


def variance(win: Floats, draw: Floats, loss: Floats) -> Floats:
    """Of the score of one game with these probabilities, f64[...]."""
    return win * loss + draw * (win + loss) / 4


def _root(d: Floats, nu: float) -> Floats:
    """Log of the t at which (t + nu / 2) / (t + nu + 1 / t) is the score expected at d.

    The left side is Davidson's expected score; and, where nu = 2 cosh g, also the mean of two
    logistic curves shifted by g either way. The equation is quadratic in t.
    """
    score = expected(-abs(d))
    away = nu * (0.5 - score)
    t = 2 * score / (away + np.sqrt(away**2 + 4 * score * (1 - score)))
    return -np.sign(d) * np.log(t)
