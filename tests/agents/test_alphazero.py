"""AlphaZero: how it sees a position, and that it learns what it is shown."""

from dataclasses import replace
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import games
from agents.learners import alphazero, optimisation
from agents.learners.alphazero import AlphaZero, AlphaZeroConfig, Dataset
from agents.learners.base import TrainState
from agents.nn import networks
from agents.nn.networks import ResNetConfig
from agents.policies import SearchPolicy, SearchTarget
from arena.errors import UserError
from arena.evaluation.solver import solve
from arena.judges.rules import Rules
from arena.play.openings import random_openings
from arena.types import stack
from games import Game
from tests.helpers.playouts import playouts

TIC_TAC_TOE = games.load("tic_tac_toe")
NETWORK = ResNetConfig(channels=16, blocks=1)
# At a replay ratio of 1 there is a gradient step for every 64 positions that are said to be fresh.
CONFIG = AlphaZeroConfig(
    NETWORK, batch_size=64, replay_ratio=1.0, learning_rate=1e-2, weight_decay=0.0
)
LEARNER = CONFIG.make(TIC_TAC_TOE, Rules(TIC_TAC_TOE))


def _rows(states: Any, index: Any) -> Any:
    return jax.tree.map(lambda x: np.asarray(x)[index], states)


@cache
def _solved() -> Dataset:
    """64 solved positions: play any move that keeps the value, and expect the value."""
    solution = solve(TIC_TAC_TOE)
    rows = np.random.default_rng(0).choice(len(solution.value), 64, replace=False)
    keeps = solution.optimal[rows].astype(np.float32)
    policy = keeps / keeps.sum(1, keepdims=True)
    value = solution.value[rows].astype(np.float32)
    return Dataset(_rows(solution.states, rows), _search_target(policy, value), value)


def _search_target(policy: np.ndarray, value: np.ndarray) -> Any:
    """A search_target of policies f32[N, A] as they are, move by move."""
    move = np.broadcast_to(np.arange(policy.shape[1], dtype=np.int16), policy.shape)
    return SearchTarget(move, policy, value, np.zeros(len(value), bool))


@cache
def _start() -> TrainState:
    return LEARNER.init(jax.random.key(0))


def _learn(steps: int, progress: float, seed: int) -> tuple[TrainState, dict[str, float]]:
    key = jax.random.key(seed)
    return LEARNER.learn(_start(), _solved(), fresh=64 * steps, progress=progress, key=key)


@cache
def _learnt() -> tuple[TrainState, dict[str, float]]:
    return _learn(steps=300, progress=0.5, seed=1)


@cache
def _jitted(agent: SearchPolicy):
    return jax.jit(agent)


@cache
def _outputs():
    return jax.jit(partial(networks.mover_outputs, TIC_TAC_TOE, NETWORK))


def _evaluate(params: Any, states: Any) -> Any:
    """Logits and values of one agent's network."""
    return tuple(np.asarray(x) for x in _outputs()(stack([params]), states))


def _act(agent: SearchPolicy, params: Any, states: Any, seed: int = 0) -> Any:
    groups = len(jax.tree.leaves(params)[0])
    decide = _jitted(agent)(params, jax.random.split(jax.random.key(seed), groups), states)
    return jax.tree.map(np.asarray, decide)


def test_learning_fits_a_small_dataset():
    policy = np.asarray(_solved().search_target.policy)
    floor = -(policy * np.log(np.maximum(policy, 1e-9))).sum(1).mean()
    (_, before), (_, after) = _learn(steps=1, progress=0.0, seed=1), _learnt()
    assert after["policy_loss"] - floor < (before["policy_loss"] - floor) / 5
    assert after["value_loss"] < before["value_loss"] / 4
    assert after["loss"] == pytest.approx(after["policy_loss"] + after["value_loss"])


def test_learning_once_more_gives_the_same_bits():
    runs = [_learn(steps=5, progress=0.0, seed=seed) for seed in (1, 1, 2)]
    once, again, other = (
        np.concatenate([np.ravel(x) for x in jax.tree.leaves(run)]) for run in runs
    )
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()


