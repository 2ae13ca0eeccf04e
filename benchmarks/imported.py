"""What games of a stranger are worth: self-play to a given strength, after imitation and without.

    python -m benchmarks.imported --work imported_bench --save benchmarks/results/imported_cpu.json

OpenSpiel's tree search plays Connect Four against itself, by its own rules and without any code of
ours, from openings of up to six random moves; its games are written as JSON lines and imported.
Then pairs of leagues are trained that differ in one thing: `--from` these games, or from random
weights. After every generation the raw network's favourite move is looked up in those of 10,000
positions with exact values in which some move is a mistake. What is compared are the games of
self-play until so many of these moves are optimal; between generations the share is interpolated.

What is there is not done again, and a run that was killed goes on: the same command ends with the
same figures. Prints a line of JSON for each run, and the ratios last.
"""

import json
import math
import random
import shlex
import sys
import time
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import jax
import numpy as np
import tyro
from scipy import stats

import games
import league
from agents.learners.alphazero import AlphaZeroConfig
from agents.nn.networks import ResNetConfig
from arena.evaluation import move_accuracy, solved_positions
from league.api import League
from league.commands import data
from league.settings.config import Config, MeasureConfig
from league.training.events import Event, GenerationEvent

_GAME = "connect_four"
_OPENING = 6


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      work: folder of records and runs.
      records: games of the stranger.
      rollouts: of its search, a move.
      seeds: a pair of leagues is trained with each.
      generations: of a league.
      pairs: of games in each of a generation's eight matches.
      targets: shares of optimal moves to be reached.
      save: also write the lines, with versions and command, to this JSON file.
    """

    work: Path = Path("imported_bench")
    records: int = 600
    rollouts: int = 100
    seeds: tuple[int, ...] = (0, 1, 2)
    generations: int = 12
    pairs: int = 16
    targets: tuple[float, ...] = (0.5, 0.52, 0.55, 0.58)
    save: Path | None = None


def main(options: Options) -> None:
    """Prints a line a run, and one that compares them."""
    (options.work / "runs").mkdir(parents=True, exist_ok=True)
    imported, lines = _imported(options), []
    for seed in options.seeds:
        for start in ("", str(imported)):
            line = {"seed": seed, "imported": bool(start), **_run(options, seed, start)}
            lines.append(line)
            print(json.dumps(line), flush=True)
            _save(options, lines)


def _save(options: Options, lines: list[dict[str, Any]]) -> None:
    told = compared(lines, options.targets)
    print(json.dumps(told), flush=True)
    if options.save:
        document = {
            "command": f"python -m benchmarks.imported {shlex.join(sys.argv[1:])}",
            "versions": {p: metadata.version(p) for p in ("jax", "jaxlib", "flax", "open_spiel")},
            "records": options.records,
            "rollouts": options.rollouts,
            "lines": lines,
            "compared": told,
        }
        options.save.write_text(json.dumps(document, indent=1) + "\n")


def _imported(options: Options) -> Path:
    """The dataset of the stranger's games, which is made if it is not there."""
    records, made = options.work / "records.jsonl", options.work / "records.npz"
    if not made.exists():
        began, count = time.monotonic(), 0
        if records.exists():  # all but a line that was cut short
            kept = [x for x in records.read_text().splitlines(keepends=True) if x.endswith("\n")]
            records.write_text("".join(kept))
            count = len(kept)
        with records.open("a") as file:
            for number in range(count, options.records):
                file.write(json.dumps(_game(number, options.rollouts)) + "\n")
                file.flush()
        print(f"records: {time.monotonic() - began:.0f} s", file=sys.stderr)
        data.run(data.Import(_GAME, (records,), made))
    return made


def _game(number: int, rollouts: int) -> dict[str, Any]:
    """A game of OpenSpiel's search against itself, as the object of a line."""
    spiel, draw = import_module("pyspiel"), random.Random(number)
    rules = spiel.load_game(_GAME)
    evaluator = spiel.RandomRolloutEvaluator(1, number)
    bot = spiel.MCTSBot(rules, evaluator, 2.0, rollouts, 1000, True, number, False)
    state, moves = rules.new_initial_state(), []
    opening = draw.randrange(_OPENING + 1)
    while not state.is_terminal():
        at_random = len(moves) < opening
        action = draw.choice(state.legal_actions()) if at_random else bot.step(state)
        moves.append(str(action + 1))
        state.apply_action(action)
    player = {"name": f"OpenSpiel MCTS, {rollouts} rollouts"}
    return {
        "game": _GAME,
        "players": [player, player],
        "moves": moves,
        "result": state.returns()[0],
    }


