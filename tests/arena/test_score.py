"""Scores of matches against closed forms."""

import numpy as np
import pytest

from arena.evaluation import score

# All pairs of results, and the points that both games of a pair give together.
PAIRS = [((a, b), a + b) for a in (0, 0.5, 1) for b in (0, 0.5, 1)]


@pytest.mark.parametrize(
    ("points", "elo"),
    [
        (0.5, 0.0),
        (
            0.75,
            190.85,
        ),  # 400 log10(3) (en.wikipedia.org/wiki/Elo_rating_system)
        (10 / 11, 400.0),  # ten times the points of the other, by definition
        (1 / 11, -400.0),
        (0.64, 99.95),  # 100 points are an expected 0.640 (FIDE Handbook B.02, 8.1.2)
    ],
)
def test_elo_is_the_logistic_curve(points: float, elo: float):
    assert score.elo(points) == pytest.approx(elo, abs=0.01)


@pytest.mark.parametrize(
    ("points", "elo"), [(0, -np.inf), (-0.1, -np.inf), (1, np.inf), (1.1, np.inf)]
)
def test_elo_is_infinite_at_the_ends(points: float, elo: float):
    assert score.elo(points) == elo


def test_counts_of_games_and_of_pairs():
    scores = np.array([pair for pair, _ in PAIRS], np.float32)
    found = score.of(scores)
    assert (found.wins, found.draws, found.losses) == (6, 6, 6)
    assert found.pairs == (1, 2, 3, 2, 1)
    assert found.score == 0.5
    assert found.elo == 0
    assert found.elo_low == pytest.approx(-found.elo_high)


@pytest.mark.parametrize(("pair", "points"), PAIRS)
def test_each_pair_counts_at_its_points(pair: tuple[float, float], points: float):
    found = score.of(np.array([pair], np.float32))
    assert found.pairs == tuple(int(points == n / 2) for n in range(5))
    assert found.score == points / 2


def test_the_interval_is_that_of_the_mean_of_pairs():
    rng = np.random.default_rng(0)
    scores = rng.choice(np.array([0, 0.5, 1], np.float32), (1000, 2), p=[0.2, 0.3, 0.5])
    found = score.of(scores)
    assert found.score == pytest.approx(scores.mean(), abs=1e-6)
    # Two independent games a pair: 1.96 sqrt(variance of a game / games); the variance is
    # 0.3/4 + 0.5 - 0.65^2 = 0.1525. The estimate of a spread from 1000 pairs is good to 3 %.
    assert found.half_width == pytest.approx(1.96 * np.sqrt(0.1525 / 2000), rel=0.07)
    assert found.elo_low == pytest.approx(score.elo(found.score - found.half_width))
    assert found.elo_high == pytest.approx(score.elo(found.score + found.half_width))


def test_the_interval_shrinks_with_the_root_of_the_pairs():
    few = np.array([[1, 0], [1, 1], [0.5, 1], [0, 0.5]] * 25, np.float32)
    many = np.tile(few, (16, 1))
    # The two pairs that are added to every spread weigh a little more among 100 than among 1600.
    assert score.of(few).half_width / score.of(many).half_width == pytest.approx(4, rel=0.05)


def test_pairs_that_always_split_tell_more_than_their_games():
    # Whoever begins wins: the games are coin flips, but every pair says ½.
    split = score.of(np.array([[1, 0]] * 100, np.float32))
    flips = score.of(np.array([[1, 1], [0, 0]] * 50, np.float32))
    assert split.score == flips.score == 0.5
    assert 0 < split.half_width < flips.half_width / 5
    # 1.96 standard deviations of the mean of 100 pairs that are 0 or 1.
    assert flips.half_width == pytest.approx(1.96 * np.sqrt(25 / 100) / 10, abs=1e-3)


def test_a_clean_sweep_is_not_certain():
    found = score.of(np.ones((50, 2), np.float32))
    assert found.score == 1
    assert found.half_width > 0
    assert found.elo == found.elo_high == np.inf
    assert 0 < found.elo_low < np.inf
    assert score.of(np.zeros((50, 2), np.float32)).elo_high == pytest.approx(-found.elo_low)


def match_of(pairs) -> np.ndarray:
    """Scores of a match with these counts of pairs that gave 0, ½, 1, 1½ and 2 points."""
    kinds = np.array([(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)], np.float32)
    return np.repeat(kinds, pairs, 0)


