"""Time as a budget: spans, how many generations fit into them, and the sizes that follow."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import games
import league
from agents.learners.alphazero import AlphaZeroConfig
from agents.nn.networks import ResNetConfig
from arena.errors import UserError
from league.settings import budget, defaults, duration
from league.settings.budget import Budget
from league.settings.config import Config, MeasureConfig
from league.training import calibration


def test_spans_are_read_as_people_write_them():
    spans = {"90s": 90, "15m": 900, "2h": 7200, "1h30m": 5400, "1m1s": 61}
    assert {text: duration.seconds(text) for text in spans} == spans


@pytest.mark.parametrize("text", ["", "15", "m", "0s", "-1m", "1.5h", "15 m", "30m1h", "9999h"])
def test_what_is_no_span_is_refused(text: str):
    with pytest.raises(UserError, match="a time"):
        duration.seconds(text)


def test_the_number_of_generations_is_known_after_a_fifth_of_the_time():
    assert calibration.generations([], 100) is None
    assert calibration.generations([9, 2], 100) is None, "too few were timed"
    assert calibration.generations([1, 2, 2], 100) is None, "too little of the time has passed"
    # 20 of 100 seconds have passed, and a generation takes 2 by now: another 40 of them fit.
    assert calibration.generations([13, 1, 1, 1, 2, 2], 100) == 6 + 40
    assert calibration.generations([80, 40, 40], 100) == 4, "one more, so that the rate falls"


def test_schedules_begin_when_the_time_is_known():
    waiting = Config(time="15m")
    assert not waiting.calibrated
    assert waiting.progress(7) == 0
    known = dataclasses.replace(waiting, generations=13, plateau=3)
    assert [known.progress(done) for done in (1, 3, 8, 13)] == [0, 0, 0.5, 1]
    assert Config(generations=10).progress(4) == 0.4


@pytest.mark.parametrize("name", ["othello", "hex", "chess", "animal_shogi"])
def test_longer_times_and_faster_devices_get_larger_networks_and_more_positions(name: str):
    game, learner = games.load(name), AlphaZeroConfig()
    budgets = [Budget(600), Budget(7200), Budget(100 * 3600), Budget(3600, "gpu", 1)]
    found = [budget.board(game, b, learner=learner) for b in budgets]
    towers = [config.learner.network for config in found]
    sizes = [budget.multiplications(game, t) for t in towers if isinstance(t, ResNetConfig)]
    assert sizes[0] < sizes[1] < sizes[2]
    assert sizes[1] < sizes[3], "a GPU does in an hour what two cores do not do in two"
    # A round is of about as many positions in every game, and a generation of whole rounds.
    for config, b in zip(found, budgets, strict=True):
        positions = 2 * config.matches * config.pairs * game.typical_plies
        wide = 8 if b.platform == "gpu" else 1
        assert 2000 < positions / wide < 9000
        assert config.learner.batch_size == wide * learner.batch_size
        assert config.rounds >= 1


@pytest.mark.parametrize("name", ["othello", "hex", "go", "connect_four"])
@pytest.mark.parametrize("seconds", [600, 3600])
def test_measuring_takes_about_a_tenth_and_more_time_measures_better(name: str, seconds: float):
    game = games.load(name)
    config = budget.board(game, Budget(seconds), learner=AlphaZeroConfig(replay_ratio=1.0))
    rule, plies = config.measure, game.typical_plies
    learner = config.learner
    assert isinstance(learner, AlphaZeroConfig)
    rounds = config.matches * config.pairs * config.rounds
    training = 2 * rounds * plies * budget._evaluations(learner) * config.generations
    search = plies * (1 + rule.simulations / 2)  # of a pair, half of whose moves are the snapshot's
    met = search * (rule.baseline_pairs * (config.generations // rule.every) + rule.last_pairs)
    rated = config.generations * 2 * rule.opponents * rule.pairs * plies
    assert 0.02 < (met + rated) / training < 0.15
    shorter = budget.board(game, Budget(seconds / 4), learner=AlphaZeroConfig()).measure
    assert shorter.last_pairs <= rule.last_pairs
    assert shorter.every >= rule.every


def test_without_a_time_a_default_is_the_same_on_every_machine():
    game = games.load("othello")
    assert defaults.default("othello", game).time == ""
    timed = defaults.default("othello", game, time="2h")
    assert timed.time == "2h"
    assert timed.learner.network != defaults.default("othello", game).learner.network
    poker = defaults.default("kuhn_poker", games.load("kuhn_poker"), time="1m")
    assert poker == dataclasses.replace(
        defaults.default("kuhn_poker", games.load("kuhn_poker")), time="1m"
    )


def test_a_slow_env_plays_as_many_games_a_generation_as_the_time_allows(
    monkeypatch: pytest.MonkeyPatch,
):
    game, clock = games.load("othello"), iter([0.0, 10.0, 0.0, 0.001])  # any game of 60 plies

    def play(*_: object, callback: Callable[[np.ndarray], None], **__: object) -> None:
        callback(np.array([[200, 200]], np.int32))

    monkeypatch.setattr(budget.match, "play", play)
    monkeypatch.setattr(budget, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    usual = Config(pairs=32)
    # 40 moves a second, of which 24 generations of 25 seconds, half of each for play, make 500:
    # games of 60 moves in eight matches of pairs are 960, and fewer than one pair there cannot be.
    assert budget.outside(game, usual, 600).pairs == 1
    assert budget.outside(game, usual, 600).pairs == usual.pairs, "a quick env is not slowed down"


@pytest.mark.slow
def test_a_timed_run_is_the_same_run_when_it_is_killed(tmp_path: Path):
    """Killed before the card was written, it settles the same number; after that it keeps it."""
    config = Config(
        time="1s",
        matches=2,
        pairs=2,
        slots=2,
        learner=AlphaZeroConfig(ResNetConfig(8, 1), simulations=4, batch_size=32),
        measure=MeasureConfig(2, 2, 2, simulations=4, rollouts=4),
    )
    first = league.train("tic_tac_toe", config, name="first", folder=tmp_path)
    weights, card = first.run.digests(), first.run.card
    first.close()
    assert card["config"]["plateau"] == calibration.LEAST
    assert card["config"]["generations"] == calibration.LEAST + 1  # compiling took all the time
    killed = tmp_path / "killed"
    shutil.copytree(tmp_path / "first", killed)
    (killed / "state" / str(calibration.LEAST + 1)).rename(tmp_path / "gone")
    card["config"] |= {"generations": 16, "plateau": 0}
    (killed / "run.json").write_text(json.dumps(card))
    again = league.train("tic_tac_toe", name="killed", folder=tmp_path, resume=True)
    assert again.run.digests() == weights
    assert again.config.plateau == calibration.LEAST
    again.close()
