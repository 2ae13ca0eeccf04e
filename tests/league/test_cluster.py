"""A cluster: whoever plays, dies or comes late, a run ends with the same bits."""

import json
import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from arena.digests import digest
from arena.errors import UserError
from league.cli.entry import main
from league.cluster import connection
from league.cluster import figures as cluster_figures
from league.cluster.config import ClusterConfig
from league.cluster.figures import ClusterFigures
from league.cluster.kept import KeptResults, KeptWeights
from league.cluster.player import Player
from league.cluster.pool import Answer, Pool, Task
from league.settings.config import Config
from league.store import runs
from league.store.objects import FolderFiles
from league.store.run import Run
from league.training.actors import LocalActors
from league.training.requests import Request, WeightsRef
from tests.helpers.command import TINY, Place, contents
from tests.helpers.fake_ray import FakeCall, FakeRay, fake_actors
from tests.helpers.ray_nodes import descendants
from tests.helpers.records import rows
from tests.league.test_requests import bits, learner, match, request, weights


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run that learns as the learner of `test_requests`."""
    return runs.create("tic_tac_toe", Config(learner=learner().config), folder=tmp_path)


@pytest.fixture
def asked() -> list[Request]:
    """Two requests."""
    by_digest = tuple(sha_of(ref) for ref in request().a)
    others = tuple(sha_of(ref) for ref in request().b)
    return replace(request(), a=by_digest, b=others).split(2)


def sha_of(ref: WeightsRef) -> WeightsRef:
    """The same weights by their own digest."""
    return WeightsRef(ref.id, digest(weights(ref)))


def test_a_player_has_the_bits_of_the_trainers_own_process(run: Run, asked: list[Request]):
    expected = LocalActors(match).play(asked, weights)
    files = FolderFiles(run.folder)
    player, kept = Player(run.card, files), KeptWeights(files)
    with pytest.raises(UserError, match="is missing or damaged"):
        player.play(asked[0])
    for ref in {*asked[0].a, *asked[0].b, *asked[1].b}:
        kept.write(ref.digest, weights(ref))
    found = [player.play(one) for one in reversed(asked)][::-1]
    assert [one.key for one in found] == [one.key for one in expected]
    assert [bits(one.played) for one in found] == [bits(one.played) for one in expected]
    kept.keep({asked[0].a[0].digest})
    assert files.names("weights") == [f"{asked[0].a[0].digest}.npz"]


@pytest.mark.parametrize("losses", [[], [True], [True, True, False, True]])
def test_lost_calls_are_made_again(monkeypatch, run: Run, asked: list[Request], losses: list[bool]):
    expected = LocalActors(match).play(asked, weights)
    actors, pool, _ = fake_actors(monkeypatch, run, losses)
    found = actors.play(asked, weights)
    assert [one.key for one in found] == [one.key for one in expected]
    assert [bits(one.played) for one in found] == [bits(one.played) for one in expected]
    actors.close()
    told = pool.figures
    assert (told.lost, told.repeated, told.reused) == (sum(losses), sum(losses), 0)
    # A trainer that was killed does not have them played again; a damaged one it does.
    again, pool, fake = fake_actors(monkeypatch, run, [])
    files = FolderFiles(run.folder)
    [first, _] = files.names("requests")
    with files.writing(f"requests/{first}") as file:
        file.write(b"half of it")
    repeated = again.play(asked, weights)
    again.close()
    assert [bits(one.played) for one in repeated] == [bits(one.played) for one in expected]
    assert (pool.figures.lost, pool.figures.reused, fake.calls) == (0, 1, 1)
    # What a trainer was writing when it was killed is no result, and in nobody's way.
    (run.folder / "requests" / ".3-ab.npz.new").write_bytes(b"half of it")
    KeptResults(files, again._template).drop_before(4)
    assert files.names("requests") == []


def test_what_an_actor_finds_wrong_is_told_in_one_line(monkeypatch, run: Run, asked: list[Request]):
    actors, *_ = fake_actors(monkeypatch, run, [])
    monkeypatch.setattr(KeptWeights, "write", lambda *_: None)
    with pytest.raises(UserError, match="is missing or damaged"):
        actors.play(asked, weights)
    actors.close()


def test_what_is_wrong_with_a_request_that_was_answered_is_of_no_account():
    """One that was slow may find that the weights it was to play with are gone."""
    fake, release = FakeRay([]), []

    def play(slow: bool) -> Answer:
        if slow and not release:
            release.append(True)
            raise UserError("weights are missing")
        return Answer("key", "result", 0, 0.0, 0, 0.0, 0.0, 0)

    actors = [
        SimpleNamespace(
            ready=SimpleNamespace(remote=lambda: FakeCall(lambda: "here")),
            play=SimpleNamespace(remote=lambda slow=slow: FakeCall(lambda: play(slow))),
        )
        for slow in (True, False)
    ]
    pool = Pool(fake, actors, ClusterFigures("test", "here"))
    task = Task("key", "a task", lambda actor: actor.play.remote())
    slow, quick = pool._members
    pool._ready.clear()
    pool._open["key"] = 2
    pool._call(task, slow)
    pool._call(task, quick)  # answers first, as whoever was called last does here
    assert pool.step() == [(task, "result")]
    assert pool.step() == []
    assert pool.figures.lost == 1


def test_a_cluster_that_cannot_be_reached_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    def init(**_: Any) -> None:
        os.write(2, b"an attempt")
        raise ConnectionError("nobody is there\nand more")

    monkeypatch.setattr(connection, "load_ray", lambda: SimpleNamespace(init=init))
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    for address, more in (("auto", ""), ("h:1", "; if it asks for a token, RAY_AUTH_MODE=token")):
        with (
            pytest.raises(UserError, match=f"cannot be reached: nobody is there{more}"),
            connection.connected(ClusterConfig(address)),
        ):
            pass
    assert capfd.readouterr().err == ""


@pytest.fixture
def fake(monkeypatch) -> FakeRay:
    """Where commands find their cluster: three actors in this process that lose some calls."""
    found = FakeRay([True, False, True, True])
    monkeypatch.setattr("league.cluster.match_player.load_ray", lambda: found)
    monkeypatch.setattr("league.cluster.config.load_ray", lambda: found)

    @contextmanager
    def pool(config: ClusterConfig, command: str, report: Any, files: Any, **_: Any):
        handles = [found.actor() for _ in range(config.local or 0)]
        figures = ClusterFigures(command, "here")
        tell = partial(cluster_figures.write, files) if files else lambda now: None
        pool = Pool(found, handles, figures, tell)
        yield found, pool
        pool.tell(ended=True)
        report(f"cluster: calls {figures.faults}")

    monkeypatch.setattr(connection, "_pool", pool)
    monkeypatch.setattr(connection, "prepare_pickling", lambda ray: None)
    return found


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("rate {} --round-robin --pairs 2", id="round robin"),
        pytest.param("rate {} --games 24 --pairs 2", id="ratings", marks=pytest.mark.slow),
        pytest.param(
            "rate {} --guests policy:first.py mcts:2 --games 4 --pairs 2",
            id="guests",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "gate {} --pairs 4 --max-pairs 12 --heldout-pairs 4 --against uniform",
            id="gate",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_command_writes_the_same_rows(
    here: Place, tiny: Path, monkeypatch, fake: FakeRay, line: str
):
    monkeypatch.setattr("league.evaluation.tournament._ROUND_ROBIN", 2)
    (here.folder / "first.py").write_text("def policy(seen, mask): return int(mask.argmax())")
    found = []
    for name, cluster in (("alone", ""), ("many", " --cluster local:3")):
        run = here.adopt(tiny, name)
        main(f"{line.format(name)}{cluster} --json".split())
        found.append(rows(run / "league.db"))
    assert fake.calls >= 5
    told = cluster_figures.read(FolderFiles(here.run("many")))
    assert told is not None
    assert (told["lost"], told["repeated"], told["ended"]) == (3, 3, True)
    assert found[0] == found[1]


@pytest.mark.usefixtures("fake")
def test_a_match_has_the_same_scores(here: Place, capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.setattr("league.commands.match._LEAST_SHARE", 2)
    line = "match uniform uniform --game tic_tac_toe --pairs 8 --json --record {}.jsonl"
    found = []
    for name, cluster in (("alone", ""), ("many", " --cluster local:3")):
        main(f"{line.format(name)}{cluster}".split())
        moves = Path(f"{name}.jsonl").read_text().splitlines()
        found.append((capsys.readouterr().out, [json.loads(one)["moves"] for one in moves]))
    assert len(found[0][1]) == 16
    assert found[0] == found[1]


@pytest.mark.parametrize("text", ["local", "local:0", "local:x", "local:9999"])
def test_a_cluster_that_is_none_is_refused(text: str):
    with pytest.raises(UserError, match="a cluster is local:N, auto or an address"):
        ClusterConfig(text)


@pytest.mark.parametrize(
    "command", ["train tic_tac_toe", "rate none", "gate none", "match uniform uniform"]
)
def test_figures_of_no_cluster_are_refused(refused, command: str):
    assert "are those of a --cluster" in refused(f"{command} --actors 3")


def test_results_from_elsewhere_need_no_cluster(refused):
    assert "leave --cluster away" in refused("rate --results games.csv --cluster local:2")


@pytest.mark.slow
@pytest.mark.parametrize("kills", [0, 6])
def test_a_training_on_ray_has_the_same_bits(place: Place, tiny: Path, kills: int):
    pytest.importorskip("ray")
    arguments = (*TINY, "--name", "ray", "--cluster", "local:2")
    with place.start(*arguments, stderr=subprocess.PIPE) as process:
        ended = threading.Event()
        killer = threading.Thread(target=kill_actors, args=(process.pid, kills, ended))
        killer.start()
        _, err = process.communicate(timeout=1800)
        ended.set()
        killer.join()
    assert process.returncode == 0, err
    found, expected = contents(place.run("ray")), contents(tiny)
    assert without_files(found) == without_files(expected)
    assert {"weights", "requests"}.isdisjoint(found["files"])


@pytest.mark.slow
def test_commands_on_ray_play_the_same_games(place: Place, tiny: Path):
    pytest.importorskip("ray")
    mine = "import agents.uniform as u\nmake = u.make\n"
    (place.folder / "mine.py").write_text(f"{mine}def policy(seen, mask): return mask.argmax()\n")
    lines = [
        "rate {} --round-robin --pairs 2",
        "gate {} --pairs 4 --max-pairs 8 --heldout-pairs 4 --against mcts:2",
        "match {}:1,simulations=2 policy:mine.py --pairs 4",
        "match mine.py:make {}:2 --pairs 4",
    ]
    found: dict[str, Any] = {}
    for name, cluster in (("alone", ""), ("many", "--cluster local:2")):
        run = place.adopt(tiny, name)
        printed = [place.lines(*line.format(name).split(), *cluster.split())[-1] for line in lines]
        text = json.dumps([{**one, "run": "", "a": "", "b": ""} for one in printed])
        found[name] = text, rows(run / "league.db")
    assert found["alone"] == found["many"]


def without_files(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "files"}


def kill_actors(trainer: int, count: int, ended: threading.Event) -> None:
    """Kills actors of a trainer's cluster at random instants."""
    rng = np.random.default_rng(0)
    while count and not ended.wait(rng.uniform(0.5, 4)):
        if actors := descendants(trainer, "Actor"):
            os.kill(int(rng.choice(actors)), signal.SIGKILL)
            count -= 1
            time.sleep(1)


@pytest.mark.slow
def test_what_a_judges_code_costs_is_counted_wherever_it_is_asked(place: Place):
    (place.folder / "mine.py").write_text(
        "import numpy as np\n\n"
        "def taste(states, seen):\n"
        "    return np.asarray(seen).reshape(len(seen), -1)[:, 0] * 0.5\n"
    )
    counts = []
    for name, cluster in (("alone", ""), ("many", "--cluster local:2")):
        line = [*TINY, "--judge", "program:./mine.py:taste", "--name", name, *cluster.split()]
        events = place.lines(*line)
        judged = [event for event in events if event.get("event") == "generation"][1:]
        assert all(event["verdict_seconds"] > 0 for event in judged)
        counts.append([event["verdict_positions"] for event in judged])
    assert counts[0] == counts[1]
    assert min(counts[0]) > 0
