"""A tournament that is killed and asked for again ends with the games of an undisturbed one."""

import signal
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from arena.errors import UserError
from arena.play import device_loop
from league.evaluation.tournament import Plan, Tournament
from league.store.run import Run
from tests.helpers.command import Place, tables
from tests.helpers.false_judge import Inverted

SCHEDULED = ("--games", "9999")
ROUND_ROBIN = ("--round-robin", "--pairs", "2000")


def rated(run: Path) -> list[tuple]:
    """Players and scores of every match that `arena rate` has played, in order."""
    record = tables(run / "league.db")
    games = {number: [] for number, _, role, *_ in record["matches"] if role == "rate"}
    for number, _, first, second in record["pairs"]:
        if number in games:
            games[number].append((first, second))
    return [(*m[3:], games[m[0]]) for m in record["matches"] if m[0] in games]


def strike(place: Place, name: str, matches: int, delay: float, *arguments: str) -> None:
    """Kills a tournament some time after so many of its matches are in the record."""
    query = "SELECT count(*) FROM matches WHERE role = 'rate'"
    with (
        place.start("rate", name, *arguments, stderr=subprocess.DEVNULL) as process,
        closing(sqlite3.connect(place.run(name) / "league.db")) as record,
    ):
        while record.execute(query).fetchone()[0] < matches:
            assert process.poll() is None, "it ended too soon"
            time.sleep(0.002)
        time.sleep(delay)
        process.kill()
    assert process.returncode == -signal.SIGKILL


def test_a_killed_tournament_goes_on(tiny: Path, place: Place):
    for name in ("killed", "whole"):
        place.adopt(tiny, name)
    strike(place, "killed", 24, 0.01, *SCHEDULED)
    assert 24 <= len(rated(place.run("killed"))) < 313
    for name in ("killed", "whole"):
        place.lines("rate", name, *SCHEDULED)
    found = rated(place.run("killed"))
    assert len(found) == 313  # matches of 32 games, the fewest with 9,999 games
    assert found == rated(place.run("whole"))
    assert set(Counter(frozenset(m[:2]) for m in found)) == {
        frozenset(map(str, pair)) for pair in combinations(range(4), 2)
    }


@pytest.mark.slow
@pytest.mark.parametrize("asked", [SCHEDULED, ROUND_ROBIN], ids=["scheduled", "round robin"])
def test_a_tournament_killed_five_times_goes_on(asked, tiny: Path, place: Place):
    for name in ("killed", "whole"):
        place.adopt(tiny, name)
    rng = np.random.default_rng(0)
    seen = [0]
    for _ in range(5):
        if asked == SCHEDULED:
            strike(place, "killed", seen[-1] + 8, rng.uniform(0, 0.1), *asked)
        else:  # one call of the device loop: before it, in it, after it
            with place.start("rate", "killed", *asked, stderr=subprocess.DEVNULL) as process:
                time.sleep(rng.uniform(1, 6))
                process.kill()
        seen.append(len(rated(place.run("killed"))))
    assert seen == sorted(seen)
    for name in ("killed", "whole"):
        place.lines("rate", name, *asked)
    assert len(rated(place.run("whole"))) == (313 if asked == SCHEDULED else 6)
    assert rated(place.run("killed")) == rated(place.run("whole"))


class CutOffError(Exception):
    pass


def test_what_is_asked_for_is_played_exactly(here: Place, tiny: Path, monkeypatch):
    monkeypatch.setattr("league.evaluation.tournament._ROUND_ROBIN", 2)
    played, programs, compiled = {}, [], device_loop._compiled
    compiled.cache_clear()  # other tests play matches of other sizes by the same program

    def remember(*arguments):
        programs.append(compiled(*arguments)[0])
        return compiled(*arguments)

    monkeypatch.setattr(device_loop, "_compiled", remember)
    for name in ("cut", "whole"):
        run = Run(here.adopt(tiny, name))
        with run.results() as results:

            def callback(done: int) -> None:
                if name == "cut" and done == 4:  # noqa: B023
                    raise CutOffError

            plan = Plan(pairs=2, games=None)
            event = Tournament(run, results, plan)
            assert (event.done, event.matches) == (0, 6)
            if name == "cut":
                with pytest.raises(CutOffError):
                    event.play(callback)
                event = Tournament(run, results, plan)
                assert (event.done, event.matches) == (4, 6)
            event.play()
            assert event.done == 6
            played[name] = rated(run.folder)
            # It is over: the same again is a second one, on other openings. Another plan in between
            # does not go on with it, and keeps its games.
            again = Tournament(run, results, plan)
            assert (again.done, again.matches) == (0, 6)
            other = Tournament(run, results, Plan(pairs=2, games=9))
            assert (other.done, other.matches) == (0, 3)
            again = Tournament(run, results, plan)
            again.play()
            assert results.count("rate") == 12
            assert rated(run.folder)[6:] != played[name]
        run.close()
    assert len(programs) >= 12  # two matches in a call, two round robins in each of two runs
    assert {(program, program._cache_size()) for program in programs} == {(programs[0], 1)}
    assert played["cut"] == played["whole"]
    meetings = [(a, b) for a, b, _ in played["whole"]]
    assert meetings == [(str(a), str(b)) for a, b in combinations(range(4), 2)]
    assert {len(games) for *_, games in played["whole"]} == {2}


def test_a_snapshot_that_is_only_half_saved_is_not_rated(here: Place, tiny: Path):
    run = Run(here.adopt(tiny, "half"))
    with run.results() as results:
        results.write(4, [], (4, "dd"), {})
        with pytest.raises(UserError, match="while it saved snapshot 4: go on with"):
            Tournament(run, results, Plan(2, 8))
    run.close()


def test_scores_are_those_that_the_judge_gives(here: Place, tiny: Path):
    played = []
    for name in ("rules", "inverted"):
        run = Run(here.adopt(tiny, name))
        judge = Inverted(run.game) if name == "inverted" else None
        with run.results() as results:
            Tournament(run, results, Plan(pairs=2, games=None), judge).play()
        run.close()
        played.append(rated(run.folder))
    for (*agents, scores), (*same, inverted) in zip(*played, strict=True):
        assert agents == same
        assert [(1 - x, 1 - y) for x, y in inverted] == scores
