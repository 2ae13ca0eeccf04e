"""Naive self-play forgets and leagues do not, where the answers are known."""

import numpy as np
import pytest

from league.lab.experiments._toys import (
    TOYS,
    Disc,
    RockPaperScissors,
    by_gate,
    over_predecessor,
    responses,
    train,
    worst,
)
from league.lab.experiments.forgetting import LEAGUES, NAIVE, Sizes

SEEDS = range(3)


@pytest.mark.parametrize(("name", "matchmaker"), NAIVE)
def test_naive_self_play_loses_to_its_own_past(name, matchmaker):
    generations = Sizes().naive
    for seed in SEEDS:
        pool = train(TOYS[name], matchmaker, generations, seed)
        assert worst(TOYS[name], pool, matchmaker) < -0.5
        # Nor is this a bad moment: it was so at each of the last fifty.
        for end in range(generations - 50, generations + 1):
            assert worst(TOYS[name], pool[: end + 1], matchmaker) < -0.5


@pytest.mark.parametrize(("name", "matchmaker"), LEAGUES)
def test_leagues_do_not(name, matchmaker):
    slow = (name, matchmaker) == ("rock_paper_scissors", "uniform")
    generations = Sizes().fictitious if slow else Sizes().league
    for seed in SEEDS:
        pool = train(TOYS[name], matchmaker, generations, seed)
        assert worst(TOYS[name], pool, matchmaker) >= -0.05


def test_gates_against_the_predecessor_let_every_circle_pass_and_ours_lets_one():
    for seed in SEEDS:
        chain = responses(99, seed)
        assert over_predecessor(chain) == 99
        assert worst(RockPaperScissors(), chain, "latest") == -1
        # The first beats who reigned from the start. The second beats the first, but loses to who
        # reigned before; the third loses to the first; the fourth is the first's equal; and so on.
        assert by_gate(chain, seed) == [1]


def test_the_gate_lets_all_pass_who_go_on_getting_better():
    # Against any of them, more paper and less rock scores more; against uniform play, the same.
    ladder = np.array([[1 - p, p, 0.0] for p in (0.0, 0.25, 0.5, 0.75)])
    assert by_gate(ladder, 0) == [1, 2, 3]


def test_the_toys_are_what_they_say():
    rng = np.random.default_rng(0)
    for toy in TOYS.values():
        agents = np.stack([toy.start(rng) for _ in range(20)])
        payoffs = toy.payoffs(agents, agents)
        assert payoffs == pytest.approx(-payoffs.T)
    paper = RockPaperScissors().learn(np.eye(3)[0], np.eye(3)[:1])
    assert paper.tolist() == [0, 1, 0]
    # A quarter turn apart on the rim: all of the disc game, and tanh of the skill.
    agents = np.array([[0.0, 1, 0], [0.0, 0, 1], [0.3, 1, 0]])
    assert Disc().payoffs(agents, agents)[0] == pytest.approx([0, 1, -np.tanh(0.3)])


def test_the_step_on_the_disc_is_up_the_gradient():
    rng, disc, small = np.random.default_rng(1), Disc(), 1e-6
    agent, opponents = np.array([0.2, 0.1, -0.2]), rng.normal(0, 0.1, (5, 3))
    ends = agent + small * np.vstack([np.eye(3), -np.eye(3)])
    payoffs = disc.payoffs(ends, opponents).mean(1)
    slope = (payoffs[:3] - payoffs[3:]) / (2 * small)
    assert disc.learn(agent, opponents) - agent == pytest.approx(
        [0.005, 0.5, 0.5] * slope, abs=1e-6
    )
    assert np.hypot(*disc.learn(np.array([0, 1.0, 0]), np.array([[0, 0, 1.0]]))[1:]) <= 1 + 1e-12
