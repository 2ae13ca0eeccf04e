"""Weights and data in an object store: whole or not at all, and refused in one line."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from arena.digests import digest
from arena.errors import UserError
from league.store import checkpoints, datasets, objects, runs, stores
from league.store.checkpoints import Store
from league.store.objects import FolderFiles, ObjectFiles
from league.store.run import Run
from tests.helpers.command import TINY, Place, arrays, contents, sha
from tests.helpers.object_store import serving

TREE = {"a": [np.arange(6, dtype=np.float32).reshape(2, 3), np.int32(7)], "b/c": np.ones(2)}


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The URL of a bucket."""
    with serving() as url:
        yield url


@pytest.fixture(params=["folder", "objects"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a run may keep its files."""
    if request.param == "folder":
        return tmp_path / "run"
    return f"{request.getfixturevalue('bucket')}/{tmp_path.name}"


def test_trees_are_kept_by_number(root: Path | str):
    kept: Store = checkpoints.store(root, "state", keep=2)
    for number in (0, 9, 10):
        kept.save(number, TREE)
    assert kept.numbers() == [9, 10]
    found = checkpoints.store(root, "state").load(10, TREE)
    assert arrays(found) == arrays(TREE)
    kept.drop_after(9)
    assert kept.numbers() == [9]
    with pytest.raises(UserError, match=r"state/10(\.npz)? is not there"):
        kept.load(10, TREE)
    with pytest.raises(UserError, match="is damaged"):
        kept.load(9, {**TREE, "b/c": np.ones(3)})
    kept.save(10, {**TREE, "b/c": np.array([1.0, np.nan])})
    with pytest.raises(UserError, match="not finite"):
        kept.load(10, TREE)
    kept.clear()
    assert kept.numbers() == []
    kept.close()


def test_datasets_are_kept_by_name(root: Path | str):
    files = objects.files(root)
    assert not files.exists("data/1.npz")
    with pytest.raises(UserError, match=r"data/1\.npz is missing"):
        datasets.read(files, "data/1.npz", TREE)
    rows = {"x": np.arange(4), "y": np.ones((4, 2))}
    known = datasets.write(files, "data/1.npz", rows)
    assert (files.exists("data/1.npz"), files.names("data")) == (True, ["1.npz"])
    assert digest(datasets.read(files, "data/1.npz", rows, known)) == digest(rows)
    with files.reading("data/1.npz") as file:
        whole = file.read()
    with files.writing("data/1.npz") as file:
        file.write(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"data/1\.npz is damaged"):
        datasets.read(files, "data/1.npz", rows, known)
    files.delete("data/1.npz")
    files.delete("data/1.npz")
    assert files.names("data") == []


def test_what_breaks_while_it_is_written_leaves_the_old_one(root: Path | str):
    files = objects.files(root)
    with files.writing("data/1.npz") as file:
        file.write(b"whole")

    def write_half() -> None:
        with files.writing("data/1.npz") as file:
            file.write(b"ha")
            assert files.names("data") == ["1.npz"]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    with files.reading("data/1.npz") as file:
        assert file.read() == b"whole"


def test_a_store_that_refuses_is_told_in_one_line(bucket: str, monkeypatch):
    files = ObjectFiles(f"{bucket}/refused")
    monkeypatch.setattr(files._store, "pipe_file", refuse)
    with pytest.raises(UserError, match=r"data/1\.npz: the store refuses: no room") as told:
        datasets.write(files, "data/1.npz", {"x": np.ones(2)})
    assert "\n" not in str(told.value)
    monkeypatch.undo()
    assert files.names("data") == []
    nowhere = ObjectFiles("s3://no-such-bucket/a")
    assert nowhere.names("snapshots") == []
    with pytest.raises(
        UserError, match=r"no-such-bucket/a/data/1\.npz: the store refuses: .*exist"
    ):
        datasets.write(nowhere, "data/1.npz", {"x": np.ones(2)})


def refuse(*_: object) -> None:
    raise PermissionError("no room")


def test_a_store_that_is_gone_is_waited_for_once_it_has_answered(bucket: str, monkeypatch):
    fresh, known = ObjectFiles(f"{bucket}/gone"), ObjectFiles(f"{bucket}/gone")
    assert known.names("data") == []
    put, tries = known._store.pipe_file, []

    def fail_twice(*arguments: object) -> object:
        tries.append(arguments)
        if len(tries) < 3:
            raise ConnectionError("no route")
        return put(*arguments)

    monkeypatch.setattr(known._store, "pipe_file", fail_twice)
    monkeypatch.setattr(objects, "_PAUSES", (0.0,))
    with known.writing("x") as file:
        file.write(b"1")
    assert known.names("") == ["x"]
    tries.clear()
    with pytest.raises(UserError, match="the store does not answer: no route"), fresh.writing("y"):
        pass


@pytest.mark.parametrize("text", ["http://a/b", "s3://", "memory://a", "s3:///"])
def test_a_store_that_is_none_is_refused(text: str):
    with pytest.raises(UserError, match="a store is a folder, or s3://BUCKET"):
        stores.settled(text)


def test_a_run_keeps_its_store(bucket: str, tmp_path: Path, tiny: Path):
    config = Run(tiny).config
    for store in (f"{bucket}/here/", str(tmp_path / "nfs")):
        made = runs.create(
            "tic_tac_toe", config, name="a", folder=tmp_path / sha(store.encode()), store=store
        )
        assert str(made.place) == f"{store.rstrip('/')}/a"
        runs.check_store(made, store)
        with pytest.raises(UserError, match="keeps its store"):
            runs.check_store(Run(tiny), store)
        made.snapshots.save(0, TREE)
        assert not (made.folder / "snapshots").exists()
        with pytest.raises(UserError, match="holds those of a run already"):
            runs.create("tic_tac_toe", config, name="a", folder=tmp_path / "b", store=store)
        made.close()
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is no folder"):
        stores.settled(str(tmp_path / "file"))


def test_many_writers_of_one_object_leave_one_whole(root: Path | str):
    def write(number: int) -> None:
        datasets.write(objects.files(root), f"data/{number % 2}.npz", {"x": np.full(999, number)})

    if isinstance(objects.files(root), FolderFiles):
        pytest.skip("the lock of a run's folder keeps others away")
    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in (0, 1):
        found = datasets.read(objects.files(root), f"data/{name}.npz", {"x": 0})["x"]
        assert len(set(found.tolist())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["folder", "objects"])
def test_a_training_in_a_store_has_the_same_bits(kind: str, bucket: str, here: Place, tiny: Path):
    store = str(here.folder / "nfs") if kind == "folder" else f"{bucket}/trained"
    assert os.environ["AWS_ENDPOINT_URL"]
    here.lines(*TINY, "--name", "a", "--store", store)
    run, expected = here.run("a"), contents(tiny)
    assert {path.name for path in run.iterdir()} <= {
        "run.json",
        "league.db",
        "lock",
        "report.html",
        "games",
    }
    opened = Run(run)
    template = opened.template()
    for number in range(4):
        found = arrays(opened.snapshots.load(number, template.params))
        assert found == expected[f"snapshots/{number}"]
    assert opened.digests() == Run(tiny).digests()
    opened.close()
    here.lines(
        "train", "tic_tac_toe", "--resume", "--name", "a", "--generations", "4", "--store", store
    )
    assert here.lines("match", "a:4", "uniform", "--pairs", "2")