def config(options: Options, seed: int) -> Config:
    """A tenth of the default's work."""
    return Config(
        generations=options.generations,
        seed=seed,
        matches=8,
        pairs=options.pairs,
        slots=min(options.pairs, 24),
        opening_plies=30,
        learner=AlphaZeroConfig(
            network=ResNetConfig(channels=16, blocks=2),
            simulations=8,
            batch_size=256,
            replay_ratio=3.0,
            replay_window=10,
            learning_rate=4e-3,
        ),
        measure=MeasureConfig(opponents=1, pairs=2, baseline_pairs=2, simulations=2, rollouts=2),
    )


def _run(options: Options, seed: int, start: str) -> dict[str, Any]:
    """Trains a league, or goes on with it; what it reaches."""
    name = f"{'imported' if start else 'scratch'}-{seed}"
    folder = options.work / "runs"
    with league.train(
        _GAME,
        config(options, seed),
        start=start,
        name=name,
        folder=folder,
        resume=(folder / name / "run.json").exists(),
        callback=_progress,
    ) as run:
        return _figures(run)


def _progress(event: Event) -> None:
    """A line on stderr after every generation."""
    if isinstance(event, GenerationEvent):
        print(f"generation {event.generation}", file=sys.stderr)


def _figures(run: League) -> dict[str, Any]:
    """How good the raw network is by games of self-play."""
    positions = solved_positions.fixed(games.load(_GAME))
    history = run.figures()
    count = np.cumsum([one.get("games", 0) for one in history]).tolist()
    shares = [
        move_accuracy.measure(run.agent(one), positions, jax.random.key(0)).has_mistake.share
        for one in run.snapshots
    ]
    return {
        "imitated": history[0].get("imitated"),
        "games": count,
        "accuracy": [round(share, 4) for share in shares],
    }


def reached(count: list[int], shares: list[float], target: float) -> float | None:
    """Games until a share is first reached, interpolated; None if it is not."""
    for at, share in enumerate(shares):
        if share >= target:
            if not at:
                return float(count[0])
            part = (target - shares[at - 1]) / (share - shares[at - 1])
            return count[at - 1] + part * (count[at] - count[at - 1])
    return None


def compared(lines: list[dict[str, Any]], targets: tuple[float, ...]) -> list[dict[str, Any]]:
    """By target: games from scratch and after imitation, seed by seed, and what they differ by.

    The last target, None, is what the league from scratch of the same seed has come to in the end.
    Games saved and the ratio have their 95 % interval by Student's t over seeds, the ratio's by
    logarithms. Where some run does not reach the target, `played` says how many games it has
    played, and there is neither; where imitation alone reaches it, there is no ratio.
    """
    by_seed: dict[int, dict[bool, dict[str, Any]]] = {}
    for line in lines:
        by_seed.setdefault(line["seed"], {})[line["imported"]] = line
    pairs = [(one[False], one[True]) for one in by_seed.values() if len(one) == 2]
    found = []
    for target in (*targets, None):
        counts = []
        for scratch, after in pairs:
            goal = scratch["accuracy"][-1] if target is None else target
            counts.append([reached(x["games"], x["accuracy"], goal) for x in (scratch, after)])
        told: dict[str, Any] = {
            "target": target,
            "scratch": [one for one, _ in counts],
            "imported": [one for _, one in counts],
            "played": max(line["games"][-1] for line in lines),
        }
        found.append(told | _difference(counts))
    return found


def _difference(counts: list[list[float | None]]) -> dict[str, list[float]]:
    """What pairs of games, from scratch and after imitation, differ by; see `compared`."""
    pairs = np.array(counts, float)  # None is NaN
    if not counts or np.isnan(pairs).any():
        return {}
    told = {"saved": _interval(pairs[:, 0] - pairs[:, 1])}
    if (pairs > 0).all():
        logs = np.log(pairs)
        told["ratio"] = [math.exp(x) for x in _interval(logs[:, 0] - logs[:, 1])]
    return told


def _interval(values: np.ndarray) -> list[float]:
    """The mean, and the ends of its 95 % interval; without ends if there is one value."""
    mean, count = float(values.mean()), len(values)
    if count < 2:
        return [mean]
    half = float(stats.t.ppf(0.975, count - 1) * values.std(ddof=1) / math.sqrt(count))
    return [mean, mean - half, mean + half]


if __name__ == "__main__":
    main(tyro.cli(Options))
