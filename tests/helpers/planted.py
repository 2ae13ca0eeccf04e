"""Runs that nothing trained: their record, datasets and snapshots are made up."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from agents.learners.alphazero import AlphaZeroConfig, Dataset
from agents.nn.networks import ResNetConfig
from agents.policies import SearchTarget
from arena.play.openings import random_openings
from league.settings.config import Config
from league.store import runs
from league.store.checkpoints import digest
from league.store.database import MatchResult
from league.store.run import Run

GENERATIONS = 5
ROWS = 600


@dataclass(frozen=True)
class Plant:
    """What is the matter with a run; nothing by default.

    Attributes:
      seed: of the run.
      learning_rate: as its card says.
      step: how far a generation moves the weights, as a share of their length.
      draws: share of the training games that are drawn.
      repeated: its positions are those of one game, over and over.
      noisy: targets have nothing to do with the positions.
      value_loss: of the last generation.
      uniform_search: the search prefers no move.
      gain: by how much the score against the snapshot before exceeds one half.
      loses_to: an earlier snapshot that the newest loses every game to; none if negative.
      figures: more figures of every generation.
    """

    seed: int = 0
    learning_rate: float = 3e-3
    step: float = 0.1
    draws: float = 0.2
    repeated: bool = False
    noisy: bool = False
    value_loss: float = 0.4
    uniform_search: bool = False
    gain: float = 0.2
    loses_to: int = -1
    figures: tuple[tuple[str, Any], ...] = ()


def run(folder: Path, name: str, plant: Plant = Plant(), game: str = "tic_tac_toe") -> Run:
    """Writes a run of `GENERATIONS` generations below a folder of runs."""
    network = ResNetConfig(channels=8, blocks=1)
    config = Config(
        generations=GENERATIONS,
        seed=plant.seed,
        learner=AlphaZeroConfig(network=network, learning_rate=plant.learning_rate),
    )
    made = runs.create(game, config, name=name, folder=folder)
    rng = np.random.default_rng(plant.seed)
    params = _moved(made.learner.init(jax.random.key(plant.seed)).params, 1.0, rng)
    with made.results(create=True) as results:
        for number in range(GENERATIONS + 1):
            params = _moved(params, plant.step, rng)
            made.snapshots.save(number, params)
            results.write(
                number, _matches(number, plant), (number, digest(params)), _figures(number, plant)
            )
    made.write_data(str(GENERATIONS), _dataset(made, plant, rng))
    return made


def _moved(params: Any, step: float, rng: np.random.Generator) -> Any:
    """Weights changed at random by a share of their length."""
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(params)]
    scale = np.sqrt(np.mean(np.concatenate([leaf.ravel() for leaf in leaves]) ** 2))
    return jax.tree.map(
        lambda x: (np.asarray(x) + step * scale * rng.normal(size=x.shape)).astype(x.dtype), params
    )


def _matches(number: int, plant: Plant) -> list[MatchResult]:
    """Who met whom in a generation, 32 pairs each."""
    found = [MatchResult("uniform", str(number), "uniform", _scores(0.5 + number * 0.08, 0.1))]
    if number:
        before = str(number - 1)
        found.append(MatchResult("measure", str(number), before, _scores(0.5 + plant.gain, 0.1)))
        found.append(MatchResult("train", before, before, _scores(0.5, plant.draws)))
    if number == GENERATIONS and plant.loses_to >= 0:
        found.append(MatchResult("measure", str(number), str(plant.loses_to), _scores(0.0, 0.0)))
    return found


def _scores(share: float, draws: float) -> np.ndarray:
    """32 pairs f32[32, 2] with about this score and share of draws."""
    drawn = round(64 * draws)
    won = round((64 - drawn) * share)
    scores = [1.0] * won + [0.5] * drawn + [0.0] * (64 - drawn - won)
    return np.array(scores, np.float32).reshape(2, 32).T


def _figures(number: int, plant: Plant) -> dict[str, Any]:
    """What a generation's record holds."""
    passes = {"type_1": 1000, "type_2": 100}
    if number == 0:
        return {"generation": 0, "passes": passes, "alarms": []}
    return {
        "generation": number,
        "loss": plant.value_loss + 1.0,
        "policy_loss": 1.0,
        "value_loss": plant.value_loss,
        "games": 64,
        "positions": ROWS,
        "games_per_s": 100.0,
        "seconds": 2.0,
        "phase_seconds": {"play": 0.64, "learn": 1.0, "measure": 0.36},
        "passes": passes,
        "alarms": [],
        **dict(plant.figures),
    }


def _dataset(made: Run, plant: Plant, rng: np.random.Generator) -> Dataset:
    """Positions after random moves; equal ones have the same target unless it is noisy."""
    game = made.game
    states = random_openings(game, jax.random.key(1), shape=(ROWS,), plies=5)
    states = jax.tree.map(np.asarray, states)
    if plant.repeated:
        states = jax.tree.map(lambda x: x[np.arange(ROWS) % 9], states)
    legal = np.asarray(jax.vmap(game.legal)(states))
    seen = jax.vmap(game.observe)(states, jax.vmap(game.mover)(states))
    sums = np.asarray(seen).reshape(ROWS, -1) @ np.arange(1, seen[0].size + 1)
    target = np.where(np.sin(sums) > 0, 1.0, -1.0)
    if plant.noisy:
        target = rng.choice([-1.0, 1.0], ROWS)
    if plant.draws == 1:
        target = np.zeros(ROWS)
    logits = np.asarray(made.learner.logits(made.weights(GENERATIONS), seen))
    logits = np.where(legal, logits, -np.inf)
    odds = np.exp(1.2 * (logits - logits.max(1, keepdims=True)))
    odds = legal.astype(float) if plant.uniform_search else odds
    policy = (odds / odds.sum(1, keepdims=True)).astype(np.float32)
    moves = np.tile(np.arange(game.num_actions, dtype=np.int16), (ROWS, 1))
    outcome = target.astype(np.float32)
    return Dataset(states, SearchTarget(moves, policy, outcome, np.zeros(ROWS, bool)), outcome)
