"""How much a change of the settings is worth: variants of a training, each given as much CPU time.

    python -m benchmarks.learning --game othello --seconds 120 --variants \\
        "sixteen simulations: learner.simulations=16" "whole window: learner.replay_share=1.0"

Every variant, and the default that they change, trains by self-play alone on one core until it has
used its seconds, compiling excluded; the learning rate falls along with them. A round of games is
followed by a round of learning, and the replay window is a share of the rounds. Then each raw
network meets the default's, from random openings that both play from both seats. The clock counts
the CPU time of this process, so that other programs disturb little. Prints one JSON line a variant.
"""

import dataclasses
import json
import math
import os
import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import tyro

from agents.learners.alphazero import AlphaZero
from arena.evaluation import score
from arena.judges.rules import Rules
from arena.play import match
from arena.play.openings import random_openings
from arena.types import Agent, Params, stack
from games import Game
from league.cli import names
from league.settings import defaults
from league.settings.config import Config
from league.training import step


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      game: which game.
      seconds: of CPU time for each variant.
      seeds: each variant is trained once with every seed.
      variants: NAME: FIELD=VALUE FIELD=VALUE, fields of the configuration or of `learner.`.
      pairs: of games against the default of the same seed.
      plies: openings are up to so many random moves long.
      core: the one to run on.
      save: also write the lines, with the command, to this JSON file.
    """

    game: str = "othello"
    seconds: float = 120.0
    seeds: tuple[int, ...] = (0,)
    variants: tuple[str, ...] = ()
    pairs: int = 200
    plies: int = 8
    core: int = 0
    save: Path | None = None


@dataclass(frozen=True)
class Trained:
    """What a training came to.

    Attributes:
      learner: whose network it is.
      params: the weights.
      figures: rounds, games, positions, and CPU seconds of play and of learning.
    """

    learner: AlphaZero
    params: Params
    figures: dict[str, float]


def main(options: Options) -> None:
    """Prints a line a variant and seed."""
    os.sched_setaffinity(0, {options.core})
    command = f"python -m benchmarks.learning {shlex.join(sys.argv[1:])}"
    document: dict[str, Any] = {"command": command, "lines": []}
    game = names.game(options.game)
    base = defaults.default(options.game.partition(":")[0], game)
    for seed in options.seeds:
        default = train(game, base, options.seconds, seed)
        for text in ("default:", *options.variants):
            name, _, changes = text.partition(":")
            config = changed(base, changes.split())
            trained = train(game, config, options.seconds, seed) if changes else default
            line = {"bench": "learning", "game": options.game, "variant": name, "seed": seed}
            line |= {"changes": changes.strip(), "seconds": options.seconds, **trained.figures}
            if changes:
                line |= _meet(game, trained, default, options)
            print(json.dumps(line), flush=True)
            document["lines"].append(line)
            if options.save:
                options.save.write_text(json.dumps(document, indent=1) + "\n")


def changed(config: Config, changes: list[str]) -> Config:
    """The configuration with FIELD=VALUE, each value of the type that it has."""
    for change in changes:
        path, _, text = change.partition("=")
        part = config.learner if path.startswith("learner.") else config
        field = path.removeprefix("learner.")
        new = {field: type(getattr(part, field))(text)}
        if part is config:
            config = dataclasses.replace(config, **new)
        else:
            config = dataclasses.replace(config, learner=dataclasses.replace(part, **new))
    return config


def train(game: Game, config: Config, seconds: float, seed: int) -> Trained:
    """Trains until the CPU time is used."""
    settings = dataclasses.replace(config.learner, shards=1)
    learner: Any = settings.make(game, Rules(game))
    recorded = step.recorded_match(learner, slots=config.slots, pairs=config.pairs)
    recorded = dataclasses.replace(recorded, shards=1)
    key, clock = jax.random.key(seed), time.process_time
    state, data = learner.init(key), []
    count, spent = config.matches, {"play": 0.0, "learn": 0.0}
    figures = {"rounds": 0, "games": 0, "positions": 0}

    def play(key: jax.Array) -> Any:
        params, keys = stack([state.params] * count), jax.random.split(key, count)
        shape = count, config.pairs
        openings = random_openings(game, key, shape=shape, plies=config.opening_plies)
        played = recorded.play(params, params, keys=keys, openings=openings)
        return played, step.make_dataset(learner, played, np.ones((2, count), bool))

    _, first = play(key)  # compiles, as does the next line
    learner.learn(state, first, fresh=1, progress=0.0, key=key)
    began = clock()
    while (done := (clock() - began) / seconds) < 1:
        here = jax.random.fold_in(key, figures["rounds"] + 1)
        since = clock()
        played, fresh = play(here)
        spent["play"] += clock() - since
        since = clock()
        figures["rounds"] += 1
        data.append(fresh)
        window = data[-max(4, math.ceil(settings.replay_share * len(data))) :]
        rows = step.rows(fresh)
        state, _ = step.learn(learner, state, window, fresh=rows, progress=done, key=here)
        spent["learn"] += clock() - since
        figures["games"] += played.scores.size
        figures["positions"] += rows
    took = {f"{phase}_s": round(used, 1) for phase, used in spent.items()}
    return Trained(learner, state.params, {**figures, **took})


def _meet(game: Game, trained: Trained, default: Trained, options: Options) -> dict[str, Any]:
    """The raw network's score against the default's."""
    agents = [Agent("", one.learner.eval_policy(0), one.params) for one in (trained, default)]
    found = score.of(
        match.play(
            agents[:1],
            agents[1:],
            game,
            key=jax.random.key(3),
            pairs=options.pairs,
            plies=options.plies,
            groups=1,
            slots=min(options.pairs, 50),
        )[0]
    )
    return {"score": round(found.score, 4), "half_width": round(found.half_width, 4)}


if __name__ == "__main__":
    main(tyro.cli(Options))
