"""The game of docs/adding-a-game.md is a game."""

import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents import mcts, uniform
from arena.evaluation.solver import solve
from arena.play import match

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-game.md"


@pytest.fixture
def sticks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    code = re.search("```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert code
    (tmp_path / "sticks.py").write_text(code[1])
    monkeypatch.setattr(games, "__path__", [*games.__path__, str(tmp_path)])
    games.names.cache_clear()
    yield games.load
    sys.modules.pop("games.sticks", None)
    games.names.cache_clear()
    games.load.cache_clear()


def test_it_takes_a_page_of_fewer_than_sixty_lines():
    assert len(PAGE.read_text().splitlines()) < 60


def test_it_is_found_and_has_the_value_that_everybody_knows(sticks: Any):
    assert "sticks" in games.names()
    # Leave a multiple of four, and you win.
    for count in (3, 4, 5, 8, 9, 21):
        value = solve(sticks(f"sticks:sticks={count}")).value[0]
        assert value == (-1 if count % 4 == 0 else 1)


def test_agents_play_it(sticks: Any):
    game = sticks("sticks:sticks=7")
    a, b = mcts.make(game, "50"), uniform.make(game, "")
    scores = match.play(
        [a], [b], game, key=jax.random.key(0), pairs=32, plies=0, groups=1, slots=32
    )
    assert scores.mean() > 0.8


def test_people_play_it(sticks: Any):
    game = sticks("sticks")
    state = game.init()
    assert [game.label(state, m) for m in range(3)] == ["1", "2", "3"]
    assert game.parse(state, " 3\n") == 2
    with pytest.raises(ValueError, match="not a number of sticks"):
        game.parse(state, "4")
    state = game.step(state, jnp.int32(2))
    assert game.show(state) == "|" * 18
    assert ElementTree.fromstring(game.draw(state)).tag.endswith("svg")
    assert np.asarray(game.observe(state, jnp.int32(0))).sum() == 18
