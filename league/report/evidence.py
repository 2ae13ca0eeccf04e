"""What a diagnosis of a run rests on, read from its record, datasets and snapshots."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from arena.errors import UserError
from arena.evaluation.forgetting import Alarm
from arena.types import Params, State
from games import Game
from league.evaluation import leaderboard, tables
from league.evaluation.tables import Record, Row
from league.report import data
from league.report.data import Generation
from league.settings.config import Config
from league.store.database import Results
from league.store.run import Run

_ROWS = 65536  # positions of a dataset that are looked at
_ASKED = 4096  # positions that the network is evaluated on
_SNAPSHOTS = 4  # newest changes of the weights that are measured

Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Positions:
    """What the newest dataset of the main agent holds.

    Attributes:
      group: i64[N], equal for equal positions.
      target: f64[N], what the value head is trained to predict; None if the learner has none.
      network: mean entropy of the newest snapshot's policy over legal moves, nats.
      search: mean entropy of the policies that search gave, nats; NaN if nothing searched.
      uniform: mean entropy of uniform play there, nats.
    """

    group: NDArray[np.int64]
    target: Floats | None
    network: float
    search: float
    uniform: float

    @property
    def count(self) -> int:
        """Positions."""
        return len(self.group)

    @property
    def distinct(self) -> int:
        """Different ones among them."""
        return len(np.unique(self.group))


@dataclass(frozen=True)
class Evidence:
    """Everything that the checks of a run may look at.

    Attributes:
      game: what it plays.
      config: of the run.
      history: the generations that trained, oldest first.
      rows: the snapshots with their ratings, oldest first.
      alarms: about the newest snapshot and its ancestors.
      pool_games: training games against the pool: won, drawn, lost, of the last generations.
      positions: of the newest generation; None if its dataset is missing.
      updates: relative change of the weights, ‖after - before‖ / ‖before‖, of the newest
        generations, the newest last; not finite if weights are not.
    """

    game: Game
    config: Config
    history: list[Generation]
    rows: list[Row]
    alarms: list[Alarm]
    pool_games: Record
    positions: Positions | None
    updates: list[float]


def gather(run: Run, results: Results) -> Evidence:
    """Reads everything.

    Raises:
      UserError: nothing has been trained yet, or a snapshot is damaged.
    """
    history = data.history(results.events())
    if not history:
        raise UserError(f"run {run.name!r} has trained no generation yet")
    newest = history[-1].number
    standing = leaderboard.compute(results, run.config.measure.max_elo_step)
    return Evidence(
        game=run.game,
        config=run.config,
        history=history,
        rows=tables.table(results, standing),
        alarms=[alarm for alarm in standing.alarms if alarm.kind == "ancestor"],
        pool_games=_pool_games(results, newest),
        positions=_positions(run, newest),
        updates=list(_updates(run, newest)),
    )


def _pool_games(results: Results, newest: int) -> Record:
    """Games of the last four generations that trained the main agent against the pool."""
    recent = [t for t in results.tallies("train") if t.generation > newest - 4]
    return sum(t.wins for t in recent), sum(t.draws for t in recent), sum(t.losses for t in recent)


def _updates(run: Run, newest: int) -> Iterator[float]:
    """Relative changes of the weights between neighbouring snapshots."""
    before = None
    for number in range(max(0, newest - _SNAPSHOTS), newest + 1):
        after = _flat(run.weights(number))
        if before is not None:
            yield float(np.linalg.norm(after - before) / max(float(np.linalg.norm(before)), 1e-12))
        before = after


def _flat(params: Params) -> Floats:
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(params)]
    floats = [leaf for leaf in leaves if np.issubdtype(leaf.dtype, np.inexact)]
    return np.concatenate([leaf.astype(np.float64).ravel() for leaf in floats])


def _positions(run: Run, newest: int) -> Positions | None:
    """The newest dataset, as far as its learner names its fields as the built-in ones do."""
    if not run.has_data(str(newest)):
        return None
    rows = run.read_data(str(newest))
    if getattr(rows, "state", None) is None:
        return None
    rows = jax.tree.map(lambda x: np.asarray(x)[:_ROWS], rows)
    if not len(jax.tree.leaves(rows.state)[0]):
        return None
    target = getattr(rows, "outcome", getattr(rows, "target", None))
    search = getattr(getattr(rows, "search_target", None), "policy", None)
    network, uniform = _entropies(run, newest, rows.state)
    return Positions(
        _groups(rows.state),
        None if target is None else np.asarray(target, np.float64),
        network,
        math.nan if search is None else float(_entropy(np.asarray(search, np.float64)).mean()),
        uniform,
    )


def _groups(states: State) -> NDArray[np.int64]:
    """Numbers i64[N] that are equal for equal positions [N, ...]."""
    leaves = [np.ascontiguousarray(leaf) for leaf in jax.tree.leaves(states)]
    parts = [leaf.reshape(len(leaf), -1).view(np.uint8) for leaf in leaves if leaf[:1].size]
    table = np.ascontiguousarray(np.concatenate(parts, 1))
    rows = table.view(np.dtype((np.void, table.shape[1]))).ravel()
    return np.unique(rows, return_inverse=True)[1].astype(np.int64)


def _entropies(run: Run, newest: int, states: State) -> tuple[float, float]:
    """Mean entropies of the network's policy and of uniform play over legal moves, nats."""
    count = len(jax.tree.leaves(states)[0])
    chosen = np.unique(np.linspace(0, count - 1, min(count, _ASKED)).astype(int))
    states = jax.tree.map(lambda x: x[chosen], states)
    game = run.game
    seen = jax.vmap(game.observe)(states, jax.vmap(game.mover)(states))
    legal = np.asarray(jax.vmap(game.legal)(states))
    logits = np.asarray(run.learner.logits(run.weights(newest), jnp.asarray(seen)), np.float64)
    odds = np.where(legal, np.exp(logits - np.where(legal, logits, -np.inf).max(1)[:, None]), 0.0)
    entropies = _entropy(odds / odds.sum(1, keepdims=True))
    return float(entropies.mean()), float(np.log(np.maximum(legal.sum(1), 1)).mean())


def _entropy(chances: Floats) -> Floats:
    """Entropy f64[N] of probabilities [N, A], nats."""
    logs = np.log(np.where(chances > 0, chances, 1.0))
    return -(chances * logs).sum(1)
