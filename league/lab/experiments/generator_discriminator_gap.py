"""A loop improves exactly as far as its judge tells good samples from bad ones, however it does it.

Method:
  In every solved position of tic-tac-toe a policy M draws *n* moves and a judge C picks one. Gold
  is 1 for an optimal move and 0 for any other. The gap is ρ(n) = (E gold of C's pick − E gold of M)
  / (E gold of the best of n − E gold of M). C is the rules, chance, the rules wrong in a share η of
  its verdicts (0.1, 0.3, and 0.7, which is worse than chance), M itself, and three networks that
  were taught 1, 4 and 16 times what the rules say, and pick the move that they would rather play. M
  is a network that was taught a little.

  Then M learns C's picks by the imitation learner's gradient steps, and its gold is measured again.

  Last the price of wrong verdicts: how many games a two-sided test needs to find, with a power of
  80 %, that a player wins 51 of 100, if a share η of the verdicts is flipped; and a league of
  tic-tac-toe under `--judge flipped:η`, in games until its raw network plays well.

Expected:
  ρ is 1 for the rules and 0 for chance, whatever M is. What M learns is C's pick, so that it
  improves if and only if ρ > 0, by ρ times what the best of n would bring, as far as the network
  can learn it.

  A verdict that is flipped with probability η is worth 1 − 2η of one, and as noisy: the games
  needed grow by 1/(1 − 2η)², that is 1.56, 2.78 and 6.25 at η = 0.1, 0.2 and 0.3. A league pays as
  much if what it learns is an average of verdicts. `flipped` decides by a hash of the final
  position, so in a game of few endings its errors do not average out over games that end alike.

Refuted by:
  A judge of ρ > 0 that makes M worse, one of ρ < 0 that makes it better, or noise that costs
  another power of 1 − 2η.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy import stats

import league
from agents.learners.imitation import ImitationConfig
from agents.nn.networks import ResNetConfig
from arena.evaluation.solved_positions import SolvedPositions
from league.lab import (
    Chapter,
    Chart,
    Estimate,
    Experiment,
    Figure,
    Json,
    Part,
    Results,
    Settings,
    Source,
    Table,
    Work,
    at_least,
    between,
    line,
    mean_line,
    near,
    of_slope,
    over_seeds,
)
from league.lab.estimates import shown
from league.lab.experiments._policies import Teacher, draw, positions, rightness, take

SAMPLES = (2, 4, 8, 16)
LEARNT = 4
"""n of what M learns."""
LESSONS = (1, 4, 16)
FLIPS = (0.1, 0.3, 0.7)
PRICES = {0.1: 1.56, 0.2: 2.78, 0.3: 6.25}
GAME = "tic_tac_toe"


@dataclass(frozen=True)
class Sizes(Settings):
    """The sizes.

    Attributes:
      repeats: how often every position is asked, for each n.
      passes: over C's picks, fresh ones each time, that M learns.
      generations: of each league.
      pairs: of games in its matches, eight of which are played a generation.
      strength: share of optimal favourite moves at which a league plays well.
    """

    repeats: int = 20
    passes: int = 16
    generations: int = 16
    pairs: int = 48
    strength: float = 0.85


class GeneratorDiscriminatorGap(Experiment[Sizes]):
    """See the file."""

    title = "The gap between making and judging"
    chapter = Chapter.RULES
    minutes = 8
    full = Sizes(seeds=3)
    quick = Sizes(seeds=1, repeats=2, passes=1, generations=2, pairs=4)

    def parts(self, settings: Sizes) -> Sequence[Part]:
        """Gaps and what comes of them, then leagues by η."""
        made = []
        for seed in range(settings.seeds):
            made.append(Part("gaps", partial(_gaps, settings), seed))
            made += [
                Part(f"league-{flip}", partial(_league, flip, settings), seed)
                for flip in (0.0, *PRICES)
            ]
        return made

    def figures(self, settings: Sizes, results: Results) -> Sequence[Figure]:
        """Gaps of the rules and of chance, what is learnt, and the price of wrong verdicts."""
        return [*_gap_figures(results), *_price_figures(), *_flipped_figures(results)]

    def charts(self, settings: Sizes, results: Results) -> Sequence[Chart]:
        """The gap by n, what M gains by the gap, the leagues' accuracy by games."""
        runs = results["gaps"]
        names = [name for name in runs[0]["judges"] if not name.startswith("taught")]
        gaps = [
            mean_line(name, SAMPLES, [run["judges"][name]["gap"] for run in runs]) for name in names
        ]
        taught = [
            mean_line(name, SAMPLES, [run["judges"][name]["gap"] for run in runs])
            for name in runs[0]["judges"]
            if name.startswith("taught") or name in ("M itself", "rules")
        ]
        expected, gained = _learnt(runs)
        ends = np.array([min(expected), max(expected)])
        leagues = [
            mean_line(
                f"η = {flip:g}",
                results[f"league-{flip}"][0]["games"],
                [run["accuracy"] for run in results[f"league-{flip}"]],
            )
            for flip in (0.0, *PRICES)
        ]
        return [
            Chart("The gap of judges that err by chance", "n", "ρ", tuple(gaps), log_x=True),
            Chart("The gap of networks as judges", "n", "ρ", tuple(taught), log_x=True),
            Chart(
                "What M gains by learning C's picks",
                "ρ × what the best of n would bring",
                "gold gained",
                (
                    line("judges, all seeds", expected, gained, points=True),
                    line("all of it", ends, ends, expected=True),
                ),
                level=0.0,
            ),
            Chart(
                "Leagues under --judge flipped:η",
                "games",
                "favourites optimal",
                tuple(leagues),
                level=settings.strength,
            ),
        ]

    def tables(self, settings: Sizes, results: Results) -> Sequence[Table]:
        """Every judge: its gap, and what M gained by it."""
        runs = results["gaps"]
        rows = []
        for name in runs[0]["judges"]:
            found = [run["judges"][name] for run in runs]
            gap = np.mean([one["gap"] for one in found], 0)
            gold = np.mean([one["gold"] for one in found])
            before = np.mean([run["before"] for run in runs])
            rows.append((name, *map(shown, gap), shown(float(gold - before))))
        columns = ("judge", *(f"ρ({n})" for n in SAMPLES), "gold gained")
        return [Table("Judges", columns, tuple(rows), f"Gained by learning its picks of {LEARNT}.")]


