"""The forgetting matrix against score.of, and alarms where they are planted and nowhere else."""

import numpy as np
import pytest

from arena.evaluation import forgetting, ratings, score


def chain(n, games=200, step=40.0):
    """Every generation against every earlier one, each `step` Elo above the one before."""
    rows = []
    for later in range(n):
        for earlier in range(later):
            wins = round(games / (1 + 10 ** (-step * (later - earlier) / 400)))
            rows.append((later, earlier, wins, 0, games - wins))
    return rows


def test_scores_lie_below_the_diagonal_from_the_later_ones_view():
    found = forgetting.matrix([(1, 0, 6, 2, 2), (0, 2, 3, 2, 5), (2, 0, 1, 0, 1)], 3)
    assert found.score[1, 0] == pytest.approx(0.7)
    # Two rows, either way round: 5 + 1 wins, 2 draws, 3 + 1 losses.
    assert found.score[2, 0] == pytest.approx(7 / 12)
    assert found.games.tolist() == [[0, 0, 0], [10, 0, 0], [12, 0, 0]]
    missing = np.array([[1, 1, 1], [0, 1, 1], [0, 1, 1]], bool)
    assert (np.isnan(found.score) == missing).all()
    assert (np.isnan(found.half_width) == missing).all()


def test_intervals_are_those_of_the_scores():
    rng = np.random.default_rng(0)
    for counts in [(10, 0, 0), (0, 8, 0), (3, 4, 5), *rng.integers(0, 100, (20, 3)).tolist()]:
        wins, draws, losses = counts
        points = np.repeat([1.0, 0.5, 0.0], counts)
        # A pair of two equal games is one game.
        expected = score.of(np.stack([points, points], 1))
        found = forgetting.matrix([(1, 0, wins, draws, losses)], 2)
        assert found.score[1, 0] == pytest.approx(expected.score)
        assert found.half_width[1, 0] == pytest.approx(expected.half_width, rel=1e-4)


def test_intervals_hold_the_truth():
    rng = np.random.default_rng(1)
    for truth in ([0.5, 0, 0.5], [0.3, 0.5, 0.2], [0.6, 0.1, 0.3]):
        counts = rng.multinomial(100, truth, 4000)
        hits = []
        for wins, draws, losses in counts.tolist():
            found = forgetting.matrix([(1, 0, wins, draws, losses)], 2)
            off = abs(found.score[1, 0] - truth[0] - truth[1] / 2)
            hits.append(off <= found.half_width[1, 0])
        assert 0.935 <= np.mean(hits) <= 0.97


def test_nothing_played_means_nothing_known():
    for rows in ([], [(1, 0, 0, 0, 0)]):
        found = forgetting.matrix(rows, 2)
        assert np.isnan(found.score).all()
        assert not found.games.any()
        assert forgetting.ancestor_alarms(found) == []


def test_a_run_that_forgets_nothing_raises_no_alarm():
    found = forgetting.matrix(chain(8), 8)
    assert all(forgetting.ancestor_alarms(found, generation) == [] for generation in range(8))
    assert (found.score[np.tril_indices(8, -1)] > 0.5).all()


def test_an_ancestor_that_wins_is_named():
    rows = [row for row in chain(8) if row[:2] not in ((7, 2), (7, 4))]
    # It loses to generation 2 beyond doubt, and by no more than chance to generation 4.
    rows += [(2, 7, 130, 10, 60), (7, 4, 95, 0, 105)]
    found = forgetting.matrix(rows, 8)
    (alarm,) = forgetting.ancestor_alarms(found)
    assert (alarm.kind, alarm.generation, alarm.ancestor) == ("ancestor", 7, 2)
    # 1.96 sqrt((60 + 10 / 4) / 200 - 0.325^2) / sqrt(200) = 0.063
    assert alarm.message == "generation 7 loses to its ancestor 2: 32.5 ± 6.3 % over 200 games"
    assert forgetting.ancestor_alarms(found, 6) == []


def test_a_cycle_is_seen_where_every_generation_beats_the_one_before():
    # Rock, paper, scissors, rock: each wins against its neighbour and loses to the one before that.
    rows = [(k, k - 1, 90, 0, 10) for k in range(1, 10)]
    rows += [(k, k - 2, 10, 0, 90) for k in range(2, 10)]
    found = forgetting.matrix(rows, 10)
    for generation in range(2, 10):
        (alarm,) = forgetting.ancestor_alarms(found, generation)
        assert alarm.ancestor == generation - 2


def test_equals_raise_about_one_alarm_in_forty():
    rng = np.random.default_rng(2)
    for games in (16, 64, 256):
        rows = [
            (2000, k, wins, 0, games - wins)
            for k, wins in enumerate(rng.binomial(games, 0.5, 2000))
        ]
        alarms = forgetting.ancestor_alarms(forgetting.matrix(rows, 2001))
        assert len(alarms) / 2000 < 0.04


def test_jumps_beyond_plan_are_named_either_way():
    rows = [(1, 0, 550, 0, 450), (2, 1, 950, 0, 50), (3, 2, 100, 0, 900), (4, 3, 550, 0, 450)]
    fit = ratings.fit(rows, 5)
    up, down = forgetting.jump_alarms(fit, 200)
    assert (up.kind, up.level, up.generation, up.ancestor) == ("step", "note", 2, 1)
    # 400 log10(19) = 511 and 400 log10(9) = 382, less what the prior of the ratings takes.
    assert up.message.startswith("generation 2 is 51")
    assert "Elo above the one before it" in up.message
    assert (down.kind, down.level) == ("jump", "alarm")
    assert down.message.startswith("generation 3 is 38")
    assert "below" in down.message
    assert [alarm.generation for alarm in forgetting.jump_alarms(fit, 450)] == [2]
    assert forgetting.jump_alarms(fit, 600) == []
    assert forgetting.jump_alarms(ratings.fit([], 1), 100) == []


def test_bad_input_is_refused_in_one_line():
    for rows in ([(0, 2, 1, 0, 0)], [(-1, 0, 1, 0, 0)]):
        with pytest.raises(ValueError, match=r"outside 0\.\.1"):
            forgetting.matrix(rows, 2)
    for shape in ((1, 3), (5,)):
        with pytest.raises(ValueError, match=r"shape \[R, 5\]"):
            forgetting.matrix(np.zeros(shape, int), 2)
    for planned in (0, -1, np.nan):
        with pytest.raises(ValueError, match="must be positive"):
            forgetting.jump_alarms(ratings.fit([], 2), planned)
