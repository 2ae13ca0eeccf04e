"""Leagues by judges that err, and after imitation of a stranger's games, at small sizes."""

import json
from pathlib import Path

import pytest

from benchmarks import imported, judges


def test_games_to_a_share_of_optimal_moves_are_interpolated_and_compared():
    assert imported.reached([0, 100, 200], [0.3, 0.5, 0.7], 0.6) == pytest.approx(150)
    assert imported.reached([0, 100], [0.3, 0.5], 0.6) is None
    assert imported.reached([0, 100], [0.6, 0.7], 0.6) == 0
    lines = [
        {"seed": seed, "imported": after, "reached": {"0.6": games}}
        for seed, pair in enumerate(((400.0, 100.0), (400.0, 100.0), (400.0, None)))
        for after, games in enumerate(pair)
    ]
    [found] = imported.compared(lines, (0.6,))
    assert found["seeds"] == 2  # the third has not got there
    assert found["saved"] == [300, 300, 300]
    assert found["ratio"] == pytest.approx([4, 4, 4])


@pytest.mark.slow
def test_both_run_at_small_sizes_and_go_on_where_they_were(tmp_path: Path):
    pytest.importorskip("pyspiel")
    saved = tmp_path / "judges.json"
    small = judges.Options(tmp_path, ("few", "self"), (0,), generations=1, pairs=4, save=saved)
    judges.main(small)
    lines = json.loads(saved.read_text())["lines"]
    assert [line["judge"] for line in lines] == ["few", "self"]
    assert all(len(line["curves"]["accuracy"]) == 2 for line in lines)
    judges.main(small)
    assert json.loads(saved.read_text())["lines"] == lines
    saved = tmp_path / "imported.json"
    options = imported.Options(
        tmp_path, records=20, rollouts=2, seeds=(0,), generations=1, pairs=2, save=saved
    )
    imported.main(options)
    scratch, after = json.loads(saved.read_text())["lines"]
    assert scratch["imitated"] is None
    assert after["imitated"]["games"] == 20
    assert scratch["games"] == after["games"] == [0, 32]
