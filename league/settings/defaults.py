"""Configurations that are known to work, game by game, and what suits any other game."""

import dataclasses
from typing import Any

import jax

from agents import learners
from agents.learners.alphazero import AlphaZeroConfig
from agents.learners.base import LearnerConfig
from agents.learners.imitation import ImitationConfig
from agents.learners.mmd import MMDConfig
from agents.learners.td import TDConfig
from agents.nn import MLPConfig, NetworkConfig, ResNetConfig, TowerConfig
from agents.nn.networks import suitable
from games import Game
from league.settings import budget, duration
from league.settings.budget import MEASURE, Budget
from league.settings.config import Config, MeasureConfig

# Self-play alone, and small steps: the pool takes every twentieth of the policies on the way.
_EQUILIBRIUM: dict[str, Any] = {
    "matches": 2,
    "pairs": 4096,
    "rounds": 20,
    "slots": 2048,
    "pool_share": 0.0,
    "opening_plies": 0,
    "measure": MeasureConfig(opening_plies=0),
}
_BOARD = AlphaZeroConfig(
    batch_size=128,
    replay_ratio=1.0,
    learning_rate=5e-3,
    td_lambda=1.0,
    min_value_range=1e-6,
    legality_weight=0.2,
)
"""How boards are learnt: from results, which no search of a few moves can replace, and from each
position once, so that most of the time brings new games."""
_USUAL = Budget(600)
"""What the defaults of boards are made for: ten minutes of two cores, on whatever machine they are
run, so that they give the same bits on all."""

_TRUSTED = 1.0
"""`min_value_range` after imitation, when the policy knows much and the value little: stretched to
full length, differences of values that are mostly noise would undo what was learnt from others."""
_PASSES = 4
"""How often games of others are learnt from where there is no hurry."""

_DEFAULTS = {
    "connect_four": Config(
        pairs=48,
        # So that it learns about positions off the course of good games too.
        opening_plies=30,
        learner=AlphaZeroConfig(
            network=ResNetConfig(channels=32, blocks=4),
            simulations=8,
            batch_size=256,
            replay_ratio=3.0,
            replay_window=10,
            learning_rate=4e-3,
        ),
    ),
    "tic_tac_toe": Config(
        generations=18,
        pairs=128,
        slots=64,
        # Any position may come up: the openings reach all of them.
        opening_plies=8,
        learner=AlphaZeroConfig(
            network=ResNetConfig(channels=32, blocks=2), simulations=32, replay_window=8
        ),
        measure=MeasureConfig(opening_plies=3),
    ),
    # A turn is several moves and a throw: a search of few simulations would not see beyond it.
    "backgammon": Config(
        generations=16,
        matches=4,
        pairs=32,
        rounds=16,
        slots=32,
        pool_share=0.25,
        opening_plies=0,
        learner=TDConfig(network=MLPConfig(width=128, layers=1)),
        measure=MEASURE,
    ),
    "kuhn_poker": Config(generations=30, learner=MMDConfig(), **_EQUILIBRIUM),
    "predictors": Config(generations=30, learner=MMDConfig(), **_EQUILIBRIUM),
    "leduc_poker": Config(
        generations=40,
        # All of its 936 information sets in one batch, whole on each of two devices.
        learner=MMDConfig(batch_size=2048, learning_rate=2e-3),
        **_EQUILIBRIUM,
    ),
}


def default(
    name: str,
    game: Game,
    *,
    learner: str = "",
    network: str = "",
    time: str = "",
    settled: NetworkConfig | None = None,
    imitates: bool = False,
) -> Config:
    """The configuration that is known to work for a game, or a general one.

    Args:
      name: of the game, without options.
      game: its rules.
      learner: its name; what suits the game if empty.
      network: name of its kind, at its usual size; what suits the game if empty.
      time: that training may take, see `Config`; as much as the defaults were made for if empty.
      settled: the network, where the weights to go on from say what it is.
      imitates: whether the first policy imitates games of others.

    Raises:
      UserError: there is no such learner or network, or the time cannot be read.
    """
    found = _DEFAULTS.get(name)
    if found is None or learner not in ("", learners.name_of(found.learner)):
        found = _general(game, learner, time, settled)
    elif time:
        found = _timed(game, found, time, settled)
    if settled:
        changed = dataclasses.replace(found.learner, network=settled)
        found = dataclasses.replace(found, learner=changed)
    elif network:
        changed = dataclasses.replace(found.learner, network=learners.find_network(network)())
        found = dataclasses.replace(found, learner=changed)
    if imitates and isinstance(found.learner, AlphaZeroConfig):
        # An imitation is not told of illegal moves; learning of them now would undo much of it.
        changed = dataclasses.replace(found.learner, min_value_range=_TRUSTED, legality_weight=0.0)
        found = dataclasses.replace(found, learner=changed)
    return dataclasses.replace(found, time=time)


