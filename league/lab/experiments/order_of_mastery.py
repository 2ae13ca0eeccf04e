"""Positions are mastered in the same order, whatever the seed and the architecture.

Method:
  Leagues of tic-tac-toe by the learner `imitation`, with a multilayer perceptron and with a
  residual tower, three seeds each. All positions in which some legal move is a mistake fall into
  classes, by ply and by what the mover can do: *win* at once; *block* a win that threatens, where
  it cannot win; or neither. How late a class is mastered is its mean share of mistakes over the
  generations. Every two leagues are compared by Spearman's rank correlation of that over classes.

  The null: the classes of one of the two are shuffled, 2,000 times; p is the share of shuffles
  whose mean correlation over all pairs is as large.

Expected:
  One order, from what data makes frequent and near (wins, late plies) to what it makes rare and
  far: a mean correlation of .8 or more within an architecture, .7 or more between both, p < .01.

Refuted by:
  Correlations that shuffled classes reach as well.

Found:
  3 of 4, over six leagues. Leagues with residual networks agree in the order at .94, both kinds at
  .74, and no shuffle of 2,000 comes near. Perceptrons agree among themselves at .78, just short of
  .8. Wins on the spot are mastered first, whatever the ply, and blocks last: many of those are
  still missed when wins have long been taken without fail.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats

from agents.nn.networks import NetworkConfig, ResNetConfig
from league.lab import (
    Chapter,
    Chart,
    Estimate,
    Experiment,
    Figure,
    Part,
    Results,
    Settings,
    Source,
    Table,
    Work,
    at_least,
    at_most,
    mean_line,
    over_seeds,
)
from league.lab.experiments import _imitators, _tables

ARCHITECTURES = ("mlp", "resnet")
KINDS = ("win", "block", "neither")


@dataclass(frozen=True)
class Sizes(Settings):
    """The sizes.

    Attributes:
      generations: of a league.
      pairs: of games in each of eight matches of a generation.
      width: of the perceptron's two layers.
      channels: of the tower's one block.
      shuffles: for the null.
    """

    generations: int = 16
    pairs: int = 128
    width: int = 128
    channels: int = 16
    shuffles: int = 2000


class OrderOfMastery(Experiment[Sizes]):
    """See the file."""

    title = "The order of mastery"
    chapter = Chapter.TRANSFER
    minutes = 6
    full = Sizes(seeds=3)
    quick = Sizes(seeds=2, generations=2, pairs=16, width=16, channels=4, shuffles=100)

    def parts(self, settings: Sizes) -> Sequence[Part]:
        """A league by architecture and seed."""
        return [
            Part(name, partial(_league, name, settings), seed)
            for seed in range(settings.seeds)
            for name in ARCHITECTURES
        ]

    def figures(self, settings: Sizes, results: Results) -> Sequence[Figure]:
        """Rank correlations within and between architectures, and their null."""
        late = {name: [_late(one) for one in results[name]] for name in ARCHITECTURES}
        found = [
            Figure(
                f"mean correlation among {name} leagues",
                at_least(0.8),
                _correlation(list(combinations(late[name], 2))),
                Source.PROPOSED,
            )
            for name in ARCHITECTURES
            if len(late[name]) > 1
        ]
        across = [(a, b) for a in late["mlp"] for b in late["resnet"]]
        found += [
            Figure(
                "mean correlation between architectures",
                at_least(0.7),
                _correlation(across),
                Source.PROPOSED,
            ),
            Figure(
                "share of shuffles that reach it",
                at_most(0.01),
                over_seeds([_null(across, settings.shuffles)]),
                Source.PROPOSED,
            ),
        ]
        return found

    def charts(self, settings: Sizes, results: Results) -> Sequence[Chart]:
        """Mistakes by generation of the classes that are mastered first and last."""
        names = results["mlp"][0]["classes"]
        late = np.mean([_late(one) for one in results["mlp"]], 0)
        order = np.argsort(late)
        shown = [*order[:3], *order[-3:]]
        curves = {
            k: np.array([np.array(one["wrong"])[:, k] for one in results["mlp"]]) for k in shown
        }
        at = range(settings.generations + 1)
        return [
            Chart(
                "Share of mistakes, the first and the last three classes of perceptrons",
                "generation",
                "share",
                tuple(mean_line(names[k], at, curves[k]) for k in shown),
            )
        ]

    def tables(self, settings: Sizes, results: Results) -> Sequence[Table]:
        """Every class, in the order of the perceptrons."""
        names, counts = results["mlp"][0]["classes"], results["mlp"][0]["counts"]
        means = {name: np.mean([_late(one) for one in results[name]], 0) for name in ARCHITECTURES}
        rows = tuple(
            (names[k], str(counts[k]), *(f"{means[name][k]:.3f}" for name in ARCHITECTURES))
            for k in np.argsort(means["mlp"])
        )
        head = ("class", "positions", *(f"mistakes, {name}" for name in ARCHITECTURES))
        return [Table("Mean share of mistakes over the generations", head, rows)]


def _late(one: dict[str, list[list[float]]]) -> np.ndarray:
    """How late each class is mastered: its mean share of mistakes."""
    return np.mean(one["wrong"], 0)


def _correlation(pairs: list[tuple[np.ndarray, np.ndarray]]) -> Estimate:
    """The mean over pairs; they share leagues, so it has no interval."""
    found: list[Any] = [stats.spearmanr(a, b) for a, b in pairs]
    return Estimate(float(np.mean([one.statistic for one in found])))


def _null(pairs: list[tuple[np.ndarray, np.ndarray]], shuffles: int) -> float:
    """How often shuffled classes correlate as well, one more counted."""
    rng = np.random.default_rng(0)
    ranks = [tuple(stats.rankdata(x) for x in pair) for pair in pairs]
    units = [tuple((r - r.mean()) / np.linalg.norm(r - r.mean()) for r in pair) for pair in ranks]
    seen = np.mean([a @ b for a, b in units])
    # The same shuffle for all pairs: their leagues are not independent.
    count = len(units[0][0])
    orders = [rng.permutation(count) for _ in range(shuffles)]
    reached = sum(np.mean([a[order] @ b for a, b in units]) >= seen for order in orders)
    return float((1 + reached) / (1 + shuffles))


def _network(name: str, settings: Sizes) -> NetworkConfig | None:
    return ResNetConfig(channels=settings.channels, blocks=1) if name == "resnet" else None


def _league(name: str, settings: Sizes, work: Work) -> dict[str, object]:
    """A league: the share of mistakes by generation and class."""
    made = _imitators.config(settings.generations, pairs=settings.pairs, width=settings.width)
    if network := _network(name, settings):
        made = replace(made, learner=replace(made.learner, network=network))
    known = _tables.table(_imitators.GAME)
    kinds, which = _classes(known)
    optimal, counts = known.optimal(), np.bincount(which[which >= 0])
    wrong = []
    with _imitators.train(made, work) as found:
        for generation in range(settings.generations + 1):
            favourite = _imitators.policy(found, generation, known).argmax(1)
            mistake = ~optimal[np.arange(len(favourite)), favourite]
            sums = np.bincount(which[which >= 0], mistake[which >= 0], len(kinds))
            wrong.append(sums / counts)
    return {"classes": kinds, "counts": counts, "wrong": wrong}


def _classes(known: _tables.Table) -> tuple[list[str], np.ndarray]:
    """Names of the classes, and the class of each position, -1 where no move is a mistake."""
    ply = np.zeros(len(known.mover), np.int64)
    for number, here in enumerate(known.plies):
        ply[here] = number
    sign = known.sign
    ended = known.payoff[known.after] * known.over[known.after]
    win: Any = (known.legal & (ended * sign[:, None] > 0)).any(1)
    # The other seat threatens to win where it could if it were to move: after some move it can.
    threat: Any = (known.legal & win[known.after] & ~known.over[known.after]).any(1)
    kind = np.where(win, 0, np.where(threat, 1, 2))
    mistake: Any = (known.legal & ~known.optimal()).any(1)
    number = np.where(mistake, ply * len(KINDS) + kind, -1)
    present = np.unique(number[number >= 0])
    names = [f"ply {n // len(KINDS)}, {KINDS[n % len(KINDS)]}" for n in present]
    return names, np.where(mistake, np.searchsorted(present, number), -1)
