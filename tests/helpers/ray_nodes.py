"""A cluster of Ray with several nodes, simulated on this machine, whose parts can be killed."""

import contextlib
import os
import signal
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from league.cluster.config import load_ray

AHEAD = """
import time
_true = time.time
time.time = lambda: _true() + 3600
"""
"""Imported by every Python of a node, it has a clock an hour off."""


class Nodes:
    """Nodes with a CPU each; the head has none, and what connects to the cluster sits there."""

    def __init__(self, count: int):
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "include_dashboard": False}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._nodes: list[Any] = []
        for _ in range(count):
            self.add()

    @property
    def address(self) -> str:
        """Of the cluster, HOST:PORT."""
        return str(self._cluster.address)

    def add(self, **environment: str) -> None:
        """A node joins."""
        with warnings.catch_warnings():  # programs are started, of which JAX warns
            warnings.simplefilter("ignore", RuntimeWarning)
            self._nodes.append(self._cluster.add_node(num_cpus=1, env_vars=environment))

    def actors(self) -> list[int]:
        """Processes of actors that have started."""
        return descendants(os.getpid(), "ray::Actor")

    def kill(self, what: str, rng: np.random.Generator) -> bool:
        """Kills an actor, a raylet or a whole node; whether there was one."""
        if what == "actor":
            return _kill(rng, self.actors(), signal.SIGKILL)
        node = self._nodes.pop(int(rng.integers(len(self._nodes))))
        if what == "raylet":
            [raylet] = node.all_processes["raylet"]
            os.kill(raylet.process.pid, signal.SIGKILL)
        self._cluster.remove_node(node, allow_graceful=False)
        self.add()  # late, and another one
        return True

    def hold(self, rng: np.random.Generator) -> int | None:
        """Holds an actor's process, until `release`."""
        actors = self.actors()
        if not actors:
            return None
        chosen = int(rng.choice(actors))
        os.kill(chosen, signal.SIGSTOP)
        return chosen

    @staticmethod
    def release(pid: int) -> None:
        """Lets a process that was held go on."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def close(self) -> None:
        """Ends all nodes."""
        self._cluster.shutdown()


@contextmanager
def nodes(count: int) -> Iterator[Nodes]:
    """Nodes of a cluster; the test is skipped where Ray is not installed."""
    pytest.importorskip("ray")
    load_ray()
    os.environ.setdefault("RAY_worker_niceness", "0")  # or whatever else runs here comes first
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = Nodes(count)
    try:
        yield found
    finally:
        found.close()


def ahead(folder: Path) -> dict[str, str]:
    """The environment of a node whose clock is an hour ahead."""
    (folder / "sitecustomize.py").write_text(AHEAD)
    return {"PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}


def descendants(pid: int, name: str) -> list[int]:
    """Processes below one whose title has a name in it."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True)
    found = [line.split(None, 2) for line in listed.stdout.splitlines()[1:]]
    parents = {int(own): int(above) for own, above, _ in found}

    def is_below(one: int) -> bool:
        while one in parents and one != pid:
            one = parents[one]
        return one == pid

    return [int(own) for own, _, title in found if name in title and is_below(int(own))]


def _kill(rng: np.random.Generator, processes: list[int], kind: int) -> bool:
    if not processes:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(rng.choice(processes)), kind)
    return True
