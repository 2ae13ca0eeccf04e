"""Sizes of a training from the game and the time that it may take: how boards are learnt.

The rules, in order:

1. A device does so many multiplications a second (`_SPEED`), of which a training makes the most in
   its network: in searches, where a cache saves about half of the evaluations, and in gradients.
2. Network and search are the largest of `_STEPS` that leave as many positions to learn from as the
   network needs: `_POSITIONS` for the smallest, and more in proportion to the square root of its
   size. So a longer time or a faster device is spent on all of them: network, search and games.
3. A round of games brings about `_ROUND` positions, however long a game of it is: a coarser one
   would go on for long with a player that has been overtaken. An accelerator takes as many times
   more in a gradient step, too.
4. A generation, which is kept and measured, is as many rounds as make `_GENERATIONS` of them.
5. The newest quarter of the generations so far is learnt from.
6. Random openings are up to a fifth of a game long, twelve moves at most.
7. Measuring takes about a tenth of the time: `_RATED` of it games against older snapshots,
   `_MET` games against fixed opponents on the way, and as much again those of the last snapshot,
   which tell its score to ± 3 % where that is enough for 200 pairs.
8. Games of others are learnt from for a quarter of the time at most, before the first generation.
"""

import dataclasses
import math
import time
from dataclasses import dataclass

import jax
import numpy as np

from agents import uniform
from agents.learners.alphazero import AlphaZeroConfig
from agents.nn import ResNetConfig, TowerConfig, networks
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
_ROUND = {"cpu": 4096, "gpu": 32768, "tpu": 32768}
"""Positions. An accelerator is idle with a few games in flight; how many it likes is a guess."""
_GENERATIONS = 24
_CACHED = 0.5
"""The share of evaluations that the cache saves, about."""
_GRADIENT = 4.0
"""What a gradient costs, in evaluations."""
_TIMED = 4
"""Pairs of random games by which an env is timed."""
MEASURE = MeasureConfig(
    opponents=4, pairs=8, baseline_pairs=16, every=4, last_pairs=100, simulations=16, rollouts=16
)
"""For long games, in which a hundred rollouts a move would take longer than the training."""
_RATED, _MET = 0.05, 0.025
_IMITATED = 0.25
_ROLLOUT = 1e-6
"""Seconds that a random move takes within a rollout, about; slow rules take ten times as long."""
_RUNGS = 4
_LAST_PAIRS = 200


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


def tower(game: Game, channels: int, blocks: int) -> TowerConfig:
    """A residual tower of a size, of the kind that suits the game."""
    kind = networks.suitable(game)
    return (type(kind) if isinstance(kind, TowerConfig) else ResNetConfig)(channels, blocks)


def multiplications(game: Game, network: TowerConfig) -> float:
    """Those of one evaluation, heads left out."""
    *cells, planes = jax.eval_shape(game.observe, game.template(), np.int32(0)).shape
    layer = 9 * network.channels**2
    return math.prod(cells) * (9 * planes * network.channels + 2 * network.blocks * layer)


def positions(game: Game, learner: AlphaZeroConfig, budget: Budget) -> float:
    """How many positions a budget pays for, searches and gradients included."""
    return budget.operations / (_evaluations(learner) * _operations(game, learner))


def _evaluations(learner: AlphaZeroConfig) -> float:
    """What a position costs, search and gradient, in evaluations of the network."""
    searched = 1 + learner.simulations * (1 - _CACHED)
    return searched + _GRADIENT * learner.replay_ratio


def sized(
    game: Game, learner: AlphaZeroConfig, budget: Budget, *, network: TowerConfig | None = None
) -> AlphaZeroConfig:
    """The learner with its network and search; see rule 2.

    Args:
      game: what is learnt.
      learner: its rates.
      budget: what there is.
      network: one that is settled already.
    """
    best, *larger = [
        dataclasses.replace(
            learner, network=network or tower(game, channels, blocks), simulations=count
        )
        for channels, blocks, count in _STEPS
    ]
    channels, blocks, _ = _STEPS[0]
    smallest = multiplications(game, tower(game, channels, blocks))
    for one in larger:
        if positions(game, one, budget) < _POSITIONS * math.sqrt(_operations(game, one) / smallest):
            break
        best = one
    return best


def imitated(game: Game, network: TowerConfig, budget: Budget) -> int:
    """How many positions of games of others are learnt from; see rule 8."""
    each = _GRADIENT * multiplications(game, network)
    return max(1, int(_IMITATED * budget.operations / each))


def _operations(game: Game, learner: AlphaZeroConfig) -> float:
    assert isinstance(learner.network, TowerConfig)
    return multiplications(game, learner.network)


def board(
    game: Game,
    budget: Budget,
    *,
    learner: AlphaZeroConfig,
    network: TowerConfig | None = None,
) -> Config:
    """A league that learns a board game within a budget, network and search included.

    Args:
      game: with planes as its observation.
      budget: what there is.
      learner: its rates.
      network: one that is settled already.
    """
    learner = sized(game, learner, budget, network=network)
    wide = _ROUND[budget.platform] // _ROUND["cpu"]
    learner = dataclasses.replace(learner, batch_size=learner.batch_size * wide)
    matches = Config().matches
    pairs = max(1, round(_ROUND[budget.platform] / (2 * matches * game.typical_plies)))
    each = 2 * matches * pairs * game.typical_plies
    rounds = max(1, round(positions(game, learner, budget) / (_GENERATIONS * each)))
    spent = rounds * each * _evaluations(learner)
    return Config(
        generations=_GENERATIONS,
        matches=matches,
        pairs=pairs,
        rounds=rounds,
        slots=pairs,
        opening_plies=min(12, game.typical_plies // 5),
        learner=dataclasses.replace(learner, replay_window=_GENERATIONS, replay_share=0.25),
        measure=measured(game, spent, budget),
    )


def measured(game: Game, spent: float, budget: Budget) -> MeasureConfig:
    """How snapshots are measured in about a tenth of the time; see rule 7.

    Args:
      game: what is learnt.
      spent: evaluations that a generation takes for training, gradients included.
      budget: what there is.
    """
    usual, plies = MEASURE, game.typical_plies
    rated = 2 * usual.opponents * plies  # evaluations, of a pair against each of them
    met = plies * (1 + usual.simulations * (1 - _CACHED))  # of a pair against fixed opponents
    every = math.ceil(usual.baseline_pairs * met / (_MET * spent))
    last = int(_MET * _GENERATIONS * spent / met)
    rungs = 1
    share = _MET * budget.seconds * budget.devices * min(1.0, every / _GENERATIONS)
    # A pair's moves are half of two games, and its rollouts half a game long in the mean.
    rollout_seconds = usual.baseline_pairs * plies * plies / 2 * _ROLLOUT
    while rungs < _RUNGS and usual.rollouts * 4**rungs * rollout_seconds <= share:
        rungs += 1
    return dataclasses.replace(
        usual,
        pairs=min(16, max(4, int(_RATED * spent / rated))),
        every=min(_GENERATIONS, every),
        last_pairs=min(_LAST_PAIRS, max(usual.baseline_pairs, last)),
        rungs=rungs,
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
