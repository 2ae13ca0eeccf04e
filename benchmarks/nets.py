"""Nets that come with Arena: written from a run, measured, and the run's learning curve kept.

    arena train othello --time 15m --name othello
    python -m benchmarks.nets othello

The last snapshot of `runs/NAME` becomes `league/nets/GAME.npz`. The net, half precision and all,
then meets opponents of which its training knows nothing: raw it plays uniform, and with 64
simulations a move tree searches and programs from outside. What it scored, what the run took, and
Elo against minutes of training go into `benchmarks/results/nets_cpu.json`, from which the docs are
made.
"""

import json
import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

import league
from league.store import pretrained

_ARENA = str(Path(sys.executable).parent / "arena")
_SAVE = Path("benchmarks/results/nets_cpu.json")
_NETS = Path("league/nets")
_OPPONENTS: dict[str, tuple[tuple[str, int], ...]] = {
    "animal_shogi": (("mcts:400", 50),),
    "backgammon": (("gnubg:plies=0", 50),),
    "breakthrough": (("openspiel_mcts:1000", 20),),
    "chess": (("mcts:100", 20), ("stockfish:nodes=1,skill=0", 20)),
    "connect_four": (("openspiel_mcts:1000", 50),),
    "english_draughts": (("mcts:400", 20),),
    "gardner_chess": (("mcts:400", 20),),
    "go": (("mcts:400", 20), ("gnugo:level=1", 20)),
    "gomoku": (("mcts:400", 20),),
    "hex": (("openspiel_mcts:1000", 20),),
    "othello": (("openspiel_mcts:1000", 20), ("grhino:level=1", 20), ("grhino:level=2", 20)),
}
"""Beside uniform: opponents by game, and pairs of games against each."""
_ACCURACY = ("connect_four",)


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      runs: the runs, by their last snapshot, or `RUN:GENERATION`; or the games of nets that are
        there already (`pretrained:GAME`).
      folder: where the runs lie.
      simulations: a move, where the net searches.
      trained: how the run was made, if the command that its card gives is not the whole story.
    """

    runs: Annotated[tuple[str, ...], tyro.conf.Positional]
    folder: Path = Path("runs")
    simulations: int = 64
    trained: str = ""


def main(options: Options) -> None:
    """Writes the nets and what was measured, and prints a line a net."""
    for name in options.runs:
        if name.startswith(pretrained.KIND):
            game, found = name.partition(":")[2], {}
        else:
            game, found = ship(name, options)
        found |= figures(game, options.simulations)
        save(game, found)
        print(json.dumps({"game": game, **found}), flush=True)


def save(game: str, found: dict[str, Any]) -> None:
    """Puts what was found of a game's net in the place of what was known of it."""
    runs = json.loads(_SAVE.read_text())["runs"] if _SAVE.exists() else []
    known = {run["game"]: run for run in runs}
    known[game] = known.get(game, {}) | {"game": game, **found}
    document = {"runs": [known[name] for name in sorted(known)]}
    _SAVE.write_text(json.dumps(document, indent=1) + "\n")


def ship(name: str, options: Options) -> tuple[str, dict[str, Any]]:
    """Writes the net of a run's snapshot; its game, and what the run tells of it."""
    folder, _, generation = name.partition(":")
    with league.open_run(options.folder / folder) as run:
        card, chosen = run.run.card, generation or run.snapshots[-1]
        game = card["game"]
        pretrained.write(run.run, chosen, _NETS / pretrained.file(game))
        rows = [row for row in run.figures() if "positions" in row]
        trained = [row for row in rows if not generation or row["generation"] <= int(generation)]
        ratings = run.ratings()
        seconds = np.cumsum([0.0, *(row["seconds"] for row in rows)])
        size = (_NETS / pretrained.file(game)).stat().st_size
        return game, {
            "command": options.trained or _command(card),
            "seconds": round(float(seconds[len(trained)])),
            "games": sum(row["games"] for row in trained),
            "positions": sum(row["positions"] for row in trained),
            "evaluations": sum(row["passes"]["type_1"] for row in trained),
            "generations": len(trained),
            "kind": card["network"],
            "network": card["config"]["learner"]["network"],
            "simulations": card["config"]["learner"].get("simulations"),
            "bytes": size,
            "device": card["device"],
            "versions": card["versions"],
            "curve": {
                "minutes": [round(x / 60, 2) for x in seconds.tolist()],
                "elo": [round(x) for x in ratings["elo"].tolist()],
                "half_width": [round(x) for x in ratings["half_width"].tolist()],
            },
        }


def _command(card: dict[str, Any]) -> str:
    """The command that begins such a run, as far as the card tells."""
    config = card["config"]
    words = ["arena", "train", card["game"]]
    words += ["--time", config["time"]] if config["time"] else []
    words += ["--from", card["from"]["name"]] if "from" in card else []
    words += ["--seed", str(config["seed"])] if config["seed"] else []
    return shlex.join(words)


def figures(game: str, simulations: int) -> dict[str, Any]:
    """What a net scores."""
    agent, kind = f"pretrained:{game}", game.partition(":")[0]
    search = agent if kind == "backgammon" else f"{agent},simulations={simulations}"
    found: dict[str, Any] = {"cores": len(os.sched_getaffinity(0)), "scores": {}}
    found["scores"]["uniform"] = _match(agent, "uniform", 200)
    for opponent, pairs in _OPPONENTS.get(kind, ()):
        found["scores"][opponent] = _match(search, opponent, pairs)
    if kind in _ACCURACY:
        for one in (0, simulations):
            told = _arena(["accuracy", agent, "--simulations", str(one)])
            found[f"accuracy_{one}"] = {key: told[key] for key in ("fixed", "played")}
    return found


def _match(a: str, b: str, pairs: int) -> dict[str, Any]:
    started = time.monotonic()
    told = _arena(["match", a, b, "--pairs", str(pairs), "--opening-plies", "4", "--seed", "12345"])
    keys = ("score", "half_width", "wins", "draws", "losses")
    seconds = round(time.monotonic() - started, 1)
    return {"a": a} | {key: round(told[key], 4) for key in keys} | {"seconds": seconds}


def _arena(arguments: list[str]) -> dict[str, Any]:
    """Runs a command; its last line of JSON."""
    told = subprocess.run(
        [_ARENA, *arguments, "--json"], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(told.stdout.splitlines()[-1])


if __name__ == "__main__":
    main(tyro.cli(Options))
