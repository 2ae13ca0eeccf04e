"""Python reads of a run what the command line prints."""

from pathlib import Path

import numpy as np
import pytest

import league
from arena.errors import UserError
from tests.helpers.command import GENERATIONS


def test_a_run_is_read_as_columns(tiny: Path):
    with league.open_run(tiny) as run:
        assert run.name == "tiny"
        assert run.snapshots[: GENERATIONS + 1] == [str(n) for n in range(GENERATIONS + 1)]
        ratings = run.ratings()
        assert {len(column) for column in ratings.values()} == {len(ratings["id"])}
        assert ratings["elo"][0] == 0
        matches = run.matches("measure")
        assert set(matches["role"]) == {"measure"}
        games = matches["wins"] + matches["draws"] + matches["losses"]
        np.testing.assert_allclose(matches["points"], matches["wins"] + 0.5 * matches["draws"])
        assert (games > 0).all()
        none = run.matches("guest")
        assert set(none) == set(matches)
        assert {len(column) for column in none.values()} == {0}
        learners = [str(GENERATIONS), f"{GENERATIONS}e1", f"{GENERATIONS}e2"]
        positions = sum(len(run.dataset(name).outcome) for name in learners)
        assert positions == run.figures()[-1]["positions"]


def test_agents_of_a_run_play(tiny: Path):
    with league.open_run(tiny) as run:
        found = league.play_match(run.agent(3), "uniform", game="tic_tac_toe", pairs=2)
    assert found.wins + found.draws + found.losses == 4


def test_what_is_not_there_is_refused(tiny: Path, tmp_path: Path):
    with pytest.raises(UserError, match="there is no run"):
        league.open_run(tmp_path / "none")
    with league.open_run(tiny) as run, pytest.raises(UserError, match="has no snapshot 9"):
        run.agent(9)
    with pytest.raises(UserError, match="which game"):
        league.play_match("uniform", "uniform")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"learner": "ppo"}, "keeps its learner, alphazero"),
        ({"judge": "x:Y"}, "keeps its judge, rules"),
        ({"pairs": 5}, "only --generations may change"),
        ({"pairs": 10**12}, "pairs must be at most"),
    ],
)
def test_a_run_that_goes_on_keeps_what_it_is(tiny: Path, change: dict, says: str):
    with pytest.raises(UserError, match=says):
        league.train("tic_tac_toe", name="tiny", folder=tiny.parent, resume=True, **change)


@pytest.mark.parametrize("change", [{"pairs": 10**12}, {"pairs": 0}, {"opening_plies": -1}])
def test_a_match_has_bounds(change: dict[str, int]):
    with pytest.raises(UserError, match="must lie between"):
        league.play_match("uniform", "uniform", game="nim", **change)
