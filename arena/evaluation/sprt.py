"""Is one agent stronger than another? The sequential test that engine testers use.

A match is played pair by pair until the evidence for one of two hypotheses about the difference,
H0: elo0 and H1: elo1, is strong enough: Wald (1945), "Sequential Tests of Statistical Hypotheses",
Annals of Mathematical Statistics 16(2):117-186. The games of a pair share an opening and hang
together, so that pairs, not games, are the draws, and five counts say all about them: how many
pairs gave 0, ½, 1, 1½ and 2 points (the pentanomial).

A difference does not fix five probabilities. So each hypothesis is granted those which explain the
counts best among all that obey it, the generalised test of fishtest and fastchess:

    LLR = sum_i n_i log(p1_i / p0_i),   p_h = argmax { sum_i n_i log p_i : p obeys H_h }.

Two scales for the difference:

* `logistic`: Elo; p obeys it if its mean is the score that Elo expects.
* `normalized`: nElo, the difference in standard deviations of a game. With mean and deviation those
  of a pair, p obeys it if (mean - ½) / deviation = √2 nElo / (800 / ln 10). What a test costs
  depends on nElo alone, however drawish the game.

Both maxima are of the form p_i = n_i / (N (1 + x a_i)); Michel Van den Bergh derives them in
cantate.be/Fishtest/support_MLE_multinomial.pdf (proposition 1.1) and normalized_elo_practical.pdf
(section 4.1). As in fishtest, whose LLRcalc.py implements them, a count of 0 is read as 0.001.

The bounds promise errors of about alpha and beta, and keep the promise at elo0 and elo1; the last
pair carries the ratio a little beyond a bound, which errs on the safe side.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arena.evaluation.score import NELO

Floats = NDArray[np.float64]

_POINTS = np.arange(5) / 4  # the first agent's score in a pair
_NONE = 1e-3  # what a count of zero is read as
_STEPS = 500


@dataclass(frozen=True)
class Sprt:
    """One sequential test: the hypotheses and the errors it may make.

    Attributes:
      elo0: the difference under H0, on the scale of the model.
      elo1: the difference under H1, greater than elo0.
      alpha: probability of accepting H1 where H0 holds.
      beta: probability of accepting H0 where H1 holds.
      model: `normalized` (nElo) or `logistic` (Elo).

    Raises:
      ValueError: a parameter that makes no test.
    """

    elo0: float
    elo1: float
    alpha: float = 0.05
    beta: float = 0.05
    model: Literal["normalized", "logistic"] = "normalized"

    def __post_init__(self):
        if not (np.isfinite([self.elo0, self.elo1]).all() and self.elo0 < self.elo1):
            raise ValueError(f"elo0 must be less than elo1, got {self.elo0} and {self.elo1}")
        for name, error in (("alpha", self.alpha), ("beta", self.beta)):
            if not 0 < error < 0.5:
                raise ValueError(f"{name} must lie between 0 and 0.5, got {error}")
        if self.model not in ("normalized", "logistic"):
            raise ValueError(f"model must be normalized or logistic, got {self.model}")

    @property
    def bounds(self) -> tuple[float, float]:
        """The log likelihood ratios at which H0 and H1 are accepted."""
        lower, upper = self.beta / (1 - self.alpha), (1 - self.beta) / self.alpha
        return float(np.log(lower)), float(np.log(upper))

    def llr(self, pairs: ArrayLike) -> float:
        """The log likelihood ratio of H1 to H0.

        Args:
          pairs: int[5], pairs that gave the first agent 0, ½, 1, 1½, 2 points.

        Raises:
          ValueError: pairs that are not five counts.
        """
        return _llr(self, tuple(_validated(pairs)))

    def llrs(self, pairs: ArrayLike) -> Floats:
        """The log likelihood ratios f64[...] of many records int[..., 5] at once."""
        counts = _validated(pairs)
        flat = np.where(counts > 0, counts, _NONE).reshape(-1, 5)
        seen = flat / flat.sum(1, keepdims=True)
        best0, best1 = self._explain(seen, self.elo0), self._explain(seen, self.elo1)
        return (flat * np.log(best1 / best0)).sum(1).reshape(counts.shape[:-1])

    def decide(self, pairs: ArrayLike) -> Literal["accept H0", "accept H1"] | None:
        """What to conclude from the record int[5]; None: play on."""
        ratio, (lower, upper) = self.llr(pairs), self.bounds
        return "accept H1" if ratio >= upper else "accept H0" if ratio <= lower else None

    def describe(self, pairs: ArrayLike) -> str:
        """The record int[5] in the notation of engine testers: ratio, (bounds), [hypotheses]."""
        lower, upper = self.bounds
        return (
            f"LLR: {self.llr(pairs):z.2f} ({lower:.2f}, {upper:.2f}) "
            f"[{self.elo0:z.2f}, {self.elo1:z.2f}]"
        )

    def _explain(self, seen: Floats, elo: float) -> Floats:
        """The likeliest pairs f64[B, 5] at this difference, given frequencies f64[B, 5]."""
        if self.model == "logistic":
            return _at_mean(seen, 1 / (1 + 10 ** (-elo / 400)))
        deviations = np.sqrt(2) * elo / NELO
        if deviations < 0:
            return _at_deviations(seen[:, ::-1], -deviations)[:, ::-1]
        return _at_deviations(seen, deviations)


@lru_cache(maxsize=8)  # whoever decides a test also prints and keeps the ratio
def _llr(test: Sprt, pairs: tuple[float, ...]) -> float:
    return float(test.llrs(pairs))


def _validated(pairs: ArrayLike) -> Floats:
    """The counts as f64[..., 5]; raises ValueError with one clear line."""
    try:
        counts = np.asarray(pairs, np.float64)
    except (TypeError, ValueError):
        raise ValueError("pairs must be five counts") from None
    if counts.ndim == 0 or counts.shape[-1] != 5:
        raise ValueError(f"pairs must be five counts, got shape {list(counts.shape)}")
    if not (np.isfinite(counts) & (counts >= 0) & (np.floor(counts) == counts)).all():
        raise ValueError("pairs must be whole numbers that are not negative")
    return counts


def _at_mean(seen: Floats, score: float) -> Floats:
    """The likeliest pairs f64[B, 5] of this mean."""
    return _tilt(seen, np.broadcast_to(_POINTS - score, seen.shape))


def _at_deviations(seen: Floats, ratio: float) -> Floats:
    """The likeliest pairs f64[B, 5] whose mean is `ratio` >= 0 deviations above ½.

    Where 200 nElo or more are asked for, there can be two maxima, one of mostly pairs of 1½ points
    and one of mostly won pairs; climbs from either side find both, as 12 more from random places
    confirmed on thousands of records.
    """
    best = _climb(seen, ratio, _meet(seen, ratio, 0.75))
    if ratio < 0.6:  # 147 nElo
        return best
    other = _climb(seen, ratio, _meet(seen, ratio, 1.0))
    better = np.einsum("bi,bi->b", seen, np.log(other / best)) > 0
    return np.where(better[:, None], other, best)


def _climb(seen: Floats, ratio: float, pairs: Floats) -> Floats:
    """The nearest maximum f64[B, 5] above pairs f64[B, 5] that meet the condition.

    Van den Bergh's iteration: replace the condition by its tangent where we are, solve that
    exactly, repeat. Where more is asked for than was seen, the tangent lies within what is
    allowed, so that each step climbs.
    """
    for _ in range(_STEPS):
        mean, deviation = _moments(pairs)
        away = (_POINTS - mean[:, None]) / deviation[:, None]
        tangent = _POINTS - 0.5 - ratio * deviation[:, None] * (1 + away**2) / 2
        last, pairs = pairs, _tilt(seen, tangent)
        if (abs(pairs - last) < 1e-10).all():
            break
    return pairs


def _meet(seen: Floats, ratio: float, most: float) -> Floats:
    """Pairs f64[B, 5] whose mean is `ratio` deviations above ½: those seen, mixed with one kind.

    Nothing but pairs of ½ makes the ratio as small as one likes, nothing but `most` as large.
    """

    def short(pairs: Floats) -> NDArray[np.bool_]:
        mean, deviation = _moments(pairs)
        return (mean - 0.5 < ratio * deviation)[:, None]

    below = short(seen)
    pure = (np.where(below, most, 0.5) == _POINTS).astype(np.float64)
    few, many = np.zeros((len(seen), 1)), np.ones((len(seen), 1))
    for _ in range(16):
        share = (few + many) / 2
        on = short(seen + share * (pure - seen)) == below
        few, many = np.where(on, share, few), np.where(on, many, share)
    return seen + few * (pure - seen)


def _moments(pairs: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation f64[B] of distributions f64[B, 5]."""
    mean = pairs @ _POINTS
    away = _POINTS - mean[:, None]
    return mean, np.sqrt(np.einsum("bi,bi,bi->b", pairs, away, away))


def _tilt(seen: Floats, value: Floats) -> Floats:
    """The likeliest distributions f64[B, 5] under which `value` f64[B, 5] is 0 on average.

    They are seen / (1 + x value), with x the root of a function that falls all the way between two
    poles: Newton's steps, and the middle of what is left where a step leaves it.
    """
    low, high = -1 / value.max(1), -1 / value.min(1)
    reach = abs(value).max(1)
    x = np.zeros(len(seen))
    for _ in range(_STEPS):
        part = value / (1 + x[:, None] * value)
        height = np.einsum("bi,bi->b", seen, part)
        slope = -np.einsum("bi,bi,bi->b", seen, part, part)
        low, high = np.where(height > 0, x, low), np.where(height > 0, high, x)
        step = -height / slope
        near = abs(step) * reach <= 1e-13
        if near.all():
            break
        inside = (low < x + step) & (x + step < high)
        x = np.where(near | inside, x + step, (low + high) / 2)
    return seen / (1 + x[:, None] * value)
