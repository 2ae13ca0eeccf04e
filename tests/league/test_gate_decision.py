"""The gate's decision, where the truth about everybody is known."""

from collections.abc import Mapping

import numpy as np
import pytest
from scipy import optimize, stats

from arena.errors import UserError
from arena.evaluation.score import NELO, Z95
from arena.evaluation.sprt import Sprt
from league.gate.decision import Gate, OptimalMoves
from league.gate.match import GateMatch, Stage
from league.gate.rule import Rule
from league.gate.statistics import pentanomial, sign_test
from league.gate.verdict import AccuracyCompared, TestContinued

PAIRS = np.array([[0, 0], [0.5, 0], [0.5, 0.5], [1, 0.5], [1, 1]])
"""A pair of games for each number of points, 0 to 2."""
BASE = np.array([1, 2, 6, 2, 1], float)


def truth(nelo: float) -> np.ndarray:
    """Probabilities of 0, ½, 1, 1½, 2 points at this difference: the base, tilted."""

    def tilted(x: float) -> np.ndarray:
        p = BASE * np.exp(x * np.arange(5))
        return p / p.sum()

    def excess(x: float) -> float:
        p, points = tilted(x), np.arange(5) / 4
        mean = p @ points
        return float((mean - 0.5) / np.sqrt(2 * p @ (points - mean) ** 2)) - nelo / NELO

    return tilted(float(optimize.brentq(excess, -20, 20)))  # type: ignore[arg-type]


class World:
    """Agents whose differences are known; plays matches, and counts them.

    Args:
      nelo: by opponent, how far any candidate is above it.
      seed: of the games.
    """

    def __init__(self, nelo: Mapping[str, float], seed: int):
        self.chances = {name: truth(value) for name, value in nelo.items()}
        self.rng, self.matches = np.random.default_rng(seed), []

    def __call__(self, match: GateMatch) -> np.ndarray:
        self.matches.append(match)
        return PAIRS[self.rng.choice(5, match.pairs, p=self.chances[match.b])]


def promotions(rule: Rule, nelo: Mapping[str, float], runs: int, candidates: int = 1) -> float:
    """How often a candidate gets through, the first opponent being the champion."""
    champion, *heldout = nelo
    names = [str(i) for i in range(candidates)]
    verdicts = [
        Gate(rule, names, champion, heldout=heldout, play=World(nelo, seed)).decide()
        for seed in range(runs)
    ]
    return float(np.mean([verdict.promoted for verdict in verdicts]))


QUICK = Rule(elo1=120, pairs=32, heldout_pairs=32)


def error(p: float, runs: int) -> float:
    """Three standard errors."""
    return 3 * np.sqrt(p * (1 - p) / runs)


def test_false_promotions_are_as_rare_as_promised():
    # Beats all held-out opponents, chosen from three: neither helps against an equal champion.
    rate = promotions(QUICK, {"champion": 0, "a": 300, "b": 300}, 100, candidates=3)
    assert rate <= 0.05 + error(0.05, 100)


def test_who_is_better_and_nobodys_inferior_gets_through():
    nelo = {"champion": QUICK.elo1, "a": 0.0, "b": 0.0, "c": 0.0, "d": 0.0}
    assert promotions(QUICK, nelo, 100) >= 0.95 - error(0.05, 100)


@pytest.mark.slow
@pytest.mark.parametrize("rule", [QUICK, Rule(elo0=-20, elo1=60, alpha=0.02, beta=0.1, pairs=16)])
def test_both_errors_keep_within_what_is_promised(rule: Rule):
    runs = 1000
    equals = dict.fromkeys("abcdefgh", 0.0)
    false = promotions(rule, {"champion": rule.elo0, **equals}, runs, candidates=4)
    assert false <= rule.alpha + error(rule.alpha, runs)
    missed = 1 - promotions(rule, {"champion": rule.elo1, **equals}, runs)
    assert missed <= rule.beta + error(rule.beta, runs)


def test_the_checks_share_half_of_beta():
    # Eight equals, each checked at the usual 97.5 %: 1 - 0.975**8 = 18 % of true winners fall.
    assert 8 * stats.norm.cdf(-Rule().critical_z(8)) == pytest.approx(0.05 / 2)


