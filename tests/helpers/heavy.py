"""Games whose rules take long to compile: tests may leave these to the slow suite."""

from collections.abc import Iterable
from typing import Any

import pytest

import games

HEAVY = {"animal_shogi", "backgammon", "chess", "english_draughts", "gardner_chess", "go", "gomoku"}


def light_first(names: Iterable[str], load: bool = False) -> list[Any]:
    """Test parameters: these names, or with `load` their games; heavy ones marked slow."""
    return [
        pytest.param(
            games.load(name) if load else name,
            id=name,
            marks=[pytest.mark.slow] if name.partition(":")[0] in HEAVY else [],
        )
        for name in names
    ]
