"""How a league is run, with defaults for each game."""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

from agents import alphazero, networks
from league import matchmaking
from league.errors import UserError


@dataclass(frozen=True)
class Measure:
    """How every new snapshot is measured; nothing here feeds back into training.

    Attributes:
      opponents: snapshots that it meets, raw network against raw network.
      pairs: pairs of games against each of them.
      exam_pairs: pairs against `uniform` (raw network) and against MCTS (with search).
      simulations: of the snapshot's search, against MCTS.
      rollouts: of MCTS.
      opening_plies: openings are up to so many random moves long.
    """

    opponents: int = 8
    pairs: int = 16
    exam_pairs: int = 32
    simulations: int = 32
    rollouts: int = 100
    opening_plies: int = 4


@dataclass(frozen=True)
class Config:
    """A league.

    Attributes:
      generations: snapshots to train.
      seed: of everything random.
      matches: matches side by side in a generation's games.
      pairs: pairs of games in each of these matches.
      slots: games in flight in each match and half.
      pool_share: share of the matches that the current policy plays against old snapshots rather
        than against itself.
      matchmaker: who is drawn from the pool: the latest, all evenly (uniform), or those that win
        (pfsp).
      opening_plies: training games start after up to so many random moves.
      learner: AlphaZero's sizes and rates.
      measure: how every snapshot is measured.
    """

    generations: int = 16
    seed: int = 0
    matches: int = 8
    pairs: int = 24
    slots: int = 8
    pool_share: float = 0.25
    matchmaker: matchmaking.Name = "pfsp"
    opening_plies: int = 4
    learner: alphazero.Config = field(default_factory=alphazero.Config)
    measure: Measure = field(default_factory=Measure)

    def __post_init__(self):
        _positive(self, ("generations", "matches", "pairs", "slots"))
        _positive(self.measure, ("opponents", "pairs", "exam_pairs", "simulations", "rollouts"))
        _positive(self.learner, ("simulations", "considered", "batch_size", "reuse", "window"))
        _positive(self.learner, ("learning_rate", "value_weight"))
        _positive(self.learner.network, ("channels", "blocks"))
        if self.learner.network.channels % 4:
            raise UserError("channels must be a multiple of 4")  # the heads have a quarter
        if not 0 <= self.learner.weight_decay < math.inf:
            raise UserError(f"weight_decay cannot be {self.learner.weight_decay}")
        if not 0 <= self.seed < 2**32:
            raise UserError(f"seed must lie between 0 and 2³² - 1, not {self.seed}")
        if not 0 <= self.pool_share <= 1:
            raise UserError(f"pool_share must lie between 0 and 1, not {self.pool_share}")
        if self.opening_plies < 0 or self.measure.opening_plies < 0:
            raise UserError("opening_plies must not be negative")


def _positive(part: Any, names: tuple[str, ...]) -> None:
    for name in names:
        if not 0 < getattr(part, name) < math.inf:
            raise UserError(f"{name} must be positive, not {getattr(part, name)}")


_DEFAULTS = {
    "connect_four": Config(pairs=48, learner=alphazero.Config(simulations=8, reuse=3.0)),
    "tic_tac_toe": Config(
        generations=18,
        pairs=128,
        slots=64,
        # Any position may come up: the openings reach all of them.
        opening_plies=8,
        learner=alphazero.Config(
            network=networks.ResNetConfig(channels=32, blocks=2), simulations=32, window=8
        ),
        measure=Measure(opening_plies=3),
    ),
}


def default(game: str) -> Config:
    """The configuration that is known to work for a game, or a general one."""
    return _DEFAULTS.get(game, Config())


def parse(value: Any, kind: Any = Config) -> Any:
    """A configuration from nested dicts, as `dataclasses.asdict` gives it.

    Raises:
      UserError: a key is missing, unknown, or of another type.
    """
    fields = {f.name: f for f in dataclasses.fields(kind)}
    if not isinstance(value, dict) or set(value) != set(fields):
        raise UserError(f"the run card's {kind.__name__} does not have the keys {sorted(fields)}")
    parts = {}
    for name, item in value.items():
        part: Any = fields[name].type
        if dataclasses.is_dataclass(part):
            parts[name] = parse(item, part)
        elif _fits(item, part):
            parts[name] = item
        else:
            raise UserError(f"the run card's {name} cannot be {item!r}")
    return kind(**parts)


def _fits(item: Any, kind: Any) -> bool:
    """Whether JSON can hold a value of this type as `item`."""
    if get_origin(kind) is Literal:
        return item in get_args(kind)
    return type(item) is kind or (kind is float and type(item) is int)
