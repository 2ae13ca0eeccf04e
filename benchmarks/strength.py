"""How strong `arena train` gets, and how long it takes.

    python -m benchmarks.strength --seeds 0 1 2 --save benchmarks/results/strength_cpu.json
    python -m benchmarks.strength --games go:size=9 --train "--generations 60" --pairs 50

Trains a run a seed in a folder of its own, as a user would, with the game's default settings
unless `--train` says otherwise. Then the last snapshot meets opponents of which the training knows
nothing: its raw network plays uniform, and with 32 simulations it plays MCTS with 100 rollouts and,
where there are any, programs from outside. Its Elo is above the first snapshot's. Where exact
values are known, `arena accuracy` says how many of its moves are optimal, raw and with 64
simulations. Prints one JSON line a run.

With `--peer pgx` it is trained beside the usual recipe instead, for `--minutes`, and meets it; see
`benchmarks/equal_time.py`.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

import tyro

from benchmarks import equal_time

_ARENA = str(Path(sys.executable).parent / "arena")
_OUTSIDE = {
    "backgammon": ("gnubg:plies=0",),
    "chess": ("stockfish:nodes=1,skill=0",),
    "connect_four": ("openspiel_mcts:1000",),
    "go": ("gnugo:level=1", "gnugo:level=10"),
    "hex": ("openspiel_mcts:1000",),
    "othello": ("openspiel_mcts:1000",),
}
_JUDGED = ("connect_four", "nim", "tic_tac_toe")


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      games: which games to train.
      seeds: one run each.
      train: further options of `arena train`.
      pairs: of games against each opponent.
      peer: pgx trains the usual recipe of pgx and mctx beside each run, on the second core.
      minutes: of training, with a peer.
      save: also write the lines, with the command, to this JSON file.
    """

    games: tuple[str, ...] = ("connect_four", "tic_tac_toe")
    seeds: tuple[int, ...] = (0, 1, 2)
    train: str = ""
    pairs: int = 250
    peer: Literal["none", "pgx"] = "none"
    minutes: int = 10
    save: Path | None = None


def main(options: Options) -> None:
    """Prints a line a run."""
    if options.peer == "pgx":
        keys = ("games", "seeds", "train", "pairs", "minutes", "save")
        equal_time.main(equal_time.Options(**{key: getattr(options, key) for key in keys}))
        return
    document = {"command": f"python -m benchmarks.strength {shlex.join(sys.argv[1:])}", "runs": []}
    for game, seed in product(options.games, options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            document["runs"].append(measure(game, seed, options, Path(folder)))
        print(json.dumps(document["runs"][-1]), flush=True)
        if options.save:  # after every run: a long series that is cut leaves what it has measured
            options.save.write_text(json.dumps(document, indent=1) + "\n")


def measure(game: str, seed: int, options: Options, folder: Path) -> dict[str, Any]:
    """Trains one run and has its last snapshot play and judged."""
    started = time.monotonic()
    command = ["train", game, "--name", "run", "--seed", str(seed), *shlex.split(options.train)]
    rows = _arena(folder, command)["snapshots"]
    seconds = time.monotonic() - started
    last, kind = rows[-1], game.partition(":")[0]
    snapshot = f"run:{last['id']}"
    card = json.loads((folder / "runs" / "run" / "run.json").read_text())
    figures = {
        "bench": "strength",
        "game": game,
        "seed": seed,
        "command": "arena " + shlex.join(command),
        "seconds": round(seconds, 1),
        "cores": len(os.sched_getaffinity(0)),
        "device": card["device"],
        "versions": card["versions"],
        "generations": last["id"],
        "elo_above_first": round(last["elo"], 1),
        "elo_half_width": round(last["half_width"], 1),
        "raw_against_uniform": _match(folder, snapshot, "uniform", options.pairs),
    }
    for opponent in ("mcts:100", *_OUTSIDE.get(kind, ())):
        name = "search_32_against_" + re.sub(r"\W", "_", opponent)
        figures[name] = _match(folder, f"{snapshot},simulations=32", opponent, options.pairs)
    if kind in _JUDGED:
        for name, simulations in (("judged_raw", 0), ("judged_search_64", 64)):
            told = _arena(folder, ["accuracy", snapshot, "--simulations", str(simulations)])
            figures[name] = {key: told[key] for key in ("fixed", "played") if key in told}
    return figures


def _arena(folder: Path, arguments: list[str]) -> dict[str, Any]:
    """Runs a command in the folder; its last line of JSON."""
    told = subprocess.run(
        [_ARENA, *arguments, "--json"], cwd=folder, check=True, capture_output=True, text=True
    )
    return json.loads(told.stdout.splitlines()[-1])


def _match(folder: Path, a: str, b: str, pairs: int = 250) -> dict[str, Any]:
    told = _arena(folder, ["match", a, b, "--pairs", str(pairs), "--seed", "12345"])
    keys = ("score", "half_width", "wins", "draws", "losses")
    return {key: round(told[key], 4) for key in keys}


if __name__ == "__main__":
    main(tyro.cli(Options))
