"""The sequential test: published ratios, another optimiser, the errors that it promises."""

import numpy as np
import pytest
from scipy import optimize

from arena.evaluation.score import NELO
from arena.evaluation.sprt import Sprt

POINTS = np.arange(5) / 4

PUBLISHED = [
    # Test pages of fishtest, as quoted in pull requests of official-stockfish/Stockfish with LLR,
    # hypotheses and Ptnml(0-2): 3209, 6019, 6285. Braces there say logistic, <> normalized.
    ("logistic", -0.25, 1.25, (253, 4282, 17604, 4431, 286), 2.94),
    ("logistic", 0.25, 1.25, (58, 3302, 33130, 3518, 84), 2.97),
    ("normalized", 0.0, 2.0, (320, 12431, 27275, 12858, 316), 2.95),
    ("normalized", 0.5, 2.5, (197, 45541, 117722, 46579, 228), 2.96),
    ("normalized", -1.75, 0.25, (289, 26459, 62934, 26379, 331), 2.94),
    ("normalized", -1.75, 0.25, (118, 38575, 109888, 38432, 122), 2.95),
    # Disservin/fastchess, app/tests/sprt_test.cpp, pentanomial tests; its third normalized one, of
    # nothing but won pairs, is left out: its value changed from version to version.
    ("normalized", 0.0, 2.0, (365, 16618, 36029 + 200, 16974, 390), 2.25),
    ("normalized", -1.75, 0.25, (127, 4883, 10311 + 401, 5150, 104), 3.01),
    ("logistic", 0.5, 2.5, (223, 9863, 20279 + 1000, 10037, 246), -3.07),
    ("logistic", 0.0, 2.0, (871, 26175, 55003 + 980, 26678, 821), -4.98),
    # The same file's trinomial tests, games lost, drawn and won being read as pairs that gave 0, 1
    # and 2 points; a pair has √2 of the deviations that a game has.
    ("logistic", 0.5, 2.5, (21184, 0, 40708, 0, 21404), -1.57),
    ("logistic", 0.0, 2.0, (57030, 0, 106593, 0, 57433), -2.59),
    ("normalized", 0.0, 2 / 2**0.5, (36027, 0, 68692, 0, 36433), 0.92),
    ("normalized", -1.75 / 2**0.5, 0.25 / 2**0.5, (10650, 0, 20431, 0, 10871), 2.30),
    # Output of fastchess in its pull request 490: few pairs, and none of some kinds.
    ("normalized", 0.0, 5.0, (3, 0, 5, 0, 1), -0.06),
]


@pytest.mark.parametrize(("model", "elo0", "elo1", "pairs", "llr"), PUBLISHED)
def test_agrees_with_fishtest_and_fastchess(model, elo0, elo1, pairs, llr):
    assert Sprt(elo0, elo1, model=model).llr(pairs) == pytest.approx(llr, abs=0.006)


def test_speaks_as_engine_testers_expect():
    test = Sprt(0, 2)
    pairs = PUBLISHED[2][3]
    assert test.describe(pairs) == "LLR: 2.95 (-2.94, 2.94) [0.00, 2.00]"
    assert test.decide(pairs) == "accept H1"
    assert Sprt(-2, 0).decide(pairs[::-1]) == "accept H0"
    assert test.decide(PUBLISHED[6][3]) is None
    assert test.describe([0, 0, 0, 0, 0]) == "LLR: 0.00 (-2.94, 2.94) [0.00, 2.00]"
    # ln(0.1 / 0.99) and ln(0.9 / 0.01) (Wald 1945).
    assert Sprt(0, 2, alpha=0.01, beta=0.1).bounds == pytest.approx((-2.2925, 4.4998), abs=1e-4)


