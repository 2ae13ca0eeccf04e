"""Copies of an env's games in the workers: what a search gets of them, and what may go wrong."""

from pathlib import Path

import jax
import numpy as np
import pytest

from arena.pettingzoo.adapter import FAILED
from arena.pettingzoo.as_game import ImportedGame
from arena.pettingzoo.env_state import EnvState
from arena.pettingzoo.errors import EnvError
from arena.pettingzoo.state_copies import NO_GAME, step_copies
from arena.pettingzoo.worker import PLAYOUT
from games import OVER
from tests.helpers.race import RACE

pytestmark = pytest.mark.usefixtures("race_folder")


def _games(game: ImportedGame, count: int):
    games = game.deal(jax.random.key(0), count, 0)
    return games, np.stack([games.position(n).state.handle for n in range(count)])


def _step(
    game: ImportedGame, handle: np.ndarray, requests: list[int], seed: int = 0
) -> EnvState[np.ndarray]:
    seeds = seed * np.arange(len(requests))
    return step_copies(game.pool, handle, np.array(requests), seeds)


def _number(state: EnvState[np.ndarray]) -> list[int]:
    return np.asarray(state.observation).argmax(1).tolist()


def test_copies_go_their_own_ways_and_the_game_stays(race_game: ImportedGame):
    games, roots = _games(race_game, 3)
    # Several of one game, and twice the same.
    one = _step(race_game, roots[[0, 0, 1, 0]], [0, 1, 1, 1])
    assert _number(one) == [1, 2, 2, 2]
    assert np.asarray(one.mover).tolist() == [1, 1, 1, 1]
    assert np.ptp(np.asarray(one.handle)[[1, 3]], 0).max() == 0
    two = _step(race_game, np.concatenate([np.asarray(one.handle), roots[2:]]), [0, 0, 1, 1, 0])
    assert _number(two) == [2, 3, 4, 4, 1]
    assert _number(_step(race_game, np.asarray(one.handle), [1, 1, 1, 0])) == [
        3,
        4,
        4,
        3,
    ]  # a copy never changes
    assert [int(games.position(n).state.observation.argmax()) for n in range(3)] == [0, 0, 0]
    games.step([1], [1])
    assert int(games.position(1).state.observation.argmax()) == 2


def test_a_playout_ends_and_depends_on_its_seed_alone(race_game: ImportedGame):
    _, roots = _games(race_game, 1)
    many = roots.repeat(32, 0)
    ends = _step(race_game, many, [PLAYOUT] * 32, seed=1)
    assert (np.asarray(ends.mover) == OVER).all()
    assert set(np.asarray(ends.payoff).tolist()) == {-1.0, 1.0}
    np.testing.assert_array_equal(
        _step(race_game, many, [PLAYOUT] * 32, seed=1).payoff, ends.payoff
    )


def test_a_move_in_no_game_gives_an_ended_one(race_game: ImportedGame):
    _, roots = _games(race_game, 1)
    after = _step(race_game, np.stack([roots[0], [NO_GAME, NO_GAME]]), [0, 0])
    assert np.asarray(after.mover).tolist() == [1, OVER]
    assert (np.asarray(after.handle)[1] == NO_GAME).all()


@pytest.mark.parametrize("kind", ["raises", "die"])
def test_a_game_whose_copy_fails_has_failed(kind: str, race_game: ImportedGame, race_folder: Path):
    accident = race_folder / f"{kind}.once"
    fault = "fault=raises" if kind == "raises" else f"once={accident}"
    broken = ImportedGame(f"{RACE}?{fault}", race_game.spec)
    games, handle = _games(broken, 1)
    if kind == "die":
        accident.touch()
    for ply in range(1, 8):
        after = _step(broken, handle, [0])
        handle = np.asarray(after.handle)
        assert ply < 7 or int(after.mover[0]) == OVER
    assert (handle == NO_GAME).all()
    assert games._slots.mover[0] == FAILED
    assert not accident.exists()
    line = "step raises RuntimeError: the table" if kind == "raises" else "a worker died"
    with pytest.raises(EnvError, match=line):
        games.step([0], [0])
    broken.pool.close()


def test_a_position_that_has_been_left_is_not_to_be_searched(race_game: ImportedGame):
    (row,) = _step(race_game, _games(race_game, 1)[1], [0]).observation
    left: EnvState = EnvState(np.int32(1), np.array([True, True]), row, np.float32(0))
    with pytest.raises(ValueError, match="in its env alone"):
        race_game.step(left, jax.numpy.int32(0))


def test_games_begin_in_the_env_alone(race_game: ImportedGame):
    with pytest.raises(ValueError, match="begins outside the device"):
        race_game.init()
    position = race_game.deal(jax.random.key(0), 1, 0).position(0).state
    template = race_game.template()
    for leaf, like in zip(position[:4], template[:4], strict=True):
        assert (np.shape(leaf), leaf.dtype) == (like.shape, like.dtype)
