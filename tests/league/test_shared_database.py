"""A PostgreSQL database that leagues share: apart from each other, patient, written once."""

import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np
import pytest
import sqlalchemy as sql
from sqlalchemy.exc import OperationalError

from arena.errors import UserError
from arena.types import Agent
from league.evaluation.tournament import Plan, Tournament
from league.store import runs, shared
from league.store.backend import SharedDatabase
from league.store.database import MatchResult, Results
from league.store.files import is_locked
from league.store.run import Run
from tests.helpers.command import TINY, Place, contents
from tests.helpers.postgres import Postgres
from tests.helpers.records import rows

WON = MatchResult("measure", "1", "0", np.ones((2, 2)))


@pytest.fixture
def url(postgres: Postgres) -> str:
    """An empty database."""
    return postgres.empty("leagues")


def test_leagues_do_not_meet_in_a_database(url: str):
    one, two = SharedDatabase(url, "one"), SharedDatabase(url, "two")
    for place in (one, two):
        with pytest.raises(UserError, match="has no run"):
            Results(place)
        with Results(place, create=True) as results:
            results.write(0, [], (0, "aa"), {"generation": 0})
            results.write(1, [WON], (1, place.run), {"generation": 1})
    assert rows(one)["matches"] == rows(two)["matches"] == [(1, 1, "measure", "1", "0")]
    with Results(one) as results:
        results.forget_after(0)
        assert results.scores("measure") == []
        results.verify()
    with Results(two) as results:
        assert results.digests() == {0: "aa", 1: "two"}
        assert results.tallies("measure")[0].wins == 4


def test_a_reader_sees_one_moment(url: str):
    place = SharedDatabase(url, "a")
    with Results(place, create=True) as writer:
        writer.write(0, [], (0, "aa"), {"generation": 0})
        with Results(place, frozen=True) as reader:
            assert reader.count("measure") == 0
            writer.write(1, [WON], (1, "bb"), {"generation": 1})
            assert (reader.count("measure"), len(reader.events())) == (0, 1)
        assert writer.count("measure") == 1


def test_who_changes_a_run_is_alone_with_it(url: str):
    one, two = SharedDatabase(url, "one"), SharedDatabase(url, "two")
    with shared.locked(one, alone=True), shared.locked(two, alone=True):
        for alone in (True, False):
            with pytest.raises(UserError, match="run 'one' is in use by another process"):
                shared.locked(one, alone=alone).__enter__()
    with shared.locked(one, alone=False):
        lock = shared._Lock(one, "one", alone=False)
        assert lock.take()  # as another process that rates
        lock.release()
        with pytest.raises(UserError, match="in use"):
            shared.locked(one, alone=True).__enter__()
    with (
        Results(one, create=True) as results,
        results.backend.claim("round 1") as mine,
        results.backend.claim("round 1") as second,
        results.backend.claim("round 2") as other,
    ):
        assert (mine, second, other) == (True, False, True)


def test_a_lost_lock_is_taken_again_unless_another_was_faster(url: str, postgres: Postgres):
    place = SharedDatabase(url, "a")
    with Results(place, create=True) as results, shared.locked(place, alone=True):
        cut_off(postgres)
        results.write(0, [], (0, "aa"), {"generation": 0})
        other = shared._Lock(place, "a", alone=True)
        assert not other.take()
        cut_off(postgres)
        assert other.take()
        with pytest.raises(UserError, match="in use by another process"):
            results.write(1, [], (1, "bb"), {"generation": 1})
        other.release()
        assert results.digests() == {0: "aa"}


def cut_off(postgres: Postgres) -> None:
    """Ends all connections to the database, at the server."""
    engine = sql.create_engine(postgres.url())
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = 'leagues'"
        )
    engine.dispose()


