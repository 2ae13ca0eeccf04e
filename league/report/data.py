"""What a report shows, as plain data: everything that the page is drawn from."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.evaluation.forgetting import Forgetting
from league.evaluation.tables import Row

LOSS = "loss"
"""The figure that every generation has which trained; generation 0 has none."""


@dataclass(frozen=True)
class Generation:
    """The recorded figures of one generation; NaN stands for what was not recorded.

    Attributes:
      number: of the generation, from 1.
      loss: total loss, mean over the last quarter of the gradient steps.
      policy_loss: the policy's part of it, unweighted.
      value_loss: the value's part of it, unweighted.
      games: training games played.
      positions: positions that the main agent made in them and can be trained on.
      games_per_s: training games per second of play.
      seconds: the whole generation took, measuring included.
      exploitability: of the snapshot, where the game is small enough to compute it.
      pool_exploitability: of the Nash mixture of the pool, likewise.
      type_1: forward passes of networks for training games.
      type_2: forward passes for measuring.
      phase_seconds: seconds by phase (`play`, `learn`, `measure`); empty if not recorded.
      draws: share of the training games that were drawn.
      cut_off: share of the training games that were as long as the rules allow.
      distinct_games: different games among the training games, as a share.
      judged: what the judge said of the snapshot beside the rules, see `league.training.judging`;
        empty where the rules are the judge.
    """

    number: int
    loss: float = math.nan
    policy_loss: float = math.nan
    value_loss: float = math.nan
    games: float = math.nan
    positions: float = math.nan
    games_per_s: float = math.nan
    seconds: float = math.nan
    exploitability: float = math.nan
    pool_exploitability: float = math.nan
    type_1: int = 0
    type_2: int = 0
    phase_seconds: Mapping[str, float] = field(default_factory=dict)
    draws: float = math.nan
    cut_off: float = math.nan
    distinct_games: float = math.nan
    judged: Mapping[str, float] = field(default_factory=dict)


_NUMBERS = (
    "loss",
    "policy_loss",
    "value_loss",
    "games",
    "positions",
    "games_per_s",
    "seconds",
    "exploitability",
    "pool_exploitability",
    "draws",
    "cut_off",
    "distinct_games",
)


def generation(figures: Mapping[str, Any]) -> Generation:
    """A generation's figures as the record keeps them, JSON; unknown ones are left out.

    Raises:
      KeyError: the figures lack the number of the generation.
    """
    passes = figures.get("passes") or {}
    return Generation(
        int(figures["generation"]),
        type_1=int(passes.get("type_1", 0)),
        type_2=int(passes.get("type_2", 0)),
        phase_seconds=dict(figures.get("phase_seconds") or {}),
        judged=dict(figures.get("judged") or {}),
        **{name: float(figures[name]) for name in _NUMBERS if figures.get(name) is not None},
    )


def history(events: Iterable[Mapping[str, Any]]) -> list[Generation]:
    """The generations that trained, in the order of the record (`Results.events`)."""
    return [generation(event) for event in events if LOSS in event]


@dataclass(frozen=True)
class GateRow:
    """One gate, as the page shows it.

    Attributes:
      id: its number.
      candidate: the snapshot that was tested.
      champion: the champion it was tested against.
      llr: log likelihood ratio and bounds.
      pairs: counts of the pairs of the test.
      flattered: how much the selection overstated the candidate's score, in per cent; empty if
        there was nothing to choose from.
      exam: in how many positions of known value the candidate keeps the value, and the champion;
        empty if move accuracy was not measured.
      promoted: whether it passed.
      reason: why.
    """

    id: int
    candidate: str
    champion: str
    llr: str
    pairs: str
    flattered: str
    exam: str
    promoted: bool
    reason: str


@dataclass(frozen=True)
class Report:
    """Everything the page shows.

    Attributes:
      name: of the run.
      game: as a user types it.
      card: the run card: config, versions, device, seed; dicts may nest.
      rows: n snapshots, oldest first.
      payoff: f64[n, n], score in [0, 1] of row against column, NaN where they have not met.
      meetings: i64[n, n], games behind each.
      history: the generations that trained, oldest first.
      board: SVG of a position, for decoration; may be empty.
      forgetting: every snapshot against every earlier one; None if that was not measured.
      findings: results about the pool as a whole, name and text.
      alarms: what needs attention, a line each.
      notes: what to know of how it was measured, a line each.
      gates: those that have been decided, oldest first.
    """

    name: str
    game: str
    card: Mapping[str, object]
    rows: list[Row]
    payoff: NDArray[np.float64]
    meetings: NDArray[np.int64]
    history: list[Generation]
    board: str = ""
    forgetting: Forgetting | None = None
    findings: tuple[tuple[str, str], ...] = ()
    alarms: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    gates: tuple[GateRow, ...] = ()
