"""How a league is run, with defaults for each game."""

import dataclasses
import math
from dataclasses import dataclass, field
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from tyro.conf import subcommand

from agents import search
from agents.learners import alphazero, mmd, ppo
from agents.nn import networks
from arena.types import HostGame
from games import Game
from league.errors import UserError
from league.settings import matchmaking

Learner = (
    Annotated[alphazero.Config, subcommand("alphazero")]
    | Annotated[mmd.Config, subcommand("mmd")]
    | Annotated[ppo.Config, subcommand("ppo")]
)


@dataclass(frozen=True)
class Measure:
    """How every new snapshot is measured.

    The matchmaker hears of its games against other snapshots; nothing else feeds back.

    Attributes:
      opponents: snapshots that it meets, raw network against raw network.
      pairs: pairs of games against each of them.
      exam_pairs: pairs against `uniform` (raw network) and against MCTS (with search).
      simulations: of the snapshot's search, against MCTS.
      rollouts: of MCTS.
      opening_plies: openings are up to so many random moves long.
      jump: Elo that a snapshot may differ from the one before it without an alarm.
    """

    opponents: int = 8
    pairs: int = 16
    exam_pairs: int = 32
    simulations: int = 32
    rollouts: int = 100
    opening_plies: int = 4
    jump: float = 400.0


@dataclass(frozen=True)
class Config:
    """A league.

    Attributes:
      generations: snapshots to train.
      seed: of everything random.
      matches: matches side by side in a generation's games.
      pairs: pairs of games in each of these matches.
      rounds: how often a generation plays its matches and learns from them.
      slots: games in flight in each match and half.
      pool_share: share of the matches that the current policy plays against old snapshots rather
        than against itself.
      matchmaker: who is drawn from the pool: latest, uniform (all evenly), pfsp (those that win),
        pfsp:even (equals), nash (the pool's equilibrium), or shares of these, 0.5*latest+0.5*pfsp.
      main_exploiters: learners that meet the current main agent alone, and join the pool.
      league_exploiters: learners that meet the whole pool, and join it; see `league/roles.py`.
        Every exploiter plays as many matches as the main agent.
      exploiter_generations: an exploiter joins the pool after so many generations at the latest.
      opening_plies: training games start after up to so many random moves.
      learner: sizes and rates of the learner; `--learner NAME` says which one.
      measure: how every snapshot is measured.
    """

    generations: int = 16
    seed: int = 0
    matches: int = 8
    pairs: int = 24
    rounds: int = 1
    slots: int = 8
    pool_share: float = 0.25
    matchmaker: str = "pfsp"
    main_exploiters: int = 0
    league_exploiters: int = 0
    exploiter_generations: int = 4
    opening_plies: int = 4
    learner: Learner = field(default_factory=alphazero.Config)
    measure: Measure = field(default_factory=Measure)

    def __post_init__(self):
        _positive(
            self, ("generations", "matches", "pairs", "rounds", "slots", "exploiter_generations")
        )
        _positive(self.measure, _numbers(self.measure, "opening_plies"))
        free = ("network", "weight_decay", "trace", "ownership_weight")
        _positive(self.learner, _numbers(self.learner, *free))
        _positive(self.learner.network, _numbers(self.learner.network))
        if getattr(self.learner.network, "channels", 4) % 4:
            raise UserError("channels must be a multiple of 4")  # the heads have a quarter
        for name in ("weight_decay", "ownership_weight"):
            if not 0 <= (weight := getattr(self.learner, name, 0.0)) < math.inf:
                raise UserError(f"{name} cannot be {weight}")
        if not 0 <= (trace := getattr(self.learner, "trace", 1.0)) <= 1:
            raise UserError(f"trace must lie between 0 and 1, not {trace}")
        if not 0 <= self.seed < 2**32:
            raise UserError(f"seed must lie between 0 and 2³² - 1, not {self.seed}")
        if not 0 <= self.pool_share <= 1:
            raise UserError(f"pool_share must lie between 0 and 1, not {self.pool_share}")
        if self.main_exploiters < 0 or self.league_exploiters < 0:
            raise UserError("a number of exploiters must not be negative")
        if self.opening_plies < 0 or self.measure.opening_plies < 0:
            raise UserError("opening_plies must not be negative")
        matchmaking.parse(self.matchmaker)


def _numbers(part: Any, *free: str) -> tuple[str, ...]:
    """The fields of a part, but for some."""
    return tuple(f.name for f in dataclasses.fields(part) if f.name not in free)


def _positive(part: Any, names: tuple[str, ...]) -> None:
    for name in names:
        if not 0 < getattr(part, name) < math.inf:
            raise UserError(f"{name} must be positive, not {getattr(part, name)}")


# Self-play alone, and small steps: the pool takes every twentieth of the policies on the way.
_EQUILIBRIUM: dict[str, Any] = {
    "matches": 2,
    "pairs": 4096,
    "rounds": 20,
    "slots": 2048,
    "pool_share": 0.0,
    "opening_plies": 0,
    "measure": Measure(opening_plies=0),
}
_LONG = Measure(opponents=4, pairs=8, exam_pairs=4, simulations=16, rollouts=16)
"""For games of a hundred moves and more, in which a hundred rollouts a move would take longer than
the training."""


