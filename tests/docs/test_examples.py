"""Every script of `examples/` runs, and prints what it is there to show."""

import importlib
import re

import pytest

from tests.docs.pages import ROOT
from tests.helpers.command import Place

FOLDER = ROOT / "examples"
PRINTED = {
    "train_a_league": (r"snapshot 1: -?\d+ ± \d+ Elo", {"generations": 1}),
    "play_a_match": (r"(?s)Score.*Score", {"pairs": 8}),
    "own_matchmaker": (r"generation 2: 1 against 0, \d+\.\d points", {"generations": 2}),
    "own_network": (r"Score", {"generations": 1}),
    "rate_results": (r"(?s)anna .*\n.*bruno +\+0 ± 0 \(5 games\)\n.*chiara", {}),
    "engine_games": (r"2 games: \{.*\}", {"games": 2, "nodes": 20}),
    "analyse_a_position": (r"(?s) 64 simulations: value [+-].*prior", {"simulations": 64}),
}
"""What each must print, and how much work it is given here."""


def test_each_is_run():
    assert sorted(PRINTED) == sorted(path.stem for path in FOLDER.glob("*.py"))
    listed = re.findall(r"\[(\w+)\.py\]", (FOLDER / "README.md").read_text())
    assert sorted(listed) == sorted(PRINTED)


@pytest.mark.parametrize("name", sorted(PRINTED))
def test_it_runs(name: str, here: Place, capsys: pytest.CaptureFixture[str]):
    pattern, sizes = PRINTED[name]
    script = importlib.import_module(f"examples.{name}")
    if name == "engine_games" and not script.PROGRAM:
        pytest.skip("stockfish is not installed")
    script.main(**sizes)
    assert re.search(pattern, capsys.readouterr().out)
