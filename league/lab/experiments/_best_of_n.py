"""Best of n where the judge is gold plus an error of a known law."""

import math
from typing import Literal, get_args

import numpy as np
from scipy.special import ndtr

from agents.learners.imitation import ImitationConfig, weights

ErrorLaw = Literal["normal", "student"]
"""A standard normal error, or one of Student's t with 2 degrees of freedom."""
ERRORS: tuple[ErrorLaw, ...] = get_args(ErrorLaw)


def expected_gold(law: ErrorLaw, samples: np.ndarray) -> np.ndarray:
    """The mean gold of the best of n by C = gold + error, gold being N(0, 1); f64[len(samples)].

    ∫ g(c) n F(c)^(n−1) dc, where F is the distribution of C and g(c) the integral of gold times the
    joint density, both by the trapezoidal rule.

    Args:
      law: of the error.
      samples: i64[N], values of n.
    """
    gold = np.linspace(-9, 9, 601)
    density = np.exp(-(gold**2) / 2) / math.sqrt(2 * math.pi)
    at = np.linspace(-16, 16, 3001)
    values = np.sinh(at) if law == "student" else at  # tails are fat: even steps on a long scale
    weighed, below = np.empty(len(at)), np.empty(len(at))
    for k, value in enumerate(values):
        chance, cumulative = _error(law, value - gold)
        weighed[k] = np.trapezoid(gold * density * chance, gold)
        below[k] = np.trapezoid(density * cumulative, gold)
    slope = np.cosh(at) if law == "student" else np.ones(len(at))
    powers = samples[:, None] * np.clip(below, 0, 1) ** (samples[:, None] - 1)
    return np.asarray(np.trapezoid(weighed * slope * powers, at))


def _error(law: ErrorLaw, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Density and distribution of the error."""
    if law == "normal":
        return np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi), ndtr(x)
    return (2 + x**2) ** -1.5, 0.5 + x / (2 * np.sqrt(2 + x**2))


def measured_gold(
    law: ErrorLaw, samples: np.ndarray, rng: np.random.Generator, draws: int
) -> np.ndarray:
    """The same by draws, weighed as the imitation learner weighs the best of n."""
    gold = rng.standard_normal(draws)
    error = rng.standard_normal(draws) if law == "normal" else rng.standard_t(2, draws)
    return np.array([(weights_of(gold + error, n) * gold).mean() for n in samples.tolist()])


def weights_of(verdicts: np.ndarray, samples: int) -> np.ndarray:
    """The weights f64[N] by which the best of n falls on each of N samples, mean 1."""
    config = ImitationConfig(selection="best", samples=samples)
    return weights(config, verdicts, np.zeros_like(verdicts)).astype(np.float64)


def distance(samples: np.ndarray) -> np.ndarray:
    """√KL in √nats of the best of n from what it is chosen from, if no two are equally good."""
    return np.sqrt(np.log(samples) - (samples - 1) / samples)
