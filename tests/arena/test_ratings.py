"""Ratings: closed forms, published fits, planted truths, the coverage of the intervals."""

from itertools import combinations

import choix
import numpy as np
import pytest

from arena.evaluation.ratings import ELO, Ratings, chances, expected_score, fit, schedule
from arena.evaluation.score import Z95
from tests.helpers.baseball import HOME


def davidson(elo, nu):
    """Davidson's probabilities [..., 3] of win, draw and loss, straight from the paper."""
    strength = np.exp(np.asarray(elo) / ELO)
    total = strength + 1 + nu * np.sqrt(strength)
    weights = [strength, nu * np.sqrt(strength), np.ones_like(strength)]
    return np.stack(weights, -1) / total[..., None]


def play(rng, truth, games, nu):
    """A round robin of `games` games a pair among players of the given Elo."""
    i, j = np.triu_indices(len(truth), 1)
    return np.column_stack([i, j, rng.multinomial(games, davidson(truth[i] - truth[j], nu))])


def play_both_ways(rng, truth, games, nu, first_move):
    """The same with `games` games both ways round, whoever moves first being better by so much."""
    i, j = np.nonzero(~np.eye(len(truth), dtype=bool))
    odds = davidson(truth[i] - truth[j] + first_move, nu)
    return np.column_stack([i, j, rng.multinomial(games, odds)])


def imbalance(rows, ratings):
    """Players' scores less what is expected of them, then draws less expected draws, [n+1].

    All zero at the summit of the penalised likelihood. The virtual games are those the docstring
    of arena.ratings promises; every pair must have one row and all players must be connected.
    """
    i, j, n = rows[:, 0], rows[:, 1], len(ratings.elo)
    games = rows[:, 2:].sum(1)
    own = np.bincount(i, games, n) + np.bincount(j, games, n)
    shared = (games / own[i] + games / own[j]) / 2
    counts = rows[:, 2:] + np.column_stack([shared / 2, games / games.sum() / 2, shared / 2])
    expected = davidson(ratings.elo[i] - ratings.elo[j], ratings.draw) * counts.sum(1)[:, None]
    surplus = (counts - expected) @ [1, 0.5, 0]
    scores = np.bincount(i, surplus, n) - np.bincount(j, surplus, n)
    return np.append(scores, (counts - expected)[:, 1].sum())


def test_two_players_without_draws_get_the_elo_of_their_score():
    # Elo's formula, 400 log10(s / (1 - s)), with the prior's 1/2 added to wins and to losses.
    ratings = fit([(0, 1, 75, 0, 25)], 2, anchor=1)
    score = 75.5 / 101
    assert ratings.elo[0] == pytest.approx(400 * np.log10(score / (1 - score)), rel=1e-9)
    # 400 log10(3) = 190.85: against many games the prior is nothing.
    assert fit([(0, 1, 75_000, 0, 25_000)], 2, anchor=1).elo[0] == pytest.approx(190.85, abs=0.01)


@pytest.mark.parametrize("counts", [(60, 30, 10), (3, 90, 7), (1, 0, 0), (0, 5, 0), (4, 0, 400)])
def test_two_players_with_draws_meet_the_closed_form(counts):
    # Two players saturate the model: exp(d) = W / L and nu = D / sqrt(W L) fit the three
    # frequencies exactly; the delta method gives ln(W / L) the variance 1 / W + 1 / L.
    w, d, l = np.add(counts, 0.5)  # noqa: E741
    ratings = fit([(0, 1, *counts)], 2, anchor=1)
    assert ratings.elo == pytest.approx([ELO * np.log(w / l), 0], rel=1e-9)
    assert ratings.draw == pytest.approx(d / np.sqrt(w * l), rel=1e-9)
    assert ratings.half_width == pytest.approx([Z95 * ELO * np.sqrt(1 / w + 1 / l), 0], rel=1e-9)
    assert expected_score(ratings, 0, 1) == pytest.approx((w + d / 2) / (w + d + l), rel=1e-9)


