"""Imitation: which games are kept, and how far that is from those that were played."""

import math

import numpy as np
import pytest

from agents.learners.imitation import ImitationConfig, divergence, weights

OUTCOME = np.array([1, 1, -1, -1], np.float32)
NOTHING = np.zeros(4, np.float32)


def test_winners_are_half_of_the_moves():
    found = weights(ImitationConfig(selection="winners"), OUTCOME, NOTHING)
    assert found.tolist() == [2, 2, 0, 0]
    assert divergence(found) == pytest.approx(math.log(2))


def test_a_tilt_weighs_by_the_verdict_beyond_what_was_expected():
    config = ImitationConfig(selection="tilt", temperature=2.0)
    found = weights(config, OUTCOME, NOTHING)
    assert found[0] / found[2] == pytest.approx(math.e)
    assert found.mean() == pytest.approx(1)
    same = weights(config, OUTCOME, OUTCOME)
    assert same == pytest.approx(1)
    assert divergence(same) == pytest.approx(0)


@pytest.mark.parametrize("samples", [1, 2, 4, 16])
def test_the_best_of_n_lies_as_far_as_is_known(samples: int):
    """ln n - (n - 1) / n nats where no two are equal (A. Beirami et al., arXiv:2401.01879)."""
    outcome = np.linspace(-1, 1, 20_000).astype(np.float32)
    found = weights(ImitationConfig(selection="best", samples=samples), outcome, 0 * outcome)
    expected = math.log(samples) - (samples - 1) / samples
    assert divergence(found) == pytest.approx(expected, abs=2e-3)


def test_where_nothing_is_kept_nothing_weighs():
    config = ImitationConfig(selection="threshold", threshold=1.0)
    assert weights(config, -np.ones(3, np.float32), np.zeros(3, np.float32)).tolist() == [0, 0, 0]
    assert divergence(np.zeros(3, np.float32)) == 0
