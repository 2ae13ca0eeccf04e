"""Does a league pay? Naive self-play, a pool, and a pool with exploiters, on the same budget.

    python -m benchmarks.league --work league_bench --save benchmarks/results/league_cpu.json

Each arm plays as many games of Connect Four a generation, 768 by default, shared out among its
learners. Games against others teach one side alone, so an arm with more of them makes fewer
gradient steps and takes less time; the lines tell positions and seconds.

    naive      the main agent against itself alone
    pool       a quarter of its games against its own past (PFSP): `arena train`'s default
    exploiters the same, and a main and a league exploiter with a third of all games each

Measured without search, on games that no training sees: the Elo of the last snapshot in one rating
of all arms and seeds (the first snapshots and two others on the way play too; the anchor is the
first snapshot of the first seed); what a rival trained against it alone scores, a lower bound on
what it can be exploited for; and what it scores against its own ancestors, above all the worst.

Twelve generations, three arms and three seeds are meant to take at most 40 minutes on two cores.
Started again with the same options, it goes on where it was stopped. Prints one JSON line a run,
then one an arm, with means over the seeds.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from itertools import combinations
from pathlib import Path
from typing import Any

import jax
import numpy as np
import tyro

from arena.evaluation import crosstable, ratings, score
from arena.play import match
from arena.types import Agent
from benchmarks.games import processor
from league.cli import device
from league.settings import defaults
from league.store.files import replacing
from league.store.run import Run
from league.training.best_response import BestResponse

_ARENA = str(Path(sys.executable).with_name("arena"))
_GAME = "connect_four"
_PLIES = 4
ARMS = {
    "naive": "--pool-share 0 --matches 8 --pairs {all}",
    "pool": "--matches 8 --pairs {all}",
    "exploiters": "--main-exploiters 1 --league-exploiters 1 --matches 8 --pairs {third}",
}
"""Options of `arena train`; a learner's share of the pairs in each of its eight matches."""


@dataclass(frozen=True)
class Options:
    """What to run.

    Attributes:
      work: folder in which the runs lie and stay.
      arms: which to compare.
      seeds: one run each of every arm.
      generations: of every run, a multiple of 3.
      pairs: pairs of games in each of a generation's eight matches, a multiple of 3.
      rival_generations: that a rival trains against a frozen snapshot, of 768 games each.
      measured: pairs of games in every match that measures.
      extra: more options of `arena train`, for all arms, as in --extra="--slots 2".
      save: also write the lines, with versions and command, to this JSON file.
    """

    work: Path
    arms: tuple[str, ...] = tuple(ARMS)
    seeds: tuple[int, ...] = (0, 1, 2)
    generations: int = 12
    pairs: int = 48
    rival_generations: int = 4
    measured: int = 32
    extra: str = ""
    save: Path | None = None


def main(options: Options) -> None:
    """Trains what is not there yet, measures it, prints the lines."""
    device.prepare()
    names = [(arm, seed) for arm in options.arms for seed in options.seeds]
    runs = [train(options, arm, seed) for arm, seed in names]
    elo = pooled(options, runs)
    lines = []
    for (arm, seed), run, (rating, half) in zip(names, runs, elo, strict=True):
        figures = {"elo": round(rating, 1) + 0.0, "elo_half_width": round(half, 1)}
        figures |= _kept(run, f"rival-{options.rival_generations}", lambda: rival(options, run))  # noqa: B023
        figures |= _kept(run, f"past-{options.measured}", lambda: past(options, run))  # noqa: B023
        lines.append({"bench": "league", "arm": arm, "seed": seed, **_spent(run), **figures})
        run.close()
    lines += [_mean(arm, [line for line in lines if line["arm"] == arm]) for arm in options.arms]
    for line in lines:
        print(json.dumps(line), flush=True)
    if options.save:
        document = {
            "command": " ".join(["python -m benchmarks.league", *sys.argv[1:]]),
            "processor": processor(),
            "cores": len(os.sched_getaffinity(0)),
            "device": jax.devices()[0].device_kind,
            "versions": {p: metadata.version(p) for p in ("jax", "jaxlib", "flax", "optax")},
            "lines": lines,
        }
        options.save.write_text(json.dumps(document, indent=1) + "\n")


