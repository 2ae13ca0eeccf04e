"""How strong `arena train` gets with its default settings, and how long it takes.

    python -m benchmarks.strength --games connect_four tic_tac_toe --seeds 0 1 2

Trains a run a seed in a folder of its own, as a user would, then plays the last snapshot against
uniform (raw network) and against MCTS with 100 rollouts (32 simulations), each for 500 games of
which the training knows nothing, and compares its Elo with the first snapshot's. In tic-tac-toe it
also counts the positions in which the raw network's move keeps the game's value, of all 4,520.
Prints one JSON line a run.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import tyro

_ARENA = str(Path(sys.executable).parent / "arena")
_PAIRS = 250


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      games: which games to train.
      seeds: one run each.
    """

    games: tuple[str, ...] = ("connect_four", "tic_tac_toe")
    seeds: tuple[int, ...] = (0, 1, 2)


def main(options: Options) -> None:
    """Prints a line a run."""
    for game in options.games:
        for seed in options.seeds:
            with tempfile.TemporaryDirectory() as folder:
                print(json.dumps(measure(game, seed, Path(folder))), flush=True)


def measure(game: str, seed: int, folder: Path) -> dict[str, Any]:
    """Trains one run and plays its last snapshot."""
    started = time.monotonic()
    command = ["train", game, "--name", "run", "--seed", str(seed)]
    rows = _arena(folder, command)["snapshots"]
    seconds = time.monotonic() - started
    last = rows[-1]
    snapshot = f"run:{last['id']}"
    figures = {
        "bench": "strength",
        "game": game,
        "seed": seed,
        "command": "arena " + " ".join(command),
        "seconds": round(seconds, 1),
        "cores": len(os.sched_getaffinity(0)),
        "device": "cpu",
        "versions": {p: metadata.version(p) for p in ("jax", "jaxlib", "flax", "optax")},
        "generations": last["id"],
        "elo_above_first": round(last["elo"], 1),
        "elo_half_width": round(last["half_width"], 1),
        "raw_against_uniform": _match(folder, snapshot, "uniform"),
        "search_32_against_mcts_100": _match(folder, f"{snapshot},simulations=32", "mcts:100"),
    }
    if game == "tic_tac_toe":
        figures["value_keeping"] = value_keeping(folder / "runs" / "run", last["id"])
    return figures


def _arena(folder: Path, arguments: list[str]) -> dict[str, Any]:
    """Runs a command in the folder; its last line of JSON."""
    told = subprocess.run(
        [_ARENA, *arguments, "--json"], cwd=folder, check=True, capture_output=True, text=True
    )
    return json.loads(told.stdout.splitlines()[-1])


def _match(folder: Path, a: str, b: str) -> dict[str, Any]:
    told = _arena(folder, ["match", a, b, "--pairs", str(_PAIRS), "--seed", "12345"])
    keys = ("score", "half_width", "wins", "draws", "losses")
    return {key: round(told[key], 4) for key in keys}


def value_keeping(folder: Path, number: int) -> dict[str, int]:
    """Positions in which the raw network's move keeps the value of the game, of all there are."""
    import jax
    import numpy as np

    from arena.core import stack
    from arena.solver import solve
    from league.pool import Run

    run = Run(folder)
    solution = solve(run.game)
    act = run.player(0)
    keys = jax.random.split(jax.random.key(0), 1)
    moves = np.asarray(act(stack([run.weights(number)]), keys, solution.states).move)
    run.close()
    kept = solution.keeps[np.arange(len(moves)), moves]
    return {"kept": int(kept.sum()), "positions": len(kept)}


if __name__ == "__main__":
    main(tyro.cli(Options))
