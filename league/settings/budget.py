"""Sizes of a training from the game and the time that it may take: how boards are learnt.

The rules, in order:

1. A device does so many multiplications a second (`_SPEED`), of which a training makes the most in
   its network: in searches, where a cache saves about half of the evaluations, and in gradients.
2. Network and search are the largest of `_STEPS` that leave as many positions to learn from as the
   network needs: `_POSITIONS` for the smallest, and more in proportion to the square root of its
   size. So a longer time or a faster device is spent on all of them: network, search and games.
3. A round of games brings about `_ROUND` positions, however long a game of it is: a coarser one
   would go on for long with a player that has been overtaken.
4. A generation, which is kept and measured, is as many rounds as make `_GENERATIONS` of them.
5. The newest quarter of the generations so far is learnt from.
6. Random openings are up to a fifth of a game long, twelve moves at most.
"""

import dataclasses
import math
import time
from dataclasses import dataclass

import jax
import numpy as np

from agents import uniform
from agents.learners.alphazero import AlphaZeroConfig
from agents.nn.networks import ResNetConfig
from arena.play import match
from games import Game
from league.settings.config import Config, MeasureConfig

_SPEED = {"cpu": 2e10, "gpu": 5e12, "tpu": 5e12}
"""Multiplications and additions a second, of one core or one accelerator, all in all. A core's is
that of a training of othello, 280,119 positions in 603 s (benchmarks/results/equal_time_cpu.json);
those of accelerators are guesses of the right order."""
_STEPS = (
    (32, 4, 8),
    (48, 5, 16),
    (64, 6, 16),
    (96, 8, 32),
    (128, 10, 32),
    (192, 15, 64),
    (256, 20, 64),
)
"""Channels and blocks of the network, and simulations a move."""
_POSITIONS = 150_000
_ROUND = 4096
_GENERATIONS = 24
_CACHED = 0.5
"""The share of evaluations that the cache saves, about."""
_GRADIENT = 4.0
"""What a gradient costs, in evaluations."""
_TIMED = 4
"""Pairs of random games by which an env is timed."""
MEASURE = MeasureConfig(opponents=4, pairs=16, baseline_pairs=16, simulations=16, rollouts=16)
"""For long games, in which a hundred rollouts a move would take longer than the training: about a
tenth of it."""


@dataclass(frozen=True)
class Budget:
    """What a training may take.

    Attributes:
      seconds: of wall time.
      platform: cpu, gpu or tpu.
      devices: cores of a CPU, or accelerators.
    """

    seconds: float
    platform: str = "cpu"
    devices: int = 2

    @property
    def operations(self) -> float:
        """Multiplications and additions that fit into it."""
        return self.seconds * self.devices * _SPEED[self.platform]


def multiplications(game: Game, network: ResNetConfig) -> float:
    """Those of one evaluation, heads left out."""
    *cells, planes = jax.eval_shape(game.observe, game.template(), np.int32(0)).shape
    layer = 9 * network.channels**2
    return math.prod(cells) * (9 * planes * network.channels + 2 * network.blocks * layer)


def positions(game: Game, learner: AlphaZeroConfig, budget: Budget) -> float:
    """How many positions a budget pays for, searches and gradients included."""
    searched = 1 + learner.simulations * (1 - _CACHED)
    each = searched + _GRADIENT * learner.replay_ratio
    return budget.operations / (each * _operations(game, learner))


def sized(game: Game, learner: AlphaZeroConfig, budget: Budget) -> AlphaZeroConfig:
    """The learner with its network and search; see rule 2."""
    best, *larger = [
        dataclasses.replace(learner, network=ResNetConfig(channels, blocks), simulations=count)
        for channels, blocks, count in _STEPS
    ]
    smallest = _operations(game, best)
    for one in larger:
        if positions(game, one, budget) < _POSITIONS * math.sqrt(_operations(game, one) / smallest):
            break
        best = one
    return best


def _operations(game: Game, learner: AlphaZeroConfig) -> float:
    assert isinstance(learner.network, ResNetConfig)
    return multiplications(game, learner.network)


def board(game: Game, budget: Budget, *, learner: AlphaZeroConfig) -> Config:
    """A league that learns a board game within a budget, network and search included.

    Args:
      game: with planes as its observation.
      budget: what there is.
      learner: its rates.
    """
    learner = sized(game, learner, budget)
    matches = Config().matches
    pairs = max(1, round(_ROUND / (2 * matches * game.typical_plies)))
    each = 2 * matches * pairs * game.typical_plies
    rounds = max(1, round(positions(game, learner, budget) / (_GENERATIONS * each)))
    return Config(
        generations=_GENERATIONS,
        matches=matches,
        pairs=pairs,
        rounds=rounds,
        slots=pairs,
        opening_plies=min(12, game.typical_plies // 5),
        learner=dataclasses.replace(learner, replay_window=_GENERATIONS, replay_share=0.25),
        measure=MEASURE,
    )


def outside(game: Game, config: Config, seconds: float) -> Config:
    """A league of an env, whose rules may be slow: generations as long as the time allows.

    A few random games are timed, and a generation has as many as take half of a 24th of the time;
    the other half is for learning and measuring.

    Args:
      game: an imported one.
      config: its usual configuration.
      seconds: that training may take.
    """
    moves = 0

    def count(made: np.ndarray) -> None:
        nonlocal moves
        moves += int(made.sum())

    began = time.monotonic()
    agent = uniform.make(game, "")
    match.play(
        [agent],
        [agent],
        game,
        key=jax.random.key(0),
        pairs=_TIMED,
        plies=0,
        groups=1,
        slots=_TIMED,
        callback=count,
    )
    pace = moves / (time.monotonic() - began)
    wanted = pace * seconds / _GENERATIONS / 2
    pairs = max(1, min(config.pairs, round(wanted / (2 * config.matches * game.typical_plies))))
    return dataclasses.replace(config, pairs=pairs, slots=min(pairs, config.slots))
