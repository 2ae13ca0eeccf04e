"""Functions whose traced form is kept on disk."""

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents import mcts
from agents.mcts import MCTS
from agents.search.traced import Traced, name_of
from games.tic_tac_toe import TicTacToe


class Pair(NamedTuple):
    one: Any
    two: Any


class Counted:
    """A function that counts how often it is traced."""

    def __init__(self):
        self.times = 0

    def __call__(self, key: jax.Array, pair: Pair, count: Any) -> tuple[Pair, Any]:
        self.times += 1
        noise = jax.random.uniform(key, pair.one.shape)
        return Pair(pair.one + count, ()), {"noise": noise, "two": pair.two * 2}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("agents.search.traced._folder", lambda: str(tmp_path))
    return tmp_path


def test_what_was_traced_is_not_traced_again(folder: Path):
    arguments = jax.random.key(1), Pair(jnp.zeros(3), np.int32(4)), np.float32(1.5)
    expected = Counted()(*arguments)
    functions = [Counted() for _ in range(3)]
    for function, name in zip(functions, ("one", "one", "other"), strict=True):
        traced = Traced(function, name)
        for _ in range(2):
            found = traced(*arguments)
            assert jax.tree.structure(found) == jax.tree.structure(expected)
            for x, y in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
                np.testing.assert_array_equal(x, y)
    assert [function.times for function in functions] == [1, 0, 1]
    assert len(list(folder.iterdir())) == 2


def test_what_cannot_be_read_is_traced_anew(folder: Path):
    arguments = jax.random.key(1), Pair(jnp.zeros(3), np.int32(4)), np.float32(1.5)
    Traced(Counted(), "one")(*arguments)
    for file in folder.iterdir():
        file.write_bytes(b"cut")
    function = Counted()
    Traced(function, "one")(*arguments)
    assert function.times == 1
    Traced(function, "one")(jax.random.key(1), Pair(jnp.zeros(4), np.int32(4)), np.float32(1.5))
    assert function.times == 2  # of another shape


def test_nothing_is_kept_of_what_has_no_name(folder: Path):
    Traced(Counted(), "")(jax.random.key(1), Pair(jnp.zeros(3), np.int32(4)), np.float32(1.5))
    assert not list(folder.iterdir())


def test_names_do_not_change_from_process_to_process():
    search = MCTS(TicTacToe(), 8).tree_search()
    assert "0x" not in name_of(search)
    assert name_of(search, 4) == name_of(MCTS(TicTacToe(), 8).tree_search(), 4)
    assert len({name_of(search, 4), name_of(search, 5), name_of(MCTS(TicTacToe(), 9))}) == 3
    assert name_of(mcts.make) == "agents.mcts.make"
    assert name_of(Counted()) == name_of(partial(max, 1)) == ""
