"""What Ray costs: games a second beside those of one process, and requests a second without games.

    python -m benchmarks.cluster --save benchmarks/results/cluster.json

First one round of training games of Connect Four, at its default sizes, is played by the actors of
`local:N` and in this process, by turns, with fresh weights and keys each time, on as many cores.
Writing the results into the store, and fetching weights out of it, belong to the actors' time.

Then requests of the same size go through actors that play nothing and give back as many bytes as a
result has. Of each step the median and the 95th percentile are told: submit, a call of Ray's;
queue, until there is an actor for it; play, from the call to the answer; write, into the store.
Beside it stands how much of a core each kind of process took: one that takes a whole one limits the
rate.

What a learner and a database do is measured alone: fresh positions a second that one round of
learning takes in, and a transaction of the matches of 1,000 requests.
"""

import itertools
import json
import pickle
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import jax
import numpy as np
import psutil
import tyro

from arena.play.record import Played
from benchmarks.games import processor
from games import load
from league.cli import device
from league.cluster import connection
from league.cluster.config import ClusterConfig
from league.cluster.figures import ClusterFigures
from league.cluster.pool import Answer, Pool, Task
from league.settings import defaults
from league.store import card
from league.store.checkpoints import digest
from league.store.database import MatchResult
from league.store.objects import Files
from league.store.run import Run
from league.training import step
from league.training.actors import Actors, LocalActors
from league.training.requests import Request, Shape, WeightsRef, join

_GAME = "connect_four"


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      actors: that play, one on each core.
      rounds: how often each side plays.
      matches: of a round; the game's default if None.
      pairs: of games in each match; the game's default if None.
      dummies: actors that play nothing.
      requests: that go through them.
      save: also write the lines, with versions and command, to this JSON file.
    """

    actors: int = 2
    rounds: int = 5
    matches: int | None = None
    pairs: int | None = None
    dummies: int = 100
    requests: int = 10_000
    save: Path | None = None


def main(options: Options) -> None:
    """Prints the lines."""
    device.prepare()
    with tempfile.TemporaryDirectory() as folder:
        run = _run(Path(folder) / "cluster", options)
        played, result, lines = _overhead(run, options)
        lines += [_learner(run, played), _database(run)]
        lines.append(_throughput(run, options, result))
        run.close()
    for line in lines:
        print(json.dumps(line), flush=True)
    if options.save:
        document = {
            "command": " ".join(["python -m benchmarks.cluster", *sys.argv[1:]]),
            "processor": processor(),
            "versions": {p: metadata.version(p) for p in ("jax", "jaxlib", "ray")},
            "lines": lines,
        }
        options.save.write_text(json.dumps(document, indent=1) + "\n")


def _run(folder: Path, options: Options) -> Run:
    config = defaults.default(_GAME, load(_GAME))
    sizes = {"matches": options.matches, "pairs": options.pairs}
    config = replace(config, **{key: value for key, value in sizes.items() if value is not None})
    folder.mkdir(parents=True)
    card.write(folder, card.new(_GAME, config, "rules"))
    return Run(folder)


# --- games ------------------------------------------------------------------------------------


def _overhead(run: Run, options: Options) -> tuple[Played, bytes, list[dict[str, Any]]]:
    """A round, a result of it, pickled, and games a second of both sides, by turns."""

    def match(shape: Shape) -> Any:
        return step.recorded_match(run.learner, slots=shape.slots, pairs=shape.pairs)

    rates: dict[str, list[float]] = {"in_process": [], "ray": []}
    cluster = ClusterConfig(f"local:{options.actors}")
    with connection.training(cluster, run) as remote:
        sides: dict[str, Actors] = {"in_process": LocalActors(match), "ray": remote}
        requests, results = [], []
        for number in range(options.rounds + 1):  # the first one compiles
            for who, actors in sides.items():
                # Either gets games of its own: what was played is kept in the store.
                requests, weights = _requests(run, 2 * number + (who == "ray") + 1)
                began = time.perf_counter()
                results = actors.play(requests, lambda ref, found=weights: found[ref.digest])
                took = time.perf_counter() - began
                games = sum(2 * one.shape.pairs * len(one.numbers) for one in requests)
                if number:
                    rates[who].append(games / took)
    result = pickle.dumps(results[0])
    lines = [_rate(run, options, who, found, len(result)) for who, found in rates.items()]
    ratios = [ray / own for own, ray in zip(rates["in_process"], rates["ray"], strict=True)]
    ratio = median(rates["ray"]) / median(rates["in_process"])
    spread = [round(min(ratios), 3), round(max(ratios), 3)]
    lines.append({"bench": "cluster", "ratio": round(ratio, 3), "spread": spread})
    return join(requests, results), result, lines


def _requests(run: Run, generation: int) -> tuple[list[Request], dict[str, Any]]:
    """One round's games of a learner with random weights against itself, and the weights."""
    config = run.config
    params = run.learner.init(jax.random.key(generation)).params
    sha = digest(params)
    own = (WeightsRef("current", sha),) * config.matches
    keys = jax.random.split(run.key(generation, "play"), config.matches)
    openings = jax.tree.map(lambda x: np.asarray(x)[:, : config.pairs], run.openings(generation))
    request = Request(
        run="benchmark",
        generation=generation,
        role="play",
        numbers=tuple(range(config.matches)),
        a=own,
        b=own,
        openings=openings,
        keys=np.asarray(jax.random.key_data(keys)),
        shape=Shape(config.pairs, config.slots),
    )
    return request.split(config.shards), {sha: params}


