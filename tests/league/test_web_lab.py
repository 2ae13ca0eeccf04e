"""The laboratory in the web app: the shelf, an experiment's page, a run from it."""

import json
from pathlib import Path
from typing import Any

import pytest

from league.lab import names, runner
from league.store import files
from tests.helpers.web import Web
from tests.helpers.web_client import client


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("lab") / "runs"
    runner.run(names.find("forgetting"), quick=True, folder=folder / "lab")
    with client(folder) as found:
        yield found, folder / "lab"


def test_the_shelf_has_all_and_how_they_ended(visitor):
    text = visitor[0].get("/lab").text
    for name in names.own():
        assert f'href="/lab/{name}"' in text
    assert "as expected, quick" in text
    assert "What a league adds" in text


def test_a_page_shows_words_figures_and_plots(visitor):
    text = visitor[0].get("/lab/forgetting").text
    assert "Hedge, exploitability of the average" in text
    assert text.count("<svg") > 2
    assert "<h2>Refuted by</h2>" in text
    assert 'id="stop" hidden' in text


def test_how_far_a_run_is_shows_from_any_process(visitor):
    found, folder = visitor
    place = folder / "forgetting" / "quick"
    (place / "progress.json").write_text(json.dumps({"part": "gates@1", "done": 2.5, "total": 9}))
    assert not found.get("/lab/forgetting/progress").json()["running"]
    with files.lock(place):
        told = found.get("/lab/forgetting/progress").json()
        assert (told["running"], told["stoppable"], told["done"]) == (True, False, 2.5)
        assert told["words"] == "Running: gates@1"
        refused = found.post("/lab/forgetting/start", headers={"Accept": "application/json"})
        assert "runs in another process" in refused.json()["error"]


@pytest.mark.parametrize("name", ["nothing", "os:getcwd", "..%2Ftiny"])
def test_no_other_name_is_run(visitor, name):
    answer = visitor[0].post(f"/lab/{name}/start", headers={"Accept": "application/json"})
    assert answer.status_code in (400, 404)


@pytest.mark.slow
def test_an_experiment_is_run_from_its_page(web: Web, page: Any):
    page.goto(f"{web.url}/lab")
    page.get_by_role("link", name="Forgetting").click()
    page.get_by_role("button", name="Run quickly").click()
    page.locator("caption", has_text="Expected and measured").wait_for()
    assert page.locator("#words").inner_text() == "Not running"
    assert (Path(web.place.folder) / "runs/lab/forgetting/quick/result.json").exists()
    assert page.locator("figure svg").count() == 3