def _gaps(settings: Sizes, work: Work) -> dict[str, Json]:
    """The gap of every judge, and M's gold after it has learnt the judge's picks."""
    known = positions(GAME)
    known = take(known, np.flatnonzero(known.has_mistake))
    teacher, rng = Teacher(GAME), np.random.default_rng(work.seed)
    learner = _taught(teacher, known, 2, rng, seed=work.seed)
    policy = teacher.policy(learner.params, known.states)
    scores: dict[str, np.ndarray | None] = {"rules": known.optimal.astype(float), "chance": None}
    scores |= {f"rules, η = {flip:g}": scores["rules"] for flip in FLIPS}
    scores["M itself"] = policy
    for number, lessons in enumerate(LESSONS):
        state = _taught(teacher, known, lessons, rng, seed=100 + 10 * work.seed + number)
        scores[f"taught {lessons} times"] = teacher.policy(state.params, known.states)
    found = {}
    for number, (name, score) in enumerate(scores.items()):
        flip = float(name.partition("= ")[2] or 0)
        gap = [_gap(policy, known, score, flip, n, settings.repeats, rng) for n in SAMPLES]
        state = learner
        for part in range(settings.passes):
            moves = _pick(draw(policy, LEARNT, rng), score, flip, rng)
            key = {"progress": part / settings.passes, "seed": int(rng.integers(2**31))}
            state = teacher.teach(state, known.states, moves, **key)
        after = teacher.policy(state.params, known.states)
        found[name] = {"gap": gap, "gold": float(rightness(after, known.optimal).mean())}
        work.tell((number + 1) / len(scores))
    before = rightness(policy, known.optimal)
    best = 1 - (1 - before) ** LEARNT
    return {
        "judges": found,
        "before": float(before.mean()),
        "room": float((best - before).mean()),
    }


def _taught(
    teacher: Teacher, known: SolvedPositions, lessons: int, rng: np.random.Generator, *, seed: int
) -> Any:
    """A network that was told an optimal move of every position so many times."""
    state = teacher.fresh(seed)
    for lesson in range(lessons):
        right = draw(known.optimal / known.optimal.sum(1, keepdims=True), 1, rng)[:, 0]
        key = {"progress": lesson / max(1, lessons), "seed": int(rng.integers(2**31))}
        state = teacher.teach(state, known.states, right, **key)
    return state


def _pick(
    moves: np.ndarray, score: np.ndarray | None, flip: float, rng: np.random.Generator
) -> np.ndarray:
    """C's pick i64[N] of moves i64[N, n]: the highest score f64[N, A], of equals any."""
    rows = np.arange(len(moves))
    said = np.zeros(moves.shape) if score is None else score[rows[:, None], moves]
    said = np.where(rng.random(moves.shape) < flip, 1 - said, said)
    return moves[rows, (said + 1e-9 * rng.random(moves.shape)).argmax(1)]


def _gap(
    policy: np.ndarray,
    known: SolvedPositions,
    score: np.ndarray | None,
    flip: float,
    n: int,
    repeats: int,
    rng: np.random.Generator,
) -> float:
    """ρ(n), over all positions."""
    rows, picked, best, one = np.arange(len(policy)), 0.0, 0.0, 0.0
    for _ in range(repeats):
        moves = draw(policy, n, rng)
        gold = known.optimal[rows[:, None], moves]
        picked += float(known.optimal[rows, _pick(moves, score, flip, rng)].mean())
        best += float(gold.any(1).mean())
        one += float(gold.mean())  # on the same draws, so that their luck cancels
    return (picked - one) / (best - one)


