"""The command `arena accuracy`."""

import json

import pytest

from arena.evaluation import solved_positions
from arena.evaluation.score import Z95
from league.cli.entry import main


def test_shares_are_printed_for_people_and_for_programs(here, capsys):
    main(["accuracy", "uniform", "--game", "nim:piles=1 2", "--pairs", "4", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["agent"] == "uniform"
    fixed, played = told["fixed"], told["played"]
    # Piles of (1, 2), (0, 2), (1, 1), (0, 1), (1, 0); the last three come up for either seat.
    assert fixed["every"]["positions"] >= 5
    assert fixed["every"]["half_width"] == 0
    assert 0 < played["every"]["share"] <= 1
    assert played["every"]["half_width"] > 0
    assert played["has_mistake"]["positions"] < played["every"]["positions"]
    main(["accuracy", "uniform", "--game", "nim:piles=1 2", "--pairs", "4"])
    shown = capsys.readouterr().out
    assert f"{fixed['every']['share']:.1%}" in shown
    assert f"{played['every']['share']:.1%} ± {played['every']['half_width']:.1%}" in shown


def test_without_a_solver_the_fixed_set_is_measured_alone(here, capsys, monkeypatch):
    def missing():
        raise solved_positions.SolverMissing("a solver is missing: pip install bitbully")

    monkeypatch.setattr(solved_positions, "bitbully", missing)
    main(["accuracy", "uniform", "--game", "connect_four", "--json"])
    told = capsys.readouterr()
    assert "left out: a solver is missing: pip install bitbully" in told.err
    assert set(json.loads(told.out)) == {"agent", "fixed"}
    # A uniform move is optimal in 60.8 % of the positions, by counting the labels.
    share = json.loads(told.out)["fixed"]["every"]
    assert share["positions"] == 10_000
    assert abs(share["share"] - 0.608) < 2.5 * share["half_width"] / Z95
    assert 0.009 < share["half_width"] < 0.0105


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("accuracy uniform", "uniform plays any game"),
        ("accuracy uniform --game kuhn_poker", "no exact values are known"),
        ("accuracy uniform --game nim --simulations 4", "--simulations is for networks"),
        ("accuracy nowhere:1", "there is no run 'nowhere'"),
    ],
)
def test_what_cannot_be_measured_is_refused(here, capsys, line, says):
    with pytest.raises(SystemExit) as stop:
        main(line.split())
    assert stop.value.code == 2
    assert says in capsys.readouterr().err
