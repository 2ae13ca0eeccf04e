"""Fit and transitivity: published deviances, planted circles, false alarms, the decomposition."""

from itertools import combinations, permutations

import numpy as np
import pytest
from scipy import stats

from arena.evaluation import crosstable, cycles, transitivity
from arena.evaluation.ratings import ELO, fit
from arena.evaluation.transitivity import curl, cycle, fit_test, verdict
from tests.helpers.baseball import HOME


def chances(d, nu):
    """Davidson's probabilities [..., 3] of win, draw and loss."""
    weights = np.stack([np.exp(d / 2), np.full_like(d, nu), np.exp(-d / 2)], -1)
    return weights / weights.sum(-1, keepdims=True)


def play(rng, d, games, nu=0.0, first_move=0.0):
    """Every pair both ways round, by differences d[n, n] of natural log strengths."""
    i, j = np.nonzero(~np.eye(len(d), dtype=bool))
    return np.column_stack([i, j, rng.multinomial(games, chances(d[i, j] + first_move, nu))])


def transitive(rng, n, elo, games, nu=0.0, first_move=0.0):
    """A pool to which the model applies."""
    strength = rng.normal(0, elo, n) / ELO
    return play(rng, strength[:, None] - strength, games, nu, first_move)


RING = [(0, 1, 1, 0, 0), (1, 2, 1, 0, 0), (2, 0, 1, 0, 0)]


def test_agrees_with_the_chi_square_of_bradleyterry2():
    # Of its published estimates (tests/baseball.Rout.save of hturner/BradleyTerry2, baseballModel2:
    # abilities, and .3023 for playing at home). There the first move adds to log odds; here it
    # leaves the mean of both seats alone, which is nearly the same where it is worth so little.
    ability = np.array([1.6196, 1.4754, 1.3271, 1.2813, 1.1438, 0.7047, 0])
    games = HOME[:, 2] + HOME[:, 4]
    mean = 1 / (1 + np.exp(ability[HOME[:, 1]] - ability[HOME[:, 0]] - 0.3023))
    pearson = ((HOME[:, 2] - games * mean) ** 2 / (games * mean * (1 - mean))).sum()
    one = fit_test(HOME, 7, first_move=True)
    assert one.chi_square == pytest.approx(pearson, rel=0.02)
    assert one.dof == 35  # as there
    assert one.simulated
    many = fit_test(HOME * [1, 1, 1000, 1000, 1000], 7, first_move=True)
    assert many.chi_square / 1000 == pytest.approx(pearson, rel=0.02)
    assert many.p == 0
    assert not many.simulated


def test_the_tails_are_those_of_scipy():
    for x, dof in ((3.0, 1), (0.2, 1), (3.0, 2), (50.0, 3), (1e-3, 5), (300.0, 6), (1000.0, 1001)):
        found = transitivity._chi_square_tail(x, dof)
        assert found == pytest.approx(stats.chi2.sf(x, dof), rel=1e-9)
    wins, games = np.array([60, 75, 5, 0, 1000]), np.array([100, 100, 10, 0, 1000])
    chance = np.array([0.5, 0.6, 0.5, 0.5, 0.5])
    expected = np.minimum(2 * stats.binom.sf(wins - 1, games, chance), 1)
    assert cycles.sign_test(wins, games, chance) == pytest.approx(expected, rel=1e-9)


def test_simulations_and_chi_square_agree_where_games_are_many(monkeypatch):
    rng = np.random.default_rng(9)
    for first_move in (False, True):
        rows = transitive(rng, 4, 60, 500, 0.5)
        for question in (fit_test, curl):
            plain = question(rows, 4, first_move=first_move)
            with monkeypatch.context() as patch:
                patch.setattr(transitivity, "_SPARSE", np.inf)
                patch.setattr(transitivity, "_ENOUGH", np.inf)
                simulated = question(rows, 4, first_move=first_move, samples=200)
            assert not plain.simulated
            assert simulated.simulated
            assert simulated.p == pytest.approx(plain.p, abs=4 * np.sqrt(0.25 / 200))