def _rate(run: Run, options: Options, who: str, found: list[float], size: int) -> dict[str, Any]:
    return {
        "bench": "cluster",
        "who": who,
        "game": _GAME,
        "matches": run.config.matches,
        "pairs": run.config.pairs,
        "shards": run.config.shards,
        "actors": options.actors,
        "games_per_s": round(median(found), 1),
        "spread": [round(min(found), 1), round(max(found), 1)],
        "result_bytes": size,
        "weights_bytes": sum(
            int(np.prod(x.shape)) * x.dtype.itemsize for x in jax.tree.leaves(run.template().params)
        ),
        "devices": jax.device_count(),
    }


# --- learner and database ---------------------------------------------------------------------


def _learner(run: Run, played: Played) -> dict[str, Any]:
    """Fresh positions a second that learning takes in, each learnt as often as in a run."""
    learner, config = run.learner, run.config
    data = step.make_dataset(learner, played, np.ones((2, config.matches), bool))
    fresh, took = step.rows(data), []
    for number in range(4):  # the first one compiles
        state = run.initial_state()
        began = time.perf_counter()
        state, _ = step.learn(
            learner, state, [data], fresh=fresh, progress=0.5, key=run.key(number, "learn")
        )
        jax.block_until_ready(state.params)
        took.append(time.perf_counter() - began)
    games = played.scores.size
    return {
        "bench": "cluster",
        "who": "learner",
        "positions": fresh,
        "positions_per_game": round(fresh / games, 1),
        "positions_per_s": round(fresh / median(took[1:]), 1),
        "devices": jax.device_count(),
    }


def _database(run: Run, requests: int = 1000) -> dict[str, Any]:
    """Seconds of a transaction that writes the matches of so many requests, in the run's file."""
    matches = requests * run.config.matches // run.config.shards
    scores = np.zeros((run.config.pairs, 2), np.float32)
    took = []
    with run.results(create=True) as results:
        for number in range(3):
            began = time.perf_counter()
            results.write(
                number, [MatchResult("train", "0", "0", scores)] * matches, (number, "none")
            )
            took.append(time.perf_counter() - began)
    return {
        "bench": "cluster",
        "who": "database",
        "matches": matches,
        "pairs": run.config.pairs,
        "seconds": round(median(took), 2),
    }


# --- requests alone ---------------------------------------------------------------------------


class _Dummy:
    """An actor that plays nothing."""

    def __init__(self, size: int):
        self._result = np.zeros(size, np.uint8)

    def ready(self) -> str:
        """Where it is."""
        return "here"

    def play(self, key: str, request: Request) -> Answer:
        """As many bytes as a result has."""
        return Answer(key, self._result, len(request.numbers), 0.0, 0, 0.0, 0.0, 0)


