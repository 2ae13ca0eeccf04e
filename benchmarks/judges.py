"""What becomes of a league that goes by a judge that errs: Connect Four, judged and by the rules.

    python -m benchmarks.judges --work judges_bench --save benchmarks/results/judges_cpu.json

The judges: the rules; networks that have learnt who won from 256 comparisons, and from 16,384; the
same where games are cut after six moves, and the networks have learnt who stands better from as
many unfinished positions with exact values; and the policy itself, from random weights. With each
of them `imitation` trains a small network, once a seed. Of every generation the record tells what
the judge and the rules say of the same games and what the alarm says; here exact values are added:
how often the raw network's favourite move is optimal in those of 10,000 positions in which some
move is a mistake.

What is there is not done again, and a run that was killed goes on: the same command ends with the
same figures. Prints a line of JSON for each run.
"""

import dataclasses
import json
import shlex
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import tyro

import games
import league
from agents.judges import learned
from agents.learners.imitation import ImitationConfig
from agents.nn.networks import MLPConfig
from arena.evaluation import move_accuracy, solved_positions
from league.api import League
from league.commands import judge
from league.evaluation import judge_parting
from league.settings.config import Config
from league.training.events import Event, GenerationEvent

_GAME = "connect_four"
_COMPARISONS = {"few": 256, "many": 16_384, "few_cut": 256, "many_cut": 16_384}
"""From how many comparisons the judges that learn have learnt."""
_JUDGES = ("rules", *_COMPARISONS, "self")
_CUT = 6
_SHOWN = ("judge_first", "rules_first", "judge_pool", "rules_pool", "excess", "kl")


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      work: folder of judges and runs.
      judges: which of rules, few, many, few_cut, many_cut and self.
      seeds: each judge is learnt, and each league trained, once with every seed.
      generations: of a league.
      pairs: of games in each of a generation's eight matches.
      save: also write the lines, with versions and command, to this JSON file.
    """

    work: Path = Path("judges_bench")
    judges: tuple[str, ...] = _JUDGES
    seeds: tuple[int, ...] = (0, 1, 2)
    generations: int = 24
    pairs: int = 128
    save: Path | None = None


def main(options: Options) -> None:
    """Prints a line a run."""
    document: dict[str, Any] = {
        "command": f"python -m benchmarks.judges {shlex.join(sys.argv[1:])}",
        "versions": {p: metadata.version(p) for p in ("jax", "jaxlib", "flax", "optax")},
        "lines": [],
    }
    (options.work / "runs").mkdir(parents=True, exist_ok=True)
    for seed in options.seeds:
        for name in options.judges:
            line = {"judge": name, "seed": seed, **_run(name, seed, options)}
            print(json.dumps(line), flush=True)
            document["lines"].append(line)
            if options.save:
                options.save.write_text(json.dumps(document, indent=1) + "\n")


def config(options: Options, seed: int) -> Config:
    """A generation takes about a second of one core."""
    return Config(
        generations=options.generations,
        seed=seed,
        matches=8,
        pairs=options.pairs,
        slots=min(options.pairs, 64),
        opening_plies=30,
        learner=ImitationConfig(network=MLPConfig()),
    )


def _run(name: str, seed: int, options: Options) -> dict[str, Any]:
    """Trains a league, or goes on with it; what its record and exact values tell."""
    judged, facts = name, {}
    if comparisons := _COMPARISONS.get(name):
        path = options.work / f"{name}-{seed}.npz"
        cut = name.endswith("_cut")
        _learn(path, comparisons, seed, cut=cut)
        judged = f"adjudicated:{_CUT},by=learned:{path}" if cut else f"learned:{path}"
        facts = {"comparisons": comparisons, "held_out": learned.read_card(path)["measured"]}
    kept = f"{name}-{seed}"
    run = league.train(
        _GAME,
        config(options, seed),
        judge=judged,
        name=kept,
        folder=options.work / "runs",
        resume=(options.work / "runs" / kept / "run.json").exists(),
        callback=_progress,
    )
    with run:
        return facts | _figures(run)


def _progress(event: Event) -> None:
    """A line on stderr after every generation."""
    if isinstance(event, GenerationEvent):
        print(f"generation {event.generation}", *event.alarms, sep="; ", file=sys.stderr)


def _learn(path: Path, comparisons: int, seed: int, *, cut: bool) -> None:
    """Makes the file of a judge, if it is not there: of finished positions, or of any."""
    if path.exists():
        return
    told = judge.Train(
        game=_GAME,
        out=path,
        comparisons=comparisons,
        positions="any" if cut else "final",
        labels="solver" if cut else "rules",
        network="mlp:width=128,layers=2",
        seed=seed,
    )
    judge.run(told)


def _figures(run: League) -> dict[str, Any]:
    """The curves of a run, and its alarms: the first, the first of being gamed, and the last."""
    positions = solved_positions.fixed(games.load(_GAME))
    history = run.figures()
    shares = [
        move_accuracy.measure(run.agent(one), positions, jax.random.key(0)).has_mistake
        for one in run.snapshots
    ]
    curves: dict[str, Any] = {"accuracy": [round(one.share, 4) for one in shares]}
    judged = [one["judged"] for one in history if "judged" in one]
    if not judged:
        return {"positions": shares[0].positions, "curves": curves, "alarms": []}
    curves |= {key: [round(one[key], 4) for one in judged] for key in _SHOWN}
    curves["right"] = [round(one["right"] / max(1, one["decided"]), 4) for one in judged]
    partings = [judge_parting.parting(history[: at + 1]) for at in range(1, len(history))]
    raised = [(at, one) for at, one in enumerate(partings, 1) if one and one.alarms]
    told = [
        {"generation": at, **dataclasses.asdict(one), "alarms": one.alarms} for at, one in raised
    ]
    gamed = [one for one in told if one["p"] < judge_parting.ALPHA]
    kept = {one["generation"]: one for one in (*told[:1], *gamed[:1], *told[-1:])}
    return {"positions": shares[0].positions, "curves": curves, "alarms": list(kept.values())}


if __name__ == "__main__":
    main(tyro.cli(Options))
