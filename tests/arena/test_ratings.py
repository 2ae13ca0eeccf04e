"""Ratings: closed forms, published fits, planted truths, the coverage of the intervals."""

from itertools import combinations

import choix
import numpy as np
import pytest
from scipy import stats

from arena.evaluation import crosstable, score
from arena.evaluation.ratings import ELO, Ratings, chances, expected_score, fit, schedule
from arena.evaluation.score import Z95
from tests.helpers.baseball import HOME


def outcomes(d, nu):
    """Probabilities [..., 3] of win, draw and loss: Davidson's, straight from the paper, with the
    strength at which the score expected at d Elo comes out."""
    d = np.atleast_1d(np.asarray(d, float))
    low, high = np.full(d.shape, -60.0), np.full(d.shape, 60.0)
    t = np.ones(d.shape)
    for _ in range(80):
        t = np.exp((low + high) / 4)
        short = (t + nu / 2) / (t + nu + 1 / t) < 1 / (1 + 10 ** (-d / 400))
        low, high = np.where(short, (low + high) / 2, low), np.where(short, high, (low + high) / 2)
    weights = np.stack([t, np.full_like(t, nu), 1 / t], -1)
    return weights / weights.sum(-1, keepdims=True)


def seat_scores(d, first_move):
    """Scores [..., 2] of both seats: their log odds are 2 g apart, their mean is Elo's."""
    low, high = np.full(np.shape(d), -60.0), np.full(np.shape(d), 60.0)
    seats = np.empty((*np.shape(d), 2))
    for _ in range(80):
        x = (low + high) / 2
        seats = np.stack(
            [1 / (1 + np.exp(-x - g)) for g in np.array([1, -1]) * first_move / ELO], -1
        )
        short = seats.mean(-1) < 1 / (1 + 10 ** (-np.asarray(d) / 400))
        low, high = np.where(short, x, low), np.where(short, high, x)
    return seats


def elo_of(score):
    """Elo's own formula."""
    return 400 * np.log10(score / (1 - score))


def play(rng, truth, games, nu):
    """A round robin of `games` games a pair among players of the given Elo."""
    i, j = np.triu_indices(len(truth), 1)
    return np.column_stack([i, j, rng.multinomial(games, outcomes(truth[i] - truth[j], nu))])


def play_both_ways(rng, truth, games, nu, first_move):
    """The same with `games` games both ways round, whoever moves first being better by so much."""
    i, j = np.nonzero(~np.eye(len(truth), dtype=bool))
    first = seat_scores(truth[i] - truth[j], first_move)[:, 0]
    return np.column_stack([i, j, rng.multinomial(games, outcomes(elo_of(first), nu))])


def play_pairs(rng, truth, meetings, pairs, draws, first_move, common):
    """A table of pairs of games on one opening, which have so much in common: a rank correlation
    where it is positive; where it is negative, openings that favour a seat."""
    i, j = meetings
    nu = 2 * draws / (1 - draws) if draws else 1e-9
    odds = elo_of(seat_scores(truth[i] - truth[j], first_move))
    win, _, loss = np.moveaxis(outcomes(odds, nu), -1, 0)[..., None, :]
    opening = rng.standard_normal((len(i), pairs, 1)) * [1, np.sign(common) or 1]
    own = rng.standard_normal((len(i), pairs, 2))
    chance = stats.norm.cdf(np.sqrt(abs(common)) * opening + np.sqrt(1 - abs(common)) * own)
    scores = np.where(chance >= 1 - win, 1.0, np.where(chance >= loss, 0.5, 0.0))
    return crosstable.of_pairs(zip(i.tolist(), j.tolist(), scores, strict=True))


def surplus(rows, ratings):
    """Players' points less what is expected of them, f64[n]: zero where the ratings are right.

    The virtual games are those the docstring of arena.evaluation.ratings promises; every pair must
    have one row and all players must be connected.
    """
    i, j, n = rows[:, 0], rows[:, 1], len(ratings.elo)
    games = rows[:, 2:].sum(1)
    own = np.bincount(i, games, n) + np.bincount(j, games, n)
    shared = (games / own[i] + games / own[j]) / 2
    points = rows[:, 2] + rows[:, 3] / 2 + shared / 2
    expected = 1 / (1 + 10 ** ((ratings.elo[j] - ratings.elo[i]) / 400))
    beyond = points - (games + shared) * expected
    return np.bincount(i, beyond, n) - np.bincount(j, beyond, n)


