"""How a league is run: one frozen dataclass, which checks itself."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

from agents import learners
from agents.learners.alphazero import AlphaZeroConfig
from agents.learners.base import LearnerConfig
from agents.nn.networks import NetworkConfig
from arena.errors import (
    PAIRS,
    PLIES,
    SIMULATIONS,
    UserError,
    check_not_negative,
    check_positive,
    check_seed,
    check_share,
)
from arena.shards import MOST_SHARDS, SHARDS
from arena.types import Judge
from league.settings import duration, matchmaking
from league.settings.json_object import JsonObject

_GENERATIONS, _MATCHES, _EXPLOITERS = 10**6, 10**4, 100
_RUNGS = 8
_PAIRS = 10**7
"""Pairs in all training games of a generation, whose openings are drawn at once, at most."""


@dataclass(frozen=True)
class MeasureConfig:
    """How every new snapshot is measured.

    The matchmaker is given its games against other snapshots; nothing else feeds back.

    Attributes:
      opponents: snapshots that it meets, raw network against raw network.
      pairs: pairs of games against each of them.
      baseline_pairs: pairs against each fixed opponent: `uniform` (raw network), and a rung of the
        ladder (with search); 0 leaves them out.
      every: generations from one meeting with the fixed opponents to the next; the last snapshot
        meets them in any case.
      last_pairs: pairs of the last snapshot against each of them, if more than `baseline_pairs`.
      simulations: of the snapshot's search, on the ladder.
      rollouts: of the ladder's first rung, an MCTS.
      rungs: of the ladder; each is an MCTS of four times the rollouts of the one below it. A rung
        is left for the next one by a snapshot that scores 90 %.
      opening_plies: openings are up to so many random moves long.
      max_elo_step: Elo that a snapshot may differ from the one before it without a word: a fall
        beyond it is an alarm, a rise a note.

    Raises:
      UserError: a figure is out of its range.
    """

    opponents: int = 8
    pairs: int = 16
    baseline_pairs: int = 32
    every: int = 1
    last_pairs: int = 0
    simulations: int = 32
    rollouts: int = 100
    rungs: int = 1
    opening_plies: int = 4
    max_elo_step: float = 400.0

    def __post_init__(self):
        check_positive(self, "opponents", most=_MATCHES)
        check_positive(self, "pairs", most=PAIRS)
        check_not_negative(self, "baseline_pairs", "last_pairs", most=PAIRS)
        check_positive(self, "every", most=_GENERATIONS)
        check_positive(self, "simulations", "rollouts", most=SIMULATIONS)
        check_positive(self, "rungs", most=_RUNGS)
        check_positive(self, "max_elo_step")
        check_not_negative(self, "opening_plies", most=PLIES)


@dataclass(frozen=True)
class Config:
    """A league.

    Attributes:
      generations: snapshots to train; with `time`, found out by the run.
      time: that training may take, as 90s, 15m or 2h; no limit if empty. Sizes follow from it
        unless they are given, and the number of generations from what the first ones take.
      plateau: generations at the full learning rate, which falls after them; with `time`, those
        that were timed.
      seed: of everything random.
      matches: matches side by side in a generation's games.
      pairs: pairs of games in each of these matches.
      rounds: how often a generation plays its matches and learns from them.
      lag: 1 has a generation's games played while the one before it is learnt, by the newest
        snapshot that there is then, so that neither actors of a cluster nor the learner wait; with
        0 the newest weights play.
      slots: games in flight in each match and half.
      pool_share: share of the matches that the current policy plays against old snapshots rather
        than against itself.
      matchmaker: who is drawn from the pool: latest, uniform (all evenly), pfsp (those that win),
        pfsp:even (equals), nash (the pool's equilibrium), MODULE:FUNCTION, or shares of these,
        0.5*latest+0.5*pfsp.
      main_exploiters: learners that meet the current main agent alone, and join the pool.
      league_exploiters: learners that meet the whole pool, and join it; see
        `league/training/exploiters.py`. Every exploiter plays as many matches as the main agent.
      exploiter_generations: an exploiter joins the pool after so many generations at the latest.
      opening_plies: training games start after up to so many random moves.
      shards: in how many parts a batch of matches is played at most, see `arena/shards.py`; up to
        so many devices work at once.
      learner: sizes and rates of the learner; `--learner NAME` says which one.
      measure: how every snapshot is measured.

    Raises:
      UserError: a figure is out of its range.
    """

    generations: int = 16
    time: str = ""
    plateau: int = 0
    seed: int = 0
    matches: int = 8
    pairs: int = 24
    rounds: int = 1
    lag: int = 0
    slots: int = 8
    pool_share: float = 0.25
    matchmaker: str = "pfsp"
    main_exploiters: int = 0
    league_exploiters: int = 0
    exploiter_generations: int = 4
    opening_plies: int = 4
    shards: int = SHARDS
    learner: LearnerConfig = field(default_factory=AlphaZeroConfig)
    measure: MeasureConfig = field(default_factory=MeasureConfig)

    def __post_init__(self):
        check_positive(self, "generations", "exploiter_generations", most=_GENERATIONS)
        check_positive(self, "matches", "rounds", most=_MATCHES)
        check_positive(self, "pairs", "slots", most=PAIRS)
        check_positive(self, "shards", most=MOST_SHARDS)
        check_not_negative(self, "main_exploiters", "league_exploiters", most=_EXPLOITERS)
        check_not_negative(self, "opening_plies", most=PLIES)
        check_not_negative(self, "plateau", most=_GENERATIONS)
        learning = 1 + self.main_exploiters + self.league_exploiters
        if learning * self.matches * self.pairs * self.rounds > _PAIRS:
            raise UserError(
                f"matches × pairs × rounds, of all who learn, must be at most {_PAIRS:,}"
            )
        check_share(self, "pool_share")
        self._check_lag()
        check_seed(self.seed)
        matchmaking.find(self.matchmaker)
        if self.time:
            duration.seconds(self.time)

    def _check_lag(self) -> None:
        if self.lag not in (0, 1):
            raise UserError(f"lag must be 0 or 1, not {self.lag}")
        if self.lag and self.learner.on_policy:
            raise UserError(
                f"{learners.name_of(self.learner)} learns from games of the newest weights alone, "
                "which with lag 1 nobody plays"
            )

    def check_judge(self, judge: Judge) -> None:
        """Raises UserError if games are to be played before the judge has learnt to judge them."""
        if self.lag and judge.weighted is not None:
            raise UserError("a judge that learns goes with lag 0: it judges by the newest weights")

    def played_by(self, generation: int) -> int:
        """The snapshot after which a generation's training games begin, and whose weights play."""
        return max(0, generation - 1 - self.lag)

    @property
    def calibrated(self) -> bool:
        """Whether the number of generations is settled."""
        return not self.time or self.plateau > 0

    def progress(self, done: float) -> float:
        """Share of the run that is done after so many generations, as schedules go by it."""
        if not self.calibrated:
            return 0.0
        return max(0.0, (done - self.plateau) / max(1, self.generations - self.plateau))


def to_card(config: Config) -> JsonObject:
    """What a run card keeps of a configuration: its fields, and the names of learner and network.

    `from_card` reads it back.
    """
    return {
        "learner": learners.name_of(config.learner),
        "network": learners.network_name(config.learner.network),
        "config": dataclasses.asdict(config),
    }


def from_card(card: JsonObject) -> Config:
    """The configuration that a run card holds.

    Raises:
      UserError: a key is missing, unknown, or of another type; the learner or its network is not to
        be found.
    """
    learner = learners.find(str(card.get("learner"))).Config
    network = learners.find_network(str(card.get("network")))
    kinds = {LearnerConfig: learner, NetworkConfig: network}
    return _parse(card["config"], Config, kinds)


def _parse(value: Any, kind: Any, kinds: dict[Any, Any]) -> Any:
    """A dataclass from nested dicts, as `dataclasses.asdict` gives them."""
    fields = {f.name for f in dataclasses.fields(kind)}
    if not isinstance(value, dict) or set(value) != fields:
        raise UserError(f"the run card's {kind.__name__} does not have the keys {sorted(fields)}")
    hints = get_type_hints(kind)  # postponed annotations are strings
    parts = {}
    for name, item in value.items():
        declared = hints[name]
        part = kinds.get(declared, declared)
        if dataclasses.is_dataclass(part):
            parts[name] = _parse(item, part, kinds)
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
