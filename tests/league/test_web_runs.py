"""The pages of runs in a real browser: start, follow, stop, kill, resume, ratings."""

import json
import os
import shutil
import signal
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from arena.errors import UserError
from league.store import files, status
from league.web import runs
from tests.helpers.command import GENERATIONS, TINY, Place
from tests.helpers.web import Web, ask, served, until


def _words(page: Any, text: str) -> None:
    page.locator("#words", has_text=text).wait_for()


def _rows(page: Any) -> int:
    return page.locator("#log tr").count()


def test_a_league_is_started_from_the_page_and_stopped(web: Web, page: Any):
    page.goto(f"{web.url}/train")
    page.get_by_label("Game", exact=True).fill("tic_tac_toe")
    page.get_by_role("radio", name="By generations").check()
    page.get_by_label("Generations", exact=True).fill("4000")
    page.get_by_label("Seed").fill("5")
    page.get_by_label("Name").fill("fresh")
    page.get_by_label("Judge").fill("rules")
    page.locator("summary", has_text="Sizes").click()
    page.get_by_label("Simulations a move").fill("4")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(f"{web.url}/train/fresh")
    _words(page, "of 4000")
    found = runs.look(web.place.folder / "runs", "fresh")
    assert found.stoppable
    assert (found.card["seed"], found.card["config"]["learner"]["simulations"]) == (5, 4)
    page.get_by_role("button", name="Stop").click()
    _words(page, "Stopped after generation")
    assert page.get_by_role("button", name="Resume").is_visible()
    assert "interrupted" in (web.run("fresh") / runs.LOG).read_text("utf-8")


def test_a_run_is_followed_through_a_stop_a_kill_and_a_reload(web: Web, page: Any, tiny: Any):
    run = web.place.adopt(tiny, "long")
    page.goto(f"{web.url}/train/long")
    _words(page, f"Finished: {GENERATIONS} generations")
    assert _rows(page) == GENERATIONS + 1
    page.get_by_label("to generation").fill("400")
    page.get_by_role("button", name="Go on").click()
    _words(page, "of 400")
    until(lambda: _rows(page) > GENERATIONS + 2)  # told, not loaded
    page.get_by_role("button", name="Stop").click()
    _words(page, "Stopped after generation")
    stopped = runs.look(run.parent, "long")
    assert stopped.status is None
    until(lambda: _rows(page) == stopped.done + 1)
    numbers = page.locator("#log th").all_inner_texts()
    assert numbers == [str(n) for n in range(stopped.done, -1, -1)]
    page.get_by_role("button", name="Resume").click()
    until(lambda: _rows(page) > stopped.done + 1)
    told = status.read(run)
    assert told is not None
    os.kill(told.pid, signal.SIGKILL)
    _words(page, "Ended without notice")
    page.reload()
    kept = runs.look(run.parent, "long")
    assert _rows(page) == kept.done + 1
    page.get_by_role("button", name="Resume").click()
    until(lambda: _rows(page) > kept.done + 1)
    page.get_by_role("button", name="Stop").click()
    _words(page, "Stopped after generation")
    shown = page.locator("#figures figure h2").all_inner_texts()
    assert {"Elo by snapshot", "Who beats whom", "Forgetting", "Loss by generation"} <= set(shown)


def test_a_run_whose_record_is_being_made_is_shown(tiny: Path, tmp_path: Path):
    run = tmp_path / "new"
    run.mkdir()
    shutil.copy(tiny / runs.CARD, run)
    (run / runs.RECORD).touch()
    with files.lock(run):
        assert runs.look(tmp_path, "new").figures == ()
        with status.telling(run, 0):
            look = runs.look(tmp_path, "new")
            assert (look.words, look.stoppable) == (f"Generation 0 of {GENERATIONS} starts", True)
            assert runs.is_beginning(run)
        assert runs.look(tmp_path, "new").state == "busy"
    with pytest.raises(UserError, match="is not a results file"):
        runs.look(tmp_path, "new")


def test_a_run_that_is_deleted_while_it_is_shown_is_one_clear_line(web: Web, page: Any, tiny: Any):
    run = web.place.adopt(tiny, "gone")
    page.goto(f"{web.url}/train/gone")
    _words(page, "Finished")
    shutil.rmtree(run)
    alert = page.locator("#alert", has_text="there is no run 'gone' here")
    alert.wait_for()
    assert page.get_by_role("button", name="Go on").is_disabled()
    for path in ("/train/gone", "/train/gone/figures", "/train/gone/events", "/ratings/gone"):
        code, text = ask(web, path)
        assert (code, json.loads(text)["error"]) == (400, "there is no run 'gone' here")


def test_ratings_say_what_they_mean(web: Web, page: Any):
    page.goto(f"{web.url}/ratings")
    page.get_by_role("link", name="tiny").click()
    table = page.get_by_role("region", name="Snapshots")
    assert table.locator("tbody tr").count() == GENERATIONS + 1
    assert "±" in table.inner_text()
    text = page.locator("main").inner_text()
    for part in ("What ± means", "95 of 100 intervals", "Circles", "Champions and gates"):
        assert part in text
    assert page.locator("figure .plot svg").count() >= 6


