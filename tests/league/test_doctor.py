"""The doctor: a healthy run is called healthy, and a planted fault is named."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import games
from arena.evaluation.forgetting import Alarm
from league.cli.entry import main
from league.report.diagnosis import LOOK, Finding, diagnose, has_limit, noise
from league.report.evidence import Evidence, gather
from tests.helpers import planted
from tests.helpers.command import strict_json
from tests.helpers.planted import Plant

PLANTED = {
    "learning rate": (Plant(learning_rate=1e-6, step=1e-4), "Update size", "higher --learner.lea"),
    "all draws": (Plant(draws=1.0, gain=0.0), "Draws", "--opening-plies"),
    "one game": (Plant(repeated=True), "Variety", "--opening-plies"),
    "noise": (Plant(noisy=True, value_loss=1.02), "Label noise", "--learner.td-lambda"),
}
"""What is the matter with a run, the finding that names it, and part of the advice."""


def changed(evidence: Evidence, **figures: Any) -> Evidence:
    """With other figures of all generations."""
    return replace(evidence, history=[replace(g, **figures) for g in evidence.history])


def positions(evidence: Evidence, **changes: Any) -> Evidence:
    """With another newest dataset."""
    assert evidence.positions is not None
    return replace(evidence, positions=replace(evidence.positions, **changes))


def level(evidence: Evidence) -> Evidence:
    """Without any difference between snapshots."""
    return replace(evidence, rows=[replace(row, elo=0.0) for row in evidence.rows])


def forgetful(evidence: Evidence) -> Evidence:
    """With an ancestor that the newest snapshot loses to."""
    return replace(evidence, alarms=[Alarm("ancestor", 5, 1, "generation 5 loses")])


FAULTS: dict[str, tuple[Callable[[Evidence], Evidence], str, str]] = {
    "too far": (lambda e: replace(e, updates=[3.0]), "Update size", "lower --learner.learning"),
    "no number": (lambda e: replace(e, updates=[math.nan]), "Update size", "lower --learner.lear"),
    "all the same": (lambda e: positions(e, target=np.zeros(600)), "Value error", "draws below"),
    "noise is not learnt": (lambda e: changed(e, value_loss=1.02), "Value error", "label noise"),
    "diverged": (lambda e: changed(e, value_loss=math.nan), "Value error", "diverged"),
    "flat search": (
        lambda e: positions(e, search=1.38, uniform=1.4),
        "Policy entropy",
        "--learner",
    ),
    "still uniform": (
        lambda e: positions(e, network=1.4, search=1.0, uniform=1.4),
        *("Policy entropy", "still"),
    ),
    "certain": (
        lambda e: positions(e, network=0.01, search=0.01, uniform=1.4),
        *("Policy entropy", "certain everywhere"),
    ),
    "search is not followed": (
        lambda e: positions(e, network=1.36, search=0.5, uniform=1.4),
        *("Policy entropy", "taken up"),
    ),
    "draws, counted": (lambda e: changed(e, draws=0.95), "Draws", "--opening-plies"),
    "one game, counted": (lambda e: changed(e, distinct_games=0.01), "Variety", "exploration"),
    "no progress": (level, "Strength", "below say why"),
    "forgets": (forgetful, "Forgetting", "--pool-share"),
    "measures": (
        lambda e: changed(e, phase_seconds={"play": 1.0, "learn": 1.0, "measure": 8.0}),
        *("Time", "--measure"),
    ),
    "cut off": (
        lambda e: replace(changed(e, cut_off=0.5), game=games.load("gardner_chess")),
        *("Length", "a longer limit"),
    ),
}
"""How evidence differs from a healthy run's, the finding that names it, part of the advice."""


@pytest.fixture(scope="module")
def healthy(tmp_path_factory) -> Evidence:
    return read(tmp_path_factory.mktemp("healthy"), Plant())


def read(folder: Path, plant: Plant) -> Evidence:
    made = planted.run(folder, "patient", plant)
    with made.results() as results:
        found = gather(made, results)
    made.close()
    return found


def by_name(evidence: Evidence) -> dict[str, Finding]:
    return {finding.name: finding for finding in diagnose(evidence)}


def test_a_healthy_run_is_called_healthy(healthy):
    found = by_name(healthy)
    assert {finding.verdict for finding in found.values()} == {"ok"}, found
    assert list(found) == [
        *("Strength", "Value error", "Policy entropy", "Draws", "Variety", "Label noise"),
        *("Forgetting", "Update size", "Time"),
    ]
    assert not any(finding.advice for finding in found.values())


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_named(tmp_path, fault):
    plant, name, advice = PLANTED[fault]
    found = by_name(read(tmp_path, plant))[name]
    assert found.verdict == LOOK, found
    assert advice in found.advice


@pytest.mark.parametrize("fault", FAULTS)
def test_a_figure_out_of_the_ordinary_is_named(healthy, fault):
    change, name, advice = FAULTS[fault]
    found = by_name(change(healthy))[name]
    assert found.verdict == LOOK, found
    assert advice in found.advice


def test_figures_that_were_not_recorded_are_said_to_be_missing(healthy):
    known = replace(healthy, game=games.load("gardner_chess"), pool_games=(0, 0, 0), positions=None)
    found = by_name(known)
    missing = [name for name, finding in found.items() if finding.verdict == "not recorded"]
    assert missing == ["Draws", "Length", "Variety"]


@pytest.mark.parametrize(
    ("game", "limited"),
    [
        *(("chess", True), ("animal_shogi", True), ("go:size=9", False), ("hex:size=5", False)),
        *(("tic_tac_toe", False), ("connect_four", False)),
    ],
)
def test_a_limit_of_plies_is_told_from_a_full_board(game, limited):
    assert has_limit(games.load(game)) == limited


def test_noise_is_the_share_of_variance_within_groups():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 20, 2000)
    assert noise(group, np.sin(group))[0] == pytest.approx(0, abs=1e-12)
    # Targets that have nothing to do with the group: both variances estimate the same.
    assert noise(group, rng.normal(size=2000))[0] == pytest.approx(1, abs=0.02)
    # Equal parts of both: sin over 20 whole numbers has variance v, so has the noise.
    means = rng.normal(size=20)
    both = means[group] + rng.normal(size=2000) * np.std(means[group])
    assert noise(group, both)[0] == pytest.approx(0.5, abs=0.05)
    assert math.isnan(noise(np.arange(500), rng.normal(size=500))[0])  # nothing came up twice
    assert math.isnan(noise(group, np.ones(2000))[0])


def test_command_prints_findings_and_ends_well(here, capsys):
    for name, plant in (("well", Plant()), ("ill", Plant(step=1e-4))):
        planted.run(here.folder / "runs", name, plant).close()
        main(["doctor", name])
    out = capsys.readouterr().out
    assert "well: healthy" in out
    assert "ill: 1 of 9 to look at" in out
    assert "Update size: look at this\n  the newest generation changed the weights by 0.01%" in out
    main(["doctor", "ill", "--json"])
    told = strict_json(capsys.readouterr().out)
    assert (told["run"], told["healthy"]) == ("ill", False)
    bad = [finding["name"] for finding in told["findings"] if finding["verdict"] != "ok"]
    assert bad == ["Update size"]


def test_a_run_that_has_not_trained_is_refused(here, capsys):
    made = planted.run(here.folder / "runs", "young")
    with made.results() as results:
        results.forget_after(0)
    made.close()
    with pytest.raises(SystemExit) as stop:
        main(["doctor", "young"])
    assert stop.value.code == 2
    assert capsys.readouterr().err == "arena: run 'young' has trained no generation yet\n"
