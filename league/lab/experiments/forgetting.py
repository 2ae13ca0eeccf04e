"""Self-play against the last self goes round in circles; a league, and a gate on the past, do not.

Method:
  Agents that learn in no time, in two games whose answers are known. In rock-paper-scissors an
  agent learns the best response to those that it meets. On the disc it has a skill *s* and a place
  *v* in the unit disc, gains tanh(s₁ − s₂) + v₁ × v₂, and learns by a step up the gradient; and
  once more with a skill and a place that a network gives, by steps up the gradient of its weights.
  Every generation the newest agent meets opponents that one of the league's matchmakers draws from
  the pool, learns, and joins the pool. What a matchmaker is worth is what it would send into the
  field: the mixture of the pool that it draws from, under `latest` the newest agent alone. The
  *worst score* is the mean payoff of that mixture against the agent of the pool that does best
  against it.

  Then the product's own leagues of rock-paper-scissors, by networks that PPO trains: naive
  self-play, and a league that meets the Nash mixture of its past. Payoffs are exact.

  Beside it two learners in self-play that are not leagues: Hedge, whose weights grow with e^(0.1 ×
  payoff), from (.5, .3, .2); and fictitious play, the best response to the average of the past.

  Then gates: a chain of 99 best responses, each to the one before it, is put before a gate that
  asks for a win against the predecessor, and before the product's gate with uniform play held out.

Expected:
  Naive self-play loses to its own past, everywhere and for ever (D. Balduzzi et al., arXiv
  1901.08106): its worst score is below −0.5. What `nash` fields cannot lose to its own pool by
  definition; mixtures have to earn it.

  Hedge with a constant rate circles outwards, so that its last policies are nearly pure, while the
  average converges (Y. Freund and R. Schapire, 1999; J. Bailey and G. Piliouras, 2018). The average
  of fictitious play converges (J. Robinson, 1951) about as T^(−1/2).

  A gate on the predecessor promotes all 99 of the chain, the last of which loses every game to one
  of them. The product's gate promotes the first alone: the second beats the first, but loses to who
  reigned before.

Refuted by:
  A naive run whose worst score stays near 0, a league's that does not, or a gate on the past that
  lets the circle pass.

Found:
  In the product's own leagues of rock-paper-scissors naive PPO loses to its past, and the league
  does not. But thirty generations of 1,024 games are a small part of the first turn of its circle:
  its worst score is −0.06 to −0.13 and still falls, under the bound of −0.05 that the leagues keep
  to, but not below −0.2 as was expected.

  Fictitious play depends on where it starts: from the prior (.5, .3, .2) it is at 0.048, 0.015 and
  0.0047 after 10², 10³ and 10⁴ rounds, from a pure policy at 0.07, 0.021 and 0.0067.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from arena.evaluation import metagame
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
    between,
    line,
    mean_line,
    near,
    over_seeds,
)
from league.lab.experiments import _poker
from league.lab.experiments._toys import (
    TOYS,
    RockPaperScissors,
    by_gate,
    over_predecessor,
    responses,
    train,
    worst,
)

NAIVE = (("rock_paper_scissors", "latest"), ("disc", "latest"), ("neural_disc", "latest"))
"""Toy and matchmaker of what goes round in circles."""
LEAGUES = (
    ("rock_paper_scissors", "uniform"),
    ("rock_paper_scissors", "nash"),
    ("rock_paper_scissors", "0.95*nash+0.05*uniform"),
    ("disc", "nash"),
    ("disc", "0.95*nash+0.05*uniform"),
    ("neural_disc", "nash"),
    ("neural_disc", "0.95*nash+0.05*uniform"),
)
"""What does not. On the disc, where skill grows, uniform fields the first as often as the last."""


REAL = {"latest": 0.0, "nash": 1.0}
"""Matchmakers of the product's own leagues of rock-paper-scissors, and their share of its games."""


@dataclass(frozen=True)
class Sizes(Settings):
    """The sizes.

    Attributes:
      naive: generations of naive self-play.
      league: generations of a league.
      fictitious: of one whose matchmaker is uniform in rock-paper-scissors, which is slow.
      rounds: of Hedge and of fictitious play.
      chain: best responses put before the gates.
      generations: of the product's leagues; 0 leaves them out.
      pairs: of games in their matches.
    """

    naive: int = 100
    league: int = 40
    fictitious: int = 3000
    rounds: int = 10_000
    chain: int = 99
    generations: int = 30
    pairs: int = 64