def test_agrees_with_the_fit_of_agresti():
    # Table 10.11, column 3 (log strengths over Baltimore's); BradleyTerry2's
    # tests/testthat/test-baseball.R holds itself against the same numbers.
    published = [1.58, 1.44, 1.29, 1.25, 1.11, 0.68, 0]
    rows = HOME
    # Ten thousand such seasons have the same maximum, and the prior is nothing beside them.
    plenty = fit(rows * [1, 1, 10_000, 10_000, 10_000], 7, anchor=6)
    assert plenty.elo / ELO == pytest.approx(published, abs=0.005)
    # One season: the prior moves nobody by a tenth of his standard error, "about 0.3" (Agresti).
    ratings = fit(rows, 7, anchor=6)
    assert ratings.elo / ELO == pytest.approx(published, abs=0.03)
    assert np.round(ratings.half_width[:6] / ELO / Z95, 1) == pytest.approx(0.3)


def test_agrees_with_bradleyterry2_on_what_it_is_worth_to_play_at_home():
    # hturner/BradleyTerry2, tests/baseball.Rout.save, baseballModel2: estimates and standard
    # errors, in the order of the data.
    published = [1.6196, 1.4754, 1.3271, 1.2813, 1.1438, 0.7047, 0]
    errors = [0.3474, 0.3446, 0.3403, 0.3404, 0.3378, 0.3350, 0]
    scale = 10_000
    plenty = fit(HOME * [1, 1, scale, scale, scale], 7, anchor=6, first_move=True)
    assert plenty.elo / ELO == pytest.approx(published, abs=1e-4)
    assert plenty.first_move / ELO == pytest.approx(0.3023, abs=1e-4)
    root = np.sqrt(scale) / ELO / Z95
    assert plenty.half_width * root == pytest.approx(errors, abs=1e-4)
    assert plenty.first_move_half_width * root == pytest.approx(0.1309, abs=1e-4)
    one = fit(HOME, 7, anchor=6, first_move=True)
    assert one.first_move / ELO == pytest.approx(0.3023, abs=0.01)


@pytest.mark.parametrize("n", [2, 5, 20])
def test_agrees_with_choix_without_draws(n):
    rng = np.random.default_rng(11)
    wins = rng.integers(1, 30, (n, n))
    np.fill_diagonal(wins, 0)
    # Choix's maximum likelihood; with a hundred million times the games ours is that.
    expected = choix.ilsr_pairwise_dense(wins.astype(float), tol=1e-12)
    rows = [(i, j, wins[i, j] * 10**8, 0, wins[j, i] * 10**8) for i, j in combinations(range(n), 2)]
    found = fit(rows, n).elo / ELO
    assert found - found.mean() == pytest.approx(expected, abs=1e-6)


def test_recovers_a_planted_truth():
    rng = np.random.default_rng(1)
    truth = np.array([0, 40, -250, 600, 310, 300, -90, 120])
    ratings = fit(play(rng, truth, 20_000, 0.7), 8)
    assert (ratings.half_width[1:] < 8).all()
    # Four standard deviations: one such test in two thousand fails by chance, this seed does not.
    assert (abs(ratings.elo - truth) <= ratings.half_width * 4 / Z95).all()
    assert ratings.draw == pytest.approx(0.7, abs=0.02)
    i, j = np.triu_indices(8, 1)
    win, draw, _ = davidson(truth[i] - truth[j], 0.7).T
    assert expected_score(ratings, i, j) == pytest.approx(win + draw / 2, abs=0.01)


