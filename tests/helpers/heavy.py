"""Games whose rules take long to compile: tests may leave these to the slow suite."""

from typing import Any

import pytest

import games

HEAVY = {"animal_shogi", "backgammon", "chess", "english_draughts", "gardner_chess", "go", "gomoku"}


def every_game() -> list[Any]:
    """Every game as a test parameter, the heavy ones marked slow."""
    return [
        pytest.param(games.load(name), id=name, marks=[pytest.mark.slow] if name in HEAVY else [])
        for name in games.names()
    ]
