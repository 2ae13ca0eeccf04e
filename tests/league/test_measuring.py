"""Fixed opponents: how often a snapshot meets them, and on which rung of the ladder."""

from dataclasses import replace
from pathlib import Path

import pytest

import league
from agents.learners.alphazero import AlphaZeroConfig
from agents.nn.networks import ResNetConfig
from league.evaluation import leaderboard
from league.report import build
from league.settings.config import Config, MeasureConfig
from league.store.database import Tally
from league.training.measuring import rung


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory):
    """Four generations, which meet fixed opponents every third, on two rungs."""
    config = Config(
        generations=4,
        matches=2,
        pairs=2,
        slots=2,
        learner=AlphaZeroConfig(ResNetConfig(8, 1), simulations=4, batch_size=32),
        measure=MeasureConfig(1, 1, 4, every=3, last_pairs=10, simulations=2, rollouts=1, rungs=2),
    )
    with league.train("tic_tac_toe", config, folder=tmp_path_factory.mktemp("runs")) as found:
        yield found


def test_fixed_opponents_are_met_in_turn_and_by_the_last_snapshot_more_often(run: league.League):
    for role in ("uniform", "mcts"):
        met = run.matches(role)
        games = dict.fromkeys(range(5), 0)
        for n, won, drawn, lost in zip(
            *(met[k].tolist() for k in ("generation", "wins", "draws", "losses")), strict=True
        ):
            games[n] += won + drawn + lost
        assert games == {0: 8, 1: 0, 2: 0, 3: 8, 4: 16}, "10 pairs are two rounds of 4"


def test_baselines_may_be_left_out(run: league.League, tmp_path: Path):
    measure = replace(run.config.measure, baseline_pairs=0)
    config = replace(run.config, generations=1, measure=measure)
    with league.train("tic_tac_toe", config, folder=tmp_path) as found:
        assert [len(found.matches(role)["generation"]) for role in ("uniform", "mcts")] == [0, 0]
        with found.run.results() as results:
            page = build.write(found.run, results, leaderboard.compute(results, 400.0))
        assert page.read_text().count("Not played yet.") == 2


@pytest.mark.parametrize(
    ("met", "rollouts"),
    [
        ([], 16),
        ([("mcts:16", 7)], 16),
        ([("mcts:16", 8)], 64),
        ([("mcts:16", 8), ("mcts:64", 4)], 64),
        ([("mcts:16", 8), ("mcts:64", 8)], 64),
    ],
)
def test_a_rung_is_left_once_it_is_overcome(met: list[tuple[str, int]], rollouts: int):
    rule = MeasureConfig(rollouts=16, rungs=2)
    tallies = [Tally("1", name, 1, won, 0, 8 - won, won) for name, won in met]
    assert rung(rule, tallies) == rollouts