def test_rock_paper_scissors_is_not_transitive():
    found = verdict(np.array(RING) * [1, 1, 100, 1, 1], 3)
    assert not found.transitive
    assert found.describe(["rock", "scissors", "paper"]) == (
        "not transitive: rock > scissors > paper > rock (p = 1.6e-30)"  # 2 / 2^100
    )
    assert found.curl.share == 1
    assert found.curl.p < 1e-60
    assert fit_test(np.array(RING) * [1, 1, 100, 1, 1], 3).p < 1e-60


def test_a_transitive_pool_is_called_so():
    rows = transitive(np.random.default_rng(0), 6, 200, 50, 0.5)
    found = verdict(rows, 6)
    assert found.transitive
    assert found.describe("abcdef").startswith("transitive as far as these games tell (p = 0.")
    assert found.describe("abcdef").endswith(f"(p = {found.curl.p:.2g})")


def test_a_circle_hidden_in_a_pool_is_found():
    rng = np.random.default_rng(1)
    strength = np.array([0, 50, 20, 300, 400, -100, -300]) / ELO
    d = strength[:, None] - strength
    for winner, loser in ((0, 2), (2, 1), (1, 0)):
        d[winner, loser], d[loser, winner] = 0.8, -0.8
    found = verdict(play(rng, d, 200, 0.5, 0.3), 7, first_move=True)
    assert found.cycle is not None
    assert found.cycle.players == (0, 2, 1)
    assert found.cycle.p < 1e-6
    assert found.describe("abcdefg").startswith("not transitive: a > c > b > a (p = ")


def test_differences_that_do_not_add_up_are_no_circle():
    # a beats b and b beats c by 300 Elo, but a beats c by 320 only.
    rows = [(0, 1, 849, 0, 151), (1, 2, 849, 0, 151), (0, 2, 863, 0, 137)]
    found = verdict(rows, 3)
    assert found.transitive
    assert found.curl.p < 1e-6
    assert found.describe("abc") == (
        "no circle is proven, but one number per agent does not explain these games "
        f"(p = {found.curl.p:.2g})".replace("e-0", "e-")
    )


@pytest.mark.parametrize("rows", [[], [(0, 1, 5, 0, 3), (1, 2, 5, 0, 4)], RING[:1]])
def test_games_without_a_circle_tell_nothing(rows):
    assert verdict(rows, 4).describe("abcd") == "undecided: no agents met in a circle"
    assert cycle(rows, 4) is None
    assert curl(rows, 4).dof == 0


def test_nothing_but_draws():
    rows = [(0, 1, 0, 9, 0), (1, 2, 0, 9, 0), (0, 2, 0, 9, 0)]
    assert cycle(rows, 3) is None
    assert curl(rows, 3).p == 1
    assert fit_test(rows, 3).p > 0.05


def test_drawing_more_is_neither_a_circle_nor_a_misfit():
    # Scores of .6, .6 and .69, which add up: 70, 70 and 140 Elo. The last draw most.
    rows = [(0, 1, 60, 0, 40), (1, 2, 60, 0, 40), (0, 2, 190, 400, 10)]
    assert curl(rows, 3).p > 0.3
    assert fit_test(rows, 3).p == curl(rows, 3).p
    # A hundred games are enough for a score of .53 in place of it to be seen.
    off = [(0, 1, 60, 0, 40), (1, 2, 60, 0, 40), (0, 2, 45, 400, 20)]
    assert fit_test(off, 3).p < 1e-3


def test_degrees_of_freedom():
    rng = np.random.default_rng(2)
    rows = transitive(rng, 5, 100, 30, 0.5)
    assert fit_test(rows, 5).dof == 10 - 4
    assert fit_test(rows, 5, first_move=True).dof == 10 * 2 - 4 - 1
    assert curl(rows, 5).dof == curl(rows, 5, first_move=True).dof == 10 - 4
    # Two groups that never met, and one who met nobody.
    apart = [row for row in rows.tolist() if (row[0] < 2) == (row[1] < 2)]
    assert curl(apart, 6).dof == 4 - 3
    assert fit_test(apart, 6).dof == 4 - 3


