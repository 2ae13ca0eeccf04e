"""`arena rate` on records that were made up, so that the truth about them is known."""

from pathlib import Path

import numpy as np
import pytest

from arena.evaluation import scale, score
from arena.evaluation.score import elo
from league.cli import names
from league.cli.entry import main
from league.settings import config, defaults
from league.store import card
from league.store.database import MatchResult, Results
from tests.helpers.command import Place, strict_json

PAIRS = 100


def made_up(place: Place, matches: list[MatchResult], snapshots: int) -> Path:
    """A run `made` of which there is nothing but its card and its record."""
    folder = place.run("made")
    folder.mkdir(parents=True)
    chosen = defaults.default("tic_tac_toe", names.game("tic_tac_toe"))
    card.write(folder, card.new("tic_tac_toe", chosen, "rules"))
    with Results(folder / "league.db", create=True) as results:
        for number in range(snapshots):
            results.write(number, [], (number, f"sha {number}"), {"generation": number})
        results.write(snapshots - 1, matches)
    return folder


def match(a: int, b: int, first: float, second: float, role: str = "measure") -> MatchResult:
    """a wins this share of the games in which it, or in which b, moves first; the rest it loses."""
    share = (np.arange(PAIRS) + 0.5) / PAIRS
    scores = np.stack([share < first, share < second], 1).astype(float)
    return MatchResult(role, str(a), str(b), scores)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    main(["rate", "made", "--games", "0", *arguments, "--json"])
    return strict_json(capsys.readouterr().out)


CIRCLE = [match(1, 0, 0.9, 0.8), match(2, 1, 0.9, 0.8), match(0, 2, 0.9, 0.8)]


def test_a_circle_is_called_not_transitive_and_elo_does_not_stand_alone(here, capsys):
    made_up(here, CIRCLE, 3)
    found = told(capsys)
    assert found["transitivity"]["transitive"] is False
    assert found["transitivity"]["cycle"] == ["0", "2", "1"]
    assert found["transitivity"]["verdict"].startswith("not transitive: 0 > 2 > 1 > 0 (p = ")
    assert found["fit"]["p"] < 1e-6
    for row in found["snapshots"]:
        assert row["nash"] == pytest.approx(1 / 3, abs=1e-6)
        assert row["alpha_rank"] == pytest.approx(1 / 3, abs=1e-6)
        assert row["elo"] == pytest.approx(0, abs=1e-6)
        assert row["melo"] == pytest.approx(0, abs=1e-6)
    main(["rate", "made", "--games", "0"])
    out = capsys.readouterr().out
    for words in ("mElo", "Nash", "α-rank", "33.3%", "not transitive: 0 > 2 > 1 > 0"):
        assert words in out


def test_the_newest_of_a_circle_raises_the_alarm(here, capsys):
    made_up(here, CIRCLE, 3)
    (alarm,) = told(capsys)["alarms"]
    assert (alarm["kind"], alarm["generation"], alarm["ancestor"]) == ("ancestor", 2, 0)
    assert alarm["message"].startswith("generation 2 loses to its ancestor 0: 15.0 ± ")
    main(["rate", "made", "--games", "0"])
    assert f"alarm: {alarm['message']}" in capsys.readouterr().out


def ladder(count: int, step: float, first_move: float) -> list[MatchResult]:
    """Everybody against everybody, each `step` Elo above the one before."""

    def seats(difference: float) -> tuple[float, float]:
        found = scale.by_seat(np.array(difference / scale.ELO), first_move / scale.ELO)
        return float(found.score[0]), float(found.score[1])

    return [match(a, b, *seats(step * (a - b))) for a in range(count) for b in range(a)]


def test_a_ladder_is_transitive_and_the_first_move_is_found(here, capsys):
    made_up(here, ladder(5, 60, 100), 5)
    found = told(capsys)
    assert found["transitivity"]["transitive"] is True
    assert found["transitivity"]["verdict"].startswith("transitive as far as these games tell")
    assert found["first_move"]["elo"] == pytest.approx(100, abs=10)
    assert 0 < found["first_move"]["half_width"] < 30
    assert [row["elo"] for row in found["snapshots"]] == pytest.approx(
        [60 * i for i in range(5)], abs=10
    )
    assert {row["melo"] for row in found["snapshots"]} == {None}
    assert found["alarms"] == []
    main(["rate", "made", "--games", "0"])
    out = capsys.readouterr().out
    assert "first move: +" in out
    assert "mElo" not in out


