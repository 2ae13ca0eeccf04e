"""A foreign package under a room's name is one clear line."""

import os
import subprocess
from pathlib import Path

import pytest

from league.cli import rooms
from tests.helpers.command import ARENA

ROOT = Path(__file__).parents[2]


def _start(foreign: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """`arena games` with a folder first on the path."""
    path = os.pathsep.join([str(foreign), str(ROOT)])
    return subprocess.run(
        [ARENA, "games"],
        env={**os.environ, "PYTHONPATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("room", rooms.ROOMS)
def test_a_foreign_package_is_named(tmp_path: Path, room: str):
    package = tmp_path / "site" / room
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('this must not be imported')")
    done = _start(tmp_path / "site", tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"arena: {package} is imported as {room!r} in place of ")
    assert len(done.stderr.splitlines()) == 1


def test_a_foreign_module_is_named(tmp_path: Path):
    (tmp_path / "agents.py").write_text("raise RuntimeError('this must not be imported')")
    done = _start(tmp_path, tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"arena: {tmp_path / 'agents.py'} is imported as 'agents'")


def test_the_own_rooms_pass():
    rooms.check_rooms()


def test_a_missing_room_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rooms, "ROOMS", ("games", "no_such_room"))
    with pytest.raises(ImportError, match=r"^the package 'no_such_room' is missing from /"):
        rooms.check_rooms()