def train(options: Options, arm: str, seed: int) -> Run:
    """The run of an arm and a seed, trained to its end; goes on with what is there."""
    folder = options.work / "runs" / f"{arm}-{seed}"
    command = ["train", _GAME, "--name", folder.name]
    if (folder / "run.json").exists():
        command += ["--resume"]
    else:
        share = ARMS[arm].format(all=options.pairs, third=options.pairs // 3)
        command += ["--seed", str(seed), "--generations", str(options.generations)]
        command += [*share.split(), *options.extra.split()]
    options.work.mkdir(parents=True, exist_ok=True)
    print("arena", *command, file=sys.stderr, flush=True)
    subprocess.run([_ARENA, *command, "--json"], cwd=options.work, check=True, capture_output=True)
    return Run(folder)


def pooled(options: Options, runs: list[Run]) -> list[tuple[float, float]]:
    """Elo of the last snapshot of every run, and half its 95 % interval, all in one rating."""
    third = options.generations // 3
    first = [(run, 0) for run in runs[: len(options.seeds)]]  # the same in every arm
    later = [(run, third * k) for run in runs for k in (1, 2, 3)]
    agents = [_agent(run, number) for run, number in first + later]
    pairs = list(combinations(range(len(agents)), 2))
    a, b = [agents[i] for i, _ in pairs], [agents[j] for _, j in pairs]
    scores = _play(runs[0], a, b, options.measured, "pooled")
    matches = ((*pair, s) for pair, s in zip(pairs, scores, strict=True))
    fit = ratings.fit(crosstable.of_pairs(matches), len(agents))
    last = range(len(first) + 2, len(agents), 3)
    return [(float(fit.elo[i]), float(fit.half_width[i])) for i in last]


def rival(options: Options, run: Run) -> dict[str, Any]:
    """What a rival scores against the last snapshot; its budget is the same in every arm."""
    config = replace(defaults.default(_GAME, run.game), learner=run.config.learner)
    key = jax.random.key(run.config.seed)
    trained = BestResponse(run.game, config, _agent(run, options.generations), run.judge)
    params = trained.train(options.rival_generations, jax.random.fold_in(key, 0))
    found = trained.measure(params, 8 * options.measured, jax.random.fold_in(key, 1))
    return {"rival_score": round(found.score, 4), "rival_half_width": round(found.half_width, 4)}


def past(options: Options, run: Run) -> dict[str, Any]:
    """What the last snapshot scores against its ancestors."""
    ancestors = [_agent(run, number) for number in range(options.generations)]
    last = [_agent(run, options.generations)] * len(ancestors)
    found = [score.of(s) for s in _play(run, last, ancestors, options.measured, "past")]
    worst = int(np.argmin([each.score for each in found]))
    return {
        "past_mean": round(float(np.mean([each.score for each in found])), 4),
        "past_worst": round(found[worst].score, 4),
        "past_worst_half_width": round(found[worst].half_width, 4),
        "past_worst_ancestor": worst,
    }


def _play(run: Run, a: list[Agent], b: list[Agent], pairs: int, role: str) -> np.ndarray:
    key = run.key(0, f"benchmark {role}")
    return match.play(
        a, b, run.game, key=key, pairs=pairs, plies=_PLIES, groups=min(len(a), 12), slots=16
    )


def _agent(run: Run, number: int) -> Agent:
    return Agent(f"{run.name}:{number}", run.eval_policy(0), run.weights(number))


def _kept(run: Run, name: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What was measured before, or is now."""
    path = run.folder / f"bench-{name}.json"
    if not path.exists():
        with replacing(path, "w") as file:
            json.dump(measure(), file)
    return json.loads(path.read_text())


def _spent(run: Run) -> dict[str, Any]:
    """What the training cost, and how many exploiters joined the pool."""
    with run.results() as results:
        events, joined = results.events(), len(results.exploiters())
    spent = {
        key: sum(event.get(key, 0) for event in events) for key in ("games", "positions", "seconds")
    }
    return {**spent, "seconds": round(spent["seconds"], 1), "exploiters_joined": joined}


def _mean(arm: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over the seeds, and the standard error of what varies with them."""
    found: dict[str, Any] = {"bench": "league", "arm": arm, "seeds": len(lines)}
    for key in ("games", "seconds", "elo", "rival_score", "past_mean", "past_worst"):
        values = [line[key] for line in lines]
        found[key] = round(float(np.mean(values)), 4)
        if len(values) > 1:
            error = np.std(values, ddof=1) / np.sqrt(len(values))
            found[f"{key}_error"] = round(float(error), 4)
    return found


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