def test_a_database_that_is_gone_is_waited_for(url: str, postgres: Postgres, caplog, monkeypatch):
    monkeypatch.setattr(shared, "_TOLD", 0.2)
    place = SharedDatabase(url, "a")
    with Results(place, create=True) as results, shared.locked(place, alone=True):
        results.write(0, [], (0, "aa"), {"generation": 0})
        postgres.stop()
        again = threading.Timer(0.8, postgres.start)
        again.start()
        results.write(1, [WON], (1, "bb"), {"generation": 1})
        again.join()
        assert results.digests() == {0: "aa", 1: "bb"}
    first, last = [record.getMessage() for record in caplog.records]
    assert "does not answer (" in first
    assert "tried again for 300 s" in first
    assert "answers again, after " in last
    assert len(rows(place)["matches"]) == 1


def test_what_was_committed_is_not_written_again(url: str, monkeypatch):
    """The connection is lost when the answer to COMMIT is on its way; or before it was sent."""
    place = SharedDatabase(url, "a")
    commit, lost = sql.Connection.commit, []

    def lose(connection: sql.Connection) -> None:
        if len(lost) < 2:
            if not lost:
                commit(connection)
            lost.append(connection)
            connection.invalidate()
            raise OperationalError("COMMIT", {}, Exception("gone"), connection_invalidated=True)
        commit(connection)

    with Results(place, create=True) as results, shared.locked(place, alone=True):
        monkeypatch.setattr(sql.Connection, "commit", lose)
        results.write(0, [], (0, "aa"), {"generation": 0})
        assert len(lost) == 1
        results.write(1, [WON], (1, "bb"), {"generation": 1})
        assert len(lost) == 2
    assert len(rows(place)["matches"]) == 1
    assert len(rows(place)["events"]) == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("mysql://a@b/c", "a database is postgresql"),
        ("league.db", "a database is postgresql"),
        ("postgresql://a:secret@b/c", "leave the password out"),
        ("postgresql://a@127.0.0.1:1/c", "127.0.0.1:1/c does not answer"),
    ],
)
def test_a_database_that_is_none_is_refused(refused, text: str, line: str):
    told = refused(f"train tic_tac_toe --database {text}")
    assert line in told
    assert "secret" not in told


def test_a_run_keeps_its_database_and_its_name(url: str, here: Place, tiny: Path):
    first = runs.create("tic_tac_toe", Run(tiny).config, database=url, folder=here.folder / "runs")
    assert first.record == SharedDatabase(url, "tic_tac_toe")
    runs.check_database(first, url)
    with pytest.raises(UserError, match=r"keeps its record, .*league\.db"):
        runs.check_database(Run(tiny), url)
    with first.results(create=True) as results:
        results.write(0, [], (0, "aa"), {"generation": 0})
    other = here.folder / "elsewhere"
    again = runs.create("tic_tac_toe", Run(tiny).config, database=url, folder=other)
    assert again.name == "tic_tac_toe-2"
    with pytest.raises(UserError, match="has a run 'tic_tac_toe' already"):
        runs.create("tic_tac_toe", first.config, name="tic_tac_toe", database=url, folder=other)
    assert not is_locked(first.folder)


def tournament(place: SharedDatabase, plan: Plan) -> Tournament:
    """Of a run of five snapshots, as a process of its own would open it."""
    run = SimpleNamespace(
        name="a",
        game=None,
        state=SimpleNamespace(numbers=lambda: [4]),
        config=SimpleNamespace(seed=0, measure=SimpleNamespace(opening_plies=0)),
        weights=lambda number: number,
        eval_policy=lambda simulations: None,
    )
    return Tournament(run, Results(place), plan)  # pyright: ignore[reportArgumentType]


def begin_by_key(
    a: list[Agent], b: list[Agent], *_: object, key: jax.Array, pairs: int, **__: object
):
    """Begins matches whose scores follow from the key and who meets, after some time."""
    seed = [*np.asarray(jax.random.key_data(key)).tolist(), *[int(x.name) for x in (*a, *b)]]
    rng = np.random.default_rng(seed)

    def finish() -> np.ndarray:
        time.sleep(rng.uniform(0, 0.05))
        return rng.integers(0, 3, (len(a), pairs, 2)) / 2

    return finish


