"""One tiny run, trained undisturbed by the real command and shared by the tests of this folder."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from league.cli import device
from league.cli.entry import main
from league.store import status
from league.store.backend import Place as RecordPlace
from league.store.backend import SharedDatabase
from tests.helpers.command import TINY, Place, check_refusal, held
from tests.helpers.postgres import Postgres, serving
from tests.helpers.web import Web, browsing, served


@pytest.fixture(scope="session")
def cache(request: pytest.FixtureRequest) -> Path:
    """Compiled programs; pytest keeps them from session to session (.pytest_cache)."""
    kept = getattr(request.config, "cache", None)  # absent under -p no:cacheprovider
    return kept.mkdir("arena") if kept else Path.home() / ".cache"


@pytest.fixture(scope="session")
def told(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of the run, and what the command printed."""
    place = Place(tmp_path_factory.mktemp("tiny"), cache)
    done = place.call(*TINY, "--name", "tiny")
    assert done.returncode == 0, done.stderr
    return place.run("tiny"), done.stdout


@pytest.fixture(scope="session")
def tiny(told: tuple[Path, str]) -> Path:
    """The folder of the run; tests may read it, and copy it with `Place.adopt`."""
    return told[0]


@pytest.fixture(scope="session")
def web(cache: Path, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The web app; its folder holds the tiny run."""
    place = Place(tmp_path_factory.mktemp("web"), cache)
    place.adopt(tiny, "tiny")
    with served(place) as server:
        yield server
    for run in (place.folder / "runs").iterdir():  # where a test has failed they may go on
        if (told := status.read(run)) is not None and status.is_alive(told):
            os.kill(told.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A browser; tests that take it are skipped where there is none."""
    with browsing() as found:
        yield found


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A fresh page, on which nothing may be complained of: no error, and no breach of policy."""
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    found = context.new_page()
    found.set_default_timeout(240_000)
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.on(
        "console",
        lambda said: complaints.append(said.text) if "Content Security" in said.text else None,
    )
    yield found
    context.close()
    assert complaints == []


@pytest.fixture
def place(cache: Path, tmp_path: Path) -> Place:
    """An empty folder to call `arena` in."""
    return Place(tmp_path, cache)


@pytest.fixture
def here(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Lets `league.cli.main` run in this process, whose JAX is set up already."""
    monkeypatch.chdir(place.folder)
    monkeypatch.setattr(device, "prepare", lambda: None)
    return place


@pytest.fixture
def refused(here: Place, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """Runs a command line that must be refused; what it was told."""

    def run(line: str) -> str:
        before = held(here.folder)
        with pytest.raises(SystemExit) as stop:
            main(line.split())
        assert held(here.folder) == before
        told = capsys.readouterr()
        return check_refusal(stop.value.code, str(told.out), str(told.err))

    return run


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server; tests that take it are skipped where there is none."""
    with serving() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def record(request: pytest.FixtureRequest, tmp_path: Path) -> RecordPlace:
    """Where a record may be made, in either kind of database."""
    if request.param == "sqlite":
        return tmp_path / "league.db"
    server: Postgres = request.getfixturevalue("postgres")
    return SharedDatabase(server.empty("records"), "a run")
