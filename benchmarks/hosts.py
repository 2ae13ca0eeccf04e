"""What a second host costs a learner: a gradient step beside that of one process on as many cores.

    python -m benchmarks.hosts --save benchmarks/results/hosts_cpu.json

The same small league of Connect Four, with its default network and batch, is trained by one process
with two devices, and by two hosts of this machine with one device each, by turns. The first
generation compiles; of the others it is told how long a gradient step took.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import tyro

from agents.learners.base import LearnerConfig
from benchmarks.games import processor
from games import load
from league.settings import defaults

_GAME = "connect_four"
_RENDEZVOUS = "127.0.0.1:{port},2"
_LEAGUE = (
    *("--matches", "8", "--rounds", "1", "--measure.opponents", "1", "--measure.pairs", "1"),
    *("--measure.baseline-pairs", "1", "--measure.rollouts", "1", "--measure.simulations", "1"),
)


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      rounds: how often each side trains.
      generations: of each training; of the first nothing is told.
      port: that host 0 listens at, and the next ones.
      save: also write the lines, with versions and command, to this JSON file.
    """

    rounds: int = 5
    generations: int = 4
    port: int = 23450
    save: Path | None = None


def main(options: Options) -> None:
    """Prints the lines."""
    steps: dict[str, list[float]] = {"one process": [], "two hosts": []}
    for number in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            steps["one process"].append(_alone(Path(folder), options))
        with tempfile.TemporaryDirectory() as folder:
            steps["two hosts"].append(_together(Path(folder), options, options.port + number))
    lines: list[dict[str, Any]] = [
        {
            "bench": "hosts",
            "who": who,
            "step_ms": round(1000 * median(found), 2),
            "all": [round(1000 * x, 2) for x in found],
        }
        for who, found in steps.items()
    ]
    for line in lines:
        print(json.dumps(line), flush=True)
    if options.save:
        document = {
            "command": " ".join(["python -m benchmarks.hosts", *sys.argv[1:]]),
            "processor": processor(),
            "versions": {p: metadata.version(p) for p in ("jax", "jaxlib")},
            "lines": lines,
        }
        options.save.write_text(json.dumps(document, indent=1) + "\n")


def _alone(folder: Path, options: Options) -> float:
    """Seconds of a gradient step of one process with two devices."""
    with _start(folder, 2, *_train(options)) as process:
        return _step_seconds(process)


def _together(folder: Path, options: Options, port: int) -> float:
    """Seconds of a gradient step of two hosts with a device each."""
    rendezvous = _RENDEZVOUS.format(port=port)
    helper = _start(folder, 1, "join", rendezvous, "--host", "1")
    with helper, _start(folder, 1, *_train(options), "--hosts", rendezvous) as process:
        return _step_seconds(process)


def _train(options: Options) -> tuple[str, ...]:
    return ("train", _GAME, "--json", "--generations", str(options.generations), *_LEAGUE)


def _start(folder: Path, devices: int, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("arena")), *arguments],
        cwd=folder,
        env={**os.environ, "JAX_PLATFORMS": "cpu", "ARENA_CPU_DEVICES": str(devices)},
        stdout=subprocess.PIPE,
        text=True,
    )


def _step_seconds(process: subprocess.Popen[str]) -> float:
    """The median over the generations but the first."""
    out, _ = process.communicate()
    found = [json.loads(line) for line in out.splitlines()]
    rates: LearnerConfig = defaults.default(_GAME, load(_GAME)).learner
    return median(
        one["phase_seconds"]["learn"]
        / max(1, round(one["positions"] * rates.replay_ratio / rates.batch_size))
        for one in found
        if one["event"] == "generation" and one["generation"] > 1
    )


if __name__ == "__main__":
    main(tyro.cli(Options))
