"""How strong imported games get with the default settings, and how long it takes.

    python -m benchmarks.pettingzoo_strength --save

Trains a run a seed, as a user would, then plays the last snapshot's raw network against uniform for
500 games of which the training knows nothing. In tic-tac-toe it also counts the positions in which
the raw network's move keeps the game's value, of all 4,520; `games/tic_tac_toe.py` solves it, whose
observation is the env's. Prints one JSON line a run.
"""

import json
import os
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tyro

from benchmarks.strength import _arena, _match

_RESULTS = Path(__file__).parent / "results" / "pettingzoo_strength.json"
_TICTACTOE = "pettingzoo:classic/tictactoe-v3"


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      envs: which to train on.
      seeds: one run each.
      save: also write the lines to benchmarks/results/pettingzoo_strength.json.
    """

    envs: tuple[str, ...] = (_TICTACTOE, "pettingzoo:classic/connect_four-v3")
    seeds: tuple[int, ...] = (0,)
    save: bool = False


def measure(env: str, seed: int, folder: Path) -> dict[str, Any]:
    """Trains one run and plays its last snapshot."""
    began = time.monotonic()
    command = ["train", env, "--name", "run", "--seed", str(seed)]
    last = _arena(folder, command)["snapshots"][-1]
    figures = {
        "bench": "pettingzoo_strength",
        "env": env,
        "seed": seed,
        "command": "arena " + " ".join(command),
        "seconds": round(time.monotonic() - began, 1),
        "cores": len(os.sched_getaffinity(0)),
        "device": "cpu",
        "versions": {p: version(p) for p in ("jax", "pettingzoo", "numpy")},
        "raw_against_uniform": _match(folder, f"run:{last['id']}", "uniform"),
    }
    if env == _TICTACTOE:
        figures["value_keeping"] = value_keeping(folder / "runs" / "run", last["id"])
    return figures


def value_keeping(folder: Path, number: int) -> dict[str, int]:
    """Positions in which the raw network's move keeps the value of the game, of all there are."""
    import jax
    import numpy as np

    from arena.evaluation.solver import solve
    from arena.pettingzoo.env_state import EnvState
    from arena.types import stack
    from games import load
    from league.store.run import Run

    run, native = Run(folder), load("tic_tac_toe")
    solution = solve(native)
    movers = jax.vmap(native.mover)(solution.states)
    seen = jax.vmap(native.observe)(solution.states, movers).astype(np.int8)
    legal = jax.vmap(native.legal)(solution.states)
    states = EnvState(movers, legal, seen, jax.numpy.zeros(len(movers)))
    keys = jax.random.split(jax.random.key(0), 1)
    moves = np.asarray(run.eval_policy(0)(stack([run.weights(number)]), keys, states).move)
    run.close()
    kept = solution.optimal[np.arange(len(moves)), moves]
    return {"kept": int(kept.sum()), "positions": len(kept)}


def main(options: Options) -> None:
    """Prints a line a run."""
    lines = []
    for env in options.envs:
        for seed in options.seeds:
            with tempfile.TemporaryDirectory() as folder:
                lines.append(measure(env, seed, Path(folder)))
                print(json.dumps(lines[-1]), flush=True)
    if options.save:
        _RESULTS.parent.mkdir(exist_ok=True)
        _RESULTS.write_text(json.dumps(lines, indent=2) + "\n")


if __name__ == "__main__":
    main(tyro.cli(Options))
