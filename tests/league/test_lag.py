"""With a lag games are played while the generation before them is learnt, to the same bits."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import pytest

from agents.learners.ppo import PPOConfig
from agents.nn.networks import MLPConfig
from league.settings.config import Config, MeasureConfig
from league.store import card as cards
from league.store import runs
from league.store.database import Results
from league.store.run import Run
from league.training.actors import Actors
from league.training.events import Event, PhaseEvent
from league.training.measuring import Measuring
from league.training.trainer import Trainer
from tests.helpers.command import contents
from tests.helpers.fake_ray import fake_actors

CONFIG = Config(
    generations=4,
    matches=4,
    pairs=4,
    rounds=2,
    lag=1,
    slots=4,
    pool_share=0.5,
    opening_plies=4,
    main_exploiters=1,
    league_exploiters=1,
    exploiter_generations=2,
    learner=PPOConfig(network=MLPConfig(width=8, layers=1), batch_size=32, replay_window=2),
    measure=MeasureConfig(opponents=2, pairs=2, baseline_pairs=0),
)


class KilledError(Exception):
    """In place of a signal."""


def create(folder: Path, name: str, config: Config = CONFIG) -> Run:
    return runs.create("tic_tac_toe", config, name=name, folder=folder)


def train(
    run: Run, moment: tuple[int, str] | None = None, actors: Callable[[Run], Actors] | None = None
) -> None:
    """Trains until a phase of a generation begins, or to the end."""

    def strike(event: Event) -> None:
        if isinstance(event, PhaseEvent) and (event.generation, event.phase) == moment:
            raise KilledError

    with run.lock(), run.results(create=not run.state.numbers()) as results:
        playing = actors(run) if actors else None
        try:
            Trainer(run, results, strike, actors=playing).train()
        finally:
            run.close()
            if playing is not None:
                playing.close()  # type: ignore[attr-defined]


def disturb(run: Run, moments: Sequence[tuple[int, str]], **options: Any) -> None:
    """Trains through all these kills."""
    for moment in moments:
        with pytest.raises(KilledError):
            train(Run(run.folder), moment, **options)
    train(Run(run.folder), **options)


@pytest.fixture(scope="module", autouse=True)
def lean(cache: Path) -> Iterator[None]:
    """Nothing is measured, and programs that an earlier session has compiled are read."""
    before = jax.config.values["jax_compilation_cache_dir"]
    jax.config.update("jax_compilation_cache_dir", str(cache / "arena"))
    with pytest.MonkeyPatch.context() as patch:
        for matches in ("against_pool", "exploiter"):
            patch.setattr(Measuring, matches, lambda *_, **__: [])
        yield
    jax.config.update("jax_compilation_cache_dir", before)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing disturbed."""
    run = create(tmp_path_factory.mktemp("lag"), "whole")
    train(run)
    return run.folder


def players(run: Path) -> set[tuple[int, str]]:
    """Generations, and the snapshots that played their games against others."""
    with Results(run / "league.db") as results:
        return {(tally.generation, tally.a) for tally in results.tallies("train")}


def test_games_are_played_by_the_snapshot_before(whole: Path):
    # The first two are played by the first policy, whose games against itself are not recorded.
    assert players(whole) == {(3, "1"), (4, "2")}
    with Results(whole / "league.db") as results:
        met = [tally for tally in results.tallies("train", "exploit") if tally.b.isdecimal()]
    assert all(int(tally.b) <= max(0, tally.generation - 2) for tally in met)
    assert contents(whole)["config"]["lag"] == 1


def test_a_run_with_a_lag_goes_on_with_the_same_bits(whole: Path, tmp_path: Path):
    run = create(tmp_path, "killed")
    disturb(
        run, [(0, "save"), (1, "learn"), (2, "play"), (2, "learn"), (3, "measure"), (4, "save")]
    )
    assert contents(run.folder) == contents(whole)


def test_games_that_were_played_ahead_are_not_played_again(
    monkeypatch: pytest.MonkeyPatch, whole: Path, tmp_path: Path
):
    run, reused, calls = create(tmp_path, "many"), [], []

    def actors(work: Run) -> Actors:
        found, pool, fake = fake_actors(monkeypatch, work, [True, False, True])
        reused.append(pool.figures)
        calls.append(fake)
        return found

    disturb(run, [(1, "save"), (3, "learn")], actors=actors)
    found, expected = contents(run.folder), contents(whole)
    assert {**found, "files": 0} == {**expected, "files": 0}
    assert [one.reused > 0 for one in reused] == [False, True, True]
    requests = CONFIG.generations * CONFIG.rounds * CONFIG.shards
    assert sum(fake.calls for fake in calls) <= requests + 2 * len(calls) + CONFIG.shards * 4


def test_a_longer_run_goes_on_from_where_it_was(tmp_path: Path):
    run = create(tmp_path, "longer", replace(CONFIG, generations=2))
    train(run)
    again = Run(run.folder)
    runs.extend(again, replace(CONFIG, generations=3))
    train(again)
    assert players(run.folder) == {(3, "1")}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("train tic_tac_toe --lag 2", "lag must be 0 or 1, not 2"),
        ("train kuhn_poker --lag 1", "mmd learns from games of the newest weights alone"),
        ("train tic_tac_toe --lag 1 --judge self", "a judge that learns goes with lag 0"),
    ],
)
def test_what_cannot_lag_is_refused(refused: Callable[[str], str], line: str, why: str):
    assert why in refused(line)


def test_runs_from_before_there_was_a_lag_are_what_they_were(tmp_path: Path):
    run = create(tmp_path, "old", replace(CONFIG, lag=0))
    identity, card = cards.identity(run.card), cards.read(run.folder)
    del card["config"]["lag"]
    assert cards.identity(card) == identity
    cards.write(run.folder, card)
    assert Run(run.folder).config == run.config
