"""A damaged or edited part of a run is found before anything is written, and told in one line."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import jax
import numpy as np
import pytest

from league.store.run import Run
from tests.helpers.command import check_refusal, held

RESUME = "train tic_tac_toe --resume --name a --generations 4"


def cut(path: Path) -> None:
    """Leaves the first half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    """Turns over one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


def biggest(folder: Path) -> Path:
    """The biggest file below a folder."""
    return max((p for p in folder.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)


@pytest.mark.parametrize("damage", [cut, flip])
@pytest.mark.parametrize("part", ["_METADATA", "d"])  # the description, and the arrays
def test_a_damaged_snapshot(place, tiny, damage, part):
    path = place.adopt(tiny, "a") / "snapshots" / "2" / "default" / part
    damage(biggest(path) if path.is_dir() else path)
    before = held(place.folder)
    done = place.call("match", "a:2", "uniform")
    told = check_refusal(done.returncode, done.stdout, done.stderr)
    assert told.startswith("runs/a/snapshots/2 is damaged: ")
    assert held(place.folder) == before


def test_a_missing_snapshot(refused, here, tiny):
    shutil.rmtree(here.adopt(tiny, "a") / "snapshots")
    assert "runs/a/snapshots/2 is not there" in refused("match a:2 uniform")


def foreign(path: Path) -> None:
    """Another program's database."""
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE things (id INTEGER)")
        connection.commit()


def later(path: Path) -> None:
    """A database of a version to come."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


RECORDS = {
    "foreign": foreign,
    "later": later,
    "text": lambda path: path.write_text("Dear diary, " * 100),
    "empty": lambda path: path.write_bytes(b""),
    "cut": cut,
    "gone": Path.unlink,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("line", ["report a", "rate a", "match a:1 uniform", RESUME])
@pytest.mark.parametrize("case", RECORDS)
def test_a_record_that_is_not_ours(refused, here, tiny, case, line):
    RECORDS[case](here.adopt(tiny, "a") / "league.db")
    assert "runs/a/league.db" in refused(line)


@pytest.mark.parametrize("line", ["report a", "rate a", "match a uniform", "play a"])
def test_a_run_that_has_just_begun(refused, here, tiny, line):
    with closing(sqlite3.connect(here.adopt(tiny, "a") / "league.db")) as connection:
        for table in ("pairs", "matches", "snapshots", "events"):
            connection.execute(f"DELETE FROM {table}")
        connection.commit()
    assert "snapshot" in refused(line)


def edit(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    """Changes the first array of floats of a dataset, in a file that is whole."""

    def write(path: Path) -> None:
        with np.load(path) as file:
            arrays = dict(file)
        name = next(name for name, array in arrays.items() if array.dtype.kind == "f")
        np.savez(path, allow_pickle=False, **{**arrays, name: change(arrays[name])})

    return write


@pytest.mark.parametrize(
    "damage",
    [cut, flip, Path.unlink, edit(lambda x: x + 1), edit(lambda x: x[..., None]), edit(np.ravel)],
)
@pytest.mark.parametrize("file", ["data/3.npz", "data/3e2.npz"])
def test_a_damaged_dataset_is_found_before_anything_is_done(refused, here, tiny, file, damage):
    damage(here.adopt(tiny, "a") / file)
    assert f"runs/a/{file} is" in refused(RESUME)


def test_a_damaged_state_is_found_before_anything_is_done(place, tiny):
    damaged = place.adopt(tiny, "a") / "state/3/default/d"
    cut(biggest(damaged))
    before = held(place.folder)
    done = place.call(*RESUME.split(), "--json")
    assert "runs/a/state/3 is" in check_refusal(done.returncode, done.stdout, done.stderr)
    assert held(place.folder) == before


@pytest.mark.parametrize("learner", [0, 2])
def test_another_state_of_any_learner_is_refused(refused, here, tiny, learner):
    run = Run(here.adopt(tiny, "a"))
    states = run.state.load(3, run.states_template())
    changed = states[learner]._replace(
        optimiser=jax.tree.map(lambda x: x + np.ones((), x.dtype), states[learner].optimiser)
    )
    run.state.drop_after(2)
    run.state.save(3, [*states[:learner], changed, *states[learner + 1 :]])
    run.close()
    assert "runs/a/state/3 is damaged: wrong digest" in refused(RESUME)


def test_a_pool_without_one_of_its_snapshots_does_not_go_on(refused, here, tiny):
    shutil.rmtree(here.adopt(tiny, "a") / "snapshots" / "1")
    assert "runs/a/snapshots/1 is not there" in refused(RESUME)


@pytest.mark.parametrize("line", ["report a", "rate a --games 0", RESUME])
@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("pairs", "SET first = 7"),
        ("pairs", "SET second = 9e999"),
        ("pairs", "SET first = 'abc'"),
        ("matches", "SET a = 'nobody'"),
        ("matches", "SET role = 'played'"),
        ("events", "SET body = '[1, 2]'"),
        ("events", """SET body = '{"generation": 1, "loss": "low"}'"""),
        ("events", """SET body = '{"loss": 1.0}'"""),
        ("snapshots", "id = 2"),
        ("matches", "id = 2"),
    ],
)
def test_an_edited_row(refused, here, tiny, table, change, line):
    with closing(sqlite3.connect(here.adopt(tiny, "a") / "league.db")) as connection:
        if change.startswith("SET"):
            connection.execute("PRAGMA ignore_check_constraints = ON")
            connection.execute(f"UPDATE {table} {change} WHERE rowid = 3")
        else:
            connection.execute(f"DELETE FROM {table} WHERE {change}")
        connection.commit()
    assert "runs/a/league.db holds what no run writes: " in refused(line)


@pytest.mark.parametrize("key", ["game", "seed", "pairs"])
def test_a_card_that_tells_of_another_run(refused, here, tiny, key):
    path = here.adopt(tiny, "a") / "run.json"
    card = json.loads(path.read_text())
    card["config"]["pairs"] += key == "pairs"
    changed = {"game": "connect_four", "seed": 7}
    path.write_text(json.dumps({**card, **({key: changed[key]} if key in changed else {})}))
    assert "is not as this run began" in refused("report a")