def likeliest(counts, model, elo):
    """The log likelihood at a hypothesis, by a general optimiser from several starts."""
    frequencies = counts / counts.sum()

    def excess(p):
        mean = p @ POINTS
        if model == "logistic":
            return mean - 1 / (1 + 10 ** (-elo / 400))
        return mean - 0.5 - np.sqrt(2 * max(p @ (POINTS - mean) ** 2, 0.0)) * elo / NELO

    found = []
    for start in (frequencies, np.full(5, 0.2), *np.random.default_rng(0).dirichlet(np.ones(5), 3)):
        conditions = [{"type": "eq", "fun": excess}, {"type": "eq", "fun": lambda p: p.sum() - 1}]
        result = optimize.minimize(
            lambda p: -frequencies @ np.log(p),
            start,
            bounds=[(1e-9, 1)] * 5,
            constraints=conditions,
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 1000},
        )
        if result.success and abs(excess(result.x)) < 1e-9:
            found.append(-result.fun * counts.sum())
    return max(found)


@pytest.mark.parametrize("model", ["normalized", "logistic"])
@pytest.mark.parametrize(
    ("elo0", "elo1"), [(0.0, 5.0), (-60.0, 40.0), (100.0, 200.0), (-300.0, -150.0)]
)
def test_both_hypotheses_are_granted_their_likeliest_pairs(model, elo0, elo1):
    rng = np.random.default_rng(1)
    for _ in range(3):
        counts = 1 + rng.multinomial(200, rng.dirichlet(np.ones(5)))
        expected = likeliest(counts, model, elo1) - likeliest(counts, model, elo0)
        assert Sprt(elo0, elo1, model=model).llr(counts) == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("model", ["normalized", "logistic"])
def test_the_other_agent_sees_the_mirror_image(model):
    pairs = np.random.default_rng(2).multinomial(100, [0.1, 0.2, 0.3, 0.3, 0.1], size=50)
    seen = Sprt(-10, 30, model=model).llrs(pairs)
    assert Sprt(-30, 10, model=model).llrs(pairs[:, ::-1]) == pytest.approx(-seen, abs=1e-7)
    # Hypotheses that are each other's mirror image cannot be told apart by a balanced record.
    assert Sprt(-7, 7, model=model).llr([3, 20, 50, 20, 3]) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("model", ["normalized", "logistic"])
def test_many_records_at_once_are_as_many_one_by_one(model):
    pairs = np.random.default_rng(3).multinomial(30, np.full(5, 0.2), size=(3, 4))
    test = Sprt(0, 30, model=model)
    one_by_one = [[test.llr(record) for record in row] for row in pairs]
    assert test.llrs(pairs) == pytest.approx(np.array(one_by_one), abs=1e-9)
    assert test.llrs(np.zeros((0, 5), int)).shape == (0,)


def test_won_or_lost_pairs_have_a_closed_form():
    # Where pairs are won or lost, p = 1/2 + t / 2 sqrt(1 + t^2) has mean - 1/2 = t deviations, and
    # Elo's p = 1 / (1 + 10^(-elo/400)); the ratio is binomial. The three other kinds of pair count
    # 0.001 each, which moves it by about as much.
    won, lost = 700, 640
    t = np.sqrt(2) * np.array([5.0, 30.0]) / NELO
    chances = 0.5 + t / 2 / np.sqrt(1 + t**2), 1 / (1 + 10 ** (-np.array([5.0, 30.0]) / 400))
    for test, (p0, p1) in zip((Sprt(5, 30), Sprt(5, 30, model="logistic")), chances, strict=True):
        expected = won * np.log(p1 / p0) + lost * np.log((1 - p1) / (1 - p0))
        assert test.llr([lost, 0, 0, 0, won]) == pytest.approx(expected, abs=0.01)


def test_no_record_is_too_extreme():
    rng = np.random.default_rng(4)
    shares = rng.dirichlet(np.full(5, 0.3), 100)
    pairs = (shares * rng.choice([1, 10, 1e3, 1e6], (100, 1))).astype(int)
    for model in ("normalized", "logistic"):
        for elo0, elo1 in ((0, 1), (-300, 300)):
            llrs = Sprt(elo0, elo1, model=model).llrs(pairs)
            assert np.isfinite(llrs).all()
    assert Sprt(0, 5).llr([0, 0, 0, 0, 10**6]) > 1000
    assert Sprt(0, 5).llr([0, 0, 10**6, 0, 0]) < -100