def test_a_loss_to_anyone_refuses():
    nelo = {"champion": 400, "friend": 200, "opponent": -200}
    world = World(nelo, 0)
    verdict = Gate(Rule(), ["7"], "champion", heldout=["friend", "opponent"], play=world).decide()
    assert not verdict.promoted
    assert verdict.reason == "7 beats champion but loses to opponent"
    assert [(one.agent, one.lost) for one in verdict.heldout] == [
        ("friend", False),
        ("opponent", True),
    ]
    assert [m.pairs for m in world.matches if m.stage == Stage.HELDOUT] == [128, 128]


def test_nothing_is_checked_where_the_champion_was_not_beaten():
    world = World({"champion": -300, "a": 0}, 0)
    verdict = Gate(Rule(), ["7"], "champion", heldout=["a"], play=world).decide()
    assert verdict.reason == "7 is not better than champion"
    assert not verdict.promoted
    assert verdict.heldout == ()
    assert {match.stage for match in world.matches} == {Stage.TEST}


def test_an_undecided_test_refuses():
    world = World({"champion": 12.5}, 0)
    verdict = Gate(Rule(elo1=25, max_pairs=96), ["7"], "champion", heldout=[], play=world).decide()
    assert not verdict.promoted
    assert verdict.reason == "96 pairs did not decide between 7 and champion"
    assert [match.pairs for match in world.matches] == [64, 32]
    assert sum(verdict.test.pairs) == 96
    assert Sprt(0, 25).bounds == verdict.test.bounds  # there is no check: all of beta is the test's
    assert verdict.test.llr == Sprt(0, 25).llr(verdict.test.pairs)


def optimal(better: int, worse: int) -> OptimalMoves:
    """In 100 positions: so many that the candidate alone gets right, so many the champion alone."""
    alone = np.arange(100)
    return OptimalMoves(alone >= worse, (alone < worse) | (alone >= worse + better), 7)


@pytest.mark.parametrize(("better", "worse", "lost"), [(0, 5, False), (0, 6, True), (9, 6, False)])
def test_a_candidate_of_lower_accuracy_is_refused(better: int, worse: int, lost: bool):
    # Of six positions in which one of them errs all six: 1/64 < 0.05/2. Of five: 1/32 is more.
    compared, events = [], []

    def compare(*names: str) -> OptimalMoves:
        compared.append(names)
        return optimal(better, worse)

    world = World({"champion": 400}, 0)
    verdict = Gate(
        Rule(),
        ["7"],
        "champion",
        heldout=[],
        play=world,
        compare=compare,
        callback=events.append,
    ).decide()
    assert compared == [("7", "champion")]
    assert verdict.promoted != lost
    found = verdict.accuracy
    assert found is not None
    assert (found.positions, found.candidate, found.champion) == (100, 100 - worse, 100 - better)
    assert (found.lost, found.passes) == (lost, 7)
    assert events[-1] == AccuracyCompared("7", "champion", found)
    assert verdict.test.bounds == Sprt(0, 25, beta=0.025).bounds  # it takes its share of beta
    if lost:
        assert verdict.reason == (
            "7 beats champion but plays an optimal move in 94 of 100 positions, the champion in 100"
        )


def test_accuracy_takes_its_share_among_the_checks():
    # One of two checks: 1/64 is more than 0.05/4.
    world = World({"champion": 400, "a": 300}, 0)

    def gate(world: World, heldout: list[str]) -> Gate:
        return Gate(
            Rule(),
            ["7"],
            "champion",
            heldout=heldout,
            play=world,
            compare=lambda *_: optimal(0, 6),
        )

    assert gate(world, ["a"]).decide().promoted
    unbeaten = World({"champion": -300}, 0)
    assert gate(unbeaten, []).decide().accuracy is None


@pytest.mark.parametrize(("better", "worse"), [(0, 0), (0, 6), (3, 1), (40, 70), (900, 1100)])
def test_the_sign_test_agrees_with_scipys(better: int, worse: int):
    expected = 1.0
    if better + worse:
        expected = stats.binomtest(worse, better + worse, alternative="greater").pvalue
    assert sign_test(better, worse) == pytest.approx(expected, rel=1e-9)