@pytest.mark.parametrize("plan", [Plan(2, 800), Plan(2, None)], ids=["scheduled", "round robin"])
def test_ten_who_rate_one_run_at_once_lose_and_double_nothing(url: str, monkeypatch, plan: Plan):
    monkeypatch.setattr("arena.play.match.begin", begin_by_key)
    monkeypatch.setattr("league.evaluation.tournament._ROUND_ROBIN", 2)
    monkeypatch.setattr("league.evaluation.tournament._PAUSE", 0.01)
    alone, together = SharedDatabase(url, "alone"), SharedDatabase(url, "together")
    for place in (alone, together):
        with Results(place, create=True) as results:
            for number in range(5):
                results.write(number, [], (number, f"sha {number}"), {"generation": number})
    tournament(alone, plan).play()
    with ThreadPoolExecutor(10) as pool:
        events = list(pool.map(lambda _: tournament(together, plan), range(10)))
        list(pool.map(lambda event: event.play(), events))
    found, expected = rows(together), rows(alone)
    count = 200 if plan.games else 10
    assert len(found["matches"]) == len(expected["matches"]) == count
    assert len(found["pairs"]) == 2 * count
    assert len(found["tournaments"]) == 1
    meetings = [tuple(pair) for *_, pairings, _ in found["rounds"] for pair in pairings]
    assert sorted(meetings) == sorted((a, b) for *_, a, b in found["matches"])
    assert {match for *_, match in found["rounds"]} <= {number for number, *_ in found["matches"]}
    if plan.games is None:
        assert games(found) == games(expected)


def games(found: dict[str, list[tuple]]) -> list[tuple]:
    """Who met, and their scores, whatever the order."""
    agents = {number: (a, b) for number, _, _, a, b in found["matches"]}
    return sorted((*agents[match], *scores) for match, *scores in found["pairs"])


@pytest.mark.slow
def test_a_training_outlives_a_database_that_is_gone(url, postgres, place: Place, tiny: Path):
    arguments = (*TINY, "--name", "shared", "--database", url)
    with place.start(*arguments, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if '"learn"' in line:
                break
        postgres.stop()
        time.sleep(20)
        postgres.start()
        _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    assert "answers again" in err
    found, expected = contents(place.run("shared")), contents(tiny)
    assert not (place.run("shared") / "league.db").exists()
    assert {k: v for k, v in found.items() if k != "files"} == {
        k: v for k, v in expected.items() if k != "files"
    }


@pytest.mark.slow
@pytest.mark.parametrize("plan", [("--games", "4000"), ("--round-robin", "--pairs", "64")])
def test_ten_processes_rate_one_run(url: str, place: Place, plan: tuple[str, ...]):
    place.lines(*TINY, "--name", "shared", "--database", url)
    before = rows(SharedDatabase(url, "shared"))["matches"]
    processes = [
        place.start("rate", "shared", *plan, "--json", stderr=subprocess.PIPE) for _ in range(10)
    ]
    for process in processes:
        _, err = process.communicate(timeout=1200)
        assert process.returncode == 0, err
    found = rows(SharedDatabase(url, "shared"))
    played = found["matches"][len(before) :]
    assert Counter(role for _, _, role, *_ in played) == {
        "rate": 125 if plan[0] == "--games" else 6
    }
    pairs = Counter(match for match, *_ in found["pairs"])
    each = 16 if plan[0] == "--games" else 64
    assert {pairs[number] for number, *_ in played} == {each}
    assert len(found["tournaments"]) == 1
    meetings = [tuple(pair) for *_, pairings, _ in found["rounds"] for pair in pairings]
    assert sorted(meetings) == sorted((a, b) for *_, a, b in played)
