"""Advantages beside a slow sum."""

import numpy as np
import pytest

from agents.learners import returns


def test_advantages_are_those_of_a_slow_sum():
    rng = np.random.default_rng(0)
    lengths = [1, 4, 2, 7, 1]
    last = np.concatenate([np.arange(n) == n - 1 for n in lengths])
    value, outcome = rng.uniform(-1, 1, (2, len(last))).astype(np.float32)
    outcome = np.repeat(outcome[last], lengths)
    found = returns.advantages(value, outcome, last, td_lambda=0.9)
    at = 0
    for n in lengths:
        v = [*value[at : at + n], outcome[at]]
        surprises = [v[k + 1] - v[k] for k in range(n)]
        for k in range(n):
            expected = sum(0.9 ** (m - k) * surprises[m] for m in range(k, n))
            assert found[at + k] == pytest.approx(expected, abs=1e-6)
        at += n


def test_patient_advantages_wait_for_the_result():
    value = np.array([0.5, -0.25, 0.75], np.float32)
    outcome, last = np.ones(3, np.float32), np.array([False, False, True])
    np.testing.assert_allclose(returns.advantages(value, outcome, last, td_lambda=1.0), 1 - value)
