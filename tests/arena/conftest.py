"""A user's folder with an env in it, for the tests of imported envs."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from arena.pettingzoo import worker_pool
from arena.pettingzoo.as_game import ImportedGame
from tests.helpers import race


@pytest.fixture(scope="module")
def race_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder, which tests of a module run in; `race.RACE` is an env there."""
    folder, before = tmp_path_factory.mktemp("user"), Path.cwd()
    shutil.copy(race.__file__, folder / "race.py")
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.fixture(scope="module")
def race_game(race_folder: Path) -> ImportedGame:
    """The game that all is well with, checked in a process of its own."""
    return ImportedGame(race.RACE, worker_pool.check_env(race.RACE))
