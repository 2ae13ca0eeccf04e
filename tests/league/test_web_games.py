"""Recorded games in a real browser: the list with its filters, and the replay."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import games
from arena.play.records import MoveNote, Player, append_games, saved
from arena.play.session import Session
from tests.helpers.web import Web, ask

_WON = "b2 a1 a3 b1 c1"  # X has the diagonal


def _record(path: Path, name: str, moves: str, *, generation: int, first: str, **rest: Any) -> None:
    session = Session(games.load(name))
    for move in moves.split():
        session.push(move)
    notes = [MoveNote(0.1 * n, 8) for n in range(len(session.record.labels))]
    players, tags = (Player(first), Player("mcts:4")), {"generation": generation}
    kept = saved(session.record, name, players, notes=notes, tags=tags, **rest)
    append_games(path, [kept])


@pytest.fixture(scope="session")
def played(web: Web) -> Web:
    """The web app, with games of a run and a file beside the runs."""
    showcase = web.run("tiny") / "games" / "1.jsonl"
    shutil.rmtree(showcase.parent, ignore_errors=True)
    showcase.parent.mkdir()
    _record(showcase, "tic_tac_toe", _WON, generation=1, first="tiny:1")
    _record(showcase, "tic_tac_toe", _WON.replace("c1", "c2"), generation=2, first="tiny:2",
            termination="left unfinished")  # fmt: skip
    match = web.place.folder / "match.jsonl"
    _record(match, "connect_four", "1 2 1 2 1 2 1", generation=3, first="somebody")
    with open(match, "a", encoding="utf-8") as file:
        file.write('{"game": "pettingzoo:./evil.py", "moves": []}\n{cut off')
    return web


def test_games_are_listed_filtered_and_replayed(played: Web, page: Any):
    page.goto(f"{played.url}/games")
    rows = page.get_by_role("region", name="Games").locator("tbody tr")
    assert rows.count() >= 4
    assert "match.jsonl: 1 game skipped" in page.locator("main").inner_text()
    page.get_by_label("Run").select_option("tiny")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**run=tiny**")
    assert rows.count() == 2
    page.get_by_label("Result").select_option("first won")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**result=1-0**")
    assert rows.count() == 1
    assert page.get_by_role("link", name="Training").get_attribute("href") == "/train/tiny"
    rows.get_by_role("link").click()
    page.wait_for_url("**/games/replay?**")
    status = page.locator("#status")
    assert status.inner_text() == "Move 5 of 5: c1 by tiny:1 · result 1-0"
    page.keyboard.press("Home")
    status.get_by_text("The start").wait_for()
    page.locator("#board .piece").first.wait_for(state="detached")
    page.keyboard.press("ArrowRight")
    page.locator("#board .cell.last[data-cell=b2]").wait_for()
    assert "ply=1" in page.url
    # What the second thought, +0.1 for itself, is seen from the first.
    assert status.inner_text().startswith("Move 1 of 5: b2 by tiny:1 · value −0.10 · 8 visits")
    page.reload()
    page.locator("#board .cell.last[data-cell=b2]").wait_for()
    assert page.locator("#curve circle").count() == 5
    page.get_by_role("button", name="a1").click()
    page.locator("#board .cell.last[data-cell=a1]").wait_for()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/games/replay?file=../../etc/passwd&number=1", "there is no game 1"),
        ("/games/replay?file=match.jsonl&number=2", "there is no game 'pettingzoo:./evil.py'"),
        ("/games/replay?file=match.jsonl&number=9", "there is no game 9"),
        ("/games/replay?file=match.jsonl&number=-1", "a whole number"),
        ("/games?gen=x", "a generation is a whole number"),
        ("/games?result=maybe", "a result is one of"),
        ("/games/board?file=match.jsonl&number=1&ply=99", "positions 0 to 7"),
        ("/games/board?file=match.jsonl&number=1&ply=x", "positions 0 to 7"),
    ],
)
def test_games_that_are_not_there_are_refused_in_one_line(played: Web, path: str, says: str):
    code, text = ask(played, path)
    assert code == 400
    assert says in json.loads(text)["error"]


def test_a_list_without_games_says_how_to_get_some(played: Web):
    assert "No game fits." in ask(played, "/games?game=chess")[1]