def covered(pools, seed, first_move):
    """Fractions of pairwise differences, and of first moves' worths, that their intervals hold."""
    rng = np.random.default_rng(seed)
    hits, worths = [], []
    for _ in range(pools):
        truth, worth = rng.normal(0, 200, 6), rng.normal(0, 100)
        nu, anchor = rng.choice([0, 0.2, 1]), int(rng.integers(6))
        both_ways = play_both_ways(rng, truth, 20, nu, worth)
        rows = both_ways if first_move else play(rng, truth, 40, nu)
        ratings = fit(rows, 6, anchor=anchor, first_move=first_move)
        worths.append(abs(ratings.first_move - worth) <= ratings.first_move_half_width)
        for i, j in combinations(range(6), 2):
            difference, half = ratings.difference(i, j)
            hits.append(abs(difference - (truth[i] - truth[j])) <= half)
    return np.mean(hits), np.mean(worths)


@pytest.mark.parametrize("first_move", [False, True])
def test_intervals_cover_the_truth(first_move):
    # The fifteen differences of a pool hang together; were they one, 100 pools would have a
    # standard error of sqrt(0.95 * 0.05 / 100) = 2.2 %.
    hits, worths = covered(100, 3, first_move)
    assert 0.9 <= hits <= 0.99
    assert not first_move or 0.88 <= worths <= 1


@pytest.mark.slow
@pytest.mark.parametrize("first_move", [False, True])
def test_intervals_cover_the_truth_in_many_pools(first_move):
    hits, worths = covered(1000, 3, first_move)
    assert 0.93 <= hits <= 0.97
    assert not first_move or 0.93 <= worths <= 0.97


def test_anchor_is_zero_without_uncertainty_and_moves_nothing_else():
    rows = play(np.random.default_rng(4), np.array([0, 100, 200, -50]), 50, 0.5)
    first, last = fit(rows, 5, anchor=0), fit(rows, 5, anchor=3)  # player 4 has not played
    assert last.elo[3] == 0
    assert not last.covariance[3].any()
    assert not last.covariance[:, 3].any()
    assert last.elo == pytest.approx(first.elo - first.elo[3], abs=1e-8)
    for i, j in combinations(range(5), 2):
        assert last.difference(i, j) == pytest.approx(first.difference(i, j), abs=1e-6)
    assert last.difference(0, 3) == pytest.approx((last.elo[0], last.half_width[0]))
    assert first.draw == pytest.approx(last.draw)


def test_the_anchor_does_not_move_what_the_first_move_is_worth():
    rows = play_both_ways(np.random.default_rng(12), np.array([0, 100, -50]), 50, 0.5, 80)
    first, last = fit(rows, 3, first_move=True), fit(rows, 3, anchor=2, first_move=True)
    assert first.first_move == pytest.approx(last.first_move)
    assert first.first_move_half_width == pytest.approx(last.first_move_half_width)
    assert last.elo == pytest.approx(first.elo - first.elo[2])
    assert last.difference(0, 1) == pytest.approx(first.difference(0, 1))


def test_who_moved_first_changes_nothing_where_it_is_not_asked():
    rows = play_both_ways(np.random.default_rng(13), np.array([0, 100, -50]), 50, 0.5, 80)
    ratings = fit(rows, 3)
    turned = fit(rows[:, [1, 0, 4, 3, 2]], 3)
    assert turned.elo == pytest.approx(ratings.elo)
    assert ratings.first_move == ratings.first_move_half_width == 0
    assert not ratings.joint[3].any()
    # Where seats are balanced, ratings are the same to first order, and the first move explains
    # what looked like chance.
    asked = fit(rows, 3, first_move=True)
    assert asked.elo == pytest.approx(ratings.elo, abs=10)
    backwards = fit(rows[:, [1, 0, 4, 3, 2]], 3, first_move=True)
    assert backwards.first_move == pytest.approx(-asked.first_move)