def _board(channels: int, blocks: int, pairs: int, plies: int) -> Config:
    """Search and a tower, for a game of many moves."""
    network = networks.ResNetConfig(channels, blocks)
    learner = alphazero.Config(network, batch_size=256, reuse=3.0, window=8, learning_rate=2e-3)
    return Config(pairs=pairs, slots=4, opening_plies=plies, learner=learner, measure=_LONG)


_DEFAULTS = {
    "connect_four": Config(
        pairs=48,
        # So that it learns about positions off the course of good games too.
        opening_plies=30,
        learner=alphazero.Config(
            network=networks.ResNetConfig(channels=32, blocks=4),
            simulations=8,
            batch_size=256,
            reuse=3.0,
            window=10,
            learning_rate=4e-3,
        ),
    ),
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
    # Boards: the tower, then pairs in each of eight matches, fewer where games are long or boards
    # large, and how many random moves may begin a game.
    "animal_shogi": _board(32, 3, pairs=16, plies=8),
    "breakthrough": _board(32, 3, pairs=16, plies=12),
    "chess": _board(32, 4, pairs=4, plies=12),
    "english_draughts": _board(32, 4, pairs=8, plies=10),
    "gardner_chess": _board(32, 3, pairs=8, plies=8),
    "go": _board(32, 4, pairs=8, plies=12),
    "gomoku": _board(32, 3, pairs=4, plies=8),
    "hex": _board(32, 4, pairs=8, plies=10),
    "othello": _board(32, 4, pairs=12, plies=12),
    # A turn is several moves and a throw: a search of few simulations would not see beyond it.
    "backgammon": Config(
        pairs=64,
        slots=32,
        pool_share=0.5,
        learner=ppo.Config(network=networks.MLPConfig(width=128, layers=2)),
        measure=_LONG,
    ),
    "kuhn_poker": Config(generations=30, learner=mmd.Config(), **_EQUILIBRIUM),
    "leduc_poker": Config(
        generations=40,
        # All of its 936 information sets in one batch, whole on each of two devices.
        learner=mmd.Config(batch_size=2048, learning_rate=2e-3),
        **_EQUILIBRIUM,
    ),
}


def default(name: str, game: Game, learner: str = "") -> Config:
    """The configuration that is known to work for a game, or a general one.

    Args:
      name: of the game, without options.
      game: its rules.
      learner: `alphazero`, `mmd` or `ppo`; what suits the game if empty.
    """
    found = _DEFAULTS.get(name)
    if found is None or learner not in ("", learner_name(found)):
        found = _general(game, learner)
    return found


def learner_name(config: Config) -> str:
    """`alphazero`, `mmd` or `ppo`: the file that its class is in."""
    return type(config.learner).__module__.rpartition(".")[2]


def _general(game: Game, learner: str) -> Config:
    """What suits most games: search where it is possible, a network by the observation."""
    network = networks.suitable(game)
    if not learner:
        quick = not isinstance(game, HostGame)  # an env would be copied for each simulation
        learner = "alphazero" if quick and search.possible(game) else "ppo"
    if learner == "alphazero":
        return _searched(game, Config(learner=alphazero.Config(network=network)))
    if isinstance(game, HostGame):
        return _outside(game, network)
    # Half of the games against the pool, from positions in the middle of a game as well; but no
    # random openings where they would tell of cards.
    perfect = game.perfect_information
    return Config(
        pairs=256,
        slots=128,
        pool_share=0.5,
        opening_plies=min(game.max_plies // 4, 30) if perfect else 0,
        learner=ppo.Config(network=network),
        measure=Measure(opening_plies=4 if perfect else 0),
    )


def _searched(game: Game, config: Config) -> Config:
    """Where the rules are slow, as many positions a generation, however long a game is."""
    if not isinstance(game, HostGame):
        return config
    pairs = min(config.pairs, max(1, 256 // game.usual_plies))
    return dataclasses.replace(config, pairs=pairs, slots=min(pairs, config.slots))


def _outside(game: HostGame, network: networks.Config) -> Config:
    """For games whose rules are slow: as many positions a generation, however long a game is."""
    if isinstance(network, networks.ResNetConfig):
        network = networks.ResNetConfig(blocks=2)
    perfect = game.perfect_information
    pairs = min(256, max(8, 2048 // game.usual_plies))
    return Config(
        generations=40,
        pairs=pairs,
        slots=min(pairs, 64),
        opening_plies=8 if perfect else 0,  # so that it learns to play what it would avoid, too
        learner=ppo.Config(network=network),
        measure=Measure(opponents=4, opening_plies=4 if perfect else 0),
    )


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
        part: Any = _choose(fields[name].type, item)
        if dataclasses.is_dataclass(part):
            parts[name] = parse(item, part)
        elif _fits(item, part):
            parts[name] = item
        else:
            raise UserError(f"the run card's {name} cannot be {item!r}")
    return kind(**parts)


def _choose(kind: Any, item: Any) -> Any:
    """Of several dataclasses the one whose fields an item has, or the first."""
    if get_origin(kind) not in (Union, UnionType):
        return kind
    keys = set(item) if isinstance(item, dict) else set()
    kinds = [get_args(k)[0] if get_origin(k) is Annotated else k for k in get_args(kind)]
    return min(kinds, key=lambda k: len(keys ^ {f.name for f in dataclasses.fields(k)}))


def _fits(item: Any, kind: Any) -> bool:
    """Whether JSON can hold a value of this type as `item`."""
    return type(item) is kind or (kind is float and type(item) is int)