def test_the_first_move_makes_no_circle():
    # Equal players, the first mover 250 Elo better, and each the first against the next.
    win, _, loss = chances(np.array(250 / ELO), 0.0)
    rows = np.array([(k, (k + 1) % 3, 500 * win, 0, 500 * loss) for k in range(3)])
    back = np.array([((k + 1) % 3, k, 50 * win, 0, 50 * loss) for k in range(3)])
    rows = np.rint(np.concatenate([rows, back])).astype(int)
    assert not verdict(rows, 3).transitive
    assert verdict(rows, 3, first_move=True).curl.p > 0.5
    assert verdict(rows, 3, first_move=True).transitive


def test_longer_circles_are_found_where_not_all_met():
    rows = [(k, (k + 1) % 5, 90, 0, 10) for k in range(5)]
    found = cycle(rows, 5)
    assert found is not None
    assert found.players == (0, 1, 2, 3, 4)
    assert found.p == pytest.approx(5 * 2 * stats.binom.sf(89, 100, 0.5))


def test_the_circle_found_is_the_surest():
    rng = np.random.default_rng(3)
    for _ in range(20):
        rows = [
            (i, j, *rng.multinomial(40, [0.5, 0, 0.5] if rng.random() < 0.5 else [0.8, 0, 0.2]))
            for i, j in combinations(range(5), 2)
            if rng.random() < 0.9
        ]
        rows = [row if rng.random() < 0.5 else (*row[1::-1], *row[2:]) for row in rows]
        doubt = {}
        for i, j, win, _, loss in rows:
            ahead = (i, j) if win >= loss else (j, i)
            doubt[ahead] = min(1, 2 * stats.binom.sf(max(win, loss) - 1, win + loss, 0.5))
        circles = [
            max(doubt.get(step, 9) for step in zip(way, way[1:] + way[:1], strict=True))
            for size in (3, 4, 5)
            for way in permutations(range(5), size)
        ]
        found, best = cycle(rows, 5), min(circles)
        assert (found is None) == (best == 9)
        if found is not None:
            assert found.p == pytest.approx(min(1, best * len(rows)))


def test_the_flow_splits_into_a_gradient_and_what_has_no_source():
    # Many games, so that the prior is nothing: the fitted differences are the weighted least
    # squares of the flow, and the two energies add up (Jiang et al. 2011).
    rng = np.random.default_rng(4)
    d = rng.normal(0, 1, (5, 5))
    table = crosstable.of_games(play(rng, d - d.T, 100_000), 5).summed()
    ratings = fit(table, 5)
    found = transitivity._by_players(table, ratings)
    slope = found.design[:, :5]
    assert found.beyond @ np.sign(slope) == pytest.approx(np.zeros(5), abs=2)  # of 400,000 games
    flow = slope @ ratings.elo / ELO + found.beyond
    root = 1 / np.sqrt(found.variance)
    potential = np.linalg.lstsq(root[:, None] * slope, root * flow)[0]
    assert slope @ potential == pytest.approx(slope @ ratings.elo / ELO, rel=1e-3)
    straight = ((slope @ potential) ** 2 / found.variance).sum()
    assert straight + curl(table, 5).energy == pytest.approx(
        (root * flow) @ (root * flow), rel=1e-4
    )


def test_pairs_that_split_do_not_hide_a_circle():
    # Every pair of games is split but one in twenty, round a ring: 52.5 % each. Were games
    # independent, this would be chance.
    scores = np.array([[1.0, 0.0]] * 95 + [[1.0, 1.0]] * 5)
    ring = [(k, (k + 1) % 3, scores) for k in range(3)]
    found = curl(crosstable.of_pairs(ring), 3)
    assert found.p < 1e-3
    single = [(a, b, 105, 0, 95) for a, b, _ in ring]
    assert curl(single, 3).p > 0.1