@pytest.mark.parametrize(
    ("counts", "elo"),
    [((648, 12530, 608), 1.0), ((60, 900, 40), 6.9), ((20, 980, 0), 6.9), ((300, 0, 100), 190.8)],
)
def test_ratings_are_the_elo_of_the_score_at_any_share_of_draws(counts, elo):
    ratings = fit([(0, 1, *counts)], 2, anchor=1)
    wins, draws, _ = counts
    assert elo_of((wins + draws / 2) / sum(counts)) == pytest.approx(elo, abs=0.06)
    # The virtual game moves 190.8 by half an Elo among four hundred games, and the others less.
    assert ratings.elo[0] == pytest.approx(elo, abs=0.06 if draws else 0.6)
    points = wins + draws / 2 + 0.5
    assert ratings.elo[0] == pytest.approx(elo_of(points / (sum(counts) + 1)), rel=1e-9)


def test_a_table_and_a_match_agree_on_the_same_games():
    rng = np.random.default_rng(20)
    kinds = np.array([(1, 1), (1, 0.5), (1, 0), (0.5, 0.5), (0, 1), (0, 0.5), (0, 0)])
    for shares in ([0.1, 0.1, 0.3, 0.2, 0.1, 0.1, 0.1], [0, 0.02, 0, 0.97, 0, 0.01, 0]):
        match = np.repeat(kinds, rng.multinomial(400, shares), 0)
        found = score.of(match)
        for first_move in (False, True):
            ratings = fit(crosstable.of_pairs([(0, 1, match)]), 2, anchor=1, first_move=first_move)
            elo, half = ratings.difference(0, 1)
            assert elo == pytest.approx(found.elo, abs=0.2)
            assert half == pytest.approx((found.elo_high - found.elo_low) / 2, rel=0.03)


@pytest.mark.parametrize("pair", [(0.5, 0.5), (1.0, 0.0)])
@pytest.mark.parametrize("pairs", [16, 500])
def test_nothing_but_draws_is_a_narrow_interval_that_a_match_shares(pair, pairs):
    match = np.array([pair] * pairs)
    found = score.of(match)
    for first_move in (False, True):
        ratings = fit(crosstable.of_pairs([(0, 1, match)]), 2, anchor=1, first_move=first_move)
        elo, half = ratings.difference(0, 1)
        assert elo == pytest.approx(0, abs=1e-9)
        assert half == pytest.approx(found.elo_high, rel=0.1)
    assert 0 < fit([(0, 1, 0, 2 * pairs, 0)], 2).half_width[1] < 0.55 * found.elo_high


def test_games_for_stakes_count_their_points():
    match = np.array([[0.75, 0.5], [0.25, 0.75], [1.0, 0.5], [0.5, 0.25]] * 50)
    ratings = fit(crosstable.of_pairs([(0, 1, match)]), 2, anchor=1, first_move=True)
    assert ratings.elo[0] == pytest.approx(score.of(match).elo, abs=0.5)
    # What is won in games for stakes is little beside a whole game, and the interval is narrow.
    assert ratings.half_width[0] == pytest.approx(
        score.of(match).elo_high - score.of(match).elo, rel=0.1
    )


def test_two_players_without_draws_get_the_elo_of_their_score():
    # Elo's formula, 400 log10(s / (1 - s)), with the prior's 1/2 added to wins and to losses.
    ratings = fit([(0, 1, 75, 0, 25)], 2, anchor=1)
    score = 75.5 / 101
    assert ratings.elo[0] == pytest.approx(400 * np.log10(score / (1 - score)), rel=1e-9)
    # 400 log10(3) = 190.85: against many games the prior is nothing.
    assert fit([(0, 1, 75_000, 0, 25_000)], 2, anchor=1).elo[0] == pytest.approx(190.85, abs=0.01)


