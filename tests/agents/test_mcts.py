"""The agent `mcts:N` and the floor of all ratings, `uniform`."""

from functools import cache
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents import mcts, uniform
from arena.evaluation import score
from arena.play import match
from arena.types import Agent
from games import OVER

TIC_TAC_TOE, CONNECT_FOUR = games.load("tic_tac_toe"), games.load("connect_four")


@cache
def _jitted(agent: Agent):
    return jax.jit(agent.policy)


def _moves(agent: Agent, state: Any, count: int, seed: int = 0) -> np.ndarray:
    """What an agent plays in the same position, asked `count` times in two groups."""
    states = jax.tree.map(lambda x: jnp.broadcast_to(x, (count, *x.shape)), state)
    return np.asarray(_jitted(agent)((), jax.random.split(jax.random.key(seed), 2), states).move)


def _after(game: games.Game, moves: str) -> Any:
    """The position after moves as players write them."""
    state = game.init()
    for text in moves.split():
        state = game.step(state, jnp.int32(game.parse(state, text)))
    return state


@pytest.mark.parametrize(
    ("name", "moves", "best"),
    [
        ("tic_tac_toe", "a3 a2 b3 b2", "c3"),  # X completes the top row, though O threatens too
        ("tic_tac_toe", "a3 a2 c1 b2 b1", "c2"),  # O completes the middle row before X does his
        ("tic_tac_toe", "a3 b2 b3", "c3"),  # O has no row to complete and must block the top one
        ("tic_tac_toe", "b2 a3 b1", "b3"),  # O must block the middle column
        ("connect_four", "1 2 1 2 1 2", "1"),  # X stands a fourth stone on column 1
        ("connect_four", "1 7 2 7 1 7 2", "7"),  # O stands a fourth stone on column 7
        ("connect_four", "1 2 1 7 1", "1"),  # O must cap the three in column 1
        ("connect_four", "7 1 7 2 6 3", "4"),  # O has the bottom row's first three
    ],
)
def test_wins_at_once_and_stops_the_other_from_it(name: str, moves: str, best: str):
    game = games.load(name)
    state = _after(game, moves)
    assert (_moves(mcts.make(game, "200"), state, 32) == game.parse(state, best)).all()


def test_same_key_same_moves():
    agent, start = mcts.make(TIC_TAC_TOE, "200"), TIC_TAC_TOE.init()
    once = _moves(agent, start, 32)
    np.testing.assert_array_equal(once, _moves(agent, start, 32))
    assert (once != _moves(agent, start, 32, seed=1)).any()
    assert (once[:16] != once[16:]).any()  # the two groups have keys of their own


@pytest.mark.slow
def test_beats_random_moves_at_connect_four():
    best, floor = mcts.make(CONNECT_FOUR, "200"), uniform.make(CONNECT_FOUR, "")
    played = match.play(
        [best], [floor], CONNECT_FOUR, key=jax.random.key(0), pairs=8, plies=4, groups=1, slots=8
    )
    assert score.of(played[0]).score > 0.9


def test_rollouts_end_and_are_uniform():
    starts = jax.tree.map(lambda x: jnp.broadcast_to(x, (2000, *x.shape)), TIC_TAC_TOE.init())
    roll = jax.jit(lambda keys, states: mcts.rollout(TIC_TAC_TOE, keys, states))
    ends = roll(jax.random.split(jax.random.key(0), 4), starts)
    assert (jax.vmap(TIC_TAC_TOE.mover)(ends) == OVER).all()
    payoff = np.asarray(jax.vmap(TIC_TAC_TOE.payoff)(ends))
    # Backward induction in fractions gives seat 0 737/1260 of random games and seat 1 121/420;
    # four standard deviations of 2000 games are allowed.
    for won, expected in ((payoff == 1, 737 / 1260), (payoff == -1, 121 / 420)):
        assert abs(won.mean() - expected) < 4 * np.sqrt(expected * (1 - expected) / 2000)


def test_uniform_is_uniform_over_the_legal_moves():
    state = _after(TIC_TAC_TOE, "a3 b2 c3 b3")  # five cells left
    drawn = np.bincount(_moves(uniform.make(TIC_TAC_TOE, ""), state, 4000), minlength=9)
    legal = np.asarray(TIC_TAC_TOE.legal(state))
    assert (drawn[~legal] == 0).all()
    # Chi-square with 4 degrees of freedom: below 23.5 in all but one of 10,000 cases.
    assert ((drawn[legal] - 800) ** 2 / 800).sum() < 23.5


@pytest.mark.parametrize("argument", ["", "0", "-1", "1.5", "many", "1e3", " 7", "+5"])
def test_mcts_wants_a_number_of_rollouts(argument: str):
    with pytest.raises(ValueError, match=r"\Amcts takes a number of rollouts[^\n]+\Z"):
        mcts.make(TIC_TAC_TOE, argument)


def test_names():
    assert mcts.make(TIC_TAC_TOE, "007").name == "mcts:7"
    assert uniform.make(TIC_TAC_TOE, "").name == "uniform"
    with pytest.raises(ValueError, match="uniform takes no argument, not '3'"):
        uniform.make(TIC_TAC_TOE, "3")


@pytest.mark.slow
def test_more_rollouts_never_play_worse():
    budgets = (8, 32, 128, 512)
    agents = [mcts.make(CONNECT_FOUR, str(n)) for n in budgets]
    for seed, (fewer, more) in enumerate(pairwise(agents)):
        scores = match.play(
            [more],
            [fewer],
            CONNECT_FOUR,
            key=jax.random.key(seed),
            pairs=128,
            plies=6,
            groups=1,
            slots=128,
        )
        pairs = np.asarray(scores[0]).mean(-1)
        # By pairs, whose two games share an opening; three standard errors.
        error = pairs.std(ddof=1) / np.sqrt(len(pairs))
        assert pairs.mean() > 0.5 - 3 * error
        assert more is agents[-1] or pairs.mean() > 0.5 + 3 * error