def test_two_players_and_the_first_move_meet_the_closed_form():
    # With plenty of games and no draws: d + g = ln(W1 / L1), -d + g = ln(W2 / L2).
    w1, l1, w2, l2 = 70_000, 30_000, 45_000, 55_000
    ratings = fit([(0, 1, w1, 0, l1), (1, 0, w2, 0, l2)], 2, anchor=1, first_move=True)
    one, two = np.log(w1 / l1), np.log(w2 / l2)
    assert ratings.elo / ELO == pytest.approx([(one - two) / 2, 0], abs=1e-4)
    assert ratings.first_move / ELO == pytest.approx((one + two) / 2, abs=1e-4)
    half = Z95 * ELO * np.sqrt(1 / w1 + 1 / l1 + 1 / w2 + 1 / l2) / 2
    assert ratings.half_width[0] == pytest.approx(half, rel=1e-4)
    assert ratings.first_move_half_width == pytest.approx(half, rel=1e-4)


def test_strength_and_first_move_cannot_be_told_apart_one_way_round():
    ratings = fit([(0, 1, 900, 0, 100)], 2, anchor=1, first_move=True)
    assert ratings.half_width[0] > 350
    assert ratings.first_move_half_width > 350
    # Their sum is known, and split evenly for want of anything better.
    assert ratings.first_move == pytest.approx(ratings.elo[0])
    assert ratings.first_move + ratings.elo[0] == pytest.approx(ELO * np.log(9), abs=2)
    variance = np.ones(2) @ ratings.joint[np.ix_([0, 2], [0, 2])] @ np.ones(2)
    assert Z95 * np.sqrt(variance) == pytest.approx(Z95 * ELO * np.sqrt(1 / 90), rel=0.02)


def test_chances_are_those_of_the_model():
    rows = play_both_ways(np.random.default_rng(14), np.array([0, 100, -50]), 50, 0.5, 80)
    ratings = fit(rows, 3, first_move=True)
    d = ratings.elo[0] - ratings.elo[1]
    found = [chances(ratings, 0, 1, first=first) for first in (1, -1)]
    assert found[0] == pytest.approx(davidson(d + ratings.first_move, ratings.draw))
    assert found[1] == pytest.approx(davidson(d - ratings.first_move, ratings.draw))
    assert chances(ratings, 0, 1) == pytest.approx((found[0] + found[1]) / 2)
    assert chances(ratings, 1, 0, first=-1) == pytest.approx(found[0][::-1])
    assert chances(ratings, [0, 1], [[1], [2]]).shape == (2, 2, 3)
    assert expected_score(ratings, 0, 1) == pytest.approx(chances(ratings, 0, 1) @ [1, 0.5, 0])


def test_rows_add_up_either_way_round():
    split = fit([(0, 1, 3, 2, 1), (1, 0, 4, 5, 6), (1, 2, 1, 1, 0), (0, 2, 0, 0, 0)], 3)
    whole = fit(np.array([(1, 2, 1, 1, 0), (0, 1, 9, 7, 5)]), 3)
    assert split.elo == pytest.approx(whole.elo)
    assert split.covariance == pytest.approx(whole.covariance)
    assert split.games.tolist() == whole.games.tolist() == [21, 23, 2]


def test_a_player_who_won_everything_stays_finite():
    few, many = (fit([(0, 1, n, 0, 0)], 2, anchor=1) for n in (10, 10**9))
    assert few.elo[0] == pytest.approx(400 * np.log10(10.5 / 0.5), rel=1e-9)
    assert many.elo[0] == pytest.approx(400 * np.log10((10**9 + 0.5) / 0.5), rel=1e-6)
    # The interval says how little is known: it reaches hundreds of Elo.
    assert few.half_width[0] > 400
    # One champion, d above a real field that draws with nu = 0.3. Of his 400 games the model loses
    # 400 (exp(-d) + 0.15 exp(-d/2)) points, the prior 1/2 of its game and 1/2 of 0.2 draws; these
    # are equal at d = 9.33, 1621 Elo above a field treated as one player of its mean.
    rows = play(np.random.default_rng(5), np.array([0, 50, 100, 150]), 100, 0.3)
    ratings = fit([*rows.tolist(), *((4, i, 100, 0, 0) for i in range(4))], 5)
    assert ratings.elo[4] - ratings.elo[:4].mean() == pytest.approx(1621, abs=100)
    assert 300 < ratings.half_width[4] < np.inf


