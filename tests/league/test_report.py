"""The report of a run: well-formed, self-contained, honest, and the same for the same data."""

import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from arena.evaluation import forgetting
from league.evaluation.tables import Row
from league.report.data import GateRow, Generation, Report, generation, history
from league.report.page import render
from league.report.statistics import wilson
from league.report.text import verdict

HOSTILE = "<script>alert('x')</script>&\"<img src=http://evil.example/x.png>"
BOARD = (
    '<svg viewBox="0 0 1 1"><script>alert(1)</script><rect id="elo" width="1" height="1"/></svg>'
)
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Reads a page, holding every tag against its end, and keeps what the tests ask for."""

    def __init__(self, html: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        assert len(attrs) == len(dict(attrs)), f"an attribute twice in <{tag}>"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def a_report(n: int = 5, **changes) -> Report:
    """A run of n snapshots, each 100 Elo above the one before."""
    ids = np.arange(n)
    payoff = 1 / (1 + 10 ** ((ids[None] - ids[:, None]) / 4))
    np.fill_diagonal(payoff, math.nan)
    rows = [
        Row(i, 100.0 * i, 0.0 if i == 0 else 20.0 + i, 64 * (n - 1), (40 + i, 4, 20), (i, 1, 9))
        for i in range(n)
    ]
    history = [
        Generation(
            g,
            loss=2 / g,
            policy_loss=1.2 / g,
            value_loss=0.8 / g,
            games_per_s=900.0 + g,
            seconds=36.0,
            positions=4096,
        )
        for g in range(1, n + 1)
    ]
    report = Report(
        name="amber-heron",
        game="connect_four",
        card={"seed": 7, "config": {"search": {"simulations": 32}, "none": None}},
        rows=rows,
        payoff=payoff,
        meetings=64 * (1 - np.eye(n, dtype=np.int64)),
        history=history,
        board=BOARD,
    )
    return replace(report, **changes)


def near_equilibrium() -> Report:
    """A run in a game so small that exploitability is known."""
    base = a_report()
    known = [
        replace(g, exploitability=0.4 / g.number, pool_exploitability=0.1) for g in base.history
    ]
    return replace(base, history=known)


def bare(**changes) -> Report:
    """A run that has only just begun."""
    none = np.zeros((0, 0))
    return Report("new", "hex:size=9", {}, [], none, none.astype(np.int64), [], **changes)


def gappy() -> Report:
    """A run with everything missing that may be."""
    payoff = a_report().payoff.copy()
    payoff[3] = payoff[:, 3] = math.nan
    rows = [
        Row(0, 0.0, 0.0, 10),
        Row(1, math.nan, math.nan, 0),
        Row(2, 50.0, math.inf, 3, uniform=(0, 0, 0)),
        Row(3, 70.0, math.nan, 3, uniform=(5, 0, 0)),
        Row(4, -80.0, 30.0, 3, mcts=(0, 0, 7)),
    ]
    history = [
        Generation(1, loss=math.nan),
        Generation(2, value_loss=0.5),
        Generation(3, games_per_s=math.inf),
    ]
    return a_report(rows=rows, payoff=payoff, history=history)


def remembering(n: int = 5) -> Report:
    """A run of which everything is known: what it forgot, what it cost, who reigns."""
    games = [(i, j, 40, 8, 16) for i in range(n) for j in range(i) if (i, j) != (3, 1)]
    found = forgetting.matrix([*games, (n - 1, 2, 0, 0, 200)], n)
    base = a_report(n)
    return replace(
        base,
        rows=[replace(row, melo=9.0, nash=0.25, alpha_rank=0.125) for row in base.rows],
        history=[replace(g, type_1=900_000, type_2=1500) for g in base.history],
        forgetting=found,
        findings=(("Circles", "not transitive: 1 > 2 > 3 > 1 (p = 1e-9)"),),
        alarms=tuple(alarm.message for alarm in forgetting.ancestor_alarms(found)),
        gates=(
            GateRow(
                1,
                "2",
                "0",
                "3.0 (-2.9, 2.9)",
                "0 1 9 3 2",
                "+2.0 ± 3.0",
                "50 : 48 of 60",
                True,
                "passed",
            ),
            GateRow(2, "4", "2", "-3.0 (-2.9, 2.9)", "2 3 9 1 0", "", "", False, "is no better"),
        ),
    )


CASES = {
    "whole": a_report(),
    "bare": bare(),
    "one": a_report(1),
    "two": a_report(2),
    "many": a_report(40),
    "gappy": gappy(),
    "remembering": remembering(),
    "remembering many": remembering(20),
    "near equilibrium": near_equilibrium(),
    "no history": a_report(history=[]),
    "strangers": a_report(3, payoff=np.full((3, 3), math.nan)),
    "hostile": a_report(name=HOSTILE, game=HOSTILE, card={HOSTILE: HOSTILE, "a": {HOSTILE: "b"}}),
}


@pytest.fixture(params=CASES, scope="module")
def html(request) -> str:
    return render(CASES[request.param])


def test_page_is_well_formed(html):
    page = Page(html)
    assert html.startswith("<!DOCTYPE html>")
    for tag in ("html", "head", "title", "body", "h1", "main"):
        assert len(page.all(tag)) == 1, tag
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = re.findall(r'(?:href="|url\()#([^")]+)', html)
    assert set(wanted) == set(ids)
    for number in ("nan", "inf"):
        assert not re.search(rf"[\s\"'>,]{number}[\s\"'<,]", html, re.IGNORECASE)


def test_page_fetches_and_runs_nothing(html):
    page = Page(html)
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in {"src", "href", "xlink:href", "srcset", "data", "action"}:
                assert (value or "").startswith(("data:", "#")), (tag, name, value)
    assert "@import" not in html
    assert set(re.findall(r"url\((.)", html)) <= {"#"}
    policy = next(m for m in page.all("meta") if "http-equiv" in m)["content"]
    assert (policy or "").startswith("default-src 'none';")


@pytest.mark.parametrize("case", sorted(CASES.keys() - {"hostile"}))
def test_page_names_no_address(case):
    assert "://" not in render(CASES[case])


def test_page_can_be_read_aloud(html):
    page = Page(html)
    assert page.all("html")[0]["lang"] == "en"
    assert all(th.get("scope") for th in page.all("th"))
    assert all(image.get("alt") for image in page.all("img"))
    for drawing in page.all("svg"):
        assert drawing["role"] == "img"
        assert drawing["aria-label"]


def test_hostile_text_is_escaped():
    html = render(CASES["hostile"])
    assert "<script" not in html
    assert "evil.example/x.png>" not in html
    assert HOSTILE in Page(html).text


def test_board_is_shown_as_an_image_and_only_if_there_is_one():
    (image,) = Page(render(a_report())).all("img")
    assert (image["src"] or "").startswith("data:image/svg+xml;base64,")
    assert not Page(render(a_report(board=""))).all("img")


def test_equal_reports_give_equal_pages():
    assert render(a_report()) == render(a_report())


def test_page_says_what_was_measured():
    page = Page(render(a_report()))
    assert "Snapshot 4 stands 400 ± 24 Elo above snapshot 0 (95 %)." in page.text
    assert "snapshots 5" in page.text
    assert "rated games 640" in page.text  # 10 pairs of 64 games
    assert "training time 3 min" in page.text  # five times 36 s
    assert "4 400 ± 24 256 67.6 44 / 4 / 20 32.1 4 / 1 / 9" in page.text  # 46 of 68, 4.5 of 14
    assert "search.simulations 32" in page.text
    assert len(page.all("svg")) == 7  # six figures, Elo also for a narrow screen


def test_page_says_what_was_forgotten_and_who_reigns():
    page = Page(render(remembering()))
    assert "generation 4 loses to its ancestor 2" in page.text
    labels = [svg["aria-label"] or "" for svg in page.all("svg")]
    assert "Forgetting: scores of 5 snapshots against their ancestors, 1 of them losses" in labels
    # 40 of 64 games won and 8 drawn against all but one; against that one 40 and 8 of 264.
    worst = "Worst score against an ancestor, in per cent: 16.7 at snapshot 4, against snapshot 2"
    assert worst in labels
    assert "Forward passes of networks: 4500000 in training, 7500 in measuring" in labels
    assert "1 2 0 3.0 (-2.9, 2.9) 0 1 9 3 2 +2.0 ± 3.0 50 : 48 of 60 passed" in page.text
    assert page.text.index("is no better") < page.text.index("passed")  # newest first
    assert "Circles not transitive: 1 > 2 > 3 > 1" in page.text
    assert "mElo" in page.text
    assert "4 400 ± 24 9 25.0 12.5 256" in page.text
    assert "mElo" not in Page(render(a_report())).text


def test_exploitability_is_plotted_where_it_is_known():
    labels = [svg["aria-label"] for svg in Page(render(near_equilibrium())).all("svg")]
    assert "Exploitability by generation, at the end: snapshot 0.08, pool 0.1" in labels  # 0.4 / 5
    assert "Exploitability" not in render(a_report())


def test_figures_of_the_record_are_read():
    recorded = {
        "generation": 3,
        "loss": 1.5,
        "entropy": 0.1,
        "passes": {"type_1": 7, "type_2": 5},
        "phase_seconds": {"play": 2.0},
    }
    read = generation(recorded)
    assert (read.number, read.loss, read.type_1, read.type_2) == (3, 1.5, 7, 5)
    assert read.phase_seconds == {"play": 2.0}
    assert math.isnan(read.value_loss)
    assert [g.number for g in history([{"generation": 0}, recorded])] == [3]  # 0 never trains


def test_one_snapshot_has_nobody_to_meet():
    page = Page(render(a_report(1)))
    assert "Snapshot 0 is the only one so far" in page.text
    assert "It takes two snapshots to meet." in page.text


def test_missing_values_are_shown_as_missing():
    page = Page(render(gappy()))
    assert "Hatched: have not met." in page.text
    assert "Hollow: too few games for an interval." in page.text
    assert "1 – 0 – –" in page.text
    assert "3 70 ± ? 3 100.0 5 / 0 / 0 –" in page.text
    assert "No generation has been recorded yet." in page.text  # no finite games_per_s
    assert "have not met" not in Page(render(a_report())).text


def test_large_matrix_is_drawn_without_numbers():
    assert len(render(a_report(40))) < 150_000


def test_a_matrix_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"payoff has shape \(2, 2\), 5 rows need \(5, 5\)"):
        render(a_report(payoff=np.zeros((2, 2))))
    with pytest.raises(ValueError, match="meetings"):
        render(a_report(meetings=np.zeros((5, 4), np.int64)))


@pytest.mark.parametrize(
    ("elo", "half", "sentence"),
    [
        (612, 48, "Snapshot 14 stands 612 ± 48 Elo above snapshot 0 (95 %)."),
        (-90, 30, "Snapshot 14 stands 90 ± 30 Elo below snapshot 0 (95 %)."),
        (48.3, 47.9, "Snapshot 14 stands 48.3 ± 47.9 Elo above snapshot 0 (95 %)."),
        (
            12,
            48,
            "No clear difference yet: snapshot 14 stands at +12 ± 48 Elo from snapshot 0 (95 %), "
            "an interval that includes 0.",
        ),
        (
            -12,
            48,
            "No clear difference yet: snapshot 14 stands at −12 ± 48 Elo from snapshot 0 (95 %), "
            "an interval that includes 0.",
        ),
        (300, math.inf, "Too few games to tell snapshot 14 from snapshot 0."),
        (math.nan, 10, "Too few games to tell snapshot 14 from snapshot 0."),
    ],
)
def test_verdict_is_honest(elo, half, sentence):
    assert verdict([Row(0, 0.0, 0.0, 9), Row(14, elo, half, 9)]) == sentence


def test_verdict_counts_the_doubt_about_the_first_snapshot():
    # 30-40-50: the sides of a right triangle
    rows = [Row(0, -45.0, 30.0, 9), Row(1, 0.0, 40.0, 9)]
    assert "+45 ± 50" in verdict(rows)
    assert verdict([]) == "No snapshot has been rated yet."


def test_wilson_gives_the_published_interval():
    # Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17
    # (1998), table I, method 3: 81 of 263 and 15 of 148, 0 of 20.
    for won, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)):
        assert wilson((won, 0, n - won)) == pytest.approx((won / n, low, high), abs=5e-5)
    assert wilson((0, 0, 20)) == pytest.approx((0, 0, 0.1611), abs=5e-5)
    assert wilson((0, 20, 0))[0] == 0.5
    with pytest.raises(ValueError, match="no games"):
        wilson((0, 0, 0))
