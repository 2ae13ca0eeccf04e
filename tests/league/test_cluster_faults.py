"""Whatever dies, and whenever, a run on a cluster ends with the bits of one in one process."""

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from league.cluster import figures
from league.store.objects import FolderFiles
from tests.helpers.command import TINY, Place, contents, strict_json
from tests.helpers.ray_nodes import Nodes, ahead, nodes

pytestmark = pytest.mark.slow

LONGER = (*TINY, "--shards", "4", "--generations", "6")
CONNECT_FOUR = tuple(word.replace("tic_tac_toe", "connect_four") for word in LONGER)
_PATIENCE = 3000


def without_files(folder: Path) -> dict[str, Any]:
    return {key: value for key, value in contents(folder).items() if key != "files"}


def faults_while(
    process: subprocess.Popen[str],
    run: Path,
    act: Callable[[str], bool],
    plan: Sequence[str],
    seed: int,
) -> int:
    """Has faults happen at random instants while a training goes on; how many did.

    Between two of them an actor gets to play, if that takes no longer than a minute: some are hit
    while they play, some while they start.
    """
    rng, done = np.random.default_rng(seed), 0
    while done < len(plan) and process.poll() is None:
        began = time.monotonic()
        while not plays(run) and process.poll() is None and time.monotonic() - began < 60:
            time.sleep(0.1)
        time.sleep(rng.uniform(0, 2))
        done += act(plan[done])
    return done


def plays(run: Path) -> bool:
    """Whether some actor of a run plays, as far as it has told."""
    found = figures.read(FolderFiles(run))
    return found is not None and any(actor["playing"] for actor in found["actors"])


def train(place: Place, cluster: Nodes, *arguments: str) -> subprocess.Popen[str]:
    return place.start(*arguments, "--cluster", cluster.address, "--actors", "3")


def until_actors(cluster: Nodes, process: subprocess.Popen[str], count: int = 1) -> None:
    """Waits until so many actors have started."""
    while len(cluster.actors()) < count and process.poll() is None:
        time.sleep(0.2)


def told(run: Path) -> dict[str, Any]:
    """What is kept of the cluster."""
    found = figures.read(FolderFiles(run))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("line", "plan", "seed"),
    [
        (LONGER, "actor node actor raylet actor actor node actor raylet actor", 1),
        (CONNECT_FOUR, "raylet actor actor node actor actor actor raylet node actor", 2),
    ],
    ids=["tic_tac_toe", "connect_four"],
)
def test_actors_raylets_and_nodes_may_die(
    place: Place, line: tuple[str, ...], plan: str, seed: int
):
    alone = place.call(*line, "--name", "alone")
    assert alone.returncode == 0, alone.stderr
    rng = np.random.default_rng(seed)
    with nodes(2) as cluster, train(place, cluster, *line, "--name", "many") as process:
        until_actors(cluster, process)
        cluster.add()  # late: one actor has had no room so far
        run = place.run("many")
        done = faults_while(process, run, lambda what: cluster.kill(what, rng), plan.split(), seed)
        _, err = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 0, err
    assert done == 10
    assert without_files(place.run("many")) == without_files(place.run("alone"))
    counts = told(place.run("many"))
    assert counts["ended"]
    if counts["lost"]:
        assert f"cluster: calls {counts['lost']} lost, {counts['repeated']} made again" in err


@pytest.mark.parametrize("lag", ["0", "1"])
def test_the_trainer_may_die(place: Place, lag: str):
    alone = place.call(*TINY, "--lag", lag, "--name", "alone")
    assert alone.returncode == 0, alone.stderr
    rng, done, resumed = np.random.default_rng(3), 0, ""
    line, plan = (*TINY, "--lag", lag, "--name", "many"), ["actor", "trainer"]
    with nodes(3) as cluster:
        for attempt in range(5):
            with train(place, cluster, *line, *resumed.split()) as process:
                until_actors(cluster, process)

                def act(what: str, process: Any = process) -> bool:
                    return cluster.kill(what, rng) if what == "actor" else not process.kill()

                done += faults_while(process, place.run("many"), act, plan, attempt)
                process.communicate(timeout=_PATIENCE)
            resumed = "--resume"
        with train(place, cluster, *line, resumed) as process:
            _, err = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 0, err
    assert done == 10
    assert without_files(place.run("many")) == without_files(place.run("alone"))


def test_a_store_that_refuses_ends_a_training_with_one_line(place: Place, tiny: Path):
    run = place.run("many")
    arguments = (*TINY, "--name", "many", "--cluster", "local:2")
    with place.start(*arguments) as process:
        while not (run / "requests").is_dir() and process.poll() is None:
            time.sleep(0.05)
        refuse(run / "requests")
        _, err = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 2, err
    assert err.strip().splitlines()[-1].startswith("arena: ")
    (run / "requests").unlink()
    lines = place.lines(*arguments[:-2], "--resume", "--cluster", "local:2")
    assert lines[-1]
    assert without_files(run) == without_files(tiny)


def refuse(folder: Path) -> None:
    """Puts a file in a folder's place, so that nothing can be written into it."""
    while not folder.is_file():
        try:
            if folder.is_dir():
                for file in folder.iterdir():
                    file.unlink(missing_ok=True)
                folder.rmdir()
            folder.touch(exist_ok=False)
        except OSError:
            continue


def test_one_that_is_slow_and_one_whose_clock_is_an_hour_off(place: Place, tiny: Path, tmp_path):
    rng, held = np.random.default_rng(4), []
    with nodes(1) as cluster:
        cluster.add(**ahead(tmp_path))
        arguments = (*TINY, "--name", "many", "--cluster", cluster.address, "--actors", "2")
        with place.start(*arguments) as process:
            until_actors(cluster, process, 2)
            seen = watch(place, process)
            held.append(cluster.hold(rng))
            threading.Timer(40.0, lambda: cluster.release(held[0])).start()
            _, err = process.communicate(timeout=_PATIENCE)
            cluster.release(held[0])
        assert process.returncode == 0, err
    assert without_files(place.run("many")) == without_files(tiny)
    assert seen["playing"]
    assert len(seen["cluster"]["actors"]) == 2
    after = place.lines("status", "many")[-1]
    assert (after["playing"], after["state"], after["cluster"]["ended"]) == (
        False,
        "finished",
        True,
    )


def watch(place: Place, process: subprocess.Popen[str]) -> dict[str, Any]:
    """What `arena status` tells of the run, as soon as its actors have told something."""
    while process.poll() is None:
        done = place.call("status", "many", "--json")
        assert done.returncode == 0, done.stderr
        found = strict_json(done.stdout)
        if found["playing"]:
            return found
        time.sleep(0.5)
    raise AssertionError("the run was over before its status was asked for")
