"""TD(lambda): what moves are worth, which are played, what is learnt, and that it learns."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents.learners import td
from agents.nn import networks
from agents.nn.networks import MLPConfig
from arena.evaluation import score
from arena.judges.rules import Rules
from arena.play import device_loop, match
from arena.play.openings import random_openings
from arena.types import Agent, stack
from games import CHANCE, OVER

CONFIG = td.TDConfig(network=MLPConfig(width=32, layers=1), batch_size=64, temperature=0.1)


def _play(learner: td.TD, params: Any, *, pairs: int, seed: int, plies: int) -> tuple[Any, Any]:
    """The record of games of weights against themselves, and the scores."""
    policy = learner.behaviour_policy()
    table = device_loop.Match(
        learner.game, policy, policy, judge=learner.judge, slots=pairs, record=True
    )
    keys = jax.random.split(jax.random.key(seed), 2)
    starts = random_openings(learner.game, keys[0], shape=(1, pairs), plies=plies)
    played = table.play(stack([params]), stack([params]), keys=keys[1:], openings=starts)
    return jax.tree.map(np.asarray, (played.record, played.scores))


@pytest.mark.parametrize("name", ["tic_tac_toe", "backgammon"])
def test_a_move_is_worth_what_the_network_says_of_the_position_after_it(name: str):
    game = games.load(name)
    learner = CONFIG.make(game, Rules(game))
    params = learner.init(jax.random.key(1)).params
    record, scores = _play(learner, params, pairs=4, seed=0, plies=0)
    made = learner.make_dataset(record, scores, np.ones((2, 1), bool)).state
    chosen = np.random.default_rng(0).choice(len(jax.tree.leaves(made)[0]), 24, replace=False)
    states = jax.tree.map(lambda x: jnp.asarray(x)[chosen], made)
    keys = jax.random.split(jax.random.key(0), 1)
    decision = jax.jit(learner.behaviour_policy())(stack([params]), keys, states)
    best = jax.jit(learner.eval_policy(0))(stack([params]), keys, states).move

    @jax.jit
    def after(state: Any, move: Any) -> Any:
        seat, left = game.mover(state), game.step(state, move)
        seen = game.observe(left, seat)
        value = networks.apply(game, CONFIG.network, params, seen[None])[1][0]
        ended = game.payoff(left) * jnp.where(seat == 0, 1.0, -1.0)
        return jnp.where(game.mover(left) == OVER, ended, value), left

    def turn(worth: Any, left: Any, before: Any) -> float:
        """What a move is worth by itself, or by the best after it if the seat goes on."""
        if int(game.mover(left)) != int(game.mover(before)):
            return float(worth)
        return max(float(after(left, jnp.int32(m))[0]) for m in np.flatnonzero(game.legal(left)))

    chances = 0
    for k in range(24):
        state = jax.tree.map(lambda x, k=k: x[k], states)
        moves = np.flatnonzero(game.legal(state))
        alone = [after(state, jnp.int32(move)) for move in moves]
        worth = np.array([float(value) for value, _ in alone])
        chances += sum(int(game.mover(left)) == CHANCE for _, left in alone)
        turns = np.array([turn(value, left, state) for value, left in alone])
        assert decision.aux.made[k] == decision.move[k]
        assert decision.move[k] in moves
        played = worth[moves == decision.move[k]][0]
        np.testing.assert_allclose(decision.aux.value[k], played, atol=1e-5)
        np.testing.assert_allclose(turns[moves == best[k]][0], turns.max(), atol=1e-5)
        odds = np.exp((worth - worth.max()) / CONFIG.temperature)
        shown = dict(zip(decision.aux.move[k].tolist(), decision.aux.policy[k], strict=True))
        found = [shown.get(move, 0.0) for move in moves]
        np.testing.assert_allclose(found, odds / odds.sum(), atol=1e-4)
    assert (chances > 0) == (name == "backgammon")


def test_it_learns_to_win():
    game = games.load("tic_tac_toe")
    learner = CONFIG.make(game, Rules(game))
    first = state = learner.init(jax.random.key(0))
    losses: dict[str, float] = {}
    for number in range(8):
        record, scores = _play(learner, state.params, pairs=256, seed=number, plies=3)
        data = learner.make_dataset(record, scores, np.ones((2, 1), bool))
        key, fresh = jax.random.key(number), len(data.target)
        state, losses = learner.learn(state, data, fresh=fresh, progress=0.0, key=key)
    before = Agent("", learner.eval_policy(0), first.params)
    now, key = replace(before, params=state.params), jax.random.key(9)
    played = match.play([now], [before], game, key=key, pairs=50, plies=2, groups=1, slots=50)
    assert score.of(played[0]).score > 0.6
    assert losses["policy_loss"] < 0.9 * np.log(9)


def test_targets_are_the_results_where_nothing_else_is_trusted():
    game = games.load("backgammon")
    learner = replace(CONFIG, td_lambda=1.0).make(game, Rules(game))
    record, scores = _play(
        learner, learner.init(jax.random.key(0)).params, pairs=4, seed=0, plies=0
    )
    # Side A alone learns, so that these are results by its own scale.
    data = learner.make_dataset(record, scores, np.array([[True], [False]]))
    won = 2 * scores.reshape(-1) - 1
    assert {round(float(x), 3) for x in data.target} == {round(float(x), 3) for x in won}


def test_what_is_hidden_cannot_be_learnt_so():
    game = games.load("kuhn_poker")
    with pytest.raises(ValueError, match="hidden information"):
        CONFIG.make(game, Rules(game)).check()
