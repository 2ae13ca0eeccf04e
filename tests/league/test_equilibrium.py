"""The league comes to equilibria where moves have to be mixed, and says how near it is."""

import jax
import numpy as np
import pytest

import games
from agents.learners import mmd
from agents.nn.networks import MLPConfig
from arena.evaluation.exploitability import exploitability
from arena.judges.rules import Rules
from league.settings import config
from league.training import best_response
from tests.helpers.command import Place

KUHN = games.load("kuhn_poker")
LEARNER = mmd.MMDConfig(MLPConfig(width=8, layers=1))
METHOD = LEARNER.make(KUHN, Rules(KUHN))
TINY = config.Config(learner=LEARNER)


def test_a_pool_is_measured_alone_and_mixed():
    pool = [METHOD.init(jax.random.key(seed)).params for seed in range(3)]
    found = best_response.of_pool(KUHN, TINY, pool)
    alone = [exploitability(KUHN, best_response.policy(KUHN, TINY, params)) for params in pool]
    assert found["exploitability"] == pytest.approx(alone[-1])
    # Drawing one of them by their equilibrium is as exploitable as they are on average, or less.
    assert found["pool_exploitability"] <= max(alone) + 1e-9
    assert best_response.describe(found).count("exploitability") == 1
    assert f"{found['pool_exploitability']:.4f} of the Nash mixture" in best_response.describe(
        found
    )


def test_a_snapshot_is_measured_as_it_plays_when_it_counts():
    latest, mean = (METHOD.init(jax.random.key(seed)).params.mean for seed in (1, 2))
    seen = np.eye(3, 9, dtype=np.float32)
    legal = np.ones((3, 2), bool)
    chances = [
        best_response.policy(KUHN, TINY, mmd.Weights(*pair))(seen, legal)
        for pair in ((latest, mean), (mean, mean), (latest, latest))
    ]
    np.testing.assert_array_equal(chances[0], chances[1])
    assert np.abs(chances[0] - chances[2]).max() > 1e-4


@pytest.mark.slow
def test_a_league_solves_kuhn_poker(place: Place):
    """Value -1/18: H. W. Kuhn 1950, A simplified two-person poker."""
    events = place.lines("train", "kuhn_poker")
    (result,) = [event for event in events if event["event"] == "result"]
    assert result["equilibrium"]["exploitability"] <= 0.01
    assert result["equilibrium"]["value"] == pytest.approx(-1 / 18, abs=0.003)


@pytest.mark.slow
def test_a_league_comes_near_to_the_equilibrium_of_leduc_poker(place: Place):
    events = place.lines("train", "leduc_poker")
    (result,) = [event for event in events if event["event"] == "result"]
    assert result["equilibrium"]["exploitability"] <= 0.1