@pytest.mark.parametrize("counts", [(60, 30, 10), (30, 90, 40), (4, 0, 40)])
def test_two_players_with_draws_meet_the_closed_form(counts):
    # The delta method: a score s of n games, each of variance v, has Elo of standard error
    # sqrt(v / n) / (s (1 - s)) log strengths.
    w, d, _ = counts
    ratings = fit([(0, 1, *counts)], 2, anchor=1)
    n, s = sum(counts) + 1, (w + d / 2 + 0.5) / (sum(counts) + 1)
    assert ratings.elo == pytest.approx([elo_of(s), 0], rel=1e-9)
    assert expected_score(ratings, 0, 1) == pytest.approx(s, rel=1e-9)
    variance = (w + d / 4) / sum(counts) - ((w + d / 2) / sum(counts)) ** 2
    expected = Z95 * ELO * np.sqrt(variance / n) / (s * (1 - s))
    assert ratings.half_width == pytest.approx([expected, 0], rel=0.12)


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
    # errors, in the order of the data. There playing at home adds to log odds; here it leaves the
    # mean of both seats alone, so that ratings are those of Agresti, without it, but for seats that
    # were not balanced.
    errors = [0.3474, 0.3446, 0.3403, 0.3404, 0.3378, 0.3350, 0]
    one = fit(HOME, 7, anchor=6, first_move=True)
    assert one.elo / ELO == pytest.approx(
        [1.6196, 1.4754, 1.3271, 1.2813, 1.1438, 0.7047, 0], abs=0.06
    )
    assert one.first_move / ELO == pytest.approx(0.3023, abs=0.01)
    root = 1 / ELO / Z95
    assert one.half_width * root == pytest.approx(errors, rel=0.15)
    assert one.first_move_half_width * root == pytest.approx(0.1309, rel=0.1)


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
    assert expected_score(ratings, i, j) == pytest.approx(
        1 / (1 + 10 ** ((truth[j] - truth[i]) / 400)), abs=0.01
    )


POOLS = {
    "round robin": lambda rng: (rng.normal(0, 100, 6), np.triu_indices(6, 1), 20),
    "two": lambda rng: (rng.normal(0, 50, 2), np.triu_indices(2, 1), 60),
    "wide": lambda rng: (rng.normal(0, 350, 8), np.triu_indices(8, 1), 60),
    "ladder": lambda rng: (np.linspace(-1000, 1000, 20) + rng.normal(0, 30, 20), NEIGHBOURS, 16),
}
NEIGHBOURS = np.array([(k + step, k) for k in range(20) for step in (1, 2, 3) if k + step < 20]).T


def covered(pools, seed, kind, draws, common):
    """Fractions of differences, and of first moves' worths, that their 95 % intervals hold."""
    rng = np.random.default_rng(seed)
    hits, worths = [], []
    for _ in range(pools):
        (truth, meetings, pairs), worth = POOLS[kind](rng), rng.normal(0, 60)
        table = play_pairs(rng, truth, meetings, pairs, draws, worth, common)
        anchor = int(rng.integers(len(truth)))
        ratings = fit(table, len(truth), anchor=anchor, first_move=True)
        worths.append(abs(ratings.first_move - worth) <= ratings.first_move_half_width)
        for i, j in combinations(range(len(truth)), 2):
            difference, half = ratings.difference(i, j)
            hits.append(abs(difference - (truth[i] - truth[j])) <= half)
    return np.mean(hits), np.mean(worths)


@pytest.mark.parametrize(("draws", "common"), [(0, 0.5), (0.3, 0), (0.9, -0.7)])
def test_intervals_cover_the_truth(draws, common):
    # The fifteen differences of a pool hang together; were they one, 60 pools would have a
    # standard error of sqrt(0.95 * 0.05 / 60) = 2.8 %.
    hits, worths = covered(60, 3, "round robin", draws, common)
    assert 0.9 <= hits <= 0.99
    assert worths >= 0.85


@pytest.mark.slow
@pytest.mark.parametrize("common", [0, 0.5, -0.7])
@pytest.mark.parametrize("draws", [0, 0.3, 0.9])
@pytest.mark.parametrize("kind", POOLS)
def test_intervals_cover_the_truth_in_many_pools(kind, draws, common):
    hits, worths = covered(1000, 3, kind, draws, common)
    # Two players who draw nine games in ten decide a dozen: there the pair won and the pair lost
    # that stand in the error alone weigh most.
    most = 0.99 if (kind, draws) == ("two", 0.9) else 0.97
    assert 0.93 <= hits <= most
    assert 0.925 <= worths <= 0.99


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
    # The mean of the scores in both seats is that of the difference, and the log odds of the two
    # are 2 g apart. Seats as unlike as 95 and 10 % among them.
    for first, second in ((0.7, 0.55), (0.95, 0.1), (0.5, 0.5)):
        wins = np.rint(1e6 * np.array([first, 1 - second])).astype(int)
        rows = [(0, 1, wins[0], 0, 10**6 - wins[0]), (1, 0, wins[1], 0, 10**6 - wins[1])]
        ratings = fit(rows, 2, anchor=1, first_move=True)
        assert ratings.elo[0] == pytest.approx(elo_of((first + second) / 2), abs=1e-2)
        assert ratings.first_move == pytest.approx((elo_of(first) - elo_of(second)) / 2, abs=1e-2)
        variance = (first * (1 - first) + second * (1 - second)) / 4e6
        mean = (first + second) / 2
        half = Z95 * ELO * np.sqrt(variance) / (mean * (1 - mean))
        assert ratings.half_width[0] == pytest.approx(half, rel=1e-3)