class Forgetting(Experiment[Sizes]):
    """See the file."""

    title = "Forgetting"
    chapter = Chapter.LEAGUE
    minutes = 5
    full = Sizes()
    quick = Sizes(seeds=2, fictitious=1000, chain=30, generations=0)

    def parts(self, settings: Sizes) -> Sequence[Part]:
        """Pools by matchmaker and seed, the two learners, the gates."""
        made = [Part("hedge", partial(_hedge, settings))]
        made += [Part("fictitious", partial(_fictitious, settings))]
        for seed in range(settings.seeds):
            made += [
                Part(_name(toy, rule), partial(_pool, toy, rule, settings), seed)
                for toy, rule in NAIVE + LEAGUES
            ]
            made.append(Part("gates", partial(_gates, settings), seed))
            made += [
                Part(f"league-{rule}", partial(_league, rule, settings), seed)
                for rule in (REAL if settings.generations else ())
            ]
        return made

    def figures(self, settings: Sizes, results: Results) -> Sequence[Figure]:
        """Worst scores, exploitabilities, promotions."""
        found = [*_pool_figures(results), *_league_figures(results), *_learner_figures(results)]
        return found + _gate_figures(settings, results)

    def charts(self, settings: Sizes, results: Results) -> Sequence[Chart]:
        """Worst scores by generation, exploitability by round."""
        hedge, fictitious = results["hedge"][0], results["fictitious"][0]
        return [
            *_worst_charts(results),
            Chart(
                "Exploitability in rock-paper-scissors",
                "rounds",
                "exploitability",
                (
                    line("Hedge, policy of the round", hedge["at"], hedge["last"]),
                    line("Hedge, average", hedge["at"], hedge["average"]),
                    line("fictitious play", fictitious["at"], fictitious["exploitability"]),
                ),
                log_x=True,
                log_y=True,
            ),
        ]


def _name(toy: str, rule: str) -> str:
    return f"{toy}-{rule.replace('*', '_').replace('+', '-')}"


def _pool(toy: str, rule: str, settings: Sizes, work: Work) -> dict[str, object]:
    """The worst score of a pool at its end, and after each generation where that is cheap."""
    slow = (toy, rule) == ("rock_paper_scissors", "uniform")
    lasting = settings.naive if rule == "latest" else settings.league
    pool = train(TOYS[toy], rule, settings.fictitious if slow else lasting, work.seed)
    every = range(2, len(pool) + 1) if not slow else [len(pool)]
    curve = [worst(TOYS[toy], pool[:end], rule) for end in every]
    return {"worst": curve[-1], "curve": curve}


def _league(rule: str, settings: Sizes, work: Work) -> dict[str, object]:
    """The worst score of what a league of the product fields, generation by generation."""
    run = _poker.train(
        "rock_paper_scissors",
        generations=settings.generations,
        pairs=settings.pairs,
        seed=work.seed,
        folder=work.folder,
        name="league",
        learner="ppo",
        pool_share=REAL[rule],
        matchmaker=rule,
    )
    tables = [run.table(run.weights(number)) for number in range(settings.generations + 1)]
    exact, curve = run.exact(tables), []
    for count in range(2, len(tables) + 1):
        payoffs = exact[:count, :count]
        fielded = np.eye(count)[-1] if rule == "latest" else metagame.nash(payoffs).mixture
        curve.append(metagame.worst_case(payoffs, fielded))
    return {"worst": curve[-1], "least": min(curve), "curve": curve}


_BEATS = RockPaperScissors.BEATS


def _exploitability(policies: np.ndarray) -> np.ndarray:
    """What the best response gains against each policy f64[n, 3], f64[n]."""
    return (policies @ _BEATS.T).max(1)


def _hedge(settings: Sizes, work: Work) -> dict[str, object]:
    """Hedge in self-play: exploitability of its policies and of their average."""
    policy = np.array([0.5, 0.3, 0.2])
    policies = np.empty((settings.rounds, 3))
    for number in range(settings.rounds):
        policies[number] = policy
        grown = policy * np.exp(0.1 * (_BEATS @ policy))
        policy = grown / grown.sum()
    counts = np.arange(1, settings.rounds + 1)
    average = _exploitability(np.cumsum(policies, 0) / counts[:, None])
    last = _exploitability(policies)
    at = _spread(settings.rounds)
    return {
        "at": at,
        "last": last[at - 1],
        "average": average[at - 1],
        "last_1000": float(last[-1000:].mean()),
        "average_at_end": float(average[-1]),
    }


def _fictitious(settings: Sizes, work: Work) -> dict[str, object]:
    """Fictitious play from the prior (.5, .3, .2): exploitability of the average."""
    counts = np.array([0.5, 0.3, 0.2])
    averages = np.empty((settings.rounds, 3))
    for number in range(settings.rounds):
        counts = counts + np.eye(3)[np.argmax(_BEATS @ counts)]
        averages[number] = counts / counts.sum()
    found = _exploitability(averages)
    at = _spread(settings.rounds)
    decades = [n for n in (100, 1000, 10_000) if n <= settings.rounds]
    slope = np.polyfit(np.log(at[at >= 100]), np.log(found[at[at >= 100] - 1]), 1)[0]
    return {
        "at": at,
        "exploitability": found[at - 1],
        "decades": {n: float(found[n - 1]) for n in decades},
        "slope": float(slope),
    }


