"""Runs of version 0.1.0 open, are rated and reported, and go on."""

import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

import league
from arena.errors import UserError
from league.settings.config import Config, to_card
from league.store import card as cards
from league.store import migrations
from tests.helpers.command import Place

# Made by version 0.1.0: the tiny run of tests/helpers/command.py, killed after generation 2 of 3,
# and a gate.
OLD = Path(__file__).parents[1] / "data" / "run-0.1.0.tar.xz"


@pytest.fixture
def old(place: Place) -> Path:
    """The folder of the old run."""
    with tarfile.open(OLD) as packed:
        packed.extractall(place.folder / "runs", filter="data")
    return place.run("half")


def test_a_run_of_the_first_version_is_read_from_python(old: Path):
    with league.open_run(old) as run:
        assert run.snapshots == ["0", "1", "2", "2e1", "2e2"]
        assert run.config.learner.replay_window == 2
        assert run.config.measure.baseline_pairs == 2
        assert run.ratings()["elo"].shape == (3,)
        data = run.dataset(2)
        assert data.search_target.policy.shape[0] == len(data.outcome) > 0
        assert run.agent("2e1", simulations=4).name == "half:2e1,simulations=4"


def test_a_run_of_the_first_version_is_rated_and_goes_on(place: Place, old: Path):
    [rated] = place.lines("rate", "half", "--games", "0")
    assert [row["id"] for row in rated["snapshots"]] == [0, 1, 2]
    assert place.call("report", "half").returncode == 0
    assert "pairs did not decide" in (old / "report.html").read_text()  # the old gate
    before = digests(old)
    place.lines("train", "tic_tac_toe", "--resume", "--name", "half")
    after = digests(old)
    assert after[:3] == before
    assert len(after) == 4
    assert json.loads((old / "run.json").read_text())["format"] == migrations.FORMAT


def digests(run: Path) -> list[str]:
    """Of the main agent's snapshots."""
    with closing(sqlite3.connect(run / "league.db")) as record:
        return [row[0] for row in record.execute("SELECT digest FROM snapshots ORDER BY id")]


@pytest.mark.parametrize("form", ["arena-run-0", "arena-run-3", None, 7])
def test_a_card_of_another_form_is_refused_in_one_line(form):
    with pytest.raises(UserError, match="cannot read"):
        migrations.card({"format": form})


def test_keys_that_came_later_have_the_values_of_before():
    card = {"format": migrations.FORMAT, **to_card(Config())}
    before = json.loads(json.dumps(card))
    del before["config"]["lag"], before["config"]["learner"]["legality_weight"]
    assert migrations.card(before) == card
    whole = {"game": "tic_tac_toe", "seed": 0}
    assert cards.identity({**whole, **before}) == cards.identity({**whole, **card})
    card["config"]["learner"]["legality_weight"] = 0.5
    assert cards.identity({**whole, **before}) != cards.identity({**whole, **card})


def test_a_card_of_today_is_left_as_it_is():
    card = {"format": migrations.FORMAT, **to_card(Config())}
    assert migrations.card(json.loads(json.dumps(card))) == card
