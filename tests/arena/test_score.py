"""Scores of matches against closed forms."""

import numpy as np
import pytest

from arena import score

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


def test_a_match_without_pairs_is_refused():
    with pytest.raises(ValueError, match="at least one pair"):
        score.of(np.empty((0, 2), np.float32))
