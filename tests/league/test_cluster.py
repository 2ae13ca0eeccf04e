"""A cluster: whoever plays, dies or comes late, a run ends with the same bits."""

import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from arena.digests import digest
from arena.errors import UserError
from league.cluster import ray_actors
from league.cluster.kept import KeptResults, KeptWeights
from league.cluster.player import Player
from league.cluster.ray_actors import ClusterConfig, RayActors
from league.settings.config import Config
from league.store import runs
from league.store.objects import FolderFiles
from league.store.run import Run
from league.training.actors import LocalActors
from league.training.requests import Request, WeightsRef
from tests.helpers.command import TINY, Place, contents
from tests.league.test_requests import bits, learner, match, request, weights


class LostError(Exception):
    """As `ray.exceptions.RayError`."""


class TaskError(Exception):
    """As `ray.exceptions.RayTaskError`."""

    def __init__(self, cause: Exception):
        self.cause = cause


@dataclass
class FakeRay:
    """Ray in this process, whose actors lose calls.

    Attributes:
      losses: how often each call of `play` is lost before it is answered, in order of the calls.
      calls: of `play`.
    """

    losses: list[bool]
    calls: int = 0
    exceptions: Any = field(
        default_factory=lambda: SimpleNamespace(RayError=LostError, RayTaskError=TaskError)
    )

    def remote(self, kind: type) -> Any:
        def make(card: dict[str, Any], place: str) -> Any:
            actor = kind(card, place)
            return SimpleNamespace(
                ready=SimpleNamespace(remote=lambda: FakeCall(actor.ready)),
                play=SimpleNamespace(
                    remote=lambda asked: FakeCall(lambda: self._play(actor, asked))
                ),
            )

        return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=make))

    def _play(self, actor: Any, asked: Request) -> Any:
        self.calls += 1
        if self.calls <= len(self.losses) and self.losses[self.calls - 1]:
            raise LostError("the actor died")
        try:
            return actor.play(asked)
        except UserError as error:
            raise TaskError(error) from None

    def wait(self, calls: list[Any], **_: Any) -> tuple[list[Any], list[Any]]:
        return calls[-1:], calls[:-1]  # the last one first

    def get(self, call: Any) -> Any:
        return call.work()


@dataclass(eq=False)
class FakeCall:
    """A call that is under way."""

    work: Any


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
    actors = fake_actors(monkeypatch, run, losses)
    found = actors.play(asked, weights)
    assert [one.key for one in found] == [one.key for one in expected]
    assert [bits(one.played) for one in found] == [bits(one.played) for one in expected]
    assert (actors.lost, actors.reused) == (sum(losses), 0)
    # A trainer that was killed does not have them played again; a damaged one it does.
    again = fake_actors(monkeypatch, run, [])
    files = FolderFiles(run.folder)
    [first, _] = files.names("requests")
    with files.writing(f"requests/{first}") as file:
        file.write(b"half of it")
    repeated = again.play(asked, weights)
    assert [bits(one.played) for one in repeated] == [bits(one.played) for one in expected]
    assert (again.lost, again.reused, again._ray.calls) == (0, 1, 1)
    KeptResults(files, again._template).drop_before(4)
    assert files.names("requests") == []


def fake_actors(monkeypatch, run: Run, losses: list[bool]) -> RayActors:
    fake = FakeRay(losses)
    monkeypatch.setattr(ray_actors, "_ray", lambda: fake)
    monkeypatch.setattr("league.cli.device.prepare", lambda: None)
    return RayActors(run, ClusterConfig("local:2"), 2)


def test_what_an_actor_finds_wrong_is_told_in_one_line(monkeypatch, run: Run, asked: list[Request]):
    actors = fake_actors(monkeypatch, run, [])
    monkeypatch.setattr(KeptWeights, "write", lambda *_: None)
    with pytest.raises(UserError, match="is missing or damaged"):
        actors.play(asked, weights)


@pytest.mark.parametrize("text", ["local", "local:0", "local:x", "local:9999"])
def test_a_cluster_that_is_none_is_refused(text: str):
    with pytest.raises(UserError, match="a cluster is local:N, auto or an address"):
        ClusterConfig(text)


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


def without_files(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "files"}


def kill_actors(trainer: int, count: int, ended: threading.Event) -> None:
    """Kills actors of a trainer's cluster at random instants."""
    rng = np.random.default_rng(0)
    while count and not ended.wait(rng.uniform(0.5, 4)):
        if actors := descendants(trainer, "_Actor"):
            os.kill(int(rng.choice(actors)), signal.SIGKILL)
            count -= 1
            time.sleep(1)


def descendants(pid: int, name: str) -> list[int]:
    """Processes below one whose title has a name in it."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True)
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()[1:]]
    parents = {int(own): int(above) for own, above, _ in rows}

    def is_below(one: int) -> bool:
        while one in parents and one != pid:
            one = parents[one]
        return one == pid

    return [int(own) for own, _, title in rows if name in title and is_below(int(own))]