def imitated(game: Game, config: Config, moves: int) -> int:
    """How many positions a policy learns from that begins by imitating so many moves of others.

    Each of them `_PASSES` times, or as many as a quarter of the run's time is enough for.
    """
    usual = _PASSES * moves
    if not config.time or not isinstance(config.learner.network, TowerConfig):
        return usual
    return min(usual, budget.imitated(game, config.learner.network, _budget(config.time)))


def _timed(game: Game, known: Config, time: str, settled: NetworkConfig | None) -> Config:
    """A known configuration with the sizes that a time allows, where there are rules for them."""
    learner, network = known.learner, settled or known.learner.network
    if not isinstance(learner, AlphaZeroConfig) or not isinstance(network, TowerConfig):
        return known
    network = network if settled else None
    found = budget.board(game, _budget(time), learner=learner, network=network)
    return dataclasses.replace(found, opening_plies=known.opening_plies, measure=known.measure)


def _budget(time: str) -> Budget:
    """What this machine can do in a time; what the defaults are made for without one."""
    if not time:
        return _USUAL
    return Budget(duration.seconds(time), jax.default_backend(), jax.local_device_count())


def _general(game: Game, learner: str, time: str, settled: NetworkConfig | None) -> Config:
    """What suits most games: search where it is possible, a network by the observation."""
    network = settled or suitable(game)
    if not learner:
        quick = game.on_device  # an env would be copied for each simulation
        learner = "alphazero" if quick and game.searchable else "ppo"
    config = learners.find(learner).Config(network=network)
    if isinstance(config, ImitationConfig):
        return _imitated(game, config)
    if isinstance(config, AlphaZeroConfig):
        if game.on_device and isinstance(network, TowerConfig):
            fixed = network if settled else None
            return budget.board(game, _budget(time), learner=_BOARD, network=fixed)
        return _searched(game, Config(learner=config))
    if not game.on_device:
        found = _outside(game, config)
        return budget.outside(game, found, duration.seconds(time)) if time else found
    # Half of the games against the pool, from positions in the middle of a game as well; but no
    # random openings where they would tell of cards.
    perfect = game.perfect_information
    return Config(
        pairs=256,
        slots=128,
        pool_share=0.5,
        opening_plies=min(game.max_plies // 4, 30) if perfect else 0,
        learner=config,
        measure=MeasureConfig(opening_plies=4 if perfect else 0),
    )


def _imitated(game: Game, config: ImitationConfig) -> Config:
    """Games are cheap without search, and say little each: many of them, from all over the game."""
    if not game.on_device:
        return _outside(game, config)
    if isinstance(config.network, TowerConfig):
        config = dataclasses.replace(config, network=dataclasses.replace(config.network, blocks=2))
    perfect = game.perfect_information
    pairs = max(8, min(512, 8192 // game.typical_plies))
    return Config(
        generations=100,
        pairs=pairs,
        slots=min(pairs, 256),
        opening_plies=min(game.typical_plies, 30) if perfect else 0,
        learner=config,
        measure=MeasureConfig(opening_plies=min(4, game.typical_plies // 2) if perfect else 0),
    )


def _searched(game: Game, config: Config) -> Config:
    """Where the rules are slow, as many positions a generation, however long a game is."""
    if game.on_device:
        return config
    pairs = min(config.pairs, max(1, 256 // game.typical_plies))
    return dataclasses.replace(config, pairs=pairs, slots=min(pairs, config.slots))


def _outside(game: Game, learner: LearnerConfig) -> Config:
    """For games whose rules are slow: as many positions a generation, however long a game is."""
    if isinstance(learner.network, TowerConfig):
        learner = dataclasses.replace(
            learner, network=dataclasses.replace(learner.network, blocks=2)
        )
    perfect = game.perfect_information
    pairs = min(256, max(8, 2048 // game.typical_plies))
    return Config(
        generations=40,
        pairs=pairs,
        slots=min(pairs, 64),
        opening_plies=8 if perfect else 0,  # so that it learns to play what it would avoid, too
        learner=learner,
        measure=MeasureConfig(opponents=4, opening_plies=4 if perfect else 0),
    )
