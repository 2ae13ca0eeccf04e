"""`arena status` and the page of a run: what a cluster is doing, told by whoever directs it."""

import json
import time
from dataclasses import replace

import pytest

from league.cli.entry import main
from league.cluster import figures
from league.cluster.figures import ActorFigures, ClusterFigures
from league.store import files, status
from league.store.objects import FolderFiles
from league.web import runs
from tests.helpers.command import Place

PLAYING = ActorFigures(
    0,
    "playing",
    "node1 77",
    "generation 3, play, matches 0 to 3",
    2.0,
    5,
    80,
    16.0,
    1,
    2_500_000,
    0.5,
)
TOLD = ClusterFigures(
    "train",
    "10.0.0.1:6379",
    [PLAYING, ActorFigures(1)],
    queue=7,
    lost=3,
    repeated=3,
    duplicates=1,
    reused=2,
    waited_seconds=60.0,
    seconds=90.0,
)


def test_a_run_tells_of_its_cluster(here: Place, tiny, capsys: pytest.CaptureFixture[str]):
    run = here.adopt(tiny, "many")

    def told(*flags: str) -> str:
        main(["status", "many", *flags])
        return capsys.readouterr().out

    assert told() == "many: Finished: 3 generations\nno cluster has played for it\n"
    figures.write(FolderFiles(run), replace(TOLD, ended=True))
    assert "no cluster plays for it now; what arena train told 0:00:00 ago:" in told()
    figures.write(FolderFiles(run), TOLD)
    with files.lock(run):
        status.write(run, 3, "play")
        shown, body = told(), json.loads(told("--json"))
        page = runs.look(run.parent, "many").shown()["cluster"]
    assert "many: Generation 3 of 3 plays\ncluster, as told 0:00:00 ago:\n" in shown
    assert "node1 77  generation 3, play, matches 0 to 3  2 s" in shown
    assert "queue: 7 request(s) that nobody plays yet" in shown
    assert "calls: 3 lost, 3 made again, 1 answered twice, 2 found in the store" in shown
    assert "games: waited for 0:01:00 of 0:01:30" in shown
    assert page is not None
    assert [row[6] for row in page["rows"]] == ["5.0", ""]
    assert page["lines"][0].endswith("for arena train: 1 playing, 1 starting")
    assert (body["playing"], body["generation"], body["total"]) == (True, 3, 3)
    assert body["cluster"]["games_per_s"] == 5.0
    assert body["cluster"]["weights_bytes"] == 2_500_000


def test_a_command_that_died_is_not_taken_for_one_that_goes_on(
    here: Place, tiny, monkeypatch, capsys: pytest.CaptureFixture[str]
):
    run = here.adopt(tiny, "many")
    figures.write(FolderFiles(run), TOLD)
    later = time.time() + 3600
    monkeypatch.setattr("time.time", lambda: later)
    main(["status", "many", "--json"])
    assert not json.loads(capsys.readouterr().out)["playing"]
    assert runs.look(run.parent, "many").cluster is None


def test_what_is_no_run_is_refused(refused):
    assert "there is no run 'none' in runs" in refused("status none")
