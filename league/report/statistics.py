"""The numbers behind the page: intervals of scores, and columns and totals of the history."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from arena.evaluation.ratings import Z95
from league.evaluation.tables import Record
from league.report.data import Generation


def wilson(record: Record) -> tuple[float, float, float]:
    """Score and its 95 % interval, each in [0, 1], of at least one game.

    Wilson's interval with a draw as half a win, which is never too narrow for drawn games.
    Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).

    Raises:
      ValueError: no game was played.
    """
    won, drawn, _ = record
    n = sum(record)
    if n <= 0:
        raise ValueError("no games, no score")
    z = Z95
    p = (won + drawn / 2) / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return p, max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half))


def column(history: Sequence[Generation], name: str) -> NDArray[np.float64]:
    """One figure of all generations, f64[generations]; NaN where it is missing or infinite."""
    values = np.array([float(getattr(entry, name)) for entry in history], np.float64)
    return np.where(np.isfinite(values), values, math.nan)


def generations(history: Sequence[Generation]) -> NDArray[np.float64]:
    """Their numbers, f64[generations]."""
    return np.array([entry.number for entry in history], np.float64)


def last(values: NDArray[np.float64]) -> float:
    """The last finite one of the values, of which there must be one."""
    return float(values[np.isfinite(values)][-1])


def rated_games(meetings: NDArray[np.int64]) -> int:
    """Games behind the ratings, counted once, from the symmetric i64[n, n] of a report."""
    return int(np.triu(np.maximum(meetings, meetings.T), 1).sum())
