"""Copies of an env's games in the workers: what a search is told of them, and what may go wrong."""

import os
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest

from arena.pettingzoo import worker_pool
from arena.pettingzoo.adapter import FAILED
from arena.pettingzoo.as_game import Imported, Seen
from arena.pettingzoo.fault import Fault
from arena.pettingzoo.state_copies import NOWHERE, branch
from arena.pettingzoo.worker import PLAYOUT
from games import OVER
from tests.helpers import race

RACE = "pettingzoo:./race.py"


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory):
    """A user's folder, with an env of his own in it."""
    folder, before = tmp_path_factory.mktemp("user"), Path.cwd()
    shutil.copy(race.__file__, folder / "race.py")
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.fixture(scope="module")
def game() -> Imported:
    """The game that all is well with."""
    return Imported(RACE, worker_pool.inspect(RACE))


def _games(game: Imported, count: int):
    games = game.deal(jax.random.key(0), count, 0)
    return games, np.stack([games.position(n).state.place for n in range(count)])


def _ask(game: Imported, place: np.ndarray, order: list[int], seed: int = 0) -> Seen:
    return Seen(*branch(game.crew, place, np.array(order), seed * np.arange(len(order))))


def _number(seen: Seen) -> list[int]:
    return np.asarray(seen.observation).argmax(1).tolist()


def test_copies_go_their_own_ways_and_the_game_stays(game: Imported):
    games, roots = _games(game, 3)
    one = _ask(game, roots[[0, 0, 1, 0]], [0, 1, 1, 1])  # several of one game, and twice the same
    assert _number(one) == [1, 2, 2, 2]
    assert np.asarray(one.mover).tolist() == [1, 1, 1, 1]
    assert (one.place[1] == one.place[3]).all()
    two = _ask(game, np.concatenate([one.place, roots[2:]]), [0, 0, 1, 1, 0])
    assert _number(two) == [2, 3, 4, 4, 1]
    assert _number(_ask(game, one.place, [1, 1, 1, 0])) == [3, 4, 4, 3]  # a copy never changes
    assert [int(games.position(n).state.observation.argmax()) for n in range(3)] == [0, 0, 0]
    games.step([1], [1])
    assert int(games.position(1).state.observation.argmax()) == 2


def test_a_playout_ends_and_depends_on_its_seed_alone(game: Imported):
    _, roots = _games(game, 1)
    many = roots.repeat(32, 0)
    ends = _ask(game, many, [PLAYOUT] * 32, seed=1)
    assert (np.asarray(ends.mover) == OVER).all()
    assert set(np.asarray(ends.payoff).tolist()) == {-1.0, 1.0}
    np.testing.assert_array_equal(_ask(game, many, [PLAYOUT] * 32, seed=1).payoff, ends.payoff)


def test_nowhere_leads_nowhere(game: Imported):
    _, roots = _games(game, 1)
    told = _ask(game, np.stack([roots[0], [NOWHERE, NOWHERE]]), [0, 0])
    assert np.asarray(told.mover).tolist() == [1, OVER]
    assert (told.place[1] == NOWHERE).all()


@pytest.mark.parametrize("kind", ["raises", "die"])
def test_a_game_whose_copy_fails_has_failed(kind: str, game: Imported, folder: Path):
    accident = folder / f"{kind}.once"
    fault = "fault=raises" if kind == "raises" else f"once={accident}"
    broken = Imported(f"{RACE}?{fault}", game.known)
    games, place = _games(broken, 1)
    if kind == "die":
        accident.touch()
    for ply in range(1, 8):
        told = _ask(broken, place, [0])
        place = told.place
        assert ply < 7 or int(told.mover[0]) == OVER
    assert (place == NOWHERE).all()
    assert games._slots.mover[0] == FAILED
    assert not accident.exists()
    line = "step raises RuntimeError: the table" if kind == "raises" else "a worker died"
    with pytest.raises(Fault, match=line):
        games.step([0], [0])
    broken.crew.close()


def test_a_position_that_has_been_left_is_not_to_be_searched(game: Imported):
    with pytest.raises(ValueError, match="in its env alone"):
        game.step(game.init(), jax.numpy.int32(0))