def test_a_long_ladder_is_not_drawn_together():
    # 100 snapshots, each 30 Elo above the one before it and met by its neighbours only.
    w, d, l = davidson(30.0, 0.5) * 1000  # noqa: E741
    rows = [(k + 1, k, round(w), round(d), round(l)) for k in range(99)]
    step = ELO * np.log(round(w) / round(l))  # every link alone has this maximum
    assert fit(rows, 100).elo[99] == pytest.approx(99 * step, rel=0.005)


def test_groups_that_never_met_have_equal_means_and_leave_each_other_alone():
    rng = np.random.default_rng(6)
    rows = play(rng, np.array([0, 200, 400]), 100, 0.5)
    alone = fit(rows, 3)
    joined = fit([*rows.tolist(), (4, 3, 100, 0, 0)], 6)  # 3 and 4 met; 5 met nobody
    first, second, third = joined.elo[:3].mean(), joined.elo[3:5].mean(), joined.elo[5]
    assert second == pytest.approx(first, abs=1e-6)
    assert third == pytest.approx(first, abs=1e-6)
    unplayed = fit(rows, 4)
    assert unplayed.elo[:3] == pytest.approx(alone.elo, abs=1e-6)
    assert unplayed.covariance[:3, :3] == pytest.approx(alone.covariance, rel=1e-6)
    assert unplayed.half_width[3] > 900


@pytest.mark.parametrize("rows", [[], np.zeros((0, 5), int), [(0, 1, 0, 0, 0)]])
def test_without_games_all_are_equal_and_little_is_known(rows):
    ratings = fit(rows, 3)
    assert ratings.elo.tolist() == [0, 0, 0]
    assert ratings.games.tolist() == [0, 0, 0]
    # Each drew one game with the phantom, information 1/4 each: variance 4 + 4 of a difference.
    assert ratings.difference(1, 2) == pytest.approx((0, Z95 * ELO * np.sqrt(8)))
    assert ratings.draw == pytest.approx(1)
    assert fit([], 1).elo.tolist() == [0]
    asked = fit(rows, 3, first_move=True)
    assert asked.first_move == 0
    # As after one game between equals, whose information is 1/4.
    assert asked.first_move_half_width == pytest.approx(Z95 * ELO * 2)


def test_two_hundred_players_and_a_million_games_converge():
    rng = np.random.default_rng(7)
    rows = play(rng, rng.normal(0, 300, 200), 50, 0.4)
    ratings = fit(rows, 200)
    assert ratings.games.sum() == 2 * 50 * 19_900
    assert abs(imbalance(rows, ratings)).max() < 1e-6


def test_converges_where_plain_newton_steps_overshoot():
    # Found by random search: undamped Newton steps run off to infinity on these counts.
    rows = np.array([(1, 0, 29, 435, 0), (2, 0, 1, 92122, 0)])
    assert abs(imbalance(rows, fit(rows, 3))).max() < 1e-6


def test_covariance_is_the_inverse_of_the_numerical_curvature():
    rows = play(np.random.default_rng(8), np.array([0, 150, -100]), 60, 0.6)
    ratings = fit(rows, 3)
    counts = rows[:, 2:] + [0.25, 0.5 / 3, 0.25]  # all met equally often: half a virtual game each

    def loss(x):
        theta = np.array([0, x[0], x[1]])
        d = (theta[rows[:, 0]] - theta[rows[:, 1]]) * ELO
        return -(counts * np.log(davidson(d, np.exp(x[2])))).sum()

    x, h = np.array([*ratings.elo[1:] / ELO, np.log(ratings.draw)]), 1e-3 * np.eye(3)
    curvature = [
        [(loss(x + a + b) - loss(x + a - b) - loss(x - a + b) + loss(x - a - b)) / 4e-6 for a in h]
        for b in h
    ]
    expected = ELO**2 * np.linalg.inv(curvature)[:2, :2]
    assert ratings.covariance[1:, 1:] == pytest.approx(expected, rel=1e-4)