def test_the_learning_rate_falls_along_a_cosine_to_a_tenth():
    """Adam's first step is 1 + 9/19 times the rate, with Nesterov's momentum and a decay of 0.9."""
    lengths = []
    for progress in (0.0, 0.5, 1.0):
        after, _ = _learn(steps=1, progress=progress, seed=1)
        steps = jax.tree.map(lambda x, y: np.abs(x - y).max(), _start().params, after.params)
        lengths.append(max(jax.tree.leaves(steps)))
    np.testing.assert_allclose(np.array(lengths) * 19 / 28, [0.01, 0.0055, 0.001], rtol=1e-3)


def test_what_is_learnt_holds_for_both_seats():
    """The network sees every position from the side of its mover, and speaks for it."""
    state, _ = _learnt()
    data, agent = _solved(), SearchPolicy(TIC_TAC_TOE, NETWORK, simulations=0)
    movers = np.asarray(jax.vmap(TIC_TAC_TOE.mover)(data.state))
    move = _act(agent, stack([state.params]), data.state).move
    _, value = _evaluate(state.params, data.state)
    assert (data.search_target.policy[np.arange(64), move] > 0).mean() > 0.9
    for seat in (0, 1):
        assert {-1.0, 1.0} <= set(data.outcome[movers == seat].tolist())
        assert np.abs(value - data.outcome)[movers == seat].mean() < 0.25


def test_the_network_sees_the_movers_side():
    params, states = _learnt()[0].params, _solved().state

    @jax.jit
    def look(turned: int) -> Any:
        seats = jax.vmap(TIC_TAC_TOE.mover)(states) ^ turned
        seen = jax.vmap(lambda s, seat: TIC_TAC_TOE.observe(s, seat))(states, seats)
        return networks.apply(TIC_TAC_TOE, NETWORK, params, seen)

    logits, value = _evaluate(params, states)
    np.testing.assert_allclose(logits, look(0)[0], atol=1e-4)
    np.testing.assert_allclose(value, look(0)[1], atol=1e-4)
    assert np.abs(value - look(1)[1]).max() > 0.5


@cache
def _prepared(game: Game):
    return jax.jit(alphazero.Objective(game, CONFIG).prepare)


def _lopsided(game: Game) -> Any:
    """A position of which no image is like another."""
    for seed in range(50):
        states = random_openings(game, jax.random.key(seed), shape=(1,), plies=6)
        state = jax.tree.map(lambda x: x[0], states)
        seen = game.observe(state, game.mover(state))
        images, _ = game.symmetries(seen, jnp.zeros(game.num_actions))
        if len(np.unique(np.asarray(images), axis=0)) == len(images):
            return state
    raise AssertionError("every position tried is symmetric")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in ("connect_four", "hex") else [pytest.mark.slow])
        for name in games.names()
        if games.load(name).searchable
    ],
)
def test_positions_and_policies_are_turned_together(name: str):
    game: Game = games.load(name)
    start = _lopsided(game)
    policy = np.arange(1, game.num_actions + 1, dtype=np.float32)
    data = Dataset(
        jax.tree.map(lambda x: np.repeat(np.asarray(x)[None], 400, 0), start),
        _search_target(np.repeat(policy[None], 400, 0), np.full(400, -0.5, np.float32)),
        np.full(400, 0.5, np.float32),
    )
    prepared = jax.tree.map(np.asarray, _prepared(game)(data, jax.random.key(0)))
    seen, policies, legal, values = prepared
    looks = game.observe(start, game.mover(start))
    images, turned = game.symmetries(looks, jnp.asarray(policy))
    _, allowed = game.symmetries(looks, game.legal(start).astype(jnp.float32))
    drawn = np.zeros(len(images), int)
    for image, drawn_policy, drawn_legal in zip(seen, policies, legal, strict=True):
        same = (images == image).reshape(len(images), -1).all(1)
        assert same.sum() == 1
        np.testing.assert_array_equal(turned[same.argmax()], drawn_policy)
        np.testing.assert_array_equal(allowed[same.argmax()] > 0, drawn_legal)
        drawn[same.argmax()] += 1
    assert (values == 0.5).all()
    assert (drawn > 400 / len(images) / 2).all()


