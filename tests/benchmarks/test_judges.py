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
        {"seed": seed, "imported": after, "games": [0, 400], "accuracy": accuracy}
        for seed in range(2)
        for after, accuracy in ((False, [0.2, 0.6]), (True, [0.5, 0.9]))
    ]
    found, beyond, end = imported.compared(lines, (0.6, 0.7))
    assert found["saved"] == pytest.approx([300, 300, 300])
    assert found["ratio"] == pytest.approx([4, 4, 4])
    assert (beyond["scratch"], beyond["played"]) == ([None, None], 400)
    assert beyond["imported"] == pytest.approx([200, 200])
    assert "saved" not in beyond  # from scratch no run has got there
    assert end["imported"] == found["imported"]  # 0.6 is what runs from scratch have come to


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
