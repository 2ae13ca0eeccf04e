"""How fast native games step as PettingZoo envs, with PettingZoo's own envs beside them.

    python -m benchmarks.exports --save benchmarks/results/exports_cpu.json

A step is one turn of an agent in PettingZoo's usual loop: `last()`, a random legal action,
`step()`; where a game has ended, a new one. Both sides without wrappers, one env at a time,
measured in turn; the median of all rounds counts. Compiling our games is not measured.

Prints one JSON line a game.
"""

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import jax
import numpy as np
import tyro
from pettingzoo import AECEnv

from arena.pettingzoo import aec
from benchmarks.games import processor
from games import load, names

PEERS: dict[str, tuple[str, dict[str, Any]]] = {
    "tic_tac_toe": ("tictactoe_v3", {}),
    "connect_four": ("connect_four_v3", {}),
    "go": ("go_v5", {"board_size": 9}),
    "chess": ("chess_v6", {}),
    "leduc_poker": ("leduc_holdem_v4", {}),
}
"""Envs of `pettingzoo.classic`; its Leduc is another game of the same kind."""


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      games: as in `arena games`, options and all.
      cores: how many to use.
      rounds: how often everything is measured.
      seconds: how long one measurement takes, about.
      save: also write the lines, with versions and command, to this JSON file.
    """

    games: tuple[str, ...] = names()
    cores: int = 1
    rounds: int = 5
    seconds: float = 1.0
    save: Path | None = None


def steps_per_second(env: AECEnv, seconds: float) -> float:
    """Of random play in PettingZoo's loop."""
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    made, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        seen, _, ended, cut, _ = env.last()
        if ended or cut:
            env.reset()
            continue
        assert isinstance(seen, dict)
        legal = np.flatnonzero(seen["action_mask"])
        env.step(int(legal[rng.integers(len(legal))]))
        made += 1
    return made / took


def _theirs(name: str, options: dict[str, Any]) -> AECEnv:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of its own way to make envs
        return import_module(f"pettingzoo.classic.{name}").raw_env(**options)


def bench(spec: str, options: Options) -> dict[str, Any]:
    """Measures one game; prints its line and returns it."""
    makers: dict[str, Callable[[], AECEnv]] = {"arena": partial(aec, load(spec))}
    if spec in PEERS:
        makers["pettingzoo"] = partial(_theirs, *PEERS[spec])
    envs = {who: make() for who, make in makers.items()}
    for env in envs.values():
        steps_per_second(env, 0.2)  # warms everything up
    rates: dict[str, list[float]] = {who: [] for who in envs}
    for _ in range(options.rounds):
        for who, env in envs.items():
            rates[who].append(steps_per_second(env, options.seconds))
    line = {"bench": "exports", "game": spec, "cores": options.cores}
    for who, found in rates.items():
        line[f"{who}_steps_per_s"] = round(median(found))
        line[f"{who}_spread"] = [round(min(found)), round(max(found))]
    print(json.dumps(line), flush=True)
    return line


def main() -> None:
    """Measures every game that was asked for."""
    options = tyro.cli(Options, description=__doc__)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    lines = [bench(spec, options) for spec in options.games]
    if options.save:
        document = {
            "command": " ".join(["python -m benchmarks.exports", *sys.argv[1:]]),
            "processor": processor(),
            "device": jax.devices("cpu")[0].device_kind,
            "versions": {p: version(p) for p in ("jax", "jaxlib", "numpy", "pettingzoo")},
            "lines": lines,
        }
        options.save.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
