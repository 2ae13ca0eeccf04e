"""How fast a pool is rated: the fit, the next pairs to play, and whether ratings are enough.

    python -m benchmarks.ratings --save benchmarks/results/ratings_cpu.json

A synthetic pool in which everybody met everybody, both ways round, with draws and a first move
that is worth 50 Elo. Everything is measured five times and the median counts. Then small pools of
other strengths, to see how often the 95 % intervals hold the truth: of all differences between two
players, and of what the first move is worth. Prints two JSON lines.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import tyro

from arena.evaluation import ratings, scale, transitivity
from benchmarks.games import processor


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      players: in the pool.
      games: among all of them.
      rounds: how often everything is measured.
      pools: small pools whose truth the intervals should hold.
      save: where to write the lines too.
    """

    players: int = 200
    games: int = 1_000_000
    rounds: int = 5
    pools: int = 1000
    save: Path | None = None


def main(options: Options) -> None:
    """Prints the lines."""
    lines = [timed(options), covered(options.pools)]
    for line in lines:
        print(json.dumps(line))
    if options.save:
        document = {
            "command": " ".join(["python -m benchmarks.ratings", *sys.argv[1:]]),
            "processor": processor(),
            "versions": {"python": sys.version.split()[0], "numpy": np.__version__},
            "lines": lines,
        }
        options.save.write_text(json.dumps(document, indent=1) + "\n")


def timed(options: Options) -> dict[str, Any]:
    """How long everything takes."""
    n = options.players
    rows = pool(n, options.games)
    plain, directed = ratings.fit(rows, n), ratings.fit(rows, n, first_move=True)
    work = {
        "fit_s": lambda: ratings.fit(rows, n),
        "fit_first_move_s": lambda: ratings.fit(rows, n, first_move=True),
        "schedule_64_s": lambda: ratings.schedule(plain, 64, 64),
        "cycle_s": lambda: transitivity.cycle(rows, n),
    }
    figures = {"bench": "ratings", "players": n, "games": int(rows[:, 2:].sum())}
    figures |= {name: seconds(job, options.rounds) for name, job in work.items()}
    figures["first_move"] = round(directed.first_move, 1)
    figures["first_move_half_width"] = round(directed.first_move_half_width, 1)
    return figures


def covered(pools: int) -> dict[str, Any]:
    """How often the intervals hold the truth in pools of six players and 30 games a pair."""
    rng = np.random.default_rng(1)
    i, j = np.triu_indices(6, 1)
    hits, worths = [], []
    for _ in range(pools):
        elo, worth, nu = rng.normal(0, 200, 6), rng.normal(0, 100), rng.choice([1e-9, 0.2, 1])
        fit = ratings.fit(play(rng, elo, worth, nu, 15), 6, first_move=True)
        worths.append(abs(fit.first_move - worth) <= fit.first_move_half_width)
        for a, b in zip(i.tolist(), j.tolist(), strict=True):
            difference, half = fit.difference(a, b)
            hits.append(abs(difference - (elo[a] - elo[b])) <= half)
    figures = {"bench": "coverage", "pools": pools, "differences": len(hits)}
    return figures | {
        "held": round(float(np.mean(hits)), 4),
        "first_move_held": round(float(np.mean(worths)), 4),
    }


def pool(n: int, games: int) -> np.ndarray:
    """Results i64[n (n - 1), 5] of players whose Elo is spread by 300."""
    rng = np.random.default_rng(0)
    return play(rng, rng.normal(0, 300, n), 50, 0.5, max(games // (n * (n - 1)), 1))


def play(
    rng: np.random.Generator, elo: np.ndarray, worth: float, nu: float, games: int
) -> np.ndarray:
    """Results i64[n (n - 1), 5]: so many games of each two in which the first moved first."""
    i, j = np.nonzero(~np.eye(len(elo), dtype=bool))
    seats = scale.by_seat((elo[i] - elo[j]) / ratings.ELO, worth / ratings.ELO)
    share = np.stack(scale.outcomes(seats.odds[:, 0], nu), -1)
    return np.column_stack([i, j, rng.multinomial(games, share)])


def seconds(job: Callable[[], Any], rounds: int) -> float:
    """The median time that the job takes."""
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        job()
        took.append(time.perf_counter() - start)
    return round(median(took), 4)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