def test_neighbours_and_the_best_two_are_told_as_engine_testers_do(here, capsys):
    matches = [*ladder(3, 60, 0), match(1, 2, 0.5, 0.5, "rate")]  # the other way round
    made_up(here, matches, 3)
    found = told(capsys)
    assert [(one["a"], one["b"]) for one in found["neighbours"]] == [("1", "0"), ("2", "1")]
    chance = 1 / (1 + 10 ** (-60 / 400))  # 0.585, of 100 pairs 58 or 59 are won
    won = round(PAIRS * chance)
    assert found["neighbours"][0]["pairs"] == [PAIRS - won, 0, 0, 0, won]
    assert found["neighbours"][1]["pairs"] == [50 + PAIRS - won, 0, 0, 0, 50 + won]
    assert found["neighbours"][0]["elo"] == pytest.approx(elo(won / PAIRS))
    scores = np.repeat([[1.0, 1], [0, 0]], [50 + won, 150 - won], 0)
    assert found["top"]["los"] == pytest.approx(score.of(scores).los)
    assert (found["top"]["a"], found["top"]["b"]) == ("2", "1")
    main(["rate", "made", "--games", "0"])
    out = " ".join(capsys.readouterr().out.split())
    assert "best two: 2 against 1: " in out
    for words in ("nElo +", "LOS ", f"Ptnml(0-2): [{150 - won}, 0, 0, 0, {50 + won}]"):
        assert words in out


def test_the_forgetting_matrix_is_told(here, capsys):
    made_up(here, ladder(3, 100, 0), 3)
    found = told(capsys)["forgetting"]
    assert found["score"][0] == [None, None, None]
    assert found["score"][2][0] > found["score"][2][1] > 0.5
    assert found["games"][2] == [2 * PAIRS, 2 * PAIRS, 0]


def test_a_long_way_up_is_a_note_and_down_an_alarm(here, capsys):
    planned = config.MeasureConfig().max_elo_step
    made_up(here, ladder(3, planned + 150, 0), 3)
    found = told(capsys)["alarms"]
    assert [(alarm["kind"], alarm["level"]) for alarm in found] == [("step", "note")] * 2
    main(["rate", "made", "--games", "0"])
    printed = capsys.readouterr()
    assert "note: generation 2 is " in printed.out
    assert "alarm" not in printed.out
    assert "400 are 10 to 1" in printed.out  # the scale, and what engine testers' figures mean
    assert "LOS: how likely" in printed.err


def test_a_table_and_a_match_of_nothing_but_draws_agree(here, capsys):
    made_up(here, [MatchResult("measure", "1", "0", np.full((16, 2), 0.5))], 2)
    found = told(capsys)
    one = score.of(np.full((16, 2), 0.5))
    assert found["snapshots"][1]["half_width"] == pytest.approx(one.elo_high, rel=0.1)
    assert found["forgetting"]["half_width"][1][0] == pytest.approx(one.half_width)
    main(["rate", "made", "--games", "0"])
    assert "-0" not in capsys.readouterr().out.replace("(0-2)", "")


@pytest.mark.parametrize("anchor", ["2", "uniform"])
def test_any_agent_may_be_the_anchor(here, capsys, anchor):
    games = [MatchResult("uniform", str(i), "uniform", np.full((20, 2), 0.5)) for i in range(3)]
    made_up(here, [*ladder(3, 60, 0), *games], 3)
    usual, found = told(capsys), told(capsys, "--anchor", anchor)
    assert (usual["anchor"], found["anchor"]) == ("0", anchor)
    differences = np.diff([row["elo"] for row in found["snapshots"]])
    if anchor == "2":
        assert found["snapshots"][2]["elo"] == 0
        assert found["snapshots"][2]["half_width"] == 0
        assert differences == pytest.approx(np.diff([row["elo"] for row in usual["snapshots"]]))
    else:  # it drew with all of them
        assert (differences > 30).all()
        assert abs(np.mean([row["elo"] for row in found["snapshots"]])) < 15


def test_an_anchor_that_nobody_met_is_refused(here, capsys):
    made_up(here, ladder(2, 60, 0), 2)
    for anchor in ("7", "stockfish"):
        with pytest.raises(SystemExit) as stop:
            main(["rate", "made", "--anchor", anchor])
        err = capsys.readouterr().err
        assert stop.value.code == 2
        assert err == f"arena: the anchor {anchor!r} is not among those rated: 0, 1\n"