@pytest.mark.parametrize(
    ("pairs", "nelo", "elo", "elo_half", "los"),
    [
        # Disservin/fastchess, app/tests/elo_test.cpp, pentanomial tests 1 to 3.
        ((34, 54, 31 + 32, 64, 75), 57.94, 55.58, 27.65, 1.0),
        ((332, 433, 457 + 41, 333, 334), -9.17, -8.64, 10.33, 0.0505),
        ((7895, 8757, 5485 + 200, 568, 9999), -19.01, -21.04, 2.95, 0.0),
    ],
)
def test_agrees_with_fastchess(pairs, nelo, elo, elo_half, los):
    found = score.of(match_of(pairs))
    assert found.pairs == pairs
    assert found.nelo == pytest.approx(nelo, abs=0.006)
    assert found.elo == pytest.approx(elo, abs=0.006)
    # The two pairs that are added to every spread weigh 1 in 290, the number of the first test.
    assert (found.elo_high - found.elo_low) / 2 == pytest.approx(elo_half, rel=0.01)
    assert found.los == pytest.approx(los, abs=5e-4)


@pytest.mark.parametrize("pairs", [(332, 433, 498, 333, 334), (5, 20, 50, 20, 5), (9, 0, 0, 0, 9)])
def test_the_error_of_nelo_is_that_of_fastchess_for_near_equals(pairs):
    # There the ± depends on the number of pairs alone; the first is test 2 above, ± 10.96.
    expected = 1.96 * 800 / np.log(10) / np.sqrt(2 * sum(pairs))
    found = score.of(match_of(pairs))
    assert found.nelo_half_width == pytest.approx(expected, rel=2e-3)


def test_intervals_of_nelo_cover_the_truth_also_far_from_equality():
    rng = np.random.default_rng(1)
    for shares in ([0.02, 0.06, 0.3, 0.4, 0.22], [0.3, 0, 0.1, 0, 0.6], [0.1, 0.7, 0.1, 0.1, 0]):
        points = np.arange(5) / 4
        mean = np.dot(shares, points)
        deviation = np.sqrt(2 * np.dot(shares, (points - mean) ** 2))
        truth = (mean - 0.5) / deviation * 800 / np.log(10)
        found = [score.of(match_of(rng.multinomial(300, shares))) for _ in range(1000)]
        covered = np.mean([abs(f.nelo - truth) <= f.nelo_half_width for f in found])
        assert 0.93 <= covered <= 0.97


def test_likelihood_of_superiority_goes_with_the_interval():
    rng = np.random.default_rng(2)
    for _ in range(100):
        pairs = rng.multinomial(50, [0.1, 0.2, 0.2, 0.3, 0.2])
        found = score.of(match_of(pairs))
        assert (found.los > 0.975) == (found.score - found.half_width > 0.5)
        assert score.of(match_of(pairs[::-1])).los == pytest.approx(1 - found.los)
    assert score.of(match_of((1, 2, 3, 2, 1))).los == 0.5
    one = score.of(np.ones((1, 2), np.float32))
    assert 0.5 < one.los < 0.9  # one pair won proves little
    assert score.of(np.ones((50, 2), np.float32)).los > 0.999


def test_nelo_where_every_pair_gave_the_same():
    assert score.of(match_of((0, 0, 9, 0, 0))).nelo == 0
    assert 0 < score.of(match_of((0, 0, 9, 0, 0))).nelo_half_width < np.inf
    sweep = score.of(match_of((0, 0, 0, 0, 9)))
    assert (sweep.nelo, sweep.nelo_half_width) == (np.inf, np.inf)
    assert score.of(match_of((9, 0, 0, 0, 0))).nelo == -np.inf


def test_games_for_stakes():
    # Won by a little, lost by much, drawn, won by all: a win is what gives more than a draw.
    found = score.of(np.array([[0.55, 0.2], [0.5, 1.0]], np.float32))
    assert (found.wins, found.draws, found.losses) == (2, 1, 1)
    assert found.pairs is None
    assert found.score == pytest.approx(0.5625)
    # No pair of draws, though the points are those of one.
    assert score.of(np.array([[0.25, 0.75]], np.float32)).pairs is None
    assert score.of(np.array([[0.5, 0.5]], np.float32)).pairs == (0, 0, 1, 0, 0)


def test_a_match_without_pairs_is_refused():
    with pytest.raises(ValueError, match="at least one pair"):
        score.of(np.empty((0, 2), np.float32))