def test_joint_covariance_is_the_inverse_of_the_numerical_curvature():
    rows = play_both_ways(np.random.default_rng(8), np.array([0, 150, -100]), 60, 0.6, 70)
    ratings = fit(rows, 3, first_move=True)
    counts = rows[:, 2:] + [0.125, 0.25 / 3, 0.125]  # as above, half of it either way round

    def loss(x):
        theta = np.array([0, x[0], x[1]])
        d = (theta[rows[:, 0]] - theta[rows[:, 1]] + x[2]) * ELO
        return -(counts * np.log(davidson(d, np.exp(x[3])))).sum()

    fitted = [*ratings.elo[1:] / ELO, ratings.first_move / ELO, np.log(ratings.draw)]
    x, h = np.array(fitted), 1e-3 * np.eye(4)
    curvature = [
        [(loss(x + a + b) - loss(x + a - b) - loss(x - a + b) + loss(x - a - b)) / 4e-6 for a in h]
        for b in h
    ]
    assert all(abs(loss(x + a) - loss(x - a)) < 1e-6 for a in h)  # the summit
    assert ratings.joint[1:, 1:] == pytest.approx(ELO**2 * np.linalg.inv(curvature), rel=1e-3)


def test_schedule_prefers_the_uncertain_and_the_close():
    truth = np.array([0, 200, 400, 600])
    rows = play(np.random.default_rng(9), truth, 1000, 0.3).tolist()
    rows += [(4, i, 1, 0, 1) for i in range(4)]  # player 4 is new
    ratings = fit(rows, 5)
    near = int(np.argmin(abs(ratings.elo[:4] - ratings.elo[4])))
    assert schedule(ratings, 1, 10) == [(near, 4)]
    # Enough games in the first round teach so much that another pair follows.
    assert schedule(ratings, 2, 100_000)[1] != (near, 4)


def test_schedule_spreads_over_players_who_have_not_met():
    # Which of equal pairs comes first is decided by number, not by rounding. Once 0 and 1 have met,
    # games of 2 and 3 teach of half the pool what those of 0 and 2 teach of less.
    assert schedule(fit([], 4), 2, 1000) == [(0, 1), (2, 3)]
    assert {p for pair in schedule(fit([], 8), 7, 1000) for p in pair} == set(range(8))


def test_schedule_is_the_greedy_a_optimal_design():
    rng = np.random.default_rng(10)
    ratings = fit(play(rng, rng.normal(0, 200, 6), 5, 0.5), 6)
    precision = np.linalg.inv(ratings.covariance[1:, 1:])
    centre = (np.eye(6) - 1 / 6)[:, 1:]  # ratings about their mean
    pairs, expected = list(combinations(range(6), 2)), []
    met = dict.fromkeys(pairs, 5)
    for number in range(12):
        options = []
        for i, j in pairs:
            w, _, l = davidson(ratings.elo[i] - ratings.elo[j], ratings.draw)  # noqa: E741
            u = (np.eye(6)[i] - np.eye(6)[j])[1:]
            # A game's information is the variance of (win - loss) / 2, 4 games' four times that.
            options.append(precision + 4 * (w + l - (w - l) ** 2) / 4 / ELO**2 * np.outer(u, u))
        error = [np.trace(centre @ np.linalg.inv(option) @ centre.T) for option in options]
        if (75 + 4 * number) // 4 % 8 == 7:  # an eighth of all games is for who have met least
            error = [e if met[p] == min(met.values()) else np.inf for e, p in zip(error, pairs)]  # noqa: B905
        best = int(np.argmin(error))
        precision = options[best]
        expected.append(pairs[best])
        met[pairs[best]] += 4
    assert len(set(expected)) > 5
    assert schedule(ratings, 12, 4) == expected
    # The zero of the scale does not matter.
    assert schedule(fit(play(np.random.default_rng(10), np.zeros(6), 5, 0.5), 6, anchor=3), 1, 4)