def true_pairs(model, elo, base):
    """Probabilities of pairs at this difference: the base, tilted exponentially."""

    def tilted(x):
        p = base * np.exp(x * POINTS)
        return p / p.sum()

    def excess(x):
        p = tilted(x)
        mean = p @ POINTS
        if model == "logistic":
            return mean - 1 / (1 + 10 ** (-elo / 400))
        return (mean - 0.5) / np.sqrt(2 * p @ (POINTS - mean) ** 2) - elo / NELO

    return tilted(optimize.brentq(excess, -30, 30))


def accepted(test, truth, runs, batch, rng):
    """Fraction of simulated runs, looked at after every `batch` pairs, that accept H1."""
    counts, accepts = np.zeros((runs, 5), int), np.zeros(runs, bool)
    going = np.arange(runs)
    lower, upper = test.bounds
    while len(going):
        counts[going] += rng.multinomial(batch, truth, size=len(going))
        llrs = test.llrs(counts[going])
        accepts[going] = llrs >= upper
        going = going[(lower < llrs) & (llrs < upper)]
    return accepts.mean()


# Kinds of pairs 0, ½, 1, 1½, 2: every kind alike; drawish; games without draws that the seat
# often decides.
BASES = [(1, 1, 1, 1, 1), (1, 10, 60, 10, 1), (1, 0, 4, 0, 1)]


def keeps_its_promise(test, base, runs, batch):
    """Both errors at the hypotheses, within three standard errors of what is promised."""
    rng = np.random.default_rng(5)
    for elo, least, most in ((test.elo0, 0, test.alpha), (test.elo1, 1 - test.beta, 1)):
        truth = true_pairs(test.model, elo, np.array(base, float))
        rate = accepted(test, truth, runs, batch, rng)
        slack = 3 * np.sqrt(max(test.alpha, test.beta) / runs)
        assert least - slack <= rate <= most + slack


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("model", ["normalized", "logistic"])
def test_errs_as_rarely_as_promised(model, base):
    keeps_its_promise(Sprt(0, 80, model=model), base, 1000, 8)


@pytest.mark.slow
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("model", ["normalized", "logistic"])
def test_errs_as_rarely_as_promised_in_long_tests(model, base):
    keeps_its_promise(Sprt(0, 30, model=model), base, 10_000, 8)
    keeps_its_promise(Sprt(-40, 40, alpha=0.01, beta=0.1, model=model), base, 10_000, 8)
    keeps_its_promise(Sprt(-15, 20, alpha=0.1, beta=0.02, model=model), base, 5_000, 8)
    keeps_its_promise(Sprt(0, 60, model=model), base, 4_000, 1)


def test_a_simulation_notices_a_test_that_breaks_its_promise():
    # The bounds of alpha = beta = 0.2, claimed to be those of 0.05.
    lax = Sprt(0, 60, alpha=0.2, beta=0.2)
    truth = true_pairs("normalized", 0, np.ones(5))
    rate = accepted(lax, truth, 1000, 8, np.random.default_rng(6))
    assert rate > 0.05 + 3 * np.sqrt(0.05 / 1000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"elo0": 5, "elo1": 5}, "elo0 must be less than elo1, got 5 and 5"),
        ({"elo0": 5, "elo1": 0}, "elo0 must be less"),
        ({"elo0": float("nan"), "elo1": 0}, "elo0 must be less"),
        ({"elo0": 0, "elo1": float("inf")}, "elo0 must be less"),
        ({"elo0": 0, "elo1": 5, "alpha": 0}, "alpha must lie between 0 and 0.5, got 0"),
        ({"elo0": 0, "elo1": 5, "beta": 0.5}, "beta must lie between 0 and 0.5, got 0.5"),
        ({"elo0": 0, "elo1": 5, "alpha": float("nan")}, "alpha must lie"),
        ({"elo0": 0, "elo1": 5, "model": "bayesian"}, "model must be normalized or logistic"),
    ],
)
def test_bad_parameters_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as error:
        Sprt(**options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "pairs", [[1, 2, 3], 5, [1, 2, 3, 4, -1], [1, 2, 3, 4, 0.5], [1, 2, 3, 4, np.nan], "pairs"]
)
def test_bad_pairs_are_refused_in_one_line(pairs):
    with pytest.raises(ValueError, match="pairs must be") as error:
        Sprt(0, 5).llr(pairs)
    assert "\n" not in str(error.value)
