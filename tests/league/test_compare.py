"""Several runs in one page: curves by run, mean and spread over seeds, and no common scale."""

from dataclasses import replace

import numpy as np
import pytest

from arena.errors import UserError
from league.cli.entry import main
from league.report import comparison_page
from league.report.comparison import Curve, Group, differences, grouped
from tests.helpers import planted
from tests.helpers.command import strict_json
from tests.helpers.planted import Plant
from tests.league.test_report import HOSTILE, Page


def a_curve(
    name: str = "a", seed: int = 0, shift: float = 0.0, n: int = 4, **settings: str
) -> Curve:
    """A run of n snapshots, each 100 Elo above the one before."""
    steps = np.arange(n, dtype=np.float64)
    losses = np.where(steps > 0, 2 - steps / 10, np.nan)
    return Curve(
        name=name,
        game="connect_four",
        seed=seed,
        settings={"matches": "8", **settings},
        generation=steps,
        games=64 * steps,
        seconds=10 * steps,
        elo=100 * steps + shift * (steps > 0),
        half_width=np.where(steps > 0, 20.0, 0.0),
        loss=losses,
        policy_loss=losses - 0.5,
        value_loss=np.where(steps > 0, 0.5, np.nan),
        uniform=np.minimum(1, 0.5 + steps / 10),
        mcts=np.full(n, np.nan),
    )


def test_runs_are_grouped_by_everything_but_the_seed():
    groups = grouped([a_curve("a"), a_curve("b", 1), a_curve("c", matches="9")])
    assert [[curve.name for curve in group.curves] for group in groups] == [["a", "b"], ["c"]]
    assert [group.label for group in groups] == ["a (2 seeds)", "c"]
    assert differences(groups) == [("matches", ["8", "9"])]
    other = replace(a_curve("d"), game="hex")
    with pytest.raises(UserError, match="different games: connect_four, hex"):
        grouped([a_curve(), other])


def test_mean_and_spread_are_over_the_generations_that_all_seeds_have():
    group = Group((a_curve("a", shift=-30), a_curve("b", 1, shift=30), a_curve("c", 2, n=3)))
    assert group.mean("elo").tolist() == [0, 100, 200]
    assert group.spread("elo").tolist() == [0, 30, 30]  # of -30, 0, 30 about 0: sqrt(1800 / 2)
    assert np.isnan(group.spread("loss")[0])
    assert np.isnan(Group((a_curve(),)).spread("elo")).all()


def test_page_says_that_ratings_share_no_scale():
    page = Page(comparison_page.render(grouped([a_curve("a"), a_curve("b", x="1")])))
    assert "Ratings of different runs share no scale" in page.text
    assert "relative to snapshot 0 of the same run" in page.text
    titles = ("Elo by generation", "Elo by training games", "Elo by seconds", "Total loss")
    for title in (*titles, "Raw network against uniform, %", "Value loss"):
        assert title in page.text
    assert "Not measured." in page.text  # nobody met MCTS
    assert "a 0 3 192 30 300 20 1.700 80.0%" in page.text
    assert "x – 1" in page.text  # what differs


def test_page_shows_mean_and_spread_of_seeds():
    runs = [a_curve("a", shift=-30), a_curve("b", 1, shift=30)]
    page = Page(comparison_page.render(grouped(runs)))
    assert "mean ± s.d. of 2 seeds 3 192 30 300 ± 42 1.700 ± 0.000" in page.text  # 30 sqrt(2)
    assert "standard deviation" in page.text
    assert "What differs" not in page.text


def test_page_is_self_contained_and_escapes_what_it_shows():
    many = [a_curve(f"{HOSTILE}{i}", x=str(i)) for i in range(10)]
    html = comparison_page.render(grouped(many))
    page = Page(html)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert "<script" not in html
    assert not page.all("script") + page.all("link") + page.all("img")
    policy = next(m for m in page.all("meta") if "http-equiv" in m)["content"]
    assert (policy or "").startswith("default-src 'none';")
    assert html == comparison_page.render(grouped(many))


def test_command_writes_a_page_and_prints_a_table(here, capsys):
    runs = here.folder / "runs"
    for name, plant in {
        "one": Plant(),
        "two": Plant(seed=1, gain=0.1),
        "other": Plant(learning_rate=1e-3),
    }.items():
        planted.run(runs, name, plant).close()
    main(["compare", "one", "two", "other", "--out", "all.html"])
    out = capsys.readouterr().out
    assert out.startswith("tic_tac_toe: Elo above snapshot 0 of each run\nrun ")
    assert "mean ± s.d. of 2 seeds" in out
    page = Page((here.folder / "all.html").read_text())
    assert "config.learner.learning_rate 0.003 0.001" in page.text
    main(["compare", "one", "two", "--json", "--out", "all.html"])
    told = strict_json(capsys.readouterr().out)
    (group,) = told["groups"]
    assert [run["seed"] for run in group["runs"]] == [0, 1]
    assert [run["elo"][0] for run in group["runs"]] == [0, 0]
    assert group["mean"]["elo"][-1] == pytest.approx(
        np.mean([run["elo"][-1] for run in group["runs"]])
    )
    assert group["runs"][0]["games"] == [0, 64, 128, 192, 256, 320]  # 64 a generation
    assert group["runs"][0]["seconds"] == [0, 2, 4, 6, 8, 10]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["one"], "it takes two runs to compare"),
        (["one", "one"], "named twice: one"),
        (["one", "two"], "there is no run 'one'"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(here, capsys, names, message):
    with pytest.raises(SystemExit) as stop:
        main(["compare", *names])
    assert stop.value.code == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert not (here.folder / "compare.html").exists()
