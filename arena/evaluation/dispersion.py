"""How far the scores of pairs stray from what ratings expect: the errors of ratings rest on it.

What a game would vary by, were games independent, follows from its expected score and from how
drawish the pool is. Pairs of games on one opening may stray more or less: by the dispersion, one
number for the sums of both games (strength), one for their differences (the first move). Each is
estimated from the residuals of all the pool, and for two players who met often from their own.

So that no record, not even nothing but draws, is called certain, a cluster (a pair; or a game,
where games are single) that is won and one that is lost are added in the error alone, as in
arena.evaluation.score; and where the results hardly tell, as those of a clean sweep, the dispersion
is drawn to 1, independent games.
"""

from typing import NamedTuple

import numpy as np

from arena.evaluation.crosstable import CrossTable
from arena.evaluation.scale import Floats, Seats

_POOL = 1.0
"""Fisher information (four games of equals) that the dispersion of a pool needs to be believed."""
_OWN = 2.0
"""Variance of points (eight decisive games of equals) that the dispersion of two players needs."""


class Dispersion(NamedTuple):
    """Variances of points as parts of those of independent games.

    Attributes:
      total: f64[R], of the points that two players scored in all games of a row.
      split: f64[R], of the points moving first less those moving second.
    """

    total: Floats
    split: Floats


class Spread(NamedTuple):
    """Sums over the clusters of a row: pairs of games, or single games.

    Attributes:
      clusters: f64[R], how many.
      total: f64[R], sums of squares of the clusters' points beyond those expected.
      split: f64[R], the same for points moving first less points moving second.
    """

    clusters: Floats
    total: Floats
    split: Floats


def spread(table: CrossTable, score: Floats) -> Spread:
    """Squared residuals about expected scores f64[R, 2] of both seats."""
    own = (table.squares - 2 * score * table.points + table.games * score**2).sum(1)
    first, second = table.points.T
    cross = table.products - score[:, 0] * second - score[:, 1] * first
    cross = np.where(table.pairs > 0, cross + table.pairs * score.prod(1), 0.0)
    clusters = np.where(table.pairs > 0, table.pairs, table.games.sum(1))
    return Spread(clusters, np.maximum(own + 2 * cross, 0), np.maximum(own - 2 * cross, 0))


class _Sums(NamedTuple):
    """What both dispersions are estimated from, f64[R] each.

    Attributes:
      clusters: pairs of games, or single games.
      residuals: squared, of totals and of splits.
      alone: variance of points, were games independent.
      known: Fisher information of the games about strengths, were none drawn.
      extreme, usual: residuals and variance of the two virtual clusters, shared among rows.
    """

    clusters: Floats
    residuals: tuple[Floats, Floats]
    alone: Floats
    known: Floats
    extreme: Floats
    usual: Floats


def estimate(
    table: CrossTable, variance: Floats, seats: Seats, parameters: tuple[Floats, Floats]
) -> Dispersion:
    """The dispersion of every row, f64[R] each.

    Args:
      table: who scored what against whom.
      variance: f64[R, 2], of a game in either seat, were games independent.
      seats: what the ratings expect of each row.
      parameters: f64[R] twice, how many parameters each row's games have fitted: of strength, and
        of the first move.
    """
    sums = _sums(table, variance, seats)
    pool = pooled(table, variance, seats, parameters)
    found = []
    for squares, fitted, whole in zip(sums.residuals, parameters, pool, strict=True):
        seen, left = squares + sums.extreme, _left(sums, fitted) + sums.usual
        found.append((seen + _OWN * whole) / (left + _OWN))
    return Dispersion(*found)


def pooled(
    table: CrossTable, variance: Floats, seats: Seats, parameters: tuple[Floats, Floats]
) -> tuple[float, float]:
    """The dispersions of a whole pool, of totals and of splits; arguments as for `estimate`."""
    if not len(table):
        return 1.0, 1.0
    sums = _sums(table, variance, seats)
    known = sums.known.sum()
    ratios = [
        (squares + sums.extreme).sum() / (_left(sums, fitted) + sums.usual).sum()
        for squares, fitted in zip(sums.residuals, parameters, strict=True)
    ]
    total, split = ((known * float(x) + _POOL) / (known + _POOL) for x in ratios)
    return total, split


def _sums(table: CrossTable, variance: Floats, seats: Seats) -> _Sums:
    found, alone = spread(table, seats.score), (table.games * variance).sum(1)
    score = seats.score.mean(1)  # what the first move explains is not known for that
    known = table.games.sum(1) * score * (1 - score)
    # Two more clusters, where games tell most.
    games, weight = table.games.sum(1), known / known.sum()
    size = weight @ (games / found.clusters)
    extreme, usual = 2 * size**2 * (weight @ (known / games)), 2 * size * (weight @ (alone / games))
    residuals = found.total, found.split
    return _Sums(found.clusters, residuals, alone, known, weight * extreme, weight * usual)


def _left(sums: _Sums, fitted: Floats) -> Floats:
    """Variance f64[R] that the residuals keep when so many parameters were fitted to them."""
    return sums.alone * np.maximum(1 - fitted / sums.clusters, 0)
