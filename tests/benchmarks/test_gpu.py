"""What is measured on an accelerator runs through on a CPU, part by part."""

import json
from pathlib import Path

import pytest

from benchmarks import gpu


def test_parts_share_the_time_that_there_is():
    parts = gpu.parts(gpu.Options())
    assert [part.name for part in parts[:3]] == ["rules", "search", "selfplay"]
    assert [part.name for part in parts[3:]] == [
        "train connect_four",
        "train othello",
        "train go:size=9",
    ]
    assert sum(part.share for part in parts) == pytest.approx(1)


@pytest.mark.slow
def test_all_of_it_runs_at_small_sizes(tmp_path: Path):
    saved = tmp_path / "gpu.json"
    gpu.main(gpu.Options(minutes=20, trained=("tic_tac_toe",), small=True, save=saved))
    parts = json.loads(saved.read_text())["parts"]
    assert [part["part"] for part in parts] == ["rules", "search", "selfplay", "train tic_tac_toe"]
    assert [part.get("failed") for part in parts] == [None] * 4
    *_, uniform, search = parts[-1]["lines"]
    assert 0 <= uniform["score"] <= 1
    assert 0 <= search["score"] <= 1
    ratios = [line for line in parts[2]["lines"] if "ratio_mctx" in line]
    assert len(ratios) == 1
