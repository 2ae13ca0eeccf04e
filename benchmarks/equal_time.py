"""Our training and the usual recipe's, on one core each for as long, and then against each other.

    python -m benchmarks.equal_time --games othello --minutes 10

`arena train GAME --time 10m` on one core, compiling and measuring included, and `pgx_recipe`, whose
clock starts when all is compiled, on another. Then both players meet from random openings that each
plays from both seats: raw, network against network, and with 32 simulations each. Prints one JSON
line a run, with the games, positions and network evaluations that each side took.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import tyro

import league
from arena.types import stack
from benchmarks import pgx_match
from benchmarks.pgx_recipe import Peer, Recipe, read

_ARENA = str(Path(sys.executable).parent / "arena")


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      games: which games.
      seeds: one run of both sides each.
      minutes: of training.
      train: further options of `arena train`.
      recipe: of the peer; its game follows from ours.
      pairs: of games in each of the two matches.
      plies: openings are 1 to so many random moves long.
      save: also write the lines, with the command, to this JSON file.
    """

    games: tuple[str, ...] = ("connect_four", "othello", "go:size=9")
    seeds: tuple[int, ...] = (0,)
    minutes: int = 10
    train: str = ""
    recipe: Recipe = field(default_factory=lambda: Recipe(""))
    pairs: int = 200
    plies: int = 8
    save: Path | None = None


def main(options: Options) -> None:
    """Prints a line a run."""
    command = f"python -m benchmarks.equal_time {shlex.join(sys.argv[1:])}"
    document: dict[str, Any] = {"command": command, "runs": []}
    for game in options.games:
        for seed in options.seeds:
            with tempfile.TemporaryDirectory() as folder:
                document["runs"].append(measure(game, seed, options, Path(folder)))
            print(json.dumps(document["runs"][-1]), flush=True)
            if options.save:
                options.save.write_text(json.dumps(document, indent=1) + "\n")


def measure(game: str, seed: int, options: Options, folder: Path) -> dict[str, Any]:
    """Trains both sides at once and has them meet."""
    train_both(game, seed, options, folder)
    recipe, weights, counts = read(folder / "peer.pickle")
    peer = Peer(recipe)
    with league.open_run(folder / "runs" / "run") as run:
        figures = [row for row in run.figures() if "positions" in row]
        last = run.snapshots[-1]
        found = {
            "bench": "equal_time",
            "game": game,
            "seed": seed,
            "minutes": options.minutes,
            "recipe": asdict(recipe),
            "arena": {
                "games": sum(row["games"] for row in figures),
                "positions": sum(row["positions"] for row in figures),
                "evaluations": sum(row["passes"]["type_1"] for row in figures),
                "seconds": round(sum(row["seconds"] for row in figures), 1),
                "generations": len(figures),
                "network": asdict(run.config.learner.network),
            },
            "peer": counts._asdict(),
        }
        for simulations in (0, 32):
            agent = run.agent(last, simulations=simulations)
            params = stack([agent.params])

            @jax.jit
            def ours(key: jax.Array, states: Any, agent: Any = agent, params: Any = params) -> Any:
                return agent.policy(params, jax.random.split(key, 1), states).move

            theirs = jax.jit(partial(peer.choose, weights, simulations=simulations))
            outcome = pgx_match.play(
                game,
                run.game,
                peer.env,
                ours,
                theirs,
                pairs=options.pairs,
                plies=options.plies,
                seed=seed + 1000,
            )
            name = f"search_{simulations}" if simulations else "raw"
            found[name] = {
                "score": round(outcome.score.score, 4),
                "half_width": round(outcome.score.half_width, 4),
                "distinct": outcome.distinct,
            }
    return found


def train_both(game: str, seed: int, options: Options, folder: Path) -> None:
    """Both trainings side by side, each on a core of its own."""
    first, second, *_ = sorted(os.sched_getaffinity(0))
    recipe = replace(options.recipe, game=game)
    fields = (f"--recipe.{k}={v}" for k, v in asdict(recipe).items())
    seconds = 60 * options.minutes
    theirs = [sys.executable, "-m", "benchmarks.pgx_recipe", str(folder / "peer.pickle")]
    theirs += [*fields, f"--seconds={seconds}", f"--seed={seed}", f"--core={second}"]
    ours = ["taskset", "-c", str(first), _ARENA, "train", game, "--name", "run"]
    ours += ["--time", f"{options.minutes}m", "--seed", str(seed), *shlex.split(options.train)]
    with subprocess.Popen(theirs) as peer:
        subprocess.run(ours, cwd=folder, check=True, capture_output=True)
        if peer.wait():
            raise SystemExit("the peer's training failed")


if __name__ == "__main__":
    main(tyro.cli(Options))
