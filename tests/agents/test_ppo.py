"""PPO: advantages, how it draws moves, and that it learns what it is rewarded for."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import games
from agents.learners import ppo
from agents.nn import networks
from agents.nn.networks import MLPConfig
from arena.judges.rules import Rules
from arena.play import device_loop
from arena.play.openings import random_openings
from arena.types import stack
from games import Game

KUHN = games.load("kuhn_poker")
NETWORK = MLPConfig(width=32, layers=1)


def _params(game: Game, seed: int) -> Any:
    shapes = jax.eval_shape(partial(networks.initialise, game, NETWORK), jax.random.key(0))
    leaves, form = jax.tree.flatten(shapes)
    rng = np.random.default_rng(seed)
    return form.unflatten([jnp.asarray(rng.normal(0, 0.7, x.shape), "f") for x in leaves])


def test_moves_are_drawn_as_likely_as_the_network_says_and_noted_so():
    params, count = _params(KUHN, 3), 4000
    opening = random_openings(KUHN, jax.random.key(0), shape=(1,), plies=0)
    states = jax.tree.map(lambda x: jnp.repeat(x, count, 0), opening)
    policy = jax.jit(ppo.NetworkPolicy(KUHN, NETWORK, explore=True))
    decision = policy(stack([params]), jax.random.split(jax.random.key(1), 1), states)
    seen = jax.vmap(KUHN.observe, (0, None))(opening, jnp.int32(0))
    odds = np.asarray(jax.nn.softmax(networks.apply(KUHN, NETWORK, params, seen)[0]))[0]
    share = np.bincount(decision.move, minlength=2) / count
    assert odds.min() > 0.05
    assert abs(share - odds).max() < 4 * np.sqrt(odds.prod() / count)
    np.testing.assert_array_equal(decision.aux.move, decision.move)
    np.testing.assert_allclose(decision.aux.log_prob, np.log(odds)[decision.move], atol=1e-5)
    favourite = jax.jit(ppo.NetworkPolicy(KUHN, NETWORK, greedy=True))(
        stack([params]), jax.random.split(jax.random.key(1), 1), states
    )
    assert (np.asarray(favourite.move) == odds.argmax()).all()


def _generations(game: Game, config: ppo.PPOConfig, count: int) -> Any:
    learner = config.make(game, Rules(game))
    state, policy = learner.init(jax.random.key(0)), learner.behaviour_policy()
    table = device_loop.Match(game, policy, policy, judge=Rules(game), slots=64, record=True)
    for number in range(count):
        keys = jax.random.split(jax.random.key(number), 3)
        starts = random_openings(game, keys[0], shape=(1, 256), plies=0)
        params = stack([state.params])
        played = table.play(params, params, keys=jax.random.split(keys[1], 1), openings=starts)
        record, scores = jax.tree.map(np.asarray, (played.record, played.scores))
        data = learner.make_dataset(record, scores, np.ones((2, 1), bool))
        state, _ = learner.learn(
            state, data, fresh=len(data.move), progress=number / count, key=keys[2]
        )
    return state


def test_it_finds_the_better_row_and_the_better_column():
    game = games.load("matrix:payoffs=1 2; -1 0")  # row 0 and column 0, whatever the other does
    config = ppo.PPOConfig(NETWORK, batch_size=128, learning_rate=1e-2)
    params = _generations(game, config, 12).params
    start = game.init()
    for state in (start, game.step(start, jnp.int32(0))):
        seen = game.observe(state, game.mover(state))[None]
        odds = jax.nn.softmax(networks.apply(game, NETWORK, params, seen)[0])
        assert odds[0, 0] > 0.9


def test_what_is_not_to_be_learnt_is_left_out():
    game = KUHN
    learner = ppo.PPOConfig(NETWORK).make(game, Rules(game))
    policy = learner.behaviour_policy()
    params = stack([_params(game, 1)])
    starts = random_openings(game, jax.random.key(0), shape=(1, 64), plies=0)
    played = device_loop.Match(game, policy, policy, judge=Rules(game), slots=16, record=True).play(
        params, params, keys=jax.random.split(jax.random.key(1), 1), openings=starts
    )
    record, scores = jax.tree.map(np.asarray, (played.record, played.scores))
    sizes = [
        len(learner.make_dataset(record, scores, np.array(learns)[:, None]).move)
        for learns in ([True, True], [True, False], [False, True])
    ]
    assert sizes[0] == sizes[1] + sizes[2] == (record.game < 128).sum()
    assert min(sizes) > 64