def test_openings_may_run_out():
    def play(match: GateMatch) -> np.ndarray:
        return np.full((max(0, 80 - 64 * match.number), 2), 0.5)[: match.pairs]

    verdict = Gate(Rule(), ["7"], "champion", heldout=[], play=play).decide()
    assert verdict.reason == (
        "80 pairs did not decide between 7 and champion, and no more openings are held out"
    )
    with pytest.raises(UserError, match="no opening is held out"):
        Gate(Rule(), ["7"], "champion", heldout=[], play=lambda match: np.zeros((0, 2))).decide()


def test_the_best_of_many_equals_is_overrated_and_fresh_games_say_by_how_much():
    # The expected maximum of four standard normal numbers is 1.029 (order statistics).
    rule, p = Rule(elo1=50, pairs=64, max_pairs=64), truth(0)
    sd = np.sqrt(p @ (np.arange(5) / 4 - 0.5) ** 2 / 64)
    found = []
    for seed in range(120):
        world = World({"champion": 0}, seed)
        verdict = Gate(rule, list("4321"), "champion", heldout=[], play=world).decide()
        scores = {one.agent: one.score for one in verdict.selection}
        assert scores[verdict.candidate] == max(scores.values())
        assert verdict.inflation is not None
        found.append((*verdict.inflation, verdict.fresh.score))
        assert [m.a for m in world.matches if m.stage == Stage.SELECT] == list("4321")
    inflation, half, fresh = np.array(found).T
    assert inflation.mean() == pytest.approx(1.029 * sd, abs=3 * 1.3 * sd / np.sqrt(120))
    assert fresh.mean() == pytest.approx(0.5, abs=3 * sd / np.sqrt(120))
    assert (half > Z95 * sd).all()  # two scores, each uncertain
    world = World({"champion": 0}, 0)
    alone = Gate(rule, ["1"], "champion", heldout=[], play=world).decide()
    assert alone.inflation is None


def test_of_equal_scores_the_first_is_taken():
    def play(match: GateMatch) -> np.ndarray:
        return np.tile([[1.0, 0.0]], (match.pairs, 1))

    verdict = Gate(Rule(max_pairs=64), ["9", "8"], "champion", heldout=[], play=play).decide()
    assert verdict.candidate == "9"


def test_the_callback_gets_an_event_a_match():
    events = []
    world = World({"champion": 300, "a": 300}, 0)
    Gate(Rule(), ["7", "6"], "champion", heldout=["a"], play=world, callback=events.append).decide()
    stages = [getattr(event, "stage", Stage.TEST) for event in events]
    assert stages == [match.stage for match in world.matches]
    # The lower bound is that of half of beta: ln(0.025 / 0.95); the upper ln(0.975 / 0.05).
    line = next(event.description for event in events if isinstance(event, TestContinued))
    assert line.startswith("LLR: ")
    assert line.endswith(" (-3.64, 2.97) [0.00, 25.00]")


def test_pairs_for_stakes_keep_their_mean():
    exact = np.array([[1, 1], [0, 0.5], [0.5, 0.5], [1, 0.5], [0, 0]])
    assert pentanomial(exact, 0).tolist() == [1, 1, 1, 1, 1]
    assert pentanomial(exact.astype(np.float32) + np.float32(1e-8), 3).tolist() == [1] * 5
    # 1.3 half points: one or two of them, the second in three of ten.
    stakes = pentanomial(np.full((20_000, 2), 0.325), 1)
    assert stakes[[0, 3, 4]].tolist() == [0, 0, 0]
    assert stakes @ np.arange(5) / 20_000 == pytest.approx(1.3, abs=4 * np.sqrt(0.21 / 20_000))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pairs": 0}, "pairs must be positive, not 0"),
        ({"max_pairs": -1}, "max_pairs must be positive"),
        ({"heldout_pairs": 0}, "heldout_pairs must be positive"),
        ({"alpha": 0.7}, "alpha must lie between"),
        ({"elo0": 30}, "elo0 must be less than elo1"),
    ],
)
def test_bad_rules_are_refused_in_one_line(options, message):
    with pytest.raises(UserError, match=message):
        Rule(**options)