def _events(web: Web, path: str, count: int, **headers: str) -> list[dict[str, str]]:
    """The first events of a stream, their fields by name."""
    request = urllib.request.Request(web.url + path, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: list[dict[str, str]] = [{}]
        while len(found) <= count:
            line = answer.readline().decode().rstrip("\n")
            if line:
                key, _, value = line.partition(": ")
                found[-1][key] = value
            else:
                found.append({})
    return found[:count]


def test_a_stream_goes_on_where_it_was_lost(web: Web):
    whole = _events(web, "/train/tiny/events", GENERATIONS + 2)
    assert [event.get("id") for event in whole] == [*map(str, range(1, GENERATIONS + 2)), None]
    assert [event["event"] for event in whole] == ["generation"] * (GENERATIONS + 1) + ["status"]
    assert json.loads(whole[-1]["data"])["words"] == f"Finished: {GENERATIONS} generations"
    rest = _events(web, "/train/tiny/events?after=1", 2, **{"Last-Event-ID": str(GENERATIONS)})
    assert rest == whole[-2:]
    [other] = _events(web, "/train/tiny/events?run=1-2", 1)
    assert other["event"] == "gone"
    assert "is another one now" in other["data"]


@pytest.mark.slow
def test_a_killed_server_leaves_the_training_running(cache: Path, tmp_path: Path):
    place = Place(tmp_path, cache)
    form = {"game": "tic_tac_toe", "length": "generations", "generations": "50", "pairs": "4"}
    with served(place) as first:
        code, _ = ask(first, "/train", **form, matches="2", name="lasting")
        assert code == 200
        first.process.kill()
    look = partial(runs.look, tmp_path / "runs", "lasting")
    done = look().done
    until(lambda: look().done > done)
    with served(place) as second:
        [*_, told] = _events(second, "/train/lasting/events", look().done + 2)
        assert told["event"] in ("status", "generation")
        assert ask(second, "/train/lasting/stop", a="b")[0] == 200
        until(lambda: look().state == "stopped")
    assert look().status is None


@pytest.mark.slow
def test_a_training_of_the_command_line_is_followed_and_stopped(cache: Path, tmp_path: Path):
    place = Place(tmp_path, cache)
    (tmp_path / "runs").mkdir()
    line = (*TINY, "--generations", "300", "--name", "typed")
    with served(place) as server, place.start(*line) as training:
        until(lambda: ask(server, "/train/typed/figures")[0] == 200)
        until(lambda: runs.look(tmp_path / "runs", "typed").done > 1)
        assert ask(server, "/train/typed/stop", a="b")[0] == 200
        training.communicate(timeout=240)
        assert training.returncode == 130
    assert runs.look(tmp_path / "runs", "typed").words.startswith("Stopped after generation")


@pytest.mark.parametrize(
    ("path", "form", "says"),
    [
        ("/train", {"game": "pettingzoo:./evil.py", "time": "1m"}, "there is no game"),
        ("/train", {"game": "nim", "time": "1m", "learner": "./a.py:B"}, "there is no learner"),
        ("/train", {"game": "nim", "time": "1m", "judge": "a:B"}, "there is no judge"),
        ("/train", {"game": "nim", "time": "forever"}, "a time is written as"),
        ("/train", {"game": "nim", "time": "1m", "seed": "-1"}, "seed must be"),
        ("/train", {"game": "nim", "time": "1m", "pairs": "1" * 30}, "Pairs of games"),
        ("/train", {"game": "nim", "time": "1m", "name": "../up"}, "cannot be the name"),
        ("/train", {"game": "nim", "time": "1m", "name": "tiny"}, "there is a run 'tiny'"),
        ("/train", {"game": "nim", "time": "1m", "name": "mcts"}, "is the name of an agent"),
        # What only the command itself can refuse.
        (
            "/train",
            {"game": "nim", "time": "1m", "learner": "ppo", "learner.simulations": "4"},
            "train: ",
        ),
        ("/train/tiny/stop", {"a": "b"}, "is not being trained"),
        ("/train/tiny/resume", {"generations": "x"}, "Generations must be"),
        ("/train/tiny/resume", {"generations": "1"}, "has 3 generations already"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(web: Web, path: str, form: Any, says: str):
    before = sorted(p.name for p in (web.place.folder / "runs").iterdir())
    code, text = ask(web, path, **form)
    assert code == 400
    assert says in json.loads(text)["error"]
    assert sorted(p.name for p in (web.place.folder / "runs").iterdir()) == before


@pytest.mark.parametrize("name", ["..", "%2e%2e%2fetc", "a%00b", ".hidden", "a" * 300, "no"])
def test_names_of_runs_are_no_paths(web: Web, name: str):
    code, text = ask(web, f"/train/{name}")
    assert code in (400, 404)
    assert "\n" not in json.loads(text)["error"]