def scheduled(rng, truth, rounds, games):
    """Results of a pool that the schedule chose, eight pairs at a time."""
    rows = []
    for _ in range(rounds // 8):
        for i, j in schedule(fit(rows, len(truth)), 8, games):
            rows.append((i, j, *rng.multinomial(games, davidson(truth[i] - truth[j], 0.3))))
    return rows


def test_schedule_beats_a_round_robin_of_as_many_games():
    # As snapshots of one run: a ladder over 1,200 Elo, of whose pairs most are lopsided. Over 60
    # pools the mean squared error was 0.77 of the round robin's, and 0.83 on one that levels off.
    truth, rng = np.linspace(0, 1200, 16), np.random.default_rng(11)
    errors = []
    for _ in range(20):
        tables = play(rng, truth, 32, 0.3), scheduled(rng, truth, 240, 16)
        assert all(np.sum(rows, 0)[2:].sum() == 120 * 32 for rows in tables)
        errors.append([np.var(fit(rows, 16).elo - truth) for rows in tables])
    robin, chosen = np.mean(errors, 0)
    assert chosen < 0.9 * robin


def test_schedule_leaves_no_pair_unplayed():
    # Even between those whose games teach next to nothing, 2,400 Elo apart.
    truth = np.array([0, 10, 2400, 2410, 20])
    rows = scheduled(np.random.default_rng(12), truth, 8 * 10 * 2, 32)
    assert len({(i, j) for i, j, *_ in rows[:80]}) == 10  # every eighth goes to one of the ten
    met = fit(rows, 5).met[np.triu_indices(5, 1)]
    assert met.min() >= 2 * 32
    assert met.sum() == 160 * 32


@pytest.mark.parametrize(
    ("rows", "n", "anchor", "message"),
    [
        ([(0, 1, -1, 0, 0)], 2, 0, "negative count"),
        ([(0, 1, 1, 0, 0), (1, 1, 1, 0, 0)], 2, 0, "row 1 .* meet itself"),
        ([(0, 2, 1, 0, 0)], 2, 0, r"outside 0\.\.1"),
        ([(-1, 1, 1, 0, 0)], 2, 0, r"outside 0\.\.1"),
        ([(0, 1, 0.5, 0, 0)], 2, 0, "whole number"),
        ([(0, 1, float("nan"), 0, 0)], 2, 0, "whole number"),
        ([(0, 1, float("inf"), 0, 0)], 2, 0, "whole number"),
        ([(0, 1, 1e300, 0, 0)], 2, 0, "whole number"),
        ([(0, 1, 1)], 2, 0, "shape"),
        ([0, 1, 1, 0, 0], 2, 0, "shape"),
        ([(0, 1, 1, 0, 0), (0, 1)], 2, 0, "rows of numbers"),
        ([("a", "b", 1, 0, 0)], 2, 0, "rows of numbers"),
        ([], 2, 2, "anchor"),
        ([], 2, -1, "anchor"),
        ([], 0, 0, "at least one player"),
    ],
)
def test_bad_results_are_refused_in_one_line(rows, n, anchor, message):
    with pytest.raises(ValueError, match=message) as error:
        fit(rows, n, anchor=anchor)
    assert "\n" not in str(error.value)


def test_bad_questions_are_refused():
    ratings = fit([(0, 1, 1, 0, 0)], 2)
    assert isinstance(ratings, Ratings)
    for bad in (-1, 2, 0.5):
        with pytest.raises(ValueError, match="players must be"):
            expected_score(ratings, bad, 0)
        with pytest.raises(ValueError, match="players must be"):
            ratings.difference(0, bad)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="two players"):
        schedule(fit([], 1), 1, 1)
    with pytest.raises(ValueError, match="rounds >= 0"):
        schedule(ratings, -1, 1)
    with pytest.raises(ValueError, match="games_per_round >= 1"):
        schedule(ratings, 1, 0)
    assert schedule(ratings, 0, 1) == []
