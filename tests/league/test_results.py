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
from league.store import embedded, upgrade
from league.store.backend import Place, SharedDatabase
from league.store.database import MatchResult, Results, Scores, Tally
from league.store.schema import META
from tests.helpers.postgres import Postgres
from tests.helpers.records import rows

WIN, DRAW = MatchResult("train", "1", "0", np.array([[1, 1], [0.5, 0]])), np.full((1, 2), 0.5)


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
def written(record: Place) -> Place:
    """A record of two generations, in either kind of database."""
    with Results(record, create=True) as results:
        results.write(0, [], (0, "aa"), {"generation": 0})
        results.write(1, [WIN, MatchResult("rate", "1", "0", DRAW)], (1, "bb"), {"generation": 1})
    return record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The same in a file."""
    path = tmp_path / "league.db"
    with Results(path, create=True) as results:
        results.write(0, [], (0, "aa"), {"generation": 0})
        results.write(1, [WIN, MatchResult("rate", "1", "0", DRAW)], (1, "bb"), {"generation": 1})
    return path


def test_what_is_written_is_read(written: Place):
    with Results(written) as results:
        assert results.digests() == {0: "aa", 1: "bb"}
        assert results.tallies("train") == [
            Tally("1", "0", 1, wins=2, draws=1, losses=1, points=2.5)
        ]
        assert results.tallies("train")[0].points == 2.5
        assert results.tallies("train", "rate")[0].games == 6
        assert [results.count(role) for role in ("train", "rate", "mcts")] == [1, 1, 0]
        assert results.events() == [{"generation": 0}, {"generation": 1}]
        assert results.pairs("0", "1", "train").tolist() == [[0, 0], [1, 0.5]]
        assert results.scores("train", until=1) == [
            Scores("1", "0", (2, 1, 0, 1.5, 1.25, 1, 1, 1.0, 1.0, 1.0))
        ]
        before = results.version()
        results.write(2, [WIN], (2, "cc"), {"generation": 2})
        assert results.version() != before
        results.verify()
    assert rows(written)["pairs"][:2] == [(1, 0, 1.0, 1.0), (1, 1, 0.5, 0.0)]


@pytest.mark.parametrize("name", ["q?mode=memory", "victim%2Fleague.db?x", "a#b c"])
def test_a_path_is_a_path_whatever_is_in_it(tmp_path: Path, name: str):
    (tmp_path / name).mkdir()
    with Results(tmp_path / name / "league.db", create=True) as results:
        results.write(0, [WIN], (0, "aa"), {})
    assert len(rows(tmp_path / name / "league.db")["matches"]) == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("broken", ["match", "snapshot", "figures", "disk"])
def test_a_generation_is_written_whole_or_not_at_all(written: Place, broken: str):
    def matches():
        yield WIN
        if broken == "match":
            raise KeyboardInterrupt
        yield MatchResult("train", "1", "0", np.zeros((5000, 2)))

    if broken == "disk" and not isinstance(written, Path):
        pytest.skip("a server's disk is its own")
    before = rows(written)
    snapshot = (1 if broken == "snapshot" else 2, "cc")  # snapshot 1 is there already
    figures = {"bad": object()} if broken == "figures" else {}
    room = 40_000 if broken == "disk" else resource.RLIM_INFINITY
    with (
        Results(written) as results,
        full_disk(room),
        pytest.raises((Exception, KeyboardInterrupt)),
    ):
        results.write(2, matches(), snapshot, figures)
    assert rows(written) == before
    with Results(written) as results:
        results.write(2, [WIN], (2, "cc"), {})
    assert counts(written) == [3, 3, 5, 3]


def test_a_full_disk_is_told_in_words(path: Path):
    many = MatchResult("train", "1", "0", np.zeros((5000, 2)))
    with (
        Results(path) as results,
        full_disk(40_000),
        pytest.raises(UserError, match=r"league\.db cannot be"),
    ):
        results.write(2, [many])


def test_forgetting_leaves_the_record_as_it_was(written: Place):
    before = rows(written)
    with Results(written) as results:
        results.write(2, [WIN], (2, "cc"), {})
        results.forget_after(1)
        assert rows(written) == before
        results.write(2, [WIN], (2, "cc"), {})
        again = rows(written)
        results.forget_after(1)
        results.write(2, [WIN], (2, "cc"), {})
        assert rows(written) == again  # down to the numbers of the rows
        results.forget_after(-1)
    assert not any(rows(written).values())


@pytest.mark.parametrize("made", [0, 1, 3])
def test_a_file_whose_making_was_cut_short_is_finished(tmp_path: Path, made: int):
    path = tmp_path / "league.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {embedded.APPLICATION}")
    tables = list(META.sorted_tables)[:made]
    engine = sql.create_engine(f"sqlite:///{path}")
    META.create_all(engine, tables)
    engine.dispose()
    with pytest.raises(UserError):
        Results(path)
    with Results(path, create=True) as results:
        results.write(0, [WIN], (0, "aa"), {})
    assert counts(path) == [1, 1, 2, 1]


def test_a_reader_does_not_wait_for_a_writer(path: Path):
    with closing(sqlite3.connect(path)) as writer, Results(path) as reader:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM pairs")
        assert reader.tallies("train")[0].games == 4


def counts(place: Place) -> list[int]:
    """How many rows some tables have."""
    found = rows(place)
    return [len(found[name]) for name in ("snapshots", "matches", "pairs", "events")]


def version_1(path: Path) -> None:
    """Makes the record one of version 1: no runs, no digests, no constraints."""
    today = path.rename(path.with_name("today.db"))
    added = ("runs", "digests", "rounds")
    old = [table for table in META.sorted_tables if table.name not in added]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ATTACH ? AS today", (str(today),))
        for table in old:
            names = ", ".join(f'"{c.name}"' for c in table.columns if c.name != "run")
            connection.execute(
                f"CREATE TABLE {table.name} AS SELECT {names} FROM today.{table.name}"
            )
        connection.execute(f"PRAGMA application_id = {embedded.APPLICATION}")
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
        before = list(connection.iterdump())
    for _ in range(2):
        with pytest.raises(UserError, match="first score lies between 0 and 1"):
            Results(path)
    with closing(sqlite3.connect(path)) as connection:
        assert list(connection.iterdump()) == before


def test_what_tournaments_of_an_earlier_version_have_played_is_kept(path: Path):
    with Results(path) as results:
        for _ in range(4):
            results.write(1, [MatchResult("rate", "1", "0", DRAW)])
    version_1(path)
    with closing(sqlite3.connect(path)) as connection:
        insert = "INSERT INTO tournaments (id, asked, before, matches) VALUES (?, '{}', ?, ?)"
        connection.executemany(insert, [(1, 1, 2), (2, 3, 9), (3, 5, 4)])
        connection.commit()
    # Of five matches the first one was before all tournaments; two, two and none are theirs.
    assert rows_after_upgrade(path) == [
        (1, 0, [["1", "0"], ["1", "0"]], 3),
        (2, 0, [["1", "0"], ["1", "0"]], 5),
    ]


def rows_after_upgrade(path: Path) -> list[tuple]:
    return rows(path)["rounds"]


def test_the_revisions_lead_to_the_tables_of_this_version(path: Path, tmp_path: Path):
    version_1(path)
    with Results(path), Results(tmp_path / "new.db", create=True):
        pass
    shapes = []
    for name in (path, tmp_path / "new.db"):
        with closing(sqlite3.connect(name)) as connection:
            shapes.append(
                connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
            )
    assert normal(shapes[0]) == normal(shapes[1])


def normal(shapes: list[tuple[str]]) -> list[str]:
    """Without spaces and alembic's own way to write its table."""
    found = [" ".join(str(sql).split()) for (sql,) in shapes if sql]
    return [text for text in found if upgrade.VERSION_TABLE not in text]


def test_the_revisions_lead_to_the_tables_of_this_version_on_a_server(postgres: Postgres):
    place = SharedDatabase(postgres.empty("new"), "a")
    Results(place, create=True).close()
    engine = sql.create_engine(postgres.empty("upgraded"))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA arena")
        connection.exec_driver_sql("SET search_path = arena")
        upgrade.run(connection, "a database")
    engine.dispose()
    tables = [
        [line for line in postgres.dump(name).splitlines() if not line.startswith("\\")]
        for name in ("new", "upgraded")
    ]
    keyed = [[line for line in lines if "arena_version" not in line] for lines in tables]
    assert keyed[0] == keyed[1]


def test_every_column_is_documented():
    columns = [column for table in META.sorted_tables for column in table.columns]
    assert len(columns) == 57
    assert [str(column) for column in columns if not column.comment] == []
