"""Magnetic mirror descent: its step is the one in closed form, and it comes to equilibria."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents.learners import mmd, returns
from agents.learners.base import TrainState
from agents.nn import networks
from agents.nn.networks import MLPConfig
from arena.evaluation.exploitability import exploitability, sequence_form
from arena.judges.rules import Rules
from arena.play import device_loop
from arena.play.openings import random_openings
from arena.types import stack
from games import Game

KUHN = games.load("kuhn_poker")
CONFIG = mmd.MMDConfig(MLPConfig(width=32, layers=1))
LEARNER = CONFIG.make(KUHN, Rules(KUHN))


def _params(game: Game, seed: int) -> Any:
    shapes = jax.eval_shape(partial(networks.initialise, game, CONFIG.network), jax.random.key(0))
    leaves, form = jax.tree.flatten(shapes)
    rng = np.random.default_rng(seed)
    return form.unflatten([jnp.asarray(rng.normal(0, 0.7, x.shape), "f") for x in leaves])


def _play(game: Game, params: Any, pairs: int, seed: int) -> tuple[Any, np.ndarray]:
    """A record of games of the network against itself, and the scores."""
    policy = CONFIG.make(game, Rules(game)).behaviour_policy()
    weights = stack([mmd.Weights(params, params)])
    table = device_loop.Match(
        game, policy, policy, judge=Rules(game), slots=min(pairs, 1024), record=True
    )
    keys = jax.random.split(jax.random.key(seed), 2)
    starts = random_openings(game, keys[0], shape=(1, pairs), plies=0)
    played = table.play(weights, weights, keys=keys[1:], openings=starts)
    return jax.tree.map(np.asarray, (played.record, played.scores))


def _policy(params: Any):
    def policy(seen: np.ndarray, legal: np.ndarray) -> np.ndarray:
        logits = networks.apply(KUHN, CONFIG.network, params, jnp.asarray(seen))[0]
        return np.asarray(jax.nn.softmax(jnp.where(legal, logits, -jnp.inf)), np.float64)

    return policy


def _values(params: Any) -> dict[bytes, np.ndarray]:
    """What each move is worth in each information set of Kuhn poker, by the sequence form."""
    form, policy = sequence_form(KUHN), _policy(params)
    chosen = policy(form.observation, form.legal)
    weights = np.ones(1 + form.legal.size)
    for i in np.argsort(form.depth, kind="stable"):
        weights[1 + 2 * i : 3 + 2 * i] = weights[form.before[i]] * chosen[i]
    found = {}
    for i in np.argsort(-form.depth, kind="stable"):
        seat = int(form.seat[i])
        other, worth = form.ends[1 - seat], np.zeros(2)
        for a in (0, 1):
            own, scale = 1 + 2 * i + a, 0.0
            # Courses that this move leads to, by the seat's own moves after it alone.
            for end, theirs, gain in zip(form.ends[seat], other, form.payoff, strict=True):
                later, at = 1.0, end
                while at not in (0, own):
                    j, b = divmod(at - 1, 2)
                    later, at = later * chosen[j, b], form.before[j]
                if at == own:
                    chance = 1 / 6  # every deal of two cards of three
                    worth[a] += (1 - 2 * seat) * gain * later * weights[theirs]
                    scale += chance * later * weights[theirs]
            worth[a] /= scale * KUHN.max_payoff
        found[form.observation[i].tobytes()] = worth
    return found


def test_what_it_learns_from_is_what_moves_are_worth_without_exploration():
    params = _params(KUHN, 1)
    record, scores = _play(KUHN, params, 150_000, 0)
    data = LEARNER.make_dataset(record, scores, np.ones((2, 1), bool))
    rows = mmd.situations(KUHN, CONFIG, params, data)
    assert len(rows.seen) == 12  # OpenSpiel, api_test.py: information sets of Kuhn poker
    worth = _values(params)
    _, value = networks.apply(KUHN, CONFIG.network, params, jnp.asarray(rows.seen))
    policy = np.exp(rows.before)
    for i, seen in enumerate(rows.seen):
        expected = worth[seen.tobytes()]
        odds = (1 - CONFIG.explore) * policy[i] + CONFIG.explore / 2
        error = 4 / (rows.weight[i] * np.sqrt(odds))  # four deviations of at most 1
        assert (abs(rows.gain[i] - (expected - value[i])) < error).all()
        assert abs(rows.target[i] - policy[i] @ expected) < error.max()


def test_the_best_of_its_loss_is_the_step_in_closed_form():
    """Sokota et al. 2022, proposition 3.1 of arXiv 2206.05825, with a uniform magnet."""
    rng, progress = np.random.default_rng(0), 0.5
    before = np.log(rng.dirichlet(np.ones(2), 12)).astype(np.float32)
    gain = rng.normal(0, 0.3, (12, 2)).astype(np.float32)
    seen = sequence_form(KUHN).observation
    rows = mmd.Situations(
        seen, np.ones((12, 2), bool), before, gain, np.zeros(12, "f"), np.ones(12, "f")
    )
    step = np.sqrt(CONFIG.step * CONFIG.step_end)
    magnet = np.sqrt(CONFIG.magnet * CONFIG.magnet_end)
    best = jax.nn.softmax((before + step * gain) / (1 + step * magnet))

    def loss(logits):
        # The network is taken out: its logits are the parameters.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(networks, "apply", lambda *_: (logits, jnp.zeros(12)))
            return mmd.Objective(KUHN, CONFIG).loss((), rows, jnp.float32(progress))[0]

    slope = jax.grad(loss)(jnp.log(best))
    np.testing.assert_allclose(slope, 0, atol=1e-6)
    assert abs(jax.grad(loss)(jnp.asarray(before))).max() > 1e-3
    assert loss(jnp.log(best)) < loss(jnp.asarray(before))


def test_a_sample_holds_rows_by_their_weight():
    weight = np.array([1, 0.5, 6, 0.5], np.float32)
    column = np.arange(4, dtype=np.float32)
    rows = mmd.Situations(column, column, column, column, column, weight)
    objective = mmd.Objective(KUHN, CONFIG)
    for seed in range(5):
        drawn = objective.draw(rows, 3, np.random.default_rng(seed))
        assert sorted(drawn.seen.tolist())[1:] in ([2, 2], [2, 3])
    counts = [objective.draw(rows, 3, np.random.default_rng(seed)).seen for seed in range(400)]
    shares = np.bincount(np.concatenate(counts).astype(int), minlength=4) / 1200
    np.testing.assert_allclose(shares, [1 / 8, 1 / 16, 3 / 4, 1 / 16], atol=0.03)
    three = jax.tree.map(lambda x: x[:3], rows)
    whole = objective.draw(three, 8, np.random.default_rng(0))
    np.testing.assert_array_equal(whole.weight, [1, 0.5, 6, 0])


def test_likelihoods_are_products_over_the_moves_around():
    ratio = np.array([0.5, 0.25, 2, 0.1, 3])
    side, game = np.array([0, 1, 0, 1, 1]), np.array([4, 4, 4, 7, 7])
    earlier, later = returns.likelihoods(np.log(ratio), side, game)
    np.testing.assert_allclose(earlier, [1, 0.5, 0.25, 1, 1])
    np.testing.assert_allclose(later, [0.5, 2, 1, 3, 1])


def _train(
    game: Game, config: mmd.MMDConfig, rounds: int, pairs: int, seed: int
) -> TrainState[mmd.Weights]:
    learner = config.make(game, Rules(game))
    state, policy = learner.init(jax.random.key(seed)), learner.behaviour_policy()
    table = device_loop.Match(
        game, policy, policy, judge=Rules(game), slots=min(pairs, 1024), record=True
    )
    for number in range(1, rounds + 1):
        keys = jax.random.split(jax.random.fold_in(jax.random.key(seed), number), 3)
        params = stack([state.params])
        starts = random_openings(game, keys[0], shape=(1, pairs), plies=0)
        played = table.play(params, params, keys=keys[1:2], openings=starts)
        record, scores = jax.tree.map(np.asarray, (played.record, played.scores))
        data = learner.make_dataset(record, scores, np.ones((2, 1), bool))
        state, _ = learner.learn(
            state, data, fresh=len(data.move), progress=number / rounds, key=keys[2]
        )
    return state


@pytest.mark.slow
def test_it_comes_to_rest_where_rock_paper_and_scissors_are_mixed():
    """In this game plain gradients go round for ever; the equilibrium was solved by hand.

    Rock against scissors counts twice, so that scissors are played half as often as they would
    be: paper half of the time, rock and scissors a quarter each.
    """
    game = games.load("matrix:payoffs=0 -1 2; 1 0 -1; -2 1 0")
    config = mmd.MMDConfig(
        CONFIG.network,
        batch_size=256,
        replay_ratio=4,
        learning_rate=1e-2,
        magnet=0.2,
        magnet_end=0.05,
    )
    learner = config.make(game, Rules(game))
    params = _train(game, config, 100, 256, 0).params
    start = game.init()
    for state in (start, game.step(start, jnp.int32(0))):
        seen = game.observe(state, game.mover(state))[None]
        odds = jax.nn.softmax(learner.logits(params, seen))[0]
        np.testing.assert_allclose(odds, [0.25, 0.5, 0.25], atol=0.06)


def test_only_the_newest_rows_are_learnt_from():
    params = _params(KUHN, 2)
    record, scores = _play(KUHN, params, 64, 1)
    data = LEARNER.make_dataset(record, scores, np.ones((2, 1), bool))
    stale = jax.tree.map(lambda x: x[:5], data)._replace(advantage=np.full(5, 9, "f"))
    both = jax.tree.map(lambda a, b: np.concatenate([a, b]), stale, data)
    state, key = LEARNER.init(jax.random.key(0)), jax.random.key(1)
    one, other = (
        LEARNER.learn(state, rows, fresh=len(data.move), progress=0.5, key=key)[0]
        for rows in (data, both)
    )
    jax.tree.map(np.testing.assert_array_equal, one, other)


@pytest.mark.slow
def test_kuhn_poker_is_solved():
    """Value -1/18: H. W. Kuhn 1950, A simplified two-person poker."""
    config = mmd.MMDConfig()
    learner = config.make(KUHN, Rules(KUHN))
    params = _train(KUHN, config, 600, 8192, 0).params  # as many games as the league's default

    def policy(seen: np.ndarray, legal: np.ndarray) -> np.ndarray:
        logits = learner.logits(params, jnp.asarray(seen))
        return np.asarray(jax.nn.softmax(logits.astype(jnp.float32)), np.float64)

    assert exploitability(KUHN, policy) <= 0.01
