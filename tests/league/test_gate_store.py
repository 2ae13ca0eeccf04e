"""Gates and champions in the record of a run."""

import dataclasses
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from arena.errors import UserError
from league.gate.decision import Gate
from league.gate.match import GateMatch, Stage
from league.gate.rule import Question, Rule
from league.gate.store import Lineage
from league.gate.verdict import AccuracyTest, HeldoutResult, Result, TestResult, Verdict
from league.store.backend import Place
from league.store.database import MatchResult, Results
from tests.helpers.records import rows
from tests.league.test_gate_decision import PAIRS, truth

CHILD = """
import sys, time
from pathlib import Path
from league.store.database import Results
from tests.league.test_gate_store import decided

with Results(Path(sys.argv[1])) as results:
    decided(results, lambda: (print("played", flush=True), time.sleep(0.02)))
"""


RULE = Rule(elo1=30, pairs=16, max_pairs=144, heldout_pairs=16)


def question(*candidates: int) -> Question:
    """Whether one of these snapshots is better than snapshot 0."""
    return Question(
        list(candidates), 0, [], {"uniform": ""}, simulations=0, plies=4, newest=3, rule=RULE
    )


def decided(results: Results, pause=lambda: None) -> Verdict:
    """A gate of 13 matches, kept in a record; games depend on the match alone."""
    lineage = Lineage(results)
    gate = lineage.open(question(3, 2))

    def play(match: GateMatch) -> tuple[np.ndarray, int]:
        pause()
        seed = [ord(match.stage[0]), match.number]
        return PAIRS[np.random.default_rng(seed).choice(5, match.pairs, p=truth(30))], 10

    play_once = lineage.recorded(gate.id, 3, play)
    return Gate(RULE, ["3", "2"], "0", heldout=["uniform"], play=play_once).decide()


def write_snapshots(place: Place) -> None:
    """Makes the record of a run of four snapshots."""
    with Results(place, create=True) as results:
        for number in range(4):
            results.write(number, [], (number, f"sha {number}"), {"generation": number})


