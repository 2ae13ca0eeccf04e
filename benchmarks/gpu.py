"""Everything worth measuring on an accelerator, in one run of ten minutes at most.

    python -m benchmarks.gpu --save benchmarks/results/gpu.json

Rules beside pgx, search beside mctx, self-play beside mctx over pgx, and one training each of
Connect Four, othello and go 9×9 with larger networks, whose layers compute in bfloat16 there; each
last snapshot then plays by its raw network and with 64 simulations. Each part is a process of its
own, so that a failure loses no more than its part, and ends when its share of the time is over.
While it runs, utilisation and memory are read twice a second where `nvidia-smi` tells them.
Prints one JSON line a part; the file is written after each.
"""

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

import tyro

_ARENA = str(Path(sys.executable).parent / "arena")
_SMI = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      minutes: that all of it may take.
      trained: games to train, one after the other.
      small: sizes at which a CPU runs through all parts, to see that they work.
      save: also write the lines, with the command, to this JSON file.
    """

    minutes: float = 10.0
    trained: tuple[str, ...] = ("connect_four", "othello", "go:size=9")
    small: bool = False
    save: Path | None = None


@dataclass(frozen=True)
class Part:
    """One process.

    Attributes:
      name: of the part.
      share: of the time that it may take.
      commands: run one after the other in a folder of the part's own; what they print as JSON
        lines is kept.
    """

    name: str
    share: float
    commands: tuple[tuple[str, ...], ...]


@dataclass
class Load:
    """What `nvidia-smi` told: utilisation in per cent and memory in MiB, by sample."""

    utilisation: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Mean utilisation and the most memory; empty where nothing tells them."""
        if not self.memory:
            return {}
        return {
            "mean_utilisation_percent": round(mean(self.utilisation), 1),
            "peak_memory_mib": max(self.memory),
        }


def parts(options: Options) -> list[Part]:
    """All parts, in order."""
    python, small = (sys.executable, "-m"), options.small
    games = ("tic_tac_toe",) if small else ("connect_four", "othello", "go:size=9", "chess")
    rules = ("--batches", "8") if small else ("--batches", "4096", "16384", "--rounds", "3")
    search = ("--simulations", "4", "--batches", "2") if small else ("--simulations", "32", "128")
    search += () if small else ("--batches", "1024", "--recipes", "gumbel", "--rounds", "3")
    play = ("--channels", "8", "--blocks", "1", "--simulations", "4", "--batch", "8")
    play += ("--moves", "2", "--refills", "1", "--rounds", "1", "--cores", "1")
    if not small:
        play = ("--channels", "128", "--blocks", "8", "--simulations", "32", "--batch", "1024")
        play += ("--refills", "2", "--rounds", "2", "--cores", "1")
    played = ("connect_four",) if small else ("connect_four", "othello")
    found = [
        Part("rules", 0.15, ((*python, "benchmarks.games", "--peers", "--games", *games, *rules),)),
        Part("search", 0.15, ((*python, "benchmarks.search", "--games", *games[:3], *search),)),
        Part("selfplay", 0.2, ((*python, "benchmarks.selfplay", "--games", *played, *play),)),
    ]
    each = 0.5 / max(1, len(options.trained))
    return found + [_training(game, each, options) for game in options.trained]


def _training(game: str, share: float, options: Options) -> Part:
    """A training, and what came of it."""
    seconds = max(1, int(0.6 * share * 60 * options.minutes))
    train = [_ARENA, "train", game, "--name", "run", "--json", "--time", f"{seconds}s"]
    pairs, rollouts = ("2", "4") if options.small else ("100", "400")
    if options.small:
        train += ["--learner.simulations", "2", "--pairs", "2", "--rounds", "1", "--matches", "2"]
        train += ["--learner.network.channels", "4", "--learner.network.blocks", "1"]
    meet = [_ARENA, "match", "--json", "--pairs", pairs]
    return Part(
        f"train {game}",
        share,
        (
            tuple(train),
            (*meet, "run", "uniform"),
            (*meet, "run,simulations=64", f"mcts:{rollouts}"),
        ),
    )


def main(options: Options) -> None:
    """Runs all parts for which there is time."""
    command = f"python -m benchmarks.gpu {shlex.join(sys.argv[1:])}"
    document: dict[str, Any] = {"command": command, "device": _device(), "parts": []}
    end = time.monotonic() + 60 * options.minutes
    for part in parts(options):
        line = run(part, min(end - time.monotonic(), 2 * part.share * 60 * options.minutes))
        print(json.dumps(line), flush=True)
        document["parts"].append(line)
        if options.save:
            options.save.write_text(json.dumps(document, indent=1) + "\n")


def _device() -> str:
    """The accelerator's name, asked in a process that gives its memory back."""
    code = "import jax; print(jax.devices()[0].device_kind)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return done.stdout.strip()


def run(part: Part, seconds: float) -> dict[str, Any]:
    """Runs one part for so long at most; its figures, and what went wrong."""
    began, lines, failed = time.monotonic(), [], ""
    with tempfile.TemporaryDirectory() as folder, _watched() as load:
        for command in part.commands:
            left = began + seconds - time.monotonic()
            printed, failed = _call(command, Path(folder), left)
            lines += printed
            if failed:
                break
    took = round(time.monotonic() - began, 1)
    found = {"part": part.name, "seconds": took, **load.figures(), "lines": lines}
    return found | ({"failed": failed} if failed else {})


def _call(command: tuple[str, ...], folder: Path, seconds: float) -> tuple[list[Any], str]:
    """What a command printed as JSON lines, and why it failed, if it did."""
    if seconds <= 0:
        return [], "no time was left"
    with open(folder / "out", "w+") as out, open(folder / "err", "w+") as err:
        root = Path(__file__).parents[1]
        where = root if command[1] == "-m" else folder
        with subprocess.Popen(command, cwd=where, stdout=out, stderr=err) as process:
            try:
                status = str(process.wait(seconds) or "")
            except subprocess.TimeoutExpired:
                process.kill()
                status = f"ended after {seconds:.0f} s"
        out.seek(0)
        err.seek(0)
        told = [json.loads(line) for line in out.read().splitlines() if line.startswith("{")]
        return [line for line in told if line.get("event") != "phase"], (
            f"{status}: {err.read()[-300:]}" if status else ""
        )


@contextmanager
def _watched() -> Iterator[Load]:
    """Reads the accelerator's load while something runs."""
    load, over = Load(), threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            done = subprocess.run(_SMI, capture_output=True, text=True)
            if done.returncode == 0:
                used, memory = done.stdout.splitlines()[0].split(",")
                load.utilisation.append(float(used))
                load.memory.append(float(memory))

    thread = threading.Thread(target=watch)
    if shutil.which(_SMI[0]):
        thread.start()
    try:
        yield load
    finally:
        over.set()
        if thread.ident is not None:
            thread.join()


if __name__ == "__main__":
    main(tyro.cli(Options))
