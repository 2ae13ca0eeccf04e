"""A run that is killed at any instant and resumed ends with the same bits as an undisturbed one."""

import json
import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from league.store import status
from league.store.run import Run
from tests.helpers.command import GENERATIONS, TINY, Place, contents, listing

TMP = ".orbax-checkpoint-tmp"


@dataclass(frozen=True)
class Moment:
    """When to kill: so long after a phase has begun, or as soon as a file is there."""

    generation: int
    phase: str
    delay: float = 0.0
    file: str = ""
    sent: signal.Signals = signal.SIGKILL

    @property
    def code(self) -> int:
        """What the process then ends with."""
        return 130 if self.sent == signal.SIGINT else -self.sent


# In phases that take long since their programs are read or compiled there, and around the files
# that `Trainer._save` makes, in their order: record, snapshot, state. Each chain is one run.
CHAINS = {
    "a": (
        Moment(0, "measure", 0.4),
        Moment(1, "play", 0.6),
        Moment(1, "save", file=f"snapshots/1{TMP}"),
        Moment(2, "learn", 0.2),
        Moment(3, "save", file=f"state/3{TMP}"),
    ),
    "b": (
        Moment(0, "save"),
        Moment(0, "save", file=f"state/0{TMP}"),
        Moment(1, "learn", 0.3, sent=signal.SIGINT),
        Moment(1, "measure", 0.5),
        Moment(2, "save", file="snapshots/2"),
    ),
}
ALONE = (*CHAINS["a"], *CHAINS["b"], Moment(2, "play", file="data/2.npz"), Moment(3, "measure"))


def strike(place: Place, moment: Moment, *arguments: str) -> int:
    """Starts a training process and kills it at the moment; its return code."""
    folder = place.run(arguments[-1])
    with place.start(*arguments, "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            event = json.loads(line)
            if (event.get("phase"), event["generation"]) == (moment.phase, moment.generation):
                break
        else:
            pytest.fail(f"the run ended before {moment}")
        time.sleep(moment.delay)
        while moment.file and not (folder / moment.file).exists():
            assert process.poll() is None, f"the run ended before {moment}"
            time.sleep(0.0005)
        process.send_signal(moment.sent)
        if moment.sent == signal.SIGINT:
            out, err = process.communicate(timeout=120)
            assert '"save"' not in out  # it has not gone on
            assert err.splitlines()[-1] == (
                f"arena: interrupted; run {folder.name!r} is kept, go on with: "
                f"arena train tic_tac_toe --resume --name {folder.name}"
            )
            assert "Traceback" not in err
        process.stdout.close()
        process.stderr.close()
    return process.returncode


def disturb(
    place: Place, name: str, kills: tuple[Moment, ...], league: tuple[str, ...] = TINY
) -> list[int]:
    """Trains a run to its end, through all these kills; the return codes."""
    place.run(name).mkdir(parents=True)  # as if killed before it wrote anything at all
    codes, arguments = [], [arg for arg in league if arg != "--json"]
    for moment in kills:
        codes.append(strike(place, moment, *arguments, "--name", name))
        arguments = ["train", league[1], "--resume"]
    done = place.call(*arguments, "--json", "--name", name)
    assert done.returncode == 0, done.stderr
    return [*codes, done.returncode]


@pytest.fixture(scope="module")
def expected(tiny: Path) -> dict[str, object]:
    """What the undisturbed run holds."""
    return contents(tiny)


@pytest.fixture(scope="module")
def chains(
    tiny: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, tuple[Path, Future[list[int]]]]]:
    """The disturbed runs, both under way at once (`tiny` has compiled the programs)."""
    place = Place(tmp_path_factory.mktemp("killed"), cache)
    with ThreadPoolExecutor(2) as pool:
        yield {
            name: (place.run(name), pool.submit(disturb, place, name, kills))
            for name, kills in CHAINS.items()
        }


