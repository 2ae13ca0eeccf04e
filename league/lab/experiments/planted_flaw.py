"""What a judge wrongly likes grows by b/T a round; a good judge stops that and undoes nothing.

Method:
  The judge says C = gold + b·φ: φ is a planted weakness, a property of answers that the judge likes
  and the rules do not. A policy M is tilted by it, M′ ∝ M·e^{C/T}, for some rounds, and then by the
  rules alone for as many.

  First without a network: answers have a gold of 0, ½ or 1, and φ or not. φ is independent of gold,
  or costs k of it. Exact distributions, and the same by 200,000 draws a round that the imitation
  learner's own `tilt` weighs.

  Then with networks: in every solved position a move has gold 1 if it is optimal and 0 otherwise,
  and φ if it is played in a corner (tic-tac-toe), or in one of the three middle columns (Connect
  Four). Each round the network draws moves, `tilt` weighs them, and the network learns them by the
  imitation learner's gradient steps. What is measured is the log-odds of φ among optimal moves,
  which cost the same gold, in positions that have optimal moves of both kinds; and beside it a run
  by the rules alone, in the same rounds.

  Last a league of tic-tac-toe whose judge likes whoever holds the centre, beside the league's own
  alarm.

Expected:
  With independent φ its log-odds grow by exactly b/T a round, and by 0 under the rules. If φ costs
  gold k they grow by (b − k)/T, and under the rules fall by k/T. So a flaw is not unlearnt by a
  good judge unless it costs something, however long that judges.

  A network learns the tilted policy as far as its gradient steps bring it there and its weights can
  tell the positions apart. The slope as a share of b/T is what is measured.

Refuted by:
  Odds that fall under the rules without a cost, or a growth that is not proportional to b/T.

Found:
  All sixteen, over three seeds. Exactly tilted policies follow the law to the last digit, drawn
  ones within 0.005, and networks within 5 % of b/T: what the flawed judge has planted stays. After
  as many rounds by the rules 90 % of it is left on tic-tac-toe and all of it on Connect Four, in
  wide intervals. The league's judge gives its last snapshot 11.5 points in 100 beyond the rules,
  and the alarm tells so in every run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import league
from agents.learners import imitation
from agents.learners.imitation import ImitationConfig
from agents.nn.networks import ResNetConfig
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
    line,
    mean_line,
    near,
    over_seeds,
)
from league.lab.experiments import _flawed
from league.lab.experiments._policies import Teacher, draw, positions, take

BONUS, TEMPERATURE, COST = 0.3, 0.5, 0.2
"""b, T, k."""
ARMS = ("flawed", "rules")
_TILT = ImitationConfig(selection="tilt", temperature=TEMPERATURE)


@dataclass(frozen=True)
class Sizes(Settings):
    """The sizes.

    Attributes:
      games: on which networks are trained.
      draws: of answers in a round, without a network.
      rounds: by the flawed judge, and as many by the rules after them.
      passes: over all positions in a round, each with fresh moves.
      most: positions of a game at most.
      generations: of the league.
      pairs: of games in its matches.
    """

    games: tuple[str, ...] = ("tic_tac_toe", "connect_four")
    draws: int = 200_000
    rounds: int = 5
    passes: int = 8
    most: int = 4000
    generations: int = 8
    pairs: int = 64


class PlantedFlaw(Experiment[Sizes]):
    """See the file."""

    title = "A planted flaw"
    chapter = Chapter.GAMED
    minutes = 8
    full = Sizes(seeds=3)
    quick = Sizes(
        seeds=1,
        games=("tic_tac_toe",),
        draws=50_000,
        rounds=2,
        passes=1,
        most=800,
        generations=2,
        pairs=8,
    )

    def parts(self, settings: Sizes) -> Sequence[Part]:
        """The law, networks under both judges, and the league."""
        made = []
        for seed in range(settings.seeds):
            made += [
                Part(f"law-{name}", partial(_law, cost, settings), seed)
                for name, cost in (("independent", 0.0), ("costly", COST))
            ]
            made += [
                Part(f"{game}-{arm}", partial(_network, game, arm, settings), seed)
                for game in settings.games
                for arm in ARMS
            ]
            made.append(Part("league", partial(_league, settings), seed))
        return made

    def figures(self, settings: Sizes, results: Results) -> Sequence[Figure]:
        """Growth of log-odds a round: exact, drawn, of networks; and the alarm."""
        found = []
        for name, cost in (("independent", 0.0), ("costly", COST)):
            runs = results[f"law-{name}"]
            told = "φ independent of gold" if not cost else f"φ costs {cost:g}"
            for judge, value in (
                ("flawed", (BONUS - cost) / TEMPERATURE),
                ("rules", -cost / TEMPERATURE),
            ):
                for how, within in (("exact", 1e-9), ("drawn", 0.03)):
                    found.append(
                        Figure(
                            f"{told}, {how}: growth of log-odds a round, {judge}",
                            near(round(value, 9), within),
                            over_seeds([run[how][judge] for run in runs]),
                            Source.THEOREM,
                            "(b − k)/T" if judge == "flawed" else "−k/T",
                        )
                    )
        return [
            *found,
            *(
                figure
                for game in settings.games
                for figure in _network_figures(game, settings, results)
            ),
            *_league_figures(results),
        ]

    def charts(self, settings: Sizes, results: Results) -> Sequence[Chart]:
        """Log-odds by round."""
        rounds = np.arange(2 * settings.rounds + 1)
        made = []
        for game in settings.games:
            starts = [run["odds"][0] for run in results[f"{game}-flawed"]]
            law = np.minimum(rounds, settings.rounds) * BONUS / TEMPERATURE + np.mean(starts)
            lines = [
                mean_line(
                    "flawed, then rules" if arm == "flawed" else "rules",
                    rounds,
                    [run["odds"] for run in results[f"{game}-{arm}"]],
                )
                for arm in ARMS
            ]
            made.append(
                Chart(
                    f"Log-odds of the planted flaw among optimal moves, {game}",
                    "round",
                    "log-odds, nats",
                    (*lines, line("law", rounds, law, expected=True)),
                    note=f"The rules judge from round {settings.rounds} on.",
                )
            )
        runs = results["league"]
        length = min(len(run["judge"]) for run in runs)
        made.append(
            Chart(
                "A league of tic-tac-toe whose judge likes the centre",
                "generation",
                "score against the first policy",
                tuple(
                    mean_line(name, np.arange(1, length + 1), [run[name][:length] for run in runs])
                    for name in ("judge", "rules")
                ),
                level=0.5,
            )
        )
        return made


def _log_odds(chances: np.ndarray) -> float:
    """Of φ, from the joint distribution f64[levels, 2] of gold and φ."""
    return float(np.log(chances[:, 1].sum()) - np.log(chances[:, 0].sum()))


def _law(cost: float, settings: Sizes, work: Work) -> dict[str, Any]:
    """Growth of log-odds a round, by exact tilting and by weighed draws."""
    rng = np.random.default_rng(work.seed)
    level = rng.dirichlet(np.ones(3))
    start = level[:, None] * np.array([0.8, 0.2])
    flaw = np.array([0.0, 1.0])
    gold = np.array([0.0, 0.5, 1.0])[:, None] - cost * flaw
    found: dict[str, Any] = {}
    for how in ("exact", "drawn"):
        chances, odds = start, [_log_odds(start)]
        for number in range(2 * settings.rounds):
            said = gold + (BONUS * flaw if number < settings.rounds else 0)
            chances = _tilted(chances, said, how, settings.draws, rng)
            odds.append(_log_odds(chances))
        half, end = odds[settings.rounds], odds[-1]
        found[how] = {
            "flawed": (half - odds[0]) / settings.rounds,
            "rules": (end - half) / settings.rounds,
        }
        found[f"{how}_odds"] = odds
    return found


def _tilted(
    chances: np.ndarray, said: np.ndarray, how: str, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """The next distribution f64[levels, 2]: M·e^{C/T}/Z, or the weighed shares of draws from M."""
    if how == "exact":
        raised = chances * np.exp(said / TEMPERATURE)
        return raised / raised.sum()
    drawn = rng.choice(chances.size, draws, p=chances.ravel())
    outcome = said.ravel()[drawn]
    weight = imitation.weights(_TILT, outcome, np.zeros(draws)).astype(np.float64)
    raised = np.bincount(drawn, weight, chances.size)
    return (raised / raised.sum()).reshape(chances.shape)


def _network(game: str, arm: str, settings: Sizes, work: Work) -> dict[str, Any]:
    """Log-odds of the flaw among optimal moves, round by round."""
    teacher, known = Teacher(game), positions(game)
    chosen = np.flatnonzero(known.has_mistake)
    known = take(known, chosen[:: -(-len(chosen) // settings.most)])
    flaw = _flaw(game, known.legal.shape[1])
    both = (known.optimal & flaw).any(1) & (known.optimal & ~flaw).any(1)
    rng = np.random.default_rng(work.seed)
    state = teacher.fresh(work.seed)
    policy = teacher.policy(state.params, known.states)
    odds, right, total = [], [], 2 * settings.rounds
    for number in range(total + 1):
        odds.append(_flaw_odds(policy[both], known.optimal[both], flaw))
        right.append(float((policy * known.optimal).sum(1).mean()))
        if number == total:
            break
        liked = BONUS * flaw if arm == "flawed" and number < settings.rounds else 0.0
        for part in range(settings.passes):
            moves = draw(policy, 1, rng)[:, 0]
            said = (known.optimal + liked)[np.arange(len(moves)), moves]
            weights = imitation.weights(_TILT, said, np.zeros(len(moves)))
            # All rounds are alike: the rate of learning does not fall.
            key = {"progress": 0.25, "seed": int(rng.integers(2**31))}
            state = teacher.teach(state, known.states, moves, weights=weights, **key)
            work.tell((number + part / settings.passes) / total)
        policy = teacher.policy(state.params, known.states)
    return {"odds": odds, "right": right, "positions": int(both.sum())}


def _flaw(game: str, actions: int) -> np.ndarray:
    """Which moves have the planted property, bool[A]; the same after a symmetry of the game."""
    found = np.zeros(actions, bool)
    found[[0, 2, 6, 8] if game == "tic_tac_toe" else [2, 3, 4]] = True
    return found


def _flaw_odds(policy: np.ndarray, optimal: np.ndarray, flaw: np.ndarray) -> float:
    """The mean log-odds of the flaw among optimal moves, over positions f64[N, A]."""
    shares = [(policy * (optimal & part)).sum(1) for part in (flaw, ~flaw)]
    # A chance of less than one in a million is as good as none, and its logarithm is rounding.
    with_flaw, without = (np.log(np.maximum(share, 1e-6)) for share in shares)
    return float((with_flaw - without).mean())


def _league(settings: Sizes, work: Work) -> dict[str, Any]:
    """A league of the product under a judge that likes the centre: scores, and its alarms."""
    learner = ImitationConfig(network=ResNetConfig(channels=8, blocks=1), batch_size=256)
    config = league.default_config("tic_tac_toe")
    small = replace(config.measure, opponents=2, pairs=32, baseline_pairs=0)
    config = replace(
        config,
        generations=settings.generations,
        pairs=settings.pairs,
        slots=settings.pairs,
        matches=4,
        rounds=1,
        seed=work.seed,
        learner=learner,
        measure=small,
    )
    place = Path(_flawed.__file__)
    known = (work.folder / "league" / "run.json").exists()
    run = league.train(
        "tic_tac_toe",
        config=config,
        judge=f"program:{place}:centre",
        name="league",
        folder=work.folder,
        resume=known,
    )
    judged = [one for one in run.figures() if one.get("judged")]
    return {
        "judge": [one["judged"]["judge_first"] for one in judged],
        "rules": [one["judged"]["rules_first"] for one in judged],
        "alarms": sum("being gamed" in text for one in judged for text in one.get("alarms", [])),
    }


def _network_figures(game: str, settings: Sizes, results: Results) -> list[Figure]:
    """Slopes of a network, as shares of b/T and beside a run by the rules alone."""
    rounds, law = settings.rounds, BONUS / TEMPERATURE
    flawed = [run["odds"] for run in results[f"{game}-flawed"]]
    ruled = [run["odds"] for run in results[f"{game}-rules"]]
    name = game.replace("_", "-")

    def growth(first: int, last: int) -> list[float]:
        """Of the flawed run beyond that by the rules, a round."""
        return [
            ((a[last] - a[first]) - (b[last] - b[first])) / (last - first)
            for a, b in zip(flawed, ruled, strict=True)
        ]

    alone = [(odds[rounds] - odds[0]) / rounds / law for odds in flawed]
    return [
        Figure(
            f"{name}: growth a round by the flawed judge beyond that by the rules, of b/T",
            near(1, 0.25),
            over_seeds(np.array(growth(0, rounds)) / law),
            Source.PROPOSED,
            "1 without shared weights",
            f"Without that of the rules deducted: {np.mean(alone):.2f}.",
        ),
        Figure(
            f"{name}: the same after going back to the rules, of b/T",
            near(0, 0.25),
            over_seeds(np.array(growth(rounds, 2 * rounds)) / law),
            Source.PROPOSED,
            "0 without shared weights",
        ),
        Figure(
            f"{name}: share of the flaw that is left in the end",
            at_least(0.5),
            over_seeds(
                [
                    (a[-1] - b[-1] - a[0] + b[0]) / max(1e-9, a[rounds] - b[rounds] - a[0] + b[0])
                    for a, b in zip(flawed, ruled, strict=True)
                ]
            ),
            Source.PROPOSED,
            "1 without shared weights",
        ),
    ]


def _league_figures(results: Results) -> list[Figure]:
    runs = results["league"]
    return [
        Figure(
            "league: points in 100 that its judge gives the last snapshot beyond the rules",
            at_least(5.0),
            over_seeds([100 * (run["judge"][-1] - run["rules"][-1]) for run in runs]),
            Source.PROPOSED,
            note="Against the first policy, in the same games.",
        ),
        Figure(
            "league: share of the runs in which its alarm tells that the judge is gamed",
            at_least(0.99),
            over_seeds([float(run["alarms"] > 0) for run in runs]),
            Source.PROPOSED,
        ),
    ]
