"""How fast a pool is rated: the fit, the next pairs to play, and whether ratings are enough.

    python -m benchmarks.ratings --players 200 --games 1000000

A synthetic pool in which everybody met everybody, both ways round, with draws and a first move
that is worth 50 Elo. Everything is measured five times and the median counts. Prints one JSON line.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import tyro

from arena import ratings, transitivity


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      players: in the pool.
      games: among all of them.
      rounds: how often everything is measured.
    """

    players: int = 200
    games: int = 1_000_000
    rounds: int = 5


def main(options: Options) -> None:
    """Prints the line."""
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
    print(json.dumps(figures))


def pool(n: int, games: int) -> np.ndarray:
    """Results i64[n (n - 1), 5] of players whose Elo is spread by 300."""
    rng = np.random.default_rng(0)
    elo = rng.normal(0, 300, n)
    i, j = np.nonzero(~np.eye(n, dtype=bool))
    d = (elo[i] - elo[j] + 50) / ratings.ELO
    weights = np.stack([np.exp(d / 2), np.full_like(d, 0.5), np.exp(-d / 2)], -1)
    share = weights / weights.sum(1, keepdims=True)
    return np.column_stack([i, j, rng.multinomial(max(games // len(i), 1), share)])


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
