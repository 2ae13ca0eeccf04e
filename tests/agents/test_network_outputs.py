"""Networks that answer no numbers: whatever they say, moves are legal and games end."""

from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents import learners, search
from agents.learners.alphazero import AlphaZeroConfig
from agents.nn import MLPConfig
from agents.nn.outputs import playable_logits, playable_value
from arena.judges.rules import Rules
from arena.play.device_loop import Match
from arena.play.openings import random_openings
from arena.types import stack

GAME = games.load("tic_tac_toe")
BROKEN = [np.nan, np.inf, -np.inf, 1e38, -1e38]
NETWORK = MLPConfig(width=4, layers=1)


@cache
def _positions() -> Any:
    return random_openings(GAME, jax.random.key(0), shape=(16,), plies=7)


def _assert_legal(move: jax.Array) -> None:
    legal = np.asarray(jax.vmap(GAME.legal)(_positions()))
    assert legal[np.arange(len(legal)), np.asarray(move)].all()


def test_what_is_finite_stays_as_it_is_to_the_last_bit():
    numbers = jnp.asarray([0.0, -0.0, 1e-37, 0.1, -1.0, 1.0, 3e29, -1e30], jnp.float32)
    for given, kept in ((numbers, playable_logits), (numbers[:6], playable_value)):
        assert np.asarray(kept(given)).tobytes() == np.asarray(given).tobytes()
    logits = np.asarray(playable_logits(jnp.asarray([np.nan, np.inf, -np.inf])))
    np.testing.assert_array_equal(logits, np.array([0, 1e30, -1e30], np.float32))
    assert playable_value(jnp.asarray([np.nan, np.inf, -1e38])).tolist() == [0, 1, -1]


@cache
def _search(name: str):
    """Jitted, of what the evaluator says: its moves and policies."""

    def run(states: Any, said: jax.Array) -> tuple[jax.Array, Any]:
        def evaluate(keys: jax.Array, states: Any) -> tuple[jax.Array, jax.Array]:
            legal = jax.vmap(GAME.legal)(states)  # speaks for what is illegal, if for anything
            return jnp.where(legal, -said, said), jnp.full(len(legal), said)

        keys, none = jax.random.split(jax.random.key(0), 1), jnp.zeros((16, GAME.num_actions))
        given: Any = (GAME, evaluate, states)
        common: Any = {"keys": keys, "simulations": 4}
        if name == "uct":
            return search.uct(*given, **common, exploration=1.0, order=none), ()
        noise = {"noise": none + 0.1, **({"gumbels": none} if name == "puct" else {})}
        found = getattr(search, name)(*given, **common, **noise, prove=True)
        return found.move, (found.policy, found.value)

    return jax.jit(run)


@pytest.mark.parametrize("name", ["gumbel", "puct", "uct"])
def test_searches_choose_legal_moves_whatever_the_evaluator_says(name: str):
    for said in BROKEN:
        move, others = _search(name)(_positions(), jnp.float32(said))
        _assert_legal(move)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(others)), said


def _broken(params: Any, number: float) -> Any:
    return jax.tree.map(lambda x: np.full_like(x, number), params)


@pytest.mark.parametrize("name", list(learners.builtin()))
def test_policies_choose_legal_moves_whatever_the_weights_are(name: str):
    learner = learners.find(name).Config(network=NETWORK).make(GAME, Rules(GAME))
    params = learner.init(jax.random.key(0)).params
    policies = [learner.eval_policy(0)]
    if name != "alphazero":  # which is tried in a match below
        policies.append(learner.behaviour_policy())
    for policy in map(jax.jit, policies):
        for number in BROKEN:
            keys, weights = jax.random.split(jax.random.key(0), 1), stack([_broken(params, number)])
            decision = policy(weights, keys, _positions())
            _assert_legal(decision.move)
            assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(decision.aux)), number


def test_a_match_of_broken_networks_ends():
    config = AlphaZeroConfig(network=NETWORK, simulations=4)
    learner = config.make(GAME, Rules(GAME))
    params = learner.init(jax.random.key(0)).params
    policy = learner.behaviour_policy()
    match = Match(GAME, policy, policy, judge=Rules(GAME), slots=2, record=True)
    starts = jax.tree.map(lambda x: x.reshape(2, 8, *x.shape[1:])[:, :2], _positions())
    weights = stack([_broken(params, number) for number in (np.nan, 1e38)])
    played = match.play(
        weights, weights, keys=jax.random.split(jax.random.key(1), 2), openings=starts
    )
    assert played.record is not None
    used = played.record.game < 4
    finite = partial(jax.tree.map, lambda x: np.isfinite(x[used]).all())
    assert all(jax.tree.leaves(finite(played.record.aux)))