def test_agents_stacked_move_as_each_alone():
    params = [_start().params, _learnt()[0].params]
    states = _solved().state
    agent = SearchPolicy(TIC_TAC_TOE, NETWORK, simulations=8)
    both = _act(agent, stack(params), states)
    assert both.aux == ()
    alone = [_act(agent, stack([p, p]), states).move for p in params]
    np.testing.assert_array_equal(both.move, np.concatenate([alone[0][:32], alone[1][32:]]))
    assert (alone[0] != alone[1]).any()


def test_exploring_draws_noise_and_notes_a_policy():
    params = stack([_start().params])
    states = _rows(_solved().state, np.repeat(np.arange(64), 4))
    agent = SearchPolicy(TIC_TAC_TOE, NETWORK, simulations=8, explore=True)
    once, again, other = (_act(agent, params, states, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(once.move, again.move)
    for x, y in zip(once.aux, again.aux, strict=True):
        np.testing.assert_array_equal(x, y)
    assert (once.move != other.move).any()
    assert (once.move.reshape(64, 4) != once.move.reshape(64, 4)[:, :1]).any()  # each its own noise
    legal = np.asarray(jax.vmap(TIC_TAC_TOE.legal)(states))
    assert legal[np.arange(256), once.move].all()
    assert (np.sort(once.aux.move, 1) == np.arange(9)).all()
    np.testing.assert_allclose(once.aux.policy.sum(1), 1, atol=1e-6)
    assert (once.aux.policy[~np.take_along_axis(legal, once.aux.move.astype(int), 1)] == 0).all()
    assert (np.abs(once.aux.value) <= 1).all()


def test_puct_is_explored_by_visits_and_learnt():
    learner = replace(CONFIG, search="puct", simulations=16).make(TIC_TAC_TOE, Rules(TIC_TAC_TOE))
    policy = learner.behaviour_policy()
    assert (policy.search, learner.eval_policy(8).search) == ("puct", "puct")
    states, params = _rows(_solved().state, np.repeat(np.arange(64), 4)), stack([_start().params])
    once, again, other = (_act(policy, params, states, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(once.move, again.move)
    assert (once.move != other.move).any()
    legal = np.asarray(jax.vmap(TIC_TAC_TOE.legal)(states))
    assert legal[np.arange(256), once.move].all()
    # The target is the share of 16 visits.
    visits = once.aux.policy * 16
    np.testing.assert_allclose(visits, np.rint(visits), atol=1e-4)
    np.testing.assert_allclose(visits.sum(1), 16, atol=1e-4)
    # Moves that are drawn have been visited.
    chosen = once.aux.move == once.move[:, None]
    assert (visits[chosen] > 0.5).all()
    strongest = _act(learner.eval_policy(16), params, states)
    assert strongest.aux == ()
    assert legal[np.arange(256), strongest.move].all()
    quiet = _act(learner.eval_policy(16), params, states, seed=1)
    np.testing.assert_array_equal(strongest.move, quiet.move)  # without noise
    data = Dataset(states, once.aux, once.aux.value)
    state, losses = learner.learn(
        _start(), data, fresh=64 * 30, progress=0.0, key=jax.random.key(1)
    )
    assert losses["policy_loss"] < 0.9 * np.log(9)  # which is that of a network without knowledge
    assert (np.asarray(jax.tree.leaves(state.params)[0]) != jax.tree.leaves(params)[0][0]).any()


def test_an_unknown_search_is_refused():
    with pytest.raises(UserError, match="search must be gumbel or puct, not alphabeta"):
        replace(CONFIG, search="alphabeta")  # pyright: ignore[reportArgumentType]


def test_a_position_is_worth_what_is_proven_after_it():
    game = np.array([0, 0, 0, 1, 1, 1, 2])
    proven = np.array([False, True, False, False, False, True, False])
    value = np.array([0.5, 1.0, 0.25, -0.5, 0.5, 0.0, 0.0], np.float32)
    score = np.array([-1, -1, -1, 1, 1, 1, -1], np.float32)
    # Game 0 was won before it was thrown away, game 1 was a draw in the end, game 2 stays lost.
    patient = alphazero._targets(game, value, proven, score, 1.0)
    np.testing.assert_array_equal(patient, [1, 1, -1, 0, 0, 0, -1])
    # Half of what comes next is believed at once, wherever it is not the end.
    half = alphazero._targets(game, value, proven, score, 0.5)
    np.testing.assert_array_equal(half, [1, 1, -1, 0.25, 0, 0, -1])


# --- ownership --------------------------------------------------------------------------------

GO = games.load("go:size=3")
OWNERS = replace(CONFIG, ownership_weight=1.0)


@cache
def _played_out() -> Dataset:
    """The last positions of 32 random games of go, which tell how these are about to end."""
    played = playouts(GO, 32, seed=0)
    going = played.movers >= 0
    time, number = np.nonzero(going & (np.arange(len(going))[:, None] >= going.sum(0) - 4))
    policy = np.full((len(time), GO.num_actions), 1 / GO.num_actions, np.float32)
    return Dataset(
        _rows(played.states, (time, number)),
        _search_target(policy, np.zeros(len(time), np.float32)),
        np.zeros(len(time), np.float32),
        _rows(played.states, (-1, number)),
    )


def test_owners_are_turned_with_the_position_and_seen_by_its_mover():
    data = _played_out()
    prepare = jax.jit(alphazero.Objective(GO, OWNERS).prepare)
    seen, _, _, _, owners = jax.tree.map(np.asarray, prepare(data, jax.random.key(0)))

    @jax.jit
    @jax.vmap
    def look(state: Any, final: Any) -> Any:
        """All images, and the owners turned as if they were moves; the last move is a pass."""
        mover = GO.mover(state)
        cells = jnp.append(GO.ownership(final, mover), 0.0)
        return GO.symmetries(GO.observe(state, mover), cells)

    images, turned = jax.tree.map(np.asarray, look(data.state, data.final))
    same = (images == seen[:, None]).all((2, 3, 4))
    right = (turned[..., :-1] == owners.reshape(len(seen), 1, -1)).all(-1)
    assert (same & right).any(1).all()
    assert (~right[:, 0]).mean() > 0.5  # most have been turned


def test_ownership_is_learnt():
    learner, key = AlphaZero(GO, OWNERS, Rules(GO)), jax.random.key(1)
    state, data = learner.init(jax.random.key(0)), _played_out()
    _, losses = learner.learn(state, data, fresh=64 * 50, progress=0.0, key=key)
    assert losses["ownership_loss"] < 0.8 * np.log(2)  # which is that of knowing nothing
    assert losses["loss"] == pytest.approx(
        losses["policy_loss"] + losses["value_loss"] + losses["ownership_loss"]
    )


def test_what_says_nothing_of_owners_cannot_teach_them():
    with pytest.raises(ValueError, match="TicTacToe does not say who owns its cells"):
        AlphaZero(TIC_TAC_TOE, OWNERS, Rules(TIC_TAC_TOE)).check()
    AlphaZero(GO, OWNERS, Rules(GO)).check()


# --- legality ---------------------------------------------------------------------------------


def test_legality_makes_up_the_cross_entropy_over_all_moves():
    chance = np.random.default_rng(0)
    logits = jnp.asarray(chance.normal(size=(50, 7)), jnp.float32) * 5
    legal = jnp.asarray(chance.random((50, 7)) < 0.4).at[:, 0].set(True)
    policy = jnp.where(legal, jnp.asarray(chance.random((50, 7)), jnp.float32), 0.0)
    policy = policy / policy.sum(1, keepdims=True)
    over_all = optax.softmax_cross_entropy(logits, policy)
    found = optimisation.cross_entropy(logits, legal, policy)
    assert np.allclose(found + optimisation.illegality(logits, legal), over_all, atol=1e-4)
    assert optimisation.illegality(logits, jnp.ones_like(legal)) == pytest.approx(0, abs=1e-5)


def test_legality_is_learnt():
    config = replace(CONFIG, legality_weight=0.5)
    learner, key = AlphaZero(GO, config, Rules(GO)), jax.random.key(1)
    state, data = learner.init(jax.random.key(0)), _played_out()._replace(final=())
    _, first = learner.learn(state, data, fresh=1, progress=0.0, key=key)
    _, losses = learner.learn(state, data, fresh=64 * 50, progress=0.0, key=key)
    assert losses["legality_loss"] < 0.5 * first["legality_loss"]
    assert losses["loss"] == pytest.approx(
        losses["policy_loss"] + losses["value_loss"] + 0.5 * losses["legality_loss"]
    )