@pytest.fixture
def written(record: Place) -> Place:
    """A record of four snapshots, in either kind of database."""
    write_snapshots(record)
    return record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The same in a file."""
    path = tmp_path / "league.db"
    write_snapshots(path)
    return path


def games(place: Place) -> list[tuple]:
    """Every match of a gate with its games, in order of stage and number."""
    found = rows(place)
    assert len(found["matches"]) == len(found["trials"])
    agents = {number: (a, b) for number, _, _, a, b in found["matches"]}
    return sorted(
        (stage, number, *agents[match], passes, pair, first, second)
        for _, stage, number, match, passes in found["trials"]
        for at, pair, first, second in found["pairs"]
        if at == match
    )


def test_a_gate_killed_at_any_moment_counts_every_game_once(path: Path, tmp_path: Path):
    undisturbed = tmp_path / "undisturbed.db"
    undisturbed.write_bytes(path.read_bytes())
    with Results(undisturbed) as results:
        expected = decided(results)
    root = Path(__file__).parents[2]
    done = 0
    for matches in (1, 2, 4):
        command = [sys.executable, "-c", CHILD, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
            assert process.stdout is not None
            for _ in range(matches):
                assert process.stdout.readline() == "played\n"
            process.kill()
            process.stdout.close()
        assert done <= len({row[:2] for row in games(path)})  # none is lost
        done = len({row[:2] for row in games(path)})
    assert done > 0
    with Results(path) as results:
        verdict = decided(results)
        assert len(Lineage(results).gates()) == 1
    assert verdict == expected
    assert games(path) == games(undisturbed)


def test_a_match_is_never_written_twice(written: Place):
    match = GateMatch(Stage.TEST, 0, "3", "0", 2)
    with Results(written) as results:
        lineage = Lineage(results)
        gate = lineage.open(question(3))
        lineage.record(gate.id, match, generation=3, scores=np.ones((2, 2)), passes=5)
        with pytest.raises(Exception, match=r"(?i)unique"):
            lineage.record(gate.id, match, generation=3, scores=np.zeros((2, 2)), passes=5)
        found = lineage.scores(gate.id, match)
        assert found is not None
        assert found.tolist() == [[1, 1], [1, 1]]
        assert lineage.scores(gate.id, match._replace(number=1)) is None
        assert lineage.passes() == 5
    assert len(games(written)) == 2


def test_the_same_question_is_the_same_gate(written: Place):
    with Results(written) as results:
        lineage = Lineage(results)
        first = lineage.open(question(3))
        assert lineage.open(question(3)) == first
        second = lineage.open(question(2))
        assert second.id == first.id + 1
        assert lineage.champions() == []
        verdicts = [verdict("3", promoted=True), verdict("2", promoted=False)]
        for gate, found in zip((first, second), verdicts, strict=True):
            lineage.close(gate.id, found)
        assert lineage.champions() == [3]
        assert [gate.verdict for gate in lineage.gates()] == verdicts
        assert lineage.passes() == 2 * 7  # both compared the accuracy of moves


def verdict(candidate: str, promoted: bool) -> Verdict:
    """A verdict that uses all its fields."""
    return Verdict(
        promoted=promoted,
        reason="made up",
        candidate=candidate,
        champion="0",
        selection=(Result("3", 0.75, 0.125), Result("2", 0.5, 0.25)),
        fresh=Result(candidate, 0.625, 0.125),
        test=TestResult((0, 1, 2, 3, 4), 3.0, (-2.5, 2.5)),
        heldout=(HeldoutResult("uniform", 0.5, 0.25, lost=False),),
        accuracy=AccuracyTest(100, 99, 98, 0.5, lost=False, passes=7),
        openings_seen=5,
    )


def test_a_gate_of_an_older_version_is_read_and_counts_as_the_same_question(path: Path):
    rule = {"elo0": 0.0, "elo1": 30, "alpha": 0.05, "beta": 0.05, "pairs": 16}
    asked = {**question(3).to_json(), "rule": {**rule, "most": 144, "veto": 16}}
    expected = verdict("3", promoted=False)
    body = expected.to_json()
    body["vetoes"], body["exam"] = body.pop("heldout"), body.pop("accuracy")
    row = (json.dumps(asked), json.dumps(body))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO gates (run, id, question, verdict, body) VALUES (1, 1, ?, 'refused', ?)",
            row,
        )
        connection.commit()
    with Results(path) as results:
        gate = Lineage(results).open(question(3))
        assert (gate.id, gate.verdict) == (1, expected)


def test_gates_are_forgotten_with_the_generations_they_rest_on(written: Place):
    def promote(results: Results, candidate: int, newest: int) -> None:
        lineage = Lineage(results)
        gate = lineage.open(dataclasses.replace(question(candidate), newest=newest))
        match = GateMatch(Stage.TEST, 0, str(candidate), "0", 2)
        lineage.record(gate.id, match, generation=newest, scores=np.ones((2, 2)), passes=5)
        lineage.close(gate.id, verdict(str(candidate), promoted=True))

    with Results(written) as results:
        promote(results, 1, newest=3)
        results.write(4, [], (4, "sha 4"), {"generation": 4}, digests={"state/4": "sha"})
        promote(results, 4, newest=4)  # what is forgotten
        promote(results, 2, newest=4)  # an older one, by games of what is forgotten
        assert Lineage(results).champions() == [1, 4, 2]
        results.forget_after(3)
        assert Lineage(results).champions() == [1]
        assert [gate.id for gate in Lineage(results).gates()] == [1]
        assert results.file_digests() == {}
        results.verify()
    assert len(games(written)) == 2


@pytest.mark.parametrize("body", ["{}", '{"rule": 3}', '{"test": {"pairs": 7}}'])
def test_a_gate_that_was_edited_is_refused_in_one_line(path: Path, body: str):
    with Results(path) as results:
        Lineage(results).open(question(3))
        edit = "UPDATE gates SET question = ?, verdict = 'refused', body = ?"
        results.backend.write(lambda c: c.exec_driver_sql(edit, (body, body)))
        with pytest.raises(UserError, match="gate 1 of the record is none that a run writes"):
            Lineage(results).gates()


def test_games_of_the_gate_feed_nothing_else(written: Place):
    with Results(written) as results:
        results.write(3, [MatchResult("measure", "3", "2", np.ones((1, 2)))])
        before = results.tallies("train", "measure", "rate"), results.scores("measure", "rate")
        decided(results)
        after = results.tallies("train", "measure", "rate"), results.scores("measure", "rate")
        assert after == before


def test_a_record_from_before_there_were_gates_gets_its_tables(path: Path):
    with closing(sqlite3.connect(path)) as connection:
        for table in ("champions", "trials", "gates"):
            connection.execute(f"DROP TABLE {table}")
        for (table,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall():
            if table in ("runs", "rounds", "arena_version"):
                connection.execute(f"DROP TABLE {table}")
            else:
                connection.execute(f"CREATE TABLE copy AS SELECT * FROM {table}")
                connection.execute("ALTER TABLE copy DROP COLUMN run")
                connection.execute(f"DROP TABLE {table}")
                connection.execute(f"ALTER TABLE copy RENAME TO {table}")
        connection.execute("PRAGMA user_version = 1")
    with Results(path) as results:
        assert Lineage(results).champions() == []
        assert Lineage(results).open(question(3)).id == 1
        assert len(results.digests()) == 4