def _spread(rounds: int) -> np.ndarray:
    """Round numbers i64[n] evenly on a logarithmic scale."""
    return np.unique(np.geomspace(1, rounds, 200).round().astype(int))


def _gates(settings: Sizes, work: Work) -> dict[str, object]:
    chain = responses(settings.chain, work.seed)
    return {
        "over_predecessor": over_predecessor(chain),
        "by_gate": len(by_gate(chain, work.seed)),
        "worst": worst(TOYS["rock_paper_scissors"], chain, "latest"),
    }


def _worst_charts(results: Results) -> list[Chart]:
    """Worst scores by generation on the disc, of points and of networks."""
    made = []
    for toy, told in (("disc", "on the disc"), ("neural_disc", "on the disc, of networks")):
        lines = []
        for rule in ("latest", "nash", "0.95*nash+0.05*uniform"):
            curves = [found["curve"] for found in results[_name(toy, rule)]]
            rounds = np.arange(1, len(curves[0]) + 1)
            lines.append(mean_line(rule, rounds, curves))
        title = f"Worst score against the pool, {told}"
        note = "Mean over seeds and 95 % intervals."
        made.append(Chart(title, "generation", "payoff", tuple(lines), note=note, level=0.0))
    lines = []
    for rule in REAL if "league-nash" in results else ():
        curves = [found["curve"] for found in results[f"league-{rule}"]]
        lines.append(mean_line(rule, np.arange(1, len(curves[0]) + 1), curves))
    title = "Worst score against the pool, leagues of rock-paper-scissors by PPO"
    if lines:
        made.append(Chart(title, "generation", "payoff", tuple(lines), level=0.0))
    return made


def _pool_figures(results: Results) -> list[Figure]:
    found = []
    for pairs, accept in ((NAIVE, at_most(-0.5, "every")), (LEAGUES, at_least(-0.05, "every"))):
        for toy, rule in pairs:
            scores = over_seeds([one["worst"] for one in results[_name(toy, rule)]])
            what = f"worst score, {toy.replace('_', ' ')}, {rule}"
            found.append(Figure(what, accept, scores, Source.PROPOSED))
    return found


def _league_figures(results: Results) -> list[Figure]:
    """The product's own leagues of rock-paper-scissors, by networks that PPO trains."""
    return [
        Figure(
            f"league of rock-paper-scissors, {rule}: {what}",
            accept,
            over_seeds([one[key] for one in results[f"league-{rule}"]]),
            Source.PROPOSED,
        )
        for rule, key, what, accept in (
            ("latest", "least", "lowest worst score on the way", at_most(-0.2, "every")),
            ("nash", "worst", "worst score at the end", at_least(-0.05, "every")),
        )
        if f"league-{rule}" in results
    ]


def _learner_figures(results: Results) -> list[Figure]:
    hedge, fictitious = results["hedge"][0], results["fictitious"][0]
    found = [
        Figure(
            "Hedge, exploitability of the last 1,000 policies",
            near(0.88, 0.005),
            over_seeds([hedge["last_1000"]]),
            Source.RECOMPUTED,
        ),
        Figure(
            "Hedge, exploitability of the average",
            near(0.0055, 0.00005),
            over_seeds([hedge["average_at_end"]]),
            Source.RECOMPUTED,
        ),
    ]
    for rounds, value in ((100, 0.069), (1000, 0.014), (10_000, 0.004)):
        found.append(
            Figure(
                f"fictitious play, exploitability after {rounds:,}",
                between(value / 2, 2 * value),
                over_seeds([fictitious["decades"][str(rounds)]]),
                Source.RECOMPUTED,
                f"{value}, up to a factor of 2",
                "The figure goes up and down with the round and depends on the start.",
            )
        )
    found.append(
        Figure(
            "fictitious play, slope of log exploitability on log rounds",
            near(-0.5, 0.05),
            over_seeds([fictitious["slope"]]),
            Source.PROPOSED,
            "S. Karlin's conjecture",
        )
    )
    return found


def _gate_figures(settings: Sizes, results: Results) -> list[Figure]:
    found = results["gates"]
    expected = (
        ("promoted by a gate on the predecessor", "over_predecessor", settings.chain),
        ("promoted by the gate with the past held out", "by_gate", 1),
        ("worst score of the last agent of the chain", "worst", -1),
    )
    return [
        Figure(
            what,
            near(value, 0, "every"),
            over_seeds([one[key] for one in found]),
            Source.RECOMPUTED,
        )
        for what, key, value in expected
    ]
