"""The record: all of a generation or nothing, documented, and never somebody else's file."""

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sql

from arena.errors import UserError
from league.store import database as module
from league.store.database import MatchResult, Results, Tally
from league.store.schema import DIGESTS

WIN, DRAW = MatchResult("train", "1", "0", np.array([[1, 1], [0.5, 0]])), np.full((1, 2), 0.5)


def rows(path: Path) -> dict[str, list[tuple]]:
    with closing(sqlite3.connect(path)) as connection:
        names = ("snapshots", "matches", "pairs", "events")
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file may grow beyond so many bytes; Python ignores the signal that comes with it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A record of two generations."""
    path = tmp_path / "league.db"
    with Results(path, create=True) as results:
        results.write(0, [], (0, "aa"), {"generation": 0})
        results.write(1, [WIN, MatchResult("rate", "1", "0", DRAW)], (1, "bb"), {"generation": 1})
    return path


def test_what_is_written_is_read(path: Path):
    with Results(path) as results:
        assert results.digests() == {0: "aa", 1: "bb"}
        assert results.tallies("train") == [
            Tally("1", "0", 1, wins=2, draws=1, losses=1, points=2.5)
        ]
        assert results.tallies("train")[0].points == 2.5
        assert results.tallies("train", "rate")[0].games == 6
        assert [results.count(role) for role in ("train", "rate", "mcts")] == [1, 1, 0]
        assert results.events() == [{"generation": 0}, {"generation": 1}]
    assert rows(path)["pairs"][:2] == [(1, 0, 1.0, 1.0), (1, 1, 0.5, 0.0)]


@pytest.mark.parametrize("name", ["q?mode=memory", "victim%2Fleague.db?x", "a#b c"])
def test_a_path_is_a_path_whatever_is_in_it(tmp_path: Path, name: str):
    (tmp_path / name).mkdir()
    with Results(tmp_path / name / "league.db", create=True) as results:
        results.write(0, [WIN], (0, "aa"), {})
    assert len(rows(tmp_path / name / "league.db")["matches"]) == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("broken", ["match", "snapshot", "figures", "disk"])
def test_a_generation_is_written_whole_or_not_at_all(path: Path, broken: str):
    def matches():
        yield WIN
        if broken == "match":
            raise KeyboardInterrupt
        yield MatchResult("train", "1", "0", np.zeros((5000, 2)))

    before = rows(path)
    snapshot = (1 if broken == "snapshot" else 2, "cc")  # snapshot 1 is there already
    figures = {"bad": object()} if broken == "figures" else {}
    room = 40_000 if broken == "disk" else resource.RLIM_INFINITY
    with Results(path) as results, full_disk(room), pytest.raises((Exception, KeyboardInterrupt)):
        results.write(2, matches(), snapshot, figures)
    assert rows(path) == before
    with Results(path) as results:
        results.write(2, [WIN], (2, "cc"), {})
    assert [len(table) for table in rows(path).values()] == [3, 3, 5, 3]


def test_a_full_disk_is_told_in_words(path: Path):
    many = MatchResult("train", "1", "0", np.zeros((5000, 2)))
    with (
        Results(path) as results,
        full_disk(40_000),
        pytest.raises(UserError, match=r"league\.db cannot be"),
    ):
        results.write(2, [many])


def test_forgetting_leaves_the_record_as_it_was(path: Path):
    before = rows(path)
    with Results(path) as results:
        results.write(2, [WIN], (2, "cc"), {})
        results.forget_after(1)
        assert rows(path) == before
        results.write(2, [WIN], (2, "cc"), {})
        again = rows(path)
        results.forget_after(1)
        results.write(2, [WIN], (2, "cc"), {})
        assert rows(path) == again  # down to the numbers of the rows
        results.forget_after(-1)
    assert not any(rows(path).values())


@pytest.mark.parametrize("made", [0, 1, 3])
def test_a_file_whose_making_was_cut_short_is_finished(tmp_path: Path, made: int):
    path = tmp_path / "league.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {module._APPLICATION}")
    tables = list(module._META.sorted_tables)[:made]
    engine = sql.create_engine(f"sqlite:///{path}")
    module._META.create_all(engine, tables)
    engine.dispose()
    with pytest.raises(UserError):
        Results(path)
    with Results(path, create=True) as results:
        results.write(0, [WIN], (0, "aa"), {})
    assert [len(table) for table in rows(path).values()] == [1, 1, 2, 1]


def test_a_reader_does_not_wait_for_a_writer(path: Path):
    with closing(sqlite3.connect(path)) as writer, Results(path) as reader:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM pairs")
        assert reader.tallies("train")[0].games == 4


def version_1(path: Path) -> None:
    """Makes the record one of version 1: no digests, no constraints."""
    today = path.rename(path.with_name("today.db"))
    old = sql.MetaData()
    for table in module._META.sorted_tables:
        if table is not DIGESTS:
            copy = table.to_metadata(old)
            copy.constraints -= {c for c in copy.constraints if isinstance(c, sql.CheckConstraint)}
    engine = sql.create_engine(f"sqlite:///{path}")
    old.create_all(engine)
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ATTACH ? AS today", (str(today),))
        for name in old.tables:
            connection.execute(f"INSERT INTO {name} SELECT * FROM today.{name}")
        connection.execute(f"PRAGMA application_id = {module._APPLICATION}")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()


def test_a_record_of_version_1_gets_constraints_and_keeps_its_rows(path: Path):
    before = rows(path)
    version_1(path)
    with Results(path) as results:
        assert results.file_digests() == {}
        results.verify()
    assert rows(path) == before
    with closing(sqlite3.connect(path)) as connection:
        for change in ("pairs SET first = 7", "pairs SET second = 'abc'", "events SET body = '3'"):
            with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
                connection.execute(f"UPDATE {change}")


def test_an_edited_record_of_version_1_is_refused_and_left_alone(path: Path):
    version_1(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE pairs SET first = 7 WHERE match = 1")
        connection.commit()
    before = rows(path)
    for _ in range(2):
        with pytest.raises(UserError, match="first score lies between 0 and 1"):
            Results(path)
    assert rows(path) == before


def test_every_column_is_documented():
    columns = [column for table in module._META.sorted_tables for column in table.columns]
    assert len(columns) == 40
    assert [str(column) for column in columns if not column.comment] == []
