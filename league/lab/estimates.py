"""What was measured over several seeds, with its interval, and when that is what was expected."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from arena.evaluation.score import Z95

LEVEL = 0.95
"""Of all intervals."""


@dataclass(frozen=True)
class Estimate:
    """A measured number.

    Attributes:
      value: the mean over seeds, or the only value.
      low: lower end of its 95 % interval; NaN where there is none.
      high: upper end.
      seeds: what each seed gave.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    seeds: tuple[float, ...] = ()


def over_seeds(values: Sequence[float] | np.ndarray) -> Estimate:
    """The mean of what each seed gave, with Student's t-interval.

    Where all seeds gave the same the interval has no width; one seed has no interval.

    Raises:
      ValueError: there are none.
    """
    if not len(values):
        raise ValueError("a mean needs values")
    seeds = tuple(float(value) for value in values)
    mean = float(np.mean(seeds))
    if len(seeds) == 1:
        return Estimate(mean, seeds=seeds)
    error = float(np.std(seeds, ddof=1)) / math.sqrt(len(seeds))
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(seeds) - 1)) * error
    return Estimate(mean, mean - half, mean + half, seeds)


def of_share(hits: float, trials: int) -> Estimate:
    """A share of independent trials, with Wilson's interval."""
    found = stats.binomtest(round(hits), trials).proportion_ci(LEVEL, "wilson")
    return Estimate(hits / trials, float(found.low), float(found.high))


def of_slope(x: np.ndarray, y: np.ndarray) -> Estimate:
    """The slope of y on x by least squares, with its interval.

    Args:
      x: f64[n], n at least 3, not all the same.
      y: f64[n].
    """
    away = np.asarray(x, np.float64) - np.mean(x)
    slope = float(away @ y / (away @ away))
    residual = y - np.mean(y) - slope * away
    error = math.sqrt(float(residual @ residual) / (len(away) - 2) / float(away @ away))
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(away) - 2)) * error
    return Estimate(slope, slope - half, slope + half)


def with_error(value: float, error: float) -> Estimate:
    """A number with a known standard error, and the normal interval."""
    return Estimate(value, value - Z95 * error, value + Z95 * error)


Reading = Literal["mean", "every", "interval"]


@dataclass(frozen=True)
class Accept:
    """Which measured values are as expected: those from `low` to `high`.

    Attributes:
      text: what is expected, as the tables show it.
      low: the least.
      high: the largest.
      reading: what has to lie there: the mean, what every seed gave, or the whole interval.
    """

    text: str
    low: float = -math.inf
    high: float = math.inf
    reading: Reading = "mean"

    def holds(self, measured: Estimate) -> bool:
        """Whether this is as expected; NaN never is."""
        values = {
            "mean": (measured.value,),
            "every": measured.seeds or (measured.value,),
            "interval": (measured.low, measured.high),
        }[self.reading]
        return all(self.low <= value <= self.high for value in values)


def near(value: float, within: float, reading: Reading = "mean") -> Accept:
    """A value, up to a tolerance."""
    # What a float cannot hold is no deviation.
    room = within + 1e-12 * max(1.0, abs(value))
    text = f"{shown(value)} ± {shown(within)}" if within else shown(value)
    return Accept(text, value - room, value + room, reading)


def at_least(value: float, reading: Reading = "mean") -> Accept:
    """A value, or more."""
    return Accept(f"≥ {shown(value)}", low=value, reading=reading)


def at_most(value: float, reading: Reading = "mean") -> Accept:
    """A value, or less."""
    return Accept(f"≤ {shown(value)}", high=value, reading=reading)


def between(low: float, high: float, reading: Reading = "mean") -> Accept:
    """From one value to another."""
    return Accept(f"{shown(low)} … {shown(high)}", low, high, reading)


def shown(value: float) -> str:
    """A number for a table: four digits, a true minus."""
    if not math.isfinite(value):
        return "–"
    if value == round(value) and abs(value) < 1e6:
        text = f"{value:.0f}"
    elif abs(value) >= 1000 or abs(value) < 1e-3:
        text = f"{value:.3g}"
    else:
        text = f"{value:.4g}"
    return "0" if text == "-0" else text.replace("-", "−")
