"""Agents from outside, rated by `arena rate RUN --guests`."""

import json
from pathlib import Path

import numpy as np
import pytest

from agents import uniform
from league.cli.entry import main
from league.evaluation import external_ratings, leaderboard
from league.store.database import MatchResult, Results
from league.store.run import Run
from tests.helpers.command import Place
from tests.helpers.false_judge import Inverted

RUN = ["rate", "mine", "--guests", "uniform", "--games", "16", "--pairs", "4", "--json"]


def test_guests_are_rated_and_the_snapshots_own_ratings_do_not_change(
    here: Place, tiny: Path, capsys
):
    here.adopt(tiny, "mine")
    with Results(here.run("mine") / "league.db") as results:
        before = leaderboard.fitted(results)
    main(RUN)
    [row] = json.loads(capsys.readouterr().out)["guests"]
    assert row["name"] == "uniform"
    assert row["games"] == 16
    assert row["half_width"] > 0
    with Results(here.run("mine") / "league.db") as results:
        assert results.count(external_ratings.ROLE) == 2
        names, games, fit = leaderboard.fitted(results)
        assert external_ratings.rated(results, ["uniform"])[0].elo == row["elo"]
    assert names == before[0]
    np.testing.assert_array_equal(games.points, before[1].points)
    np.testing.assert_array_equal(fit.elo, before[2].elo)
    main(RUN)  # the same again: more games, and not the same ones
    [more] = json.loads(capsys.readouterr().out)["guests"]
    assert more["games"] == 32


def test_a_guest_meets_the_newest_first_and_then_its_near_equals(tmp_path: Path):
    with Results(tmp_path / "league.db", create=True) as results:
        for number in range(4):
            results.write(number, [], snapshot=(number, "digest"))
        ladder = np.tile([[1.0, 1.0], [1.0, 0.5]], (8, 1))  # 0.875 a game
        steps = [MatchResult("rate", str(k + 1), str(k), ladder) for k in range(3)]
        results.write(3, steps)
        assert external_ratings._opponent(results, "guest") == 3
        lost = np.tile([[1.0, 1.0], [1.0, 1.0]], (8, 1))
        results.write(3, [MatchResult(external_ratings.ROLE, "3", "guest", lost)])
        # It is far below 3, so that a weaker snapshot tells more.
        second = external_ratings._opponent(results, "guest")
        assert second < 3
        even = np.tile([[1.0, 0.0]], (64, 1))
        results.write(3, [MatchResult(external_ratings.ROLE, "1", "guest", even)])
        [guest] = external_ratings.rated(results, ["guest"])
        names, fit = external_ratings.fitted(results)
        assert guest.elo == fit.elo[names.index("guest")] == pytest.approx(fit.elo[1], abs=40)


def test_a_wrong_guest_is_told_before_any_game(here: Place, tiny: Path, capsys):
    here.adopt(tiny, "mine")
    for guest, says in (("gnugo:level=1", "gnugo plays go"), ("nobody:1", "there is no run")):
        with pytest.raises(SystemExit) as stop:
            main(["rate", "mine", "--guests", "uniform", guest])
        assert stop.value.code == 2
        assert says in capsys.readouterr().err
    with Results(here.run("mine") / "league.db") as results:
        assert results.count(external_ratings.ROLE) == 0


def test_scores_are_those_that_the_judge_gives(here: Place, tiny: Path):
    scores = []
    for name in ("rules", "inverted"):
        run = Run(here.adopt(tiny, name))
        judge = Inverted(run.game) if name == "inverted" else None
        guest = uniform.make(run.game, "")
        with run.results() as results:
            external_ratings.play(run, results, guest, games=8, pairs=4, judge=judge)
            scores.append(results.pairs("3", "uniform", external_ratings.ROLE))
        run.close()
    assert scores[0].shape == (4, 2)
    np.testing.assert_array_equal(scores[0], 1 - scores[1])
