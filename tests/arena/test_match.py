"""Matches between any agents, as `match.play` gives them."""

import jax
import numpy as np
import pytest

import games
from agents import uniform
from arena.play import match
from arena.play.openings import distinct_openings
from arena.types import Agent
from tests.helpers.false_judge import Inverted
from tests.helpers.plain_match import Ranked, Side, ranks, slow

TIC_TAC_TOE = games.load("tic_tac_toe")


def test_a_match_depends_on_the_key_and_its_number_alone():
    agents = [uniform.make(TIC_TAC_TOE, "")] * 3
    one, two, other = (
        match.play(
            agents,
            agents,
            TIC_TAC_TOE,
            key=jax.random.key(seed),
            pairs=20,
            plies=2,
            groups=groups,
            slots=8,
        )
        for seed, groups in ((3, 1), (3, 2), (4, 2))
    )
    assert one.shape == (3, 20, 2)
    np.testing.assert_array_equal(one, two)
    assert (one[0] != one[1]).any()
    assert (one != other).any()


def test_play_meets_each_agent_with_its_own_opponent():
    a, b = (
        [Agent(str(n), Ranked(TIC_TAC_TOE), row) for n, row in enumerate(ranks(TIC_TAC_TOE, 3, s))]
        for s in (1, 2)
    )
    scores = match.play(
        a, b, TIC_TAC_TOE, key=jax.random.key(3), pairs=6, plies=3, groups=2, slots=4
    )
    for i in range(3):
        start = jax.random.fold_in(jax.random.fold_in(jax.random.key(3), i), 1)
        openings = distinct_openings(TIC_TAC_TOE, start, pairs=6, plies=3)
        for p, j in np.ndindex(6, 2):
            opening = jax.tree.map(lambda x, p=p: x[p], openings)
            first, second = (Side(agent.policy, agent.params) for agent in (a[i], b[i]))
            expected = slow(TIC_TAC_TOE, first, second, opening, a_begins=j == 0)
            assert scores[i, p, j] == expected.score


def test_pairs_of_poker_hands_are_the_same_cards():
    """Two uniform players, each hand dealt twice with the seats swapped: nobody gains."""
    game = games.load("kuhn_poker")
    agent = uniform.make(game, "")
    scores = match.play(
        [agent], [agent], game, key=jax.random.key(0), pairs=4000, plies=0, groups=1, slots=500
    )[0]
    pairs = scores.mean(1)
    assert abs(pairs.mean() - 0.5) < 4 * pairs.std() / np.sqrt(len(pairs))
    # Uniform play gives seat 0 an eighth of a chip a hand, by enumeration; the most is two.
    seat_0 = np.concatenate([scores[:, 0], 1 - scores[:, 1]])
    assert seat_0.mean() == pytest.approx(0.5 + 0.5 * 0.125 / 2, abs=4 * float(seat_0.std()) / 89)


def test_a_match_on_the_device_obeys_the_judge():
    agents = [Agent("ranked", Ranked(TIC_TAC_TOE), ranks(TIC_TAC_TOE, 1, s)[0]) for s in (1, 2)]
    rules, inverted = (
        match.play(
            agents[:1],
            agents[1:],
            TIC_TAC_TOE,
            key=jax.random.key(0),
            pairs=8,
            plies=2,
            groups=1,
            slots=4,
            judge=judge,
        )
        for judge in (None, Inverted(TIC_TAC_TOE))
    )
    np.testing.assert_array_equal(inverted, 1 - rules)
    assert (rules != 0.5).any()
