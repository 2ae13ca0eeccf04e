"""Several runs of one game side by side: their curves, and mean and spread over seeds."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arena.errors import UserError
from league.evaluation import leaderboard
from league.evaluation.tables import Record, score
from league.report import data
from league.store.database import Results
from league.store.run import Run

Floats = NDArray[np.float64]
Axis = Literal["generation", "games", "seconds"]
Figure = Literal["elo", "loss", "policy_loss", "value_loss", "uniform", "mcts"]


@dataclass(frozen=True, eq=False)
class Curve:
    """One run, by generation; all arrays are f64[n], NaN where nothing was measured.

    Attributes:
      name: of the run.
      game: as a user types it.
      seed: of the run.
      settings: everything but the seed that makes a run, by dotted name.
      generation: 0, 1, …
      games: training games up to then.
      seconds: training took up to then, measuring included.
      elo: above the run's own snapshot 0.
      half_width: of its 95 % interval.
      loss: total loss; NaN in generation 0, as the next two.
      policy_loss: the policy's part, unweighted.
      value_loss: the value's part, unweighted.
      uniform: score of the raw network against uniform play.
      mcts: score with search against tree search.
    """

    name: str
    game: str
    seed: int
    settings: Mapping[str, str]
    generation: Floats
    games: Floats
    seconds: Floats
    elo: Floats
    half_width: Floats
    loss: Floats
    policy_loss: Floats
    value_loss: Floats
    uniform: Floats
    mcts: Floats


@dataclass(frozen=True, eq=False)
class Group:
    """Runs that differ in their seed alone.

    Attributes:
      curves: at least one.
    """

    curves: tuple[Curve, ...]

    @property
    def label(self) -> str:
        """The name of its run, or of the first and how many seeds there are."""
        first, count = self.curves[0].name, len(self.curves)
        return first if count == 1 else f"{first} ({count} seeds)"

    @property
    def length(self) -> int:
        """Generations, generation 0 included, that all of its runs have."""
        return min(len(curve.generation) for curve in self.curves)

    def mean(self, name: Axis | Figure) -> Floats:
        """Mean over the runs, f64[length]; NaN where one of them has no value."""
        return self._stacked(name).mean(0)

    def spread(self, name: Axis | Figure) -> Floats:
        """Standard deviation between the runs (n - 1), f64[length]; NaN for a single run."""
        if len(self.curves) == 1:
            return np.full(self.length, math.nan)
        return self._stacked(name).std(0, ddof=1)

    def _stacked(self, name: Axis | Figure) -> Floats:
        return np.stack([getattr(curve, name)[: self.length] for curve in self.curves])


def read(run: Run, results: Results) -> Curve:
    """A run's curve from its record.

    Raises:
      UserError: the run has no snapshot yet.
    """
    ids = list(results.digests())
    _, _, fit = leaderboard.fitted(results)
    history = {g.number: g for g in map(data.generation, results.events())}
    known = [history.get(i, data.Generation(i)) for i in ids]

    def column(name: str) -> Floats:
        return np.array([getattr(g, name) for g in known], np.float64)

    return Curve(
        name=run.name,
        game=str(run.card["game"]),
        seed=run.config.seed,
        settings=_settings(run.card),
        generation=np.array(ids, np.float64),
        games=np.cumsum(np.nan_to_num(column("games"))),
        seconds=np.cumsum(np.nan_to_num(column("seconds"))),
        elo=np.asarray(fit.elo[: len(ids)], np.float64),
        half_width=np.asarray(fit.half_width[: len(ids)], np.float64),
        loss=column("loss"),
        policy_loss=column("policy_loss"),
        value_loss=column("value_loss"),
        uniform=_scores(results, "uniform", ids),
        mcts=_scores(results, "mcts", ids),
    )


def _scores(results: Results, role: str, ids: Sequence[int]) -> Floats:
    """Scores f64[n] of snapshots against a baseline."""
    met: dict[int, Record] = {
        int(t.a): (t.wins, t.draws, t.losses) for t in results.tallies(role) if t.games
    }
    return np.array([score(met[i]) if i in met else math.nan for i in ids], np.float64)


def _settings(card: Mapping[str, object]) -> dict[str, str]:
    """All that decides what a run learns, but for its seed."""
    names = ("game", "game_version", "learner", "network", "judge", "config")
    found = dict(_flat({name: card[name] for name in names if name in card}))
    found.pop("config.seed", None)
    return found


def _flat(tree: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    found = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", value if isinstance(value, str) else json.dumps(value)))
    return found


def grouped(curves: Sequence[Curve]) -> list[Group]:
    """The runs by their settings, in the order in which they were named.

    Raises:
      UserError: they play different games.
    """
    games = list(dict.fromkeys(curve.game for curve in curves))
    if len(games) > 1:
        raise UserError(f"these runs play different games: {', '.join(games)}")
    found: dict[str, list[Curve]] = {}
    for curve in curves:
        found.setdefault(json.dumps(curve.settings, sort_keys=True), []).append(curve)
    return [Group(tuple(members)) for members in found.values()]


def differences(groups: Sequence[Group]) -> list[tuple[str, list[str]]]:
    """The settings in which groups differ: name, and the value of each group."""
    settings = [group.curves[0].settings for group in groups]
    names = list(dict.fromkeys(name for one in settings for name in one))
    rows = [(name, [one.get(name, "–") for one in settings]) for name in names]
    return [(name, values) for name, values in rows if len(set(values)) > 1]
