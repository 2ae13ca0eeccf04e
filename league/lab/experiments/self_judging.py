"""Judged by its own majority, a policy learns its favourite answers, right or wrong.

Method:
  A policy answers a context rightly with probability *p*. It draws *n* = 3 answers, takes the most
  frequent as the label, and is trained fully on such labels: p becomes
  M_n(p) = Σ_{j > n/2} C(n, j) p^j (1 − p)^{n−j}. Then again.

  First without a network: 100,000 contexts whose first *p* is drawn from Beta(2, 1), or from
  Beta(1, 2); each round a thousand labels are drawn for each, and their share of right ones is the
  next *p*. Beside it the same with the rules as judge: the label is a right one of the *n* answers
  if there is any.

  Then with shared weights, on solved games: every position is a context, a right answer is an
  optimal move. A network is first taught optimal moves by the rules in a part of the positions
  alone, the *taught* ones: in tic-tac-toe those with a stone in the centre, in Connect Four those
  with 18 stones or more. From there on it labels all positions with the majority of three moves of
  its own, and learns the labels by the imitation learner's own gradient steps, round after round.

Expected:
  M_n has fixed points 0 and 1, which are stable, and ½, which is not; at ½ its slope is
  n C(n − 1, (n − 1)/2) / 2^{n−1}, for n = 3 3/2. So contexts with p > ½ end right and all others
  wrong: the limit is P(p > ½), .750 from a mean of .667 under Beta(2, 1), and .250 from .333 under
  Beta(1, 2). Self-judging sharpens what there is, and makes the weak weaker. Under the rules
  everything is right in the end.

  With several moves the majority favours the likeliest. So drawn moves become as good as favourite
  moves were, no better: the limit without shared weights is the favourite's accuracy at the start.
  Positions whose favourite is wrong are amplified wrongly. Shared weights bend this law, since what
  is learnt in one position moves another; by how much is what is measured.

  Self-rewarded training by majority votes first rises and then collapses in large language models,
  too (S. Shafayat et al., arXiv 2505.21444).

Refuted by:
  A limit away from P(p > ½); favourites that self-judging improves by more than a few points where
  nothing was taught; or a run by the rules that does not end right.

Found:
  On tic-tac-toe the law holds for the whole although the weights are shared: drawn moves end within
  half a point of where the favourites were. Wrong favourites are not as firm as the law has them:
  three of ten are mended by what is right elsewhere, against 98 of 100 by the rules.

  On Connect Four drawn moves end five points short of the favourites, all of it in the taught
  positions, where they fall eleven short and one right favourite in five is lost. It is not that
  the network is too small, since by the rules the same network goes on to get nine of ten of these
  right; nor too short a training, since favourites themselves get worse there. The labels of the
  untaught positions, where most favourites are wrong, are learnt by the same weights. So with
  shared weights self-judging can lose what was taught, which the law without them rules out.

  It was expected that 80 % of wrong favourites stay wrong: shared weights mend more. And the rounds
  by the rules were to end at 99 and 90 % of drawn moves: they were too few for that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import comb
from typing import Any

import numpy as np

from arena.evaluation.solved_positions import SolvedPositions
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
    line,
    mean_line,
    near,
    over_seeds,
)
from league.lab.estimates import shown
from league.lab.experiments._policies import (
    Teacher,
    draw,
    majority,
    observed,
    positions,
    rightness,
    take,
)

VOTES = 3
PRIORS = {"Beta(2,1)": (2, 1), "Beta(1,2)": (1, 2)}
JUDGES = ("self", "rules")
GAMES = ("tic_tac_toe", "connect_four")


@dataclass(frozen=True)
class Sizes(Settings):
    """The sizes.

    Attributes:
      contexts: without a network.
      labels: drawn for each of them in a round.
      law_rounds: of labelling and training without a network.
      rounds: with one.
      lessons: passes over the taught positions before the first round.
      passes: over all positions in a round, each with fresh labels.
      most: positions of a game at most.
    """

    contexts: int = 100_000
    labels: int = 1000
    law_rounds: int = 12
    rounds: int = 12
    lessons: int = 20
    passes: int = 4
    most: int = 5000


class SelfJudging(Experiment[Sizes]):
    """See the file."""

    title = "Self-judging"
    chapter = Chapter.GAMED
    minutes = 8
    full = Sizes(seeds=3)
    quick = Sizes(seeds=1, contexts=50_000, rounds=2, lessons=2, passes=1, most=1000)

    def parts(self, settings: Sizes) -> Sequence[Part]:
        """The law without a network, then both games under both judges."""
        seeds = range(settings.seeds)
        made = [
            Part(f"law-{a}-{b}-{judge}", partial(_law, (a, b), judge, settings), seed)
            for a, b in PRIORS.values()
            for judge in JUDGES
            for seed in seeds
        ]
        return made + [
            Part(f"{game}-{judge}", partial(_network, game, judge, settings), seed)
            for game in GAMES
            for judge in JUDGES
            for seed in seeds
        ]

    def figures(self, settings: Sizes, results: Results) -> Sequence[Figure]:
        """The law's slope and limits, then what networks do."""
        slope = (_majority_law(0.5 + 1e-6) - _majority_law(0.5 - 1e-6)) / 2e-6
        found = [
            Figure(
                "slope of M₃ at ½",
                near(VOTES * comb(VOTES - 1, (VOTES - 1) // 2) / 2 ** (VOTES - 1), 1e-6),
                Estimate(float(slope)),
                Source.THEOREM,
            )
        ]
        for name, (a, b) in PRIORS.items():
            runs = results[f"law-{a}-{b}-self"]
            limit = 0.75 if a > b else 0.25
            found += [
                Figure(
                    f"accuracy under {name} at the start",
                    near(a / (a + b), 0.01),
                    over_seeds([run["accuracy"][0] for run in runs]),
                    Source.THEOREM,
                ),
                Figure(
                    f"… and after {settings.law_rounds} rounds by its own majority",
                    near(limit, 0.01),
                    over_seeds([run["accuracy"][-1] for run in runs]),
                    Source.RECOMPUTED,
                    f"P(p > ½) = {limit}",
                ),
                Figure(
                    "… and by the rules",
                    at_least(0.99),
                    over_seeds([run["accuracy"][-1] for run in results[f"law-{a}-{b}-rules"]]),
                    Source.THEOREM,
                    "→ 1",
                ),
            ]
        return found + [figure for game in GAMES for figure in _game_figures(game, results)]

    def charts(self, settings: Sizes, results: Results) -> Sequence[Chart]:
        """Accuracy by round: the law, then each game."""
        rounds = np.arange(settings.rounds + 1)
        law = tuple(
            mean_line(
                f"{name}, {judge}",
                np.arange(settings.law_rounds + 1),
                [run["accuracy"] for run in results[f"law-{a}-{b}-{judge}"]],
            )
            for name, (a, b) in PRIORS.items()
            for judge in JUDGES
        )
        p = np.linspace(0, 1, 101)
        made = [
            Chart("Accuracy without a network", "round", "share of right answers", law),
            Chart(
                "One round of self-judging",
                "p before",
                "p after",
                (line("M₃", p, _majority_law(p)), line("no change", p, p, expected=True)),
            ),
        ]
        for game in GAMES:
            lines = [
                mean_line(
                    f"{judge}, {part}", rounds, [run[part] for run in results[f"{game}-{judge}"]]
                )
                for judge in JUDGES
                for part in ("taught", "untaught")
            ]
            title = f"Drawn moves that are optimal, {game}"
            note = "Positions that the rules had taught before the first round, and the others."
            made.append(Chart(title, "round", "share", tuple(lines), note=note))
        return made

    def tables(self, settings: Sizes, results: Results) -> Sequence[Table]:
        """Skills by stage of the game: before, after, and amplified wrongly."""
        columns = ("stones", "taught", "positions", "drawn, before", "favourite, before", "after")
        made = []
        for game in GAMES:
            runs = results[f"{game}-self"]
            rows = [
                (
                    str(stage["stones"]),
                    shown(stage["taught"]),
                    str(stage["positions"]),
                    *(
                        shown(float(np.mean([run["stages"][number][key] for run in runs])))
                        for key in ("before", "favourite", "after", "fell")
                    ),
                )
                for number, stage in enumerate(runs[0]["stages"])
            ]
            title = f"Self-judging by number of stones, {game}"
            note = "Shares of moves that are optimal; of positions, those where it fell."
            made.append(Table(title, (*columns, "fell in"), tuple(rows), note))
        return made


def _majority_law(p: Any) -> Any:
    """M_n(p) for n = VOTES."""
    needed = range(VOTES // 2 + 1, VOTES + 1)
    return sum(comb(VOTES, j) * p**j * (1 - p) ** (VOTES - j) for j in needed)


def _law(prior: tuple[int, int], judge: str, settings: Sizes, work: Work) -> dict[str, Any]:
    rng = np.random.default_rng(work.seed)
    p = rng.beta(*prior, settings.contexts)
    accuracy = [p.mean()]
    for number in range(settings.law_rounds):
        right = _majority_law(p) if judge == "self" else 1 - (1 - p) ** VOTES
        p = rng.binomial(settings.labels, np.clip(right, 0, 1)) / settings.labels
        accuracy.append(p.mean())
        work.tell(number / settings.law_rounds)
    return {"accuracy": accuracy}


def _network(game: str, judge: str, settings: Sizes, work: Work) -> dict[str, Any]:
    """Teaches a part of the positions by the rules, then all by a judge, round by round."""
    teacher, known = Teacher(game), _some(game, settings.most)
    seen = observed(game, known.states)
    stones = seen.reshape(len(seen), -1).sum(1).round().astype(int)
    taught = seen[:, 1, 1].sum(1) > 0 if game == "tic_tac_toe" else stones >= 18
    rng = np.random.default_rng(work.seed)
    total = settings.lessons + settings.rounds * settings.passes
    state = teacher.fresh(work.seed)
    chosen = np.flatnonzero(taught)
    for lesson in range(settings.lessons):
        rows = take(known, chosen)
        right = draw(rows.optimal / rows.optimal.sum(1, keepdims=True), 1, rng)[:, 0]
        key = {"progress": lesson / total, "seed": int(rng.integers(2**31))}
        state = teacher.teach(state, rows.states, right, **key)
        work.tell(lesson / total)
    policy = teacher.policy(state.params, known.states)
    first, history = policy, [rightness(policy, known.optimal)]
    for number in range(settings.rounds):
        for part in range(settings.passes):
            done = (settings.lessons + number * settings.passes + part) / total
            moves, weights = _labels(policy, known.optimal, judge, rng)
            key = {"progress": done, "seed": int(rng.integers(2**31))}
            state = teacher.teach(state, known.states, moves, weights=weights, **key)
            work.tell(done)
        policy = teacher.policy(state.params, known.states)
        history.append(rightness(policy, known.optimal))
    right = np.stack(history)
    return {
        "all": right.mean(1),
        "taught": right[:, taught].mean(1),
        "untaught": right[:, ~taught].mean(1),
        "favourites": _favourites(first, known.optimal, taught),
        "favourites_after": _favourites(policy, known.optimal, taught),
        "kept": _kept(first, policy, known.optimal),
        "stages": _stages(stones, taught, right, first, known.optimal),
    }


def _some(game: str, most: int) -> SolvedPositions:
    """Positions in which some move is a mistake, evenly over those that are known."""
    known = positions(game)
    chosen = np.flatnonzero(known.has_mistake)
    return take(known, chosen[:: -(-len(chosen) // most)])


def _labels(
    policy: np.ndarray, optimal: np.ndarray, judge: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A label i64[N] for each position, and its weight f64[N], 0 where there is none."""
    moves = draw(policy, VOTES, rng)
    if judge == "self":
        return majority(moves, policy.shape[1]), np.ones(len(moves))
    right = np.take_along_axis(optimal, moves, 1)
    return moves[np.arange(len(moves)), right.argmax(1)], right.any(1).astype(float)


def _favourites(policy: np.ndarray, optimal: np.ndarray, taught: np.ndarray) -> dict[str, float]:
    """How often the likeliest move is optimal."""
    right = optimal[np.arange(len(policy)), policy.argmax(1)]
    parts = {"all": right, "taught": right[taught], "untaught": right[~taught]}
    return {name: float(part.mean()) for name, part in parts.items()}


def _kept(first: np.ndarray, last: np.ndarray, optimal: np.ndarray) -> dict[str, float]:
    """How often a favourite that was right, or wrong, still is in the end."""
    rows = np.arange(len(first))
    before, after = (optimal[rows, policy.argmax(1)] for policy in (first, last))
    return {"right": float(after[before].mean()), "wrong": float(1 - after[~before].mean())}


def _stages(
    stones: np.ndarray,
    taught: np.ndarray,
    right: np.ndarray,
    first: np.ndarray,
    optimal: np.ndarray,
) -> list[dict[str, float]]:
    """The same figures by number of stones, in eight groups at most."""
    edges = np.unique(np.quantile(stones, np.linspace(0, 1, 9)).round().astype(int))
    groups = np.searchsorted(edges[1:-1], stones, side="right")
    favourite = optimal[np.arange(len(first)), first.argmax(1)]
    found = []
    for group in np.unique(groups):
        own = groups == group
        found.append(
            {
                "stones": f"{stones[own].min()}–{stones[own].max()}",
                "positions": int(own.sum()),
                "taught": float(taught[own].mean()),
                "before": float(right[0, own].mean()),
                "favourite": float(favourite[own].mean()),
                "after": float(right[-1, own].mean()),
                "fell": float((right[-1, own] < right[0, own]).mean()),
            }
        )
    return found


def _game_figures(game: str, results: Results) -> list[Figure]:
    """What the law predicts of a network, and what it does."""
    alone, ruled = results[f"{game}-self"], results[f"{game}-rules"]
    name = game.replace("_", "-")
    found = []
    for part in ("all", "taught", "untaught"):
        gains = [run[part][-1] - run["favourites"][part] for run in alone]
        told = ", ".join(
            f"{what} {np.mean(values):.1%}"
            for what, values in (
                ("drawn before", [run[part][0] for run in alone]),
                ("favourites before", [run["favourites"][part] for run in alone]),
                ("drawn after", [run[part][-1] for run in alone]),
            )
        )
        found.append(
            Figure(
                f"{name}, {part}: drawn moves after, less favourites before",
                near(0, 0.03),
                over_seeds(gains),
                Source.PROPOSED,
                "0 without shared weights",
                told[0].upper() + told[1:] + ".",
            )
        )
    wrong = [(a["kept"]["wrong"], b["kept"]["wrong"]) for a, b in zip(alone, ruled, strict=True)]
    untaught = [(a["untaught"][-1], b["untaught"][-1]) for a, b in zip(alone, ruled, strict=True)]
    return [
        *found,
        Figure(
            f"{name}: wrong favourites that stay wrong",
            at_least(0.8),
            over_seeds([own for own, _ in wrong]),
            Source.PROPOSED,
            "1 without shared weights",
            f"By the rules: {np.mean([rules for _, rules in wrong]):.1%}.",
        ),
        Figure(
            f"{name}: right favourites that stay right",
            at_least(0.9),
            over_seeds([run["kept"]["right"] for run in alone]),
            Source.PROPOSED,
            "1 without shared weights",
        ),
        Figure(
            f"{name}, untaught: drawn moves by the rules less those by its own majority",
            at_least(0.1),
            over_seeds([rules - own for own, rules in untaught]),
            Source.PROPOSED,
        ),
        Figure(
            f"{name}: drawn moves after, by the rules",
            at_least(0.99 if game == "tic_tac_toe" else 0.9),
            over_seeds([run["all"][-1] for run in ruled]),
            Source.PROPOSED,
            "→ 1 as rounds go on",
        ),
    ]
