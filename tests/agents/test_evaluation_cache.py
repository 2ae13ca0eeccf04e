"""The evaluation cache: nothing changes but how often networks evaluate."""

from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents.nn import evaluation_cache, networks
from agents.nn.networks import MLPConfig
from agents.policies import SearchPolicy
from arena.evaluation.solver import solve
from arena.judges.rules import Rules
from arena.play import device_loop
from arena.play.openings import random_openings
from arena.types import stack

GAME = games.load("tic_tac_toe")
NETWORK = MLPConfig(width=16, layers=1)


@cache
def _weights(seed: int) -> Any:
    return networks.initialise(GAME, NETWORK, jax.random.key(seed))


def _positions(count: int) -> Any:
    """Different ones, in no order, ended games among them."""
    before = solve(GAME).states
    move = jax.vmap(GAME.legal)(before).argmax(1)
    states = {x.tobytes(): x for x in np.stack(jax.vmap(GAME.step)(before, move), 1)}
    chosen = np.random.default_rng(0).permutation(len(states))[:count]
    return type(before)(*np.stack(list(states.values()))[chosen].T)


@cache
def _jitted():
    def run(params: Any, cache: Any, states: Any, wanted: Any) -> Any:
        return evaluation_cache.evaluate(
            GAME, NETWORK, params, cache=cache, states=states, wanted=wanted
        )

    return jax.jit(run)


def _evaluate(params: Any, known: Any, states: Any, wanted: Any = None) -> Any:
    wanted = np.ones(len(states.mine), bool) if wanted is None else wanted
    logits, value, known = _jitted()(params, known, states, wanted)
    return np.asarray(logits), np.asarray(value), known


def _outputs(params: Any, states: Any) -> Any:
    run = jax.jit(partial(networks.mover_outputs, GAME, NETWORK))
    return tuple(np.asarray(x) for x in run(params, states))


def _live(states: Any) -> np.ndarray:
    return np.asarray(jax.vmap(GAME.mover)(states)) >= 0


def _full(known: Any) -> int:
    return int((np.asarray(known.rows)[:, :2] != 0).any(1).sum())


def test_outputs_are_those_of_each_agents_network():
    states, params = _positions(120), stack([_weights(seed) for seed in (0, 1, 0)])
    live = _live(states)
    assert 10 < (~live).sum() < 110
    known = evaluation_cache.init(GAME, params)
    for _ in range(2):  # evaluated for the first time, then from the cache
        logits, value, known = _evaluate(params, known, states)
        right = _outputs(params, states)
        np.testing.assert_allclose(logits[live], right[0][live], atol=1e-6)
        np.testing.assert_allclose(value[live], right[1][live], atol=1e-6)
        assert _full(known) == live.sum()


def test_what_is_cached_is_not_evaluated_again_for_any_agent_with_these_weights():
    """With other weights than the cache is of, whatever is evaluated differs from it."""
    states, params = _positions(64), stack([_weights(0)] * 2)
    logits, value, known = _evaluate(params, evaluation_cache.init(GAME, params), states)
    swapped = jax.tree.map(lambda x: np.roll(x, 32, 0), states)
    again = _evaluate(stack([_weights(1)] * 2), known, swapped)
    live = _live(swapped)
    np.testing.assert_array_equal(again[0][live], np.roll(logits, 32, 0)[live])
    np.testing.assert_array_equal(again[1][live], np.roll(value, 32, 0)[live])


def test_only_what_is_wanted_is_evaluated():
    states, params = _positions(64), stack([_weights(0)])
    wanted = np.arange(64) % 3 == 0
    logits, _, known = _evaluate(params, evaluation_cache.init(GAME, params), states, wanted)
    asked = wanted & _live(states)
    np.testing.assert_allclose(logits[asked], _outputs(params, states)[0][asked], atol=1e-6)
    assert _full(known) == asked.sum()


def test_no_two_positions_are_taken_for_one_another():
    states = solve(GAME).states
    seen = jax.vmap(GAME.observe)(states, jnp.maximum(jax.vmap(GAME.mover)(states), 0))
    hashes = np.asarray(evaluation_cache._hash(seen.reshape(len(seen), -1))).T
    different = len(np.unique(np.asarray(seen).reshape(len(seen), -1), axis=0))
    assert len(np.unique(hashes, axis=0)) == different > 4000


@pytest.mark.slow
def test_games_are_the_same_with_a_cache_and_without(monkeypatch):
    """Move by move, also when so much is forgotten."""
    monkeypatch.setattr(evaluation_cache, "_BYTES", 64 * 12 * 4)
    here = _games()
    monkeypatch.setattr(evaluation_cache, "init", lambda *about, **more: None)
    there = _games()
    assert here.record is not None
    assert there.record is not None
    np.testing.assert_array_equal(here.record.game, there.record.game)
    np.testing.assert_array_equal(here.scores, there.scores)
    busy = here.record.game < 2 * 8
    for ours, theirs in zip(here.record.aux, there.record.aux, strict=True):
        np.testing.assert_allclose(ours[busy], theirs[busy], atol=1e-5)


def _games() -> device_loop.Played:
    device_loop._compiled.cache_clear()  # the cache is compiled in
    policy = SearchPolicy(GAME, NETWORK, simulations=6, explore=True)
    table = device_loop.Match(GAME, policy, policy, judge=Rules(GAME), slots=4, record=True)
    keys = jax.random.split(jax.random.key(3), 2)
    a, b = stack([_weights(0)] * 2), stack([_weights(0), _weights(1)])
    return table.play(
        a, b, keys=keys, openings=random_openings(GAME, keys[0], shape=(2, 8), plies=2)
    )
