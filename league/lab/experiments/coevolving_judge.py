"""A judge that is refitted to what it is shown is over-optimised later than a frozen one.

Method:
  There are 4,000 answers with eight features, drawn from N(0, 1). Gold is linear in the features up
  to a point, and falls with the square of what lies beyond it: a weakness that shows in the tails
  alone. The judge C is a ridge regression that is linear in the features, on labels that are gold
  with an error of N(0, 1). From M uniform, M′ ∝ M·e^(C/T) for 24 rounds, T = 4.

  *Frozen*: C learns once from 1,200 labels of answers drawn from the first M. *Refitted*: C learns
  again in each round, from all labels so far, 50 new ones of answers drawn from that round's M; in
  the end it has had as many. Ten seeds; frozen and refitted are compared seed by seed, by a t-test.

  A second world has no such weakness: gold is linear, but each answer has a fixed error of N(0, 1)
  of its own in the eyes of the judge, which no fit removes.

Expected:
  The frozen judge errs where M goes and its labels were not (extremal Goodhart, D. Manheim and S.
  Garrabrant, arXiv 1803.04585): gold rises and falls. Refitting gets labels from there: the peak
  comes later, and is higher, p < .05 each. In the second world the errors are regressional, and
  refitting changes nothing: the ends differ by less than .1 of the gain.

Refuted by:
  Peaks that are not later and higher, or a refit that mends regressional errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import stats

from league.lab import (
    Chapter,
    Chart,
    Experiment,
    Figure,
    Part,
    Results,
    Settings,
    Source,
    Work,
    at_least,
    at_most,
    mean_line,
    near,
    over_seeds,
)

FEATURES, TEMPERATURE, ROUNDS = 8, 4.0, 24
BEYOND, COST = 1.0, 2.0
"""Where the weakness begins, and its price."""
WORLDS = ("extremal", "regressional")
JUDGES = ("frozen", "refitted")


@dataclass(frozen=True)
class Sizes(Settings):
    """The sizes.

    Attributes:
      answers: there are.
      labels: of a whole run.
    """

    answers: int = 4000
    labels: int = 1200


class CoevolvingJudge(Experiment[Sizes]):
    """See the file."""

    title = "A judge that learns on"
    chapter = Chapter.GAMED
    minutes = 0.2
    full = Sizes(seeds=10)
    quick = Sizes(seeds=4, answers=1000)

    def parts(self, settings: Sizes) -> Sequence[Part]:
        """Both worlds by seed."""
        return [
            Part(world, partial(_world, world, settings), seed)
            for seed in range(settings.seeds)
            for world in WORLDS
        ]

    def figures(self, settings: Sizes, results: Results) -> Sequence[Figure]:
        """Peaks of gold, frozen against refitted."""
        rows, plain = results["extremal"], results["regressional"]
        curves = {judge: np.array([one[judge] for one in rows]) for judge in JUDGES}
        when = {judge: curve.argmax(1) for judge, curve in curves.items()}
        high = {judge: curve.max(1) for judge, curve in curves.items()}
        end = curves["frozen"].max(1) - curves["frozen"][:, -1]
        gains = {
            judge: np.array([one[judge][-1] - one[judge][0] for one in plain]) for judge in JUDGES
        }
        found = [
            Figure(
                "frozen judge: gold lost from the peak to the end",
                at_least(0.1),
                over_seeds(end),
                Source.PROPOSED,
            )
        ]
        for what, value in (
            ("rounds that the peak is later", when),
            ("gold that it is higher", high),
        ):
            apart = value["refitted"] - value["frozen"]
            found += [
                Figure(f"refitted: {what}", at_least(0), over_seeds(apart), Source.PROPOSED),
                Figure(
                    f"refitted: {what}, p of no difference",
                    at_most(0.05),
                    over_seeds([_p_value(apart)]),
                    Source.PROPOSED,
                    "one-sided t-test of pairs",
                ),
            ]
        found.append(
            Figure(
                "regressional errors: refitted gain less frozen, share of the gain",
                near(0, 0.1),
                over_seeds((gains["refitted"] - gains["frozen"]) / gains["frozen"]),
                Source.PROPOSED,
            )
        )
        return found

    def charts(self, settings: Sizes, results: Results) -> Sequence[Chart]:
        """Gold by round in both worlds."""
        return [
            Chart(
                f"Gold, {world} errors",
                "rounds",
                "mean gold of M",
                tuple(
                    mean_line(judge, range(ROUNDS + 1), [one[judge] for one in results[world]])
                    for judge in JUDGES
                ),
            )
            for world in WORLDS
        ]


def _p_value(apart: np.ndarray) -> float:
    """That the mean of differences is 0 or less."""
    found: Any = stats.ttest_1samp(apart, 0.0, alternative="greater")
    return float(found.pvalue)


def _world(world: str, settings: Sizes, work: Work) -> dict[str, list[float]]:
    """Mean gold after each round, by judge."""
    rng = np.random.default_rng([work.seed, WORLDS.index(world)])
    answers = rng.standard_normal((settings.answers, FEATURES))
    slope = np.ones(FEATURES) / np.sqrt(FEATURES)
    error = rng.standard_normal(settings.answers)
    gold = answers @ slope
    if world == "extremal":
        gold = gold - COST * np.square(np.maximum(gold - BEYOND, 0))
        error = np.zeros(settings.answers)
    return {
        judge: _rounds(judge, settings, answers, gold, error, np.random.default_rng(work.seed))
        for judge in JUDGES
    }


def _rounds(
    judge: str,
    settings: Sizes,
    answers: np.ndarray,
    gold: np.ndarray,
    error: np.ndarray,
    rng: np.random.Generator,
) -> list[float]:
    """Mean gold of M after 0, 1, … rounds; error f64[N] is what the judge sees in each answer."""
    model = np.full(len(gold), 1 / len(gold))
    means = [float(model @ gold)]
    rows = np.zeros(0, np.int64)
    labels = np.zeros(0)
    share = settings.labels // ROUNDS
    for number in range(ROUNDS):
        wanted = share if judge == "refitted" else settings.labels * (number == 0)
        drawn = rng.choice(len(gold), wanted, p=model)
        rows = np.append(rows, drawn)
        labels = np.append(labels, gold[drawn] + rng.standard_normal(wanted))
        verdict = _fitted(answers[rows], labels, answers) + error
        grown = model * np.exp((verdict - verdict.max()) / TEMPERATURE)
        model = grown / grown.sum()
        means.append(float(model @ gold))
    return means


def _fitted(seen: np.ndarray, labels: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """What a ridge regression says of all answers, f64[N]."""
    # With what is the same for all: selected answers lie off the middle.
    seen, answers = (np.hstack([x, np.ones((len(x), 1))]) for x in (seen, answers))
    square = seen.T @ seen + np.eye(seen.shape[1])
    return answers @ np.linalg.solve(square, seen.T @ labels)
