"""Who learns, whom they meet, when exploiters join the pool, and what they start over from."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
import pytest

from arena.errors import UserError
from league.cli import names
from league.settings.config import Config
from league.settings.league_learners import (
    LEAGUE_EXPLOITER,
    MAIN,
    MAIN_EXPLOITER,
    LeagueLearner,
    league_learners,
)
from league.store import snapshot_ids
from league.store.checkpoints import digest
from league.store.database import Exploiter
from league.store.run import Run
from league.training import exploiters
from league.training.trainer import Trainer

FIRST, SECOND = LeagueLearner(MAIN_EXPLOITER, 1), LeagueLearner(LEAGUE_EXPLOITER, 2)


@pytest.fixture
def trainer(tiny: Path) -> Iterator[Trainer]:
    """The tiny run, which has come to generation 3 with one exploiter of each kind."""
    run = Run(tiny)
    with run.results() as results:
        yield Trainer(run, results)
    run.close()


def change(trainer: Trainer, **options) -> None:
    trainer.run.config = dataclasses.replace(trainer.run.config, **options)


def test_ids_are_read_as_they_are_written():
    for learner, generation, name in ((LeagueLearner(MAIN, 0), 17, "17"), (SECOND, 0, "0e2")):
        assert learner.snapshot_id(generation) == name
        assert snapshot_ids.split(name) == (generation, learner.number)
    for wrong in ("", "e1", "17e", "17e0", "17e01", "017", "-1", "17e1e1", "１7", "17 "):
        assert snapshot_ids.split(wrong) is None


def test_a_league_has_the_learners_that_it_was_asked_for():
    assert league_learners(Config()) == [LeagueLearner(MAIN, 0)]
    found = league_learners(Config(main_exploiters=1, league_exploiters=2))
    assert [learner.number for learner in found] == [0, 1, 2, 3]
    assert [learner.role for learner in found[1:]] == [MAIN_EXPLOITER] + [LEAGUE_EXPLOITER] * 2
    for wrong in ("main_exploiters", "league_exploiters", "exploiter_generations"):
        with pytest.raises(UserError):
            dataclasses.replace(Config(), **{wrong: -1})


def test_an_exploiter_joins_when_it_wins_or_time_is_up_and_then_may_start_over():
    # Vinyals et al. 2019, Methods: above 70 % or after a timeout; reset always, or with 25 %.
    assert [exploiters.joins(score, 1, 4) for score in (0.7, 0.71)] == [False, True]
    assert [exploiters.joins(0.0, age, 4) for age in (3, 4)] == [False, True]
    assert [exploiters.restarts(FIRST, draw) for draw in (0.0, 0.99)] == [True, True]
    assert [exploiters.restarts(SECOND, draw) for draw in (0.24, 0.25)] == [True, False]


def test_the_pool_is_in_order_of_age():
    joined = [Exploiter(f"{g}e{n}", g, n, "", "", "") for g, n in ((2, 2), (2, 1), (0, 1))]
    assert snapshot_ids.pool(3, joined) == ["0e1", "0", "1", "2e1", "2e2", "2"]


def test_exploiters_join_the_pool_with_role_and_parent(trainer: Trainer):
    found = trainer.results.exploiters()  # after two generations at the latest
    assert [(e.id, e.role, e.parent) for e in found] == [
        ("2e1", MAIN_EXPLOITER, "0"),
        ("2e2", LEAGUE_EXPLOITER, "0"),
    ]
    assert [e.digest for e in found] == [digest(trainer.run.weights(e.id)) for e in found]
    assert len({e.digest for e in found} | set(trainer.results.digests().values())) == 6
    met = {(t.a, t.b) for t in trainer.results.tallies("exploiter")}
    assert met >= {("2", "2e1"), ("2", "2e2")}


def test_who_starts_over_does_so_from_the_main_agent(trainer: Trainer):
    main, first, second = trainer.run.state.load(2, trainer.run.states_template())
    assert digest(main.params) == trainer.results.digests()[2]
    assert digest(first.params) == digest(main.params)
    fresh = trainer.run.learner.init(jax.random.key(0))
    jax.tree.map(np.testing.assert_array_equal, first.optimiser, fresh.optimiser)
    unchanged = digest(second.params) == trainer.results.exploiters()[1].digest
    assert unchanged != trainer.history.restarts(SECOND, 2)
    # What it learnt from before is gone with it.
    windows = [trainer.replay.generations(who, 3) for who in trainer.run.learners[:2]]
    assert windows == [[2, 3], [3]]


def test_everybody_meets_whom_the_role_says(trainer: Trainer):
    change(trainer, matches=6, pool_share=1.0, matchmaker="uniform")
    pool = {"0", "1", "2", "3", "2e1", "2e2"}
    met = {number: [] for number in range(3)}
    for pairing in trainer.schedule.pairings(4):
        met[pairing.learner.number].append(pairing.opponent)
        assert not pairing.self_play
    assert set(met[0]) == set(met[2]) == pool  # six of six
    assert met[1] == ["3"] * 6
    change(trainer, pool_share=0.5)
    self_play = [pairing.self_play for pairing in trainer.schedule.pairings(4)]
    assert self_play == [False] * 3 + [True] * 3 + [False] * 12


@pytest.mark.parametrize("matchmaker", ["latest", "uniform", "pfsp", "pfsp:3", "pfsp:even", "nash"])
def test_every_matchmaker_is_wired(trainer: Trainer, matchmaker: str):
    change(trainer, matches=200, pool_share=1.0, matchmaker=matchmaker)
    met = trainer.schedule.main_opponents(4)
    assert len(met) == 200
    assert met == trainer.schedule.main_opponents(4)
    if matchmaker == "latest":
        assert set(met) == {"3"}
    elif matchmaker != "nash":
        assert set(met) == {"0", "1", "2", "3", "2e1", "2e2"}


def test_a_snapshot_of_an_exploiter_has_a_name(tiny: Path, monkeypatch):
    monkeypatch.chdir(tiny.parent.parent)
    run, name, simulations = names.snapshot("tiny:2e1,simulations=3")
    assert (run.name, name, simulations) == ("tiny", "2e1", 3)
    game, agent = names.agent("tiny:2e2", None)
    assert (game, agent.name) == (run.game, "tiny:2e2")
    for wrong in ("tiny:3e1", "tiny:2e3"):
        with pytest.raises(UserError, match="has no snapshot"):
            names.agent(wrong, None)
    with pytest.raises(UserError, match="id is a number"):
        names.agent("tiny:2e", None)
    run.close()
