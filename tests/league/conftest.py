"""One tiny run, trained undisturbed by the real command and shared by the tests of this folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from league.cli import device
from league.cli.entry import main
from tests.helpers.command import TINY, Place, check_refusal, held


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