@pytest.mark.parametrize("name", CHAINS)
def test_a_run_killed_five_times_ends_with_the_same_bits(name, chains, expected):
    folder, codes = chains[name]
    assert codes.result() == [*(one.code for one in CHAINS[name]), 0]
    assert contents(folder) == expected


@pytest.mark.slow
@pytest.mark.parametrize("moment", ALONE, ids=str)
def test_a_run_killed_once_ends_with_the_same_bits(moment, place, expected):
    assert disturb(place, "once", (moment,)) == [moment.code, 0]
    assert contents(place.run("once")) == expected


@pytest.mark.slow
def test_a_run_that_learns_ownership_is_resumed_with_the_same_bits(place: Place):
    alone = TINY[2 : TINY.index("--main-exploiters")]
    league = ("train", "go:size=2", *alone, "--learner.ownership-weight", "1.0")
    # So late that the second generation's games have to be read again.
    assert disturb(place, "killed", (Moment(3, "learn"),), league) == [-signal.SIGKILL, 0]
    place.lines(*league, "--name", "whole")
    assert contents(place.run("killed")) == contents(place.run("whole"))
    # It can meet networks without that head, which play by the same policy.
    place.lines("train", "go:size=2", *alone, "--name", "plain")
    (told,) = place.lines("match", "killed:1", "plain:1", "--pairs", "2")
    assert told["wins"] + told["draws"] + told["losses"] == 4


def test_the_undisturbed_run_is_whole(expected):
    assert [number for number, _ in expected["snapshots"]] == list(range(GENERATIONS + 1))
    assert {f"snapshots/{i}" for i in range(4)} < expected.keys()
    assert {"state/2", "state/3", "data/1", "data/2", "data/3"} < expected.keys()
    assert len(expected["events"]) == 4
    assert len({str(expected[f"snapshots/{i}"]) for i in range(4)}) == 4


def test_resuming_a_finished_run_changes_nothing_and_more_generations_extend_it(
    tiny: Path, place: Place, expected
):
    folder = place.adopt(tiny, "more")
    before = listing(folder)
    (result,) = place.lines("train", "tic_tac_toe", "--resume", "--name", "more")
    assert (result["event"], result["run"]) == ("result", "more")
    after = listing(folder)
    assert status.read(folder) is None  # it ended in good order
    after.pop("lock")
    for page in (before, after):  # it names the run
        page.pop("report.html")
    assert after == before

    events = place.lines("train", "tic_tac_toe", "--resume", "--generations", "4")  # the newest
    assert [e["generation"] for e in events if e["event"] == "generation"] == [4]
    longer = contents(folder)
    assert longer["config"] == {**expected["config"], "generations": 4}
    assert len(longer["snapshots"]) == 5
    for key in ("snapshots", "matches", "events"):
        assert longer[key][: len(expected[key])] == expected[key]
    for key in ("snapshots/0", "snapshots/1", "snapshots/2", "snapshots/3", "state/3", "data/3"):
        assert longer[key] == expected[key]


def test_a_second_process_is_turned_away(tiny: Path, place: Place):
    run = Run(place.adopt(tiny, "busy"))
    with run.lock():
        before = listing(place.folder)
        done = place.call("train", "tic_tac_toe", "--resume", "--name", "busy")
        assert listing(place.folder) == before
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "arena: run 'busy' is in use by another process\n"


def test_a_run_that_lost_its_state_is_not_wiped(tiny: Path, place: Place):
    folder = place.adopt(tiny, "lost")
    (folder / "state").rename(place.folder / "state")
    with closing(sqlite3.connect(folder / "league.db")) as connection:
        held = connection.execute("SELECT count(*) FROM pairs").fetchone()
    done = place.call("train", "tic_tac_toe", "--resume", "--name", "lost", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "state" in done.stderr
    with closing(sqlite3.connect(folder / "league.db")) as connection:
        assert connection.execute("SELECT count(*) FROM pairs").fetchone() == held
    assert Run(folder).snapshots.numbers() == [0, 1, 2, 3]