def test_the_size_of_a_planted_flow_is_found():
    # Round a ring of three, 60 Elo each; and ratings of -100, 0, 100 Elo.
    d = np.array([[0, -100, -200], [100, 0, -100], [200, 100, 0]]) / ELO
    ring = np.array([[0, 60, -60], [-60, 0, 60], [60, -60, 0]]) / ELO
    rng = np.random.default_rng(5)
    found = curl(play(rng, d + ring, 20_000), 3)
    assert found.elo == pytest.approx(60, rel=0.05)
    # Weights differ by p (1 - p) only: 60² against the mean of 100², 100², 200².
    assert found.share == pytest.approx(60**2 / (60**2 + 20_000), abs=0.03)
    assert found.half_width < 0.015
    shares = [curl(play(rng, d + ring, 200), 3) for _ in range(200)]
    covered = [abs(s.share - found.share) <= s.half_width for s in shares]
    assert np.mean(covered) > 0.9


def false_alarms(pools, n, elo, games, first_move):
    """How often either p is below 0.05 in pools that the model describes, and the mean p."""
    rng = np.random.default_rng(6)
    fits, curls, cycles = [], [], []
    for seed in range(pools):
        rows = transitive(rng, n, elo, games, 0.5, 0.3 if first_move else 0.0)
        options = {"first_move": first_move, "samples": 99, "seed": seed}
        fits.append(fit_test(rows, n, **options).p)
        curls.append(curl(rows, n, **options).p)
        found = cycle(rows, n, first_move=first_move)
        cycles.append(1 if found is None else found.p)
    return [(np.mean(np.array(p) < 0.05), np.mean(p)) for p in (fits, curls, cycles)]


def hold(alarms, pools):
    """Five false alarms in a hundred and a mean p of one half, within three standard errors."""
    (fits, fit_mean), (curls, curl_mean), (cycles, _) = alarms
    slack = 3 * np.sqrt(0.05 * 0.95 / pools)
    assert fits < 0.05 + slack
    assert curls < 0.05 + slack
    assert cycles < 0.05 + slack
    for mean in (fit_mean, curl_mean):
        assert mean == pytest.approx(0.5, abs=0.05 + 3 * np.sqrt(1 / 12 / pools))


@pytest.mark.slow
@pytest.mark.parametrize("first_move", [False, True])
def test_false_alarms_are_as_rare_as_promised(first_move):
    hold(false_alarms(100, 5, 60, 200, first_move), 100)  # enough games for chi-square
    hold(false_alarms(20, 5, 200, 8, first_move), 20)  # simulated


@pytest.mark.slow
@pytest.mark.parametrize("first_move", [False, True])
def test_false_alarms_are_as_rare_as_promised_in_many_pools(first_move):
    hold(false_alarms(1000, 6, 60, 200, first_move), 1000)
    hold(false_alarms(200, 6, 200, 10, first_move), 200)
    hold(false_alarms(200, 10, 0, 3, first_move), 200)


def test_equals_seldom_seem_to_go_round_in_circles():
    rng = np.random.default_rng(7)
    found = [cycle(transitive(rng, 6, 0, 30), 6) for _ in range(300)]
    assert np.mean([c is not None and c.p < 0.05 for c in found]) < 0.05


def test_the_same_question_has_the_same_answer():
    rows = transitive(np.random.default_rng(8), 4, 200, 3, 0.5)
    assert verdict(rows, 4) == verdict(rows[::-1], 4)
    assert fit_test(rows, 4, samples=50, seed=1) == fit_test(rows, 4, samples=50, seed=1)


def test_a_ladder_without_defeats_is_no_trouble():
    rows = [(i, j, 10**6, 0, 0) for i, j in combinations(range(5), 2)]
    found = verdict(rows, 5, samples=20)
    assert found.transitive
    assert np.isfinite([found.curl.energy, found.curl.p, found.curl.share]).all()
    assert np.isfinite(fit(rows, 5).elo).all()


@pytest.mark.parametrize("question", [fit_test, curl, cycle, verdict])
def test_bad_results_are_refused_in_one_line(question):
    with pytest.raises(ValueError, match="whole number") as error:
        question([(0, 1, 0.5, 0, 0)], 2)
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match=r"outside 0\.\.1"):
        question([(0, 2, 1, 0, 0)], 2)