class _Steps:
    """Seconds that each step of each request took."""

    def __init__(self):
        self.submit: list[float] = []
        self.queue: list[float] = []
        self.play: list[float] = []
        self.write: list[float] = []
        self.called: dict[str, float] = {}

    def task(self, key: str, request: Request) -> Task:
        """A request as a task whose steps are timed."""
        asked = time.perf_counter()

        def call(actor: Any) -> Any:
            began = time.perf_counter()
            ref = actor.play.remote(key, request)
            self.called[key] = time.perf_counter()
            self.queue.append(began - asked)
            self.submit.append(self.called[key] - began)
            return ref

        return Task(key, key, call)

    def answered(self, key: str, write: Callable[[], None]) -> None:
        """An answer is there, and is written."""
        now = time.perf_counter()
        self.play.append(now - self.called.pop(key))
        write()
        self.write.append(time.perf_counter() - now)

    def line(self) -> dict[str, list[float]]:
        """Milliseconds of each step: median, and 95th percentile."""
        steps = {name: getattr(self, name) for name in ("submit", "queue", "play", "write")}
        return {
            f"{name}_ms": np.round(np.percentile(found, [50, 95]) * 1000, 2).tolist()
            for name, found in steps.items()
        }


def _throughput(run: Run, options: Options, result: bytes) -> dict[str, Any]:
    """Requests a second through actors that play nothing."""
    [request, *_], _ = _requests(run, 1)
    steps = _Steps()
    with _dummies(options.dummies, len(result)) as pool:
        while not all(one.state == "idle" for one in pool.figures.actors):
            pool.step()
        with _processors() as spent:
            began = time.perf_counter()
            for number in range(options.requests):
                pool.submit(steps.task(str(number), request))
            left = options.requests
            while left:
                for task, body in pool.step():
                    steps.answered(task.key, lambda t=task, b=body: _write(run.files, t.key, b))
                    left -= 1
            took = time.perf_counter() - began
        return {
            "bench": "cluster",
            "who": "dummies",
            "actors": options.dummies,
            "requests": options.requests,
            "request_bytes": len(pickle.dumps(request)),
            "result_bytes": len(result),
            "requests_per_s": round(options.requests / took, 1),
            **steps.line(),
            "cores": {name: round(seconds / took, 2) for name, seconds in spent.items()},
            "cpu_count": psutil.cpu_count(),
            "lost": pool.figures.lost,
        }


@contextmanager
def _dummies(count: int, size: int):
    """Actors on a cluster of this machine."""
    with connection.connected(ClusterConfig(f"local:{count}")) as ray:
        remote = ray.remote(_Dummy)
        handles = [remote.options(num_cpus=1).remote(size) for _ in range(count)]
        yield Pool(ray, handles, ClusterFigures("benchmark", "local"))


def _write(files: Files, key: str, body: np.ndarray) -> None:
    with files.writing(f"requests/{key}.npz") as file:
        np.savez(file, body=body)


@contextmanager
def _processors():
    """Seconds of processors that each kind of process takes meanwhile."""
    spent: dict[str, float] = {}
    before = _seconds()
    yield spent
    after = _seconds()
    for pid, (kind, seconds) in after.items():
        spent[kind] = spent.get(kind, 0.0) + seconds - before.get(pid, (kind, 0.0))[1]


def _seconds() -> dict[int, tuple[str, float]]:
    """Kind of each process below this one, and the seconds that it has taken so far."""
    own, found = psutil.Process(), {}
    for process in itertools.chain([own], own.children(recursive=True)):
        try:
            with process.oneshot():
                times, text = process.cpu_times(), " ".join(process.cmdline())
        except psutil.Error:
            continue
        names = {"gcs_server": "gcs", "raylet/raylet": "raylet", "_Dummy": "actors"}
        kind = next((kind for name, kind in names.items() if name in text), "ray's others")
        kind = "driver" if process.pid == own.pid else kind
        found[process.pid] = kind, times.user + times.system
    return found


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
