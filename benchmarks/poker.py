"""How near to an equilibrium `arena train` gets in poker, and how fast; CFR+ beside it.

    python -m benchmarks.poker --games kuhn_poker leduc_poker --seeds 0 1 2

Trains a run a seed with the default settings, in a folder of its own, as a user would. A line a run
holds its curve: after each generation the games played so far, the seconds since the start, and the
exact exploitability (NashConv / 2, in chips) of the newest snapshot alone and of the pool's Nash
mixture; and in the end the value of the newest snapshot against itself, which is exact too. The
last snapshot is measured once more by OpenSpiel.

CFR+ (O. Tammelin, arXiv 1407.5042) is OpenSpiel's, in C++: it walks the whole game in every
iteration, and needs no games. Its line holds iterations, seconds and the exploitability of its
average policy, by OpenSpiel.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tyro

from benchmarks.games import processor

_ARENA = str(Path(sys.executable).parent / "arena")


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      games: kuhn_poker, leduc_poker or both.
      seeds: one run each.
      cores: how many to use.
      iterations: of CFR+.
      save: also write the lines, with versions and command, to this JSON file.
    """

    games: tuple[str, ...] = ("kuhn_poker", "leduc_poker")
    seeds: tuple[int, ...] = (0, 1, 2)
    cores: int = 2
    iterations: int = 1024
    save: Path | None = None


def learned(game: str, seed: int, folder: Path) -> dict[str, Any]:
    """Trains one run; its curve."""
    command = ["train", game, "--name", "run", "--seed", str(seed), "--json"]
    started, games, curve, last = time.monotonic(), 0, [], {}
    with subprocess.Popen([_ARENA, *command], cwd=folder, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        for event in map(json.loads, run.stdout):
            if event["event"] == "generation" and "exploitability" in event:
                last, games = event, games + event["games"]
                alone, pool = event["exploitability"], event["pool_exploitability"]
                now = time.monotonic() - started
                curve.append([games, round(now, 1), round(alone, 5), round(pool, 5)])
    if run.returncode:
        raise SystemExit(f"arena {' '.join(command)} ended with {run.returncode}")
    return {
        "who": "arena",
        "game": game,
        "seed": seed,
        "command": f"arena {' '.join(command)}",
        "games": games,
        "seconds": round(time.monotonic() - started, 1),
        "exploitability": last["exploitability"],
        "pool_exploitability": last["pool_exploitability"],
        "value": last["value"],
        "by_open_spiel": _by_open_spiel(game, folder / "runs" / "run", last["generation"]),
        "curve": {"columns": ["games", "seconds", "alone", "pool"], "rows": curve},
    }


def _by_open_spiel(game: str, folder: Path, number: int) -> float:
    """The exploitability of a snapshot, by OpenSpiel: its policy under their names."""
    import jax
    import numpy as np
    import pyspiel

    from arena.evaluation.enumeration import in_chunks
    from league.store.run import Run
    from league.training import best_response
    from tests.helpers.information import enumerated
    from tests.proofs import proof

    run = Run(folder)
    nodes, _ = enumerated(run.game, 1_000_000)
    [asked] = np.nonzero(nodes.mover >= 0)
    states = jax.tree.map(lambda x: x[asked], nodes.states)
    seen = in_chunks(jax.jit(jax.vmap(run.game.observe)), states, nodes.mover[asked])
    chances = best_response.policy(run.game, run.config, run.weights(str(number)))
    odds, found = chances(seen, nodes.legal[asked]), {}
    for node, row in zip(asked.tolist(), odds, strict=True):
        partner = proof(game).LOCKSTEP[game]()
        for move in nodes.path(node):
            partner.play(move)
        name = partner.information(int(nodes.mover[node]))
        found[name] = [(int(m), float(row[m])) for m in np.flatnonzero(nodes.legal[node])]
    run.close()
    return pyspiel.exploitability(pyspiel.load_game(game), found)


def cfr(game: str, iterations: int) -> dict[str, Any]:
    """CFR+ of OpenSpiel, looked at after 1, 2, 4, … iterations."""
    import pyspiel

    rules = pyspiel.load_game(game)
    solver = pyspiel.CFRPlusSolver(rules)
    seconds, curve = 0.0, []
    for number in range(1, iterations + 1):
        began = time.perf_counter()
        solver.evaluate_and_update_policy()
        seconds += time.perf_counter() - began
        if number & (number - 1) == 0:
            found = pyspiel.exploitability(rules, solver.average_policy())
            curve.append([number, round(seconds, 4), found])
    return {
        "who": "openspiel CFR+",
        "game": game,
        "exploitability": curve[-1][2],
        "curve": {"columns": ["iterations", "seconds", "average"], "rows": curve},
    }


def main() -> None:
    """Prints a line a run, and one for CFR+ for each game."""
    options = tyro.cli(Options, description=__doc__)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    document = {
        "command": " ".join(["python -m benchmarks.poker", *sys.argv[1:]]),
        "processor": processor(),
        "cores": options.cores,
        "versions": {p: version(p) for p in ("jax", "jaxlib", "flax", "optax", "open_spiel")},
        "lines": [],
    }
    for game in options.games:
        for seed in options.seeds:
            with tempfile.TemporaryDirectory() as folder:
                _tell(document, learned(game, seed, Path(folder)), options.save)
        _tell(document, cfr(game, options.iterations), options.save)


def _tell(document: dict[str, Any], line: dict[str, Any], save: Path | None) -> None:
    """Prints a line, and keeps it: a long run that is cut leaves what it has measured."""
    print(json.dumps({"bench": "poker", **line}), flush=True)
    document["lines"].append(line)
    if save:
        save.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
