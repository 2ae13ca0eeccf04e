"""Optimise against a learnt judge, and true worth turns down; later, the more the judge has seen.

Method:
  *The law.* Gold is N(0, 1), the judge says C = gold + error, and the best of n by C is taken. With
  a normal error C keeps its meaning in the tail; with one of Student's t with 2 degrees of freedom
  the highest of many verdicts are errors. What the imitation learner's best-of-n weights give is
  put beside the integral.

  *A game.* Hex on a small board. M is an untrained network that draws its moves. Games of M against
  itself, each with who won by the rules, are N comparisons, from which the judge C is learnt, a
  network as `arena judge train` makes them. Distance is d = √KL from M, in √nats a game; gold is
  the log odds of winning by the rules, the unit of Elo, which knows no upper end, and proxy the
  same by C. First the best of n games of M by C, until none of them is lost by the rules any more,
  so that no end of counting looks like a plateau. Then learning: the imitation learner plays
  itself, C says who won, and every generation meets M, drawing its moves.

  *Fits.* Gold = d(α − βd) for the best of n, and d(α − β ln d) for learning; the best distances are
  α/2β and e^(α/β − 1); where the fit has no peak in what was measured, the largest distance that
  any judge of the seed has led to.

  *A cure.* The same learning with an ensemble of four networks as judge, its mean nearer to a draw
  by one standard deviation of its members, at the fewest comparisons.

Expected:
  With a normal error E gold is 1.00 at n = 8 and 2.55 at n = 4,096; with the fat-tailed one it
  peaks at 0.69 near n = 16 and falls to 0.07 at 4,096 (recomputed; both also by an integral).

  The forms of the fits are those of L. Gao, J. Schulman and J. Hilton, "Scaling laws for reward
  model overoptimization", arXiv:2210.10760, who have found that larger reward models and more data
  bear more optimisation: so the best distance does not fall as N grows, and gold does not turn down
  where the rules are the judge. The ensemble turns down later or not at all (T. Coste et al.,
  arXiv:2310.02743).

Refuted by:
  A best distance that falls as comparisons are added, or a downturn under the rules.

Found:
  Over three seeds no gold has a peak within what was measured, by choice or by learning, so the
  best distances are all the largest that was reached: that they do not fall as N grows is not
  refuted, and not tested by much. What is seen is the gap. After ten generations a judge of 16
  comparisons, which names the winner of 59 % of fresh games, claims 2.2 nats where gold is 1.1; one
  of 64 claims 3.6 for 1.6; from 2,048 on, 93 % and more, claim and gold agree within 0.1.

  In the first seed, the best of n games of M: with 16 comparisons gold rises to 1.4 nats at n = 256
  and falls to 1.3 at n = 1,024, while the judge claims 4.0; with 64 it is 3.2 there, claimed 5.3,
  and still rises. A judge of finished games that has seen more than a few dozen is too good to be
  gamed by such a choice: the fewest are therefore 16, not the 256 that were proposed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np

from agents.judges import preference
from agents.judges.learned import LearnedJudge
from agents.learners import imitation
from agents.learners.imitation import ImitationConfig
from agents.nn.networks import MLPConfig
from arena.digests import digest
from arena.judges import check as contract
from arena.judges.rules import Rules
from arena.types import Judge, Key, Params
from games.hex import Hex
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
from league.lab.experiments import _best_of_n as law
from league.lab.experiments._judged_loop import Loop, Point, log_odds

_SAMPLES = 2 ** np.arange(13)
"""Values of n for which the integral is computed."""
_DRAWN = 2 ** np.arange(0, 13, 2)
"""Values of n for which samples are weighed too."""
_CHOSEN = 2 ** np.arange(11)
"""Values of n for games: of more, too few different ones are chosen."""
_MEMBERS = 4
_JUDGE = MLPConfig()


@dataclass(frozen=True)
class Sizes(Settings):
    """The sizes.

    Attributes:
      draws: of gold and error.
      board: cells along a side.
      comparisons: values of N, each larger than the one before.
      games: of M, from which the best of n are chosen.
      generations: of learning.
      pairs: of games in a generation, and as many against M after each.
    """

    draws: int = 2**17
    board: int = 5
    comparisons: tuple[int, ...] = (2**4, 2**6, 2**8, 2**11, 2**14)
    games: int = 2**16
    generations: int = 10
    pairs: int = 256


class OverOptimisation(Experiment[Sizes]):
    """See the file."""

    title = "Over-optimisation"
    chapter = Chapter.GAMED
    minutes = 12
    full = Sizes(seeds=3)
    quick = Sizes(
        seeds=1,
        draws=2**12,
        board=3,
        comparisons=(16, 64),
        games=256,
        generations=2,
        pairs=16,
    )

    def parts(self, settings: Sizes) -> Sequence[Part]:
        """The law, then judges by comparisons and seed, the rules, and the cure."""
        made = []
        learn = partial(_learning, settings)
        for seed in range(settings.seeds):
            made += [Part(f"law-{e}", partial(_law, e, settings), seed) for e in law.ERRORS]
            made.append(Part("best", partial(_best, settings), seed))
            made += [Part(f"judge-{n}", partial(learn, n, 0.0), seed) for n in settings.comparisons]
            made.append(Part("rules", partial(learn, 0, 0.0), seed))
            made.append(Part("ensemble", partial(learn, settings.comparisons[0], 1.0), seed))
        return made

    def figures(self, settings: Sizes, results: Results) -> Sequence[Figure]:
        """The law, the best distances, the rules, the cure."""
        return [*_law_figures(results), *_game_figures(settings, results)]

    def charts(self, settings: Sizes, results: Results) -> Sequence[Chart]:
        """Gold by distance: the law, the best of n, learning."""
        x = law.distance(_SAMPLES)
        drawn = law.distance(_DRAWN)
        laws = []
        for error, name in (("normal", "normal error"), ("student", "Student's t, 2 degrees")):
            found = results[f"law-{error}"]
            laws.append(line(f"{name}, integral", x, found[0]["expected"], expected=True))
            laws.append(mean_line(name, drawn, [one["measured"] for one in found], points=True))
        return [
            Chart("Best of n, by law of the error", "√KL", "mean gold", tuple(laws)),
            _by_judge(settings, results, "best", "Best of n games"),
            _by_judge(settings, results, "learning", "Learning"),
            _trust(settings, results),
        ]

    def tables(self, settings: Sizes, results: Results) -> Sequence[Table]:
        """Judges by comparisons."""
        rows = []
        best = [best_distances(settings, results, kind).mean(0) for kind in ("best", "learning")]
        for at, n in enumerate(settings.comparisons):
            named = [one["accuracy"] for one in _curves(results, f"judge-{n}", "best")]
            cells = [np.mean(named), *(one[at] for one in best)]
            last = [one["points"][-1] for one in results[f"judge-{n}"]]
            cells += [np.mean([one[k] for one in last]) for k in (1, 2)]
            rows.append((f"{n:,}", f"{cells[0]:.1%}", *(f"{cell:.2f}" for cell in cells[1:])))
        return [
            Table(
                "Judges by comparisons",
                (
                    "comparisons",
                    "winner named, fresh games of M",
                    "best d, best of n",
                    "best d, learning",
                    "gold at the end",
                    "proxy at the end",
                ),
                tuple(rows),
                "Means over seeds; gold and proxy of learning in nats of log odds. A best "
                "distance without a peak counts as the largest that any judge has led to.",
            )
        ]


def _law(error: law.ErrorLaw, settings: Sizes, work: Work) -> dict[str, object]:
    """Mean gold of the best of n: the integral, and by weighed samples."""
    rng = np.random.default_rng(work.seed)
    return {
        "expected": law.expected_gold(error, _SAMPLES),
        "measured": law.measured_gold(error, _DRAWN, rng, settings.draws),
    }


def _begin(settings: Sizes, seed: int) -> tuple[Loop, Params, Key]:
    """The loop, the weights of M, and the key of all that is random."""
    game, key = Hex(settings.board), jax.random.key(seed)
    config = ImitationConfig(
        network=MLPConfig(),
        batch_size=256,
        replay_window=1,
        replay_ratio=6.0,
        learning_rate=1e-2,
        temperature=0.25,
        exploration=0.0,
    )
    learner = config.make(game, Rules(game))
    first = learner.init(jax.random.fold_in(key, 0)).params
    return Loop(learner, settings.generations, settings.pairs), first, key


def _judge(loop: Loop, first: Params, count: int, *, pessimism: float, key: Key) -> Judge:
    """A judge learnt from so many games of M, an ensemble if it is pessimistic; the rules of 0."""
    game = loop.learner.game
    if not count:
        return Rules(game)
    data = preference.of_positions(*loop.games(first, count, jax.random.fold_in(key, 2)))
    members = _MEMBERS if pessimism else 1
    params = preference.fit(game, _JUDGE, data, key=jax.random.fold_in(key, 3), ensemble=members)
    return LearnedJudge(game, _JUDGE, digest(params), pessimism, params)


def _best(settings: Sizes, work: Work) -> dict[str, object]:
    """The best of n games by every judge, all of the same games of M."""
    loop, first, key = _begin(settings, work.seed)
    finals, truth = loop.games(first, settings.games, jax.random.fold_in(key, 1))
    found: dict[str, object] = {}
    for number, count in enumerate((0, *settings.comparisons)):
        judge = _judge(loop, first, count, pessimism=0.0, key=key)
        said = contract.verdicts(judge, finals)
        points = _best_of(said, truth)
        found[f"judge-{count}" if count else "rules"] = {
            "accuracy": preference.agreement(said, truth),
            "points": points,
            "best": best_distance(points, "best"),
        }
        work.tell((1 + number) / (1 + len(settings.comparisons)))
    return found


def _learning(settings: Sizes, count: int, pessimism: float, work: Work) -> dict[str, object]:
    """Learning by a judge."""
    loop, first, key = _begin(settings, work.seed)
    judge = _judge(loop, first, count, pessimism=pessimism, key=key)
    points = loop.run(judge, first, jax.random.fold_in(key, 4), work.tell)
    return {"points": points, "best": best_distance(points, "learning")}


def _best_of(said: np.ndarray, truth: np.ndarray) -> list[Point]:
    """Gold and proxy of the best of n games, by the imitation learner's weights.

    It ends where less than one game lost is to be expected among those chosen: what is better than
    can be counted would look like a plateau.
    """
    points = []
    for n in _CHOSEN.tolist():
        weight = law.weights_of(said, n)
        games = weight.sum() ** 2 / (weight**2).sum()  # as many different ones are chosen
        gold, proxy = (float((1 + (weight * x).mean()) / 2) for x in (truth, said))
        if (1 - gold) * games < 1:
            break
        far = np.sqrt(max(0.0, imitation.divergence(weight)))
        points.append(Point(far, *(log_odds(share * games, games) for share in (gold, proxy))))
    return points


def best_distance(points: Sequence[Point], kind: str) -> float:
    """Where the fit of gold by distance has its peak; infinite if that is beyond what was measured.

    Args:
      points: of one loop.
      kind: best, gold = d(α − βd) beyond that of M; or learning, gold = d(α − β ln d).
    """
    far = np.array([point[0] for point in points], np.float64)
    gold = np.array([point[1] for point in points], np.float64)
    gold, known = gold - gold[0], far > 1e-3
    if known.sum() < 2:
        return math.inf
    d, beyond = far[known], gold[known]
    bent = d * (d if kind == "best" else np.log(d))
    (alpha, beta), *_ = np.linalg.lstsq(np.stack([d, -bent], 1), beyond, rcond=None)
    if beta <= 0:
        return math.inf
    with np.errstate(over="ignore"):
        peak = alpha / (2 * beta) if kind == "best" else np.exp(alpha / beta - 1)
    return max(0.0, float(peak)) if peak <= far.max() else math.inf


def best_distances(settings: Sizes, results: Results, kind: str) -> np.ndarray:
    """The best distances f64[seeds, judges] by fewest to most comparisons.

    Where there is no peak, the largest distance that any judge of the same seed has led to.
    """
    found = [_curves(results, f"judge-{n}", kind) for n in settings.comparisons]
    best = np.array([[one["best"] for one in row] for row in found], np.float64).T
    far = [[max(point[0] for point in one["points"]) for one in row] for row in found]
    return np.minimum(best, np.max(far, 0)[:, None])


def _curves(results: Results, judge: str, kind: str) -> list[dict[str, Any]]:
    """What each seed gave by a judge, of the best of n or of learning; none if it was not asked."""
    if kind == "learning":
        return results[judge]
    return [one[judge] for one in results["best"] if judge in one]


def downturn(points: Sequence[Point]) -> float:
    """How far gold at the end, the mean of the last two, lies below its highest mean of two."""
    gold = np.array([point[1] for point in points])
    smooth = (gold[1:] + gold[:-1]) / 2
    return float(smooth.max() - smooth[-1])


def _law_figures(results: Results) -> list[Figure]:
    normal, student = (results[f"law-{error}"] for error in ("normal", "student"))
    whole = {
        n: (normal[0]["expected"][at], student[0]["expected"][at])
        for at, n in enumerate(_SAMPLES.tolist())
    }
    peak = float(np.argmax(student[0]["expected"]))
    found = []
    for n, k, value, within in ((8, 0, 1.0, 0.01), (4096, 0, 2.55, 0.03), (16, 1, 0.69, 0.01)):
        error = "fat-tailed" if k else "normal"
        what = f"mean gold of the best of {n:,}, {error} error"
        found.append(_recomputed(what, near(value, within), whole[n][k]))
    found.append(_recomputed("best n, fat-tailed error", near(16, 0), 2**peak))
    what = "mean gold of the best of 4,096, fat-tailed error"
    found.append(_recomputed(what, near(0.07, 0.02), whole[4096][1]))
    for error, rows in (("normal", normal), ("fat-tailed", student)):
        gaps = [_gap(row) for row in rows]
        what = f"largest gap of weighed samples from the integral, n ≤ 256, {error} error"
        found.append(Figure(what, near(0, 0.1), over_seeds(gaps), Source.THEOREM))
    return found


def _recomputed(what: str, expected, value: float) -> Figure:
    return Figure(what, expected, Estimate(float(value)), Source.RECOMPUTED, "numpy")


def _gap(row) -> float:
    expected = dict(zip(_SAMPLES.tolist(), row["expected"], strict=True))
    pairs = zip(_DRAWN.tolist(), row["measured"], strict=True)
    return max(abs(expected[n] - value) for n, value in pairs if n <= 256)


def _game_figures(settings: Sizes, results: Results) -> list[Figure]:
    octaves = np.log2(settings.comparisons)
    found = []
    for kind, name in (("best", "best of n"), ("learning", "learning")):
        best = best_distances(settings, results, kind)
        slopes = [float(np.polyfit(octaves, row, 1)[0]) for row in best]
        what = f"growth of the best distance with every doubling of N, {name}"
        reference = "L. Gao et al., arXiv:2210.10760, for the form of the fit"
        found.append(Figure(what, at_least(0), over_seeds(slopes), Source.PROPOSED, reference))
    fewest = results[f"judge-{settings.comparisons[0]}"]
    turned = {
        "the rules": results["rules"],
        "fewest comparisons": fewest,
        "their ensemble": results["ensemble"],
    }
    downs = {name: [downturn(one["points"]) for one in rows] for name, rows in turned.items()}
    return [
        *found,
        Figure(
            "fall of gold from its height, learning by the rules",
            near(0, 0.35),
            over_seeds(downs["the rules"]),
            Source.PROPOSED,
            note="In nats of log odds; the mean of two generations strays by about 0.15.",
        ),
        Figure(
            "proxy less gold at the end, fewest comparisons",
            at_least(0, "interval"),
            over_seeds([_excess(one) for one in fewest]),
            Source.PROPOSED,
        ),
        Figure(
            "fall of gold, the judge alone less its ensemble",
            at_least(0),
            over_seeds(np.subtract(downs["fewest comparisons"], downs["their ensemble"]).tolist()),
            Source.PROPOSED,
            "T. Coste et al., arXiv:2310.02743",
        ),
    ]


def _excess(one) -> float:
    _, gold, proxy = one["points"][-1]
    return proxy - gold


def _by_judge(settings: Sizes, results: Results, kind: str, title: str) -> Chart:
    """Gold by distance, one line a judge, each the mean over seeds of points of equal number."""
    names = {f"{n:,} comparisons": f"judge-{n}" for n in settings.comparisons}
    names |= {"the rules": "rules", "ensemble of the fewest": "ensemble"}
    lines = []
    for name, part in names.items():
        curves = [one["points"] for one in _curves(results, part, kind)]
        if not curves:
            continue
        shortest = min(map(len, curves))
        points = np.array([curve[:shortest] for curve in curves], np.float64)
        lines.append(mean_line(name, points[:, :, 0].mean(0), points[:, :, 1]))
    return Chart(title, "√KL", "log odds by the rules, nats", tuple(lines), level=0.0)


def _trust(settings: Sizes, results: Results) -> Chart:
    """What the judge of the fewest comparisons says beside what is true."""
    found = results[f"judge-{settings.comparisons[0]}"]
    points = np.array([one["points"] for one in found], np.float64)
    far = points[:, :, 0].mean(0)
    return Chart(
        f"Learning by {settings.comparisons[0]:,} comparisons",
        "√KL",
        "log odds, nats",
        (
            mean_line("by the judge", far, points[:, :, 2]),
            mean_line("by the rules", far, points[:, :, 1]),
        ),
        level=0.0,
    )