def _league(flip: float, settings: Sizes, work: Work) -> dict[str, Json]:
    """The accuracy of a league's favourite moves by games, under verdicts that are flipped."""
    learner = ImitationConfig(network=ResNetConfig(channels=16, blocks=1), batch_size=256)
    config = league.default_config(GAME)
    small = replace(config.measure, opponents=1, pairs=2, baseline_pairs=0)
    config = replace(
        config,
        generations=settings.generations,
        matches=8,
        pairs=settings.pairs,
        slots=settings.pairs,
        rounds=1,
        seed=work.seed,
        learner=learner,
        measure=small,
    )
    run = league.train(
        GAME,
        config=config,
        judge=f"flipped:{flip:g}",
        name="league",
        folder=work.folder,
        resume=(work.folder / "league" / "run.json").exists(),
    )
    known = positions(GAME)
    known = take(known, np.flatnonzero(known.has_mistake))
    teacher = Teacher(GAME, channels=16, blocks=1)
    accuracy = []
    for generation in range(settings.generations + 1):
        policy = teacher.policy(run.weights(generation), known.states)
        right = known.optimal[np.arange(len(policy)), policy.argmax(1)]
        accuracy.append(float(right.mean()))
    played = 2 * config.matches * config.pairs
    games = [played * generation for generation in range(settings.generations + 1)]
    return {
        "accuracy": accuracy,
        "games": games,
        "needed": _needed(games, accuracy, settings.strength),
    }


def _needed(games: Sequence[int], accuracy: Sequence[float], strength: float) -> float | None:
    """Games after which the accuracy is first as high, between two generations; None if never."""
    for number in range(1, len(games)):
        low, high = accuracy[number - 1], accuracy[number]
        if high >= strength:
            share = (strength - low) / max(1e-9, high - low)
            return games[number - 1] + max(0.0, share) * (games[number] - games[number - 1])
    return None


def _power_games(chance: float) -> float:
    """Games in which a two-sided test at 5 % finds with 80 % that a chance to win is not ½."""
    reach = stats.norm.ppf(0.975) / 2
    low, high = 1, 10**7
    while high - low > 1:
        count = (low + high) // 2
        edge = count / 2 + reach * np.sqrt(count)
        found = stats.binom.sf(edge, count, chance) + stats.binom.cdf(count - edge, count, chance)
        low, high = (low, count) if found >= 0.8 else (count, high)
    return float(high)


def _learnt(runs: Sequence[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Of all judges and seeds, what the gap promises and what M gained."""
    number = SAMPLES.index(LEARNT)
    pairs = [
        (one["gap"][number] * run["room"], one["gold"] - run["before"])
        for run in runs
        for one in run["judges"].values()
    ]
    promised, gained = np.array(pairs).T
    return promised, gained


def _gap_figures(results: Results) -> list[Figure]:
    runs = results["gaps"]
    found = []
    for name, accept, source in (
        ("rules", near(1, 1e-9), Source.THEOREM),
        ("chance", near(0, 0.03), Source.THEOREM),
        ("rules, η = 0.7", between(-2, -0.1), Source.PROPOSED),
    ):
        values = [run["judges"][name]["gap"][SAMPLES.index(LEARNT)] for run in runs]
        found.append(Figure(f"ρ({LEARNT}) of {name}", accept, over_seeds(values), source))
    promised, gained = _learnt(runs)
    clear = abs(promised) > 0.02
    agreed = float((np.sign(gained) == np.sign(promised))[clear].mean())
    return [
        *found,
        Figure(
            "judges whose gap has the sign of what M gained by them",
            at_least(1.0),
            Estimate(agreed),
            Source.THEOREM,
            note=f"{clear.sum()} judges and seeds whose gap promises more than 0.02 either way.",
        ),
        Figure(
            "slope of what M gained on what the gap promises",
            near(1, 0.35),
            of_slope(promised, gained),
            Source.PROPOSED,
            "1 if the network learns the picks",
        ),
    ]


def _price_figures() -> list[Figure]:
    clean = _power_games(0.51)
    return [
        Figure(
            f"games for the same certainty, η = {flip:g}, times those without",
            near(price, round(0.03 * price, 3)),
            Estimate(_power_games(0.5 + 0.01 * (1 - 2 * flip)) / clean),
            Source.RECOMPUTED,
            "1/(1 − 2η)²",
        )
        for flip, price in PRICES.items()
    ]


def _flipped_figures(results: Results) -> list[Figure]:
    clean = [run["needed"] for run in results["league-0.0"]]
    found = []
    for flip, price in PRICES.items():
        ratios = [
            b["needed"] / a
            for a, b in zip(clean, results[f"league-{flip}"], strict=True)
            if a and b["needed"]
        ]
        late = len(clean) - len(ratios)
        found.append(
            Figure(
                f"league, η = {flip:g}: games to play well, times those without",
                between(price / 2, 2 * price),
                over_seeds(ratios) if ratios else Estimate(np.inf),
                Source.PROPOSED,
                f"{price:g}, up to a factor of 2",
                f"{late} of {len(clean)} seeds did not get there." if late else "",
            )
        )
    return found
