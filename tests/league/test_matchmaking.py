"""Matchmakers give probabilities, and prefer whom they say they prefer."""

from typing import get_args

import numpy as np
import pytest

from league.matchmaking import MATCHMAKERS, Name, latest, losses, pfsp, uniform

RECORDS = {
    "one": np.array([0.3]),
    "even": np.full(5, 0.5),
    "mixed": np.array([0.9, 0.01, 0.5, 0.2]),
    "beaten": np.full(3, 1e-6),
}


def test_every_name_has_a_matchmaker():
    assert set(MATCHMAKERS) == set(get_args(Name))


@pytest.mark.parametrize("name", MATCHMAKERS)
@pytest.mark.parametrize("record", RECORDS)
def test_weights_are_a_distribution(name, record):
    weights = MATCHMAKERS[name](RECORDS[record])
    assert weights.shape == RECORDS[record].shape
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1, abs=1e-12)


def test_each_prefers_whom_it_should():
    mixed = RECORDS["mixed"]
    assert latest(mixed).tolist() == [0, 0, 0, 1]
    assert uniform(mixed).tolist() == [0.25] * 4
    assert np.argsort(pfsp(mixed)).tolist() == np.argsort(mixed).tolist()
    # f_hard with p = 2 (Vinyals et al. 2019): twice the chance to lose weighs four times
    assert pfsp(np.array([0.2, 0.4])) == pytest.approx([0.2, 0.8])


def test_losses_follow_the_games_and_write_nobody_off():
    # (points + 1) / (games + 2), the rule of succession
    scores, games = np.array([0.0, 8.0, 0.0, 4.0]), np.array([0.0, 8.0, 8.0, 8.0])
    assert losses(scores, games) == pytest.approx([0.5, 0.1, 0.9, 0.5])