def test_strength_and_first_move_cannot_be_told_apart_one_way_round():
    ratings = fit([(0, 1, 900, 0, 100)], 2, anchor=1, first_move=True)
    assert ratings.half_width[0] > 350
    assert ratings.first_move_half_width > 350
    # What the games do say, whoever moved first scored 90 %, is known.
    assert chances(ratings, 0, 1, first=1) @ [1, 0.5, 0] == pytest.approx(0.9, abs=1e-3)


def test_chances_are_those_of_the_model():
    rows = play_both_ways(np.random.default_rng(14), np.array([0, 100, -50]), 50, 0.5, 80)
    ratings = fit(rows, 3, first_move=True)
    odds = elo_of(seat_scores(ratings.elo[0] - ratings.elo[1], ratings.first_move))
    found = [chances(ratings, 0, 1, first=first) for first in (1, -1)]
    assert np.array(found) == pytest.approx(outcomes(odds, ratings.draw))
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
    assert 300 < few.half_width[0] < 600
    # One champion above a real field. The virtual game costs him half a point of 401.
    rows = play(np.random.default_rng(5), np.array([0, 50, 100, 150]), 100, 0.3)
    ratings = fit([*rows.tolist(), *((4, i, 100, 0, 0) for i in range(4))], 5)
    assert ratings.elo[4] - ratings.elo[:4].mean() == pytest.approx(elo_of(400.5 / 401), abs=30)
    assert 300 < ratings.half_width[4] < 600


def test_a_long_ladder_is_not_drawn_together():
    # 100 snapshots, each 30 Elo above the one before it and met by its neighbours only.
    w, d, l = np.rint(outcomes(30.0, 0.5)[0] * 1000)  # noqa: E741
    rows = [(k + 1, k, w, d, l) for k in range(99)]
    step = elo_of((w + d / 2) / (w + d + l))  # every link alone has this
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
    assert abs(surplus(rows, ratings)).max() < 1e-6


@pytest.mark.parametrize("first_move", [False, True])
def test_converges_on_any_counts(first_move):
    # Steps that overshoot, counts of hundreds of millions, seats that were never swapped.
    rows = np.array([(1, 0, 29, 435, 0), (2, 0, 1, 92122, 0)])
    assert abs(surplus(rows, fit(rows, 3))).max() < 1e-6
    extreme = [
        [(0, 1, 419120340, 0, 0), (1, 2, 0, 146288985, 0)],
        [(1, 3, 1, 9, 0), (0, 1, 0, 0, 3 * 10**8)],
    ]
    rng = np.random.default_rng(0)
    for _ in range(40):
        size = int(rng.integers(1, 8))
        a, step = rng.integers(0, 4, size), rng.integers(1, 4, size)
        counts = np.floor(10 ** rng.uniform(-1, 8, (size, 3))) * (rng.random((size, 3)) < 0.6)
        extreme.append(np.column_stack([a, (a + step) % 4, counts]).tolist())
    for rows in extreme:
        ratings = fit(rows, 4, first_move=first_move)
        assert np.isfinite(ratings.joint).all()
        assert np.isfinite(ratings.elo).all()


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
            w, d, _ = outcomes(ratings.elo[i] - ratings.elo[j], ratings.draw)[0]
            u = (np.eye(6)[i] - np.eye(6)[j])[1:]
            # A game's information is the squared slope s (1 - s) of its expected score over the
            # variance of its score, 4 games' four times that.
            s = w + d / 2
            information = (s * (1 - s)) ** 2 / (w + d / 4 - s**2)
            options.append(precision + 4 * information / ELO**2 * np.outer(u, u))
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
            rows.append((i, j, *rng.multinomial(games, outcomes(truth[i] - truth[j], 0.3)[0])))
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
