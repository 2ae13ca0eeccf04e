"""Every game against an implementation that nobody here wrote; see tests/helpers/lockstep.py."""

import jax
import jax.numpy as jnp
import pytest

import games
from games import OVER, Game
from games.tic_tac_toe import State, TicTacToe
from tests.helpers.lockstep import LOCKSTEP, lockstep


def _plays(name: str, count: int) -> None:
    game = games.load(name)
    plies = lockstep(game, LOCKSTEP[name], count, seed=count)
    print(f"{name}: {count} games, {plies} plies without a difference")
    assert count < plies <= count * game.max_plies


@pytest.mark.parametrize("name", sorted(LOCKSTEP))
def test_a_thousand_games(name: str):
    _plays(name, 1_000)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LOCKSTEP))
def test_a_hundred_thousand_games(name: str):
    _plays(name, 100_000)


class WrongMover(TicTacToe):
    def mover(self, state: State) -> jax.Array:
        return jnp.minimum(super().mover(state), 0)


class WrongLegal(TicTacToe):
    def legal(self, state: State) -> jax.Array:
        return super().legal(state).at[4].set(True)


class WrongPayoff(TicTacToe):
    def payoff(self, state: State) -> jax.Array:
        return -super().payoff(state)


class WrongEnd(TicTacToe):
    """Plays on until the board is full."""

    def mover(self, state: State) -> jax.Array:
        free = self.legal(state).sum(dtype=jnp.int32)
        return jnp.where(free == 0, OVER, 1 - free % 2)


class NoEnd(TicTacToe):
    """Promises fewer plies than it takes."""

    max_plies = 4


@pytest.mark.parametrize(
    ("game", "message"),
    [
        (WrongMover(), r"^after \[\d\] we say \[0, .*\], they say \[1, "),
        (WrongLegal(), r"^after \[.*4.*\] we say .*, they say "),
        (WrongPayoff(), r"^after \[.*\] we say \[-2, .*1\.0\], they say \[-2, .*1\.0\]$"),
        (WrongEnd(), r"^after \[.*\] we say \[[01], .*, they say \[-2, "),
        (NoEnd(), "^100 games run past 4 plies$"),
    ],
    ids=lambda x: type(x).__name__ if isinstance(x, Game) else "",
)
def test_a_difference_is_found(game: Game, message: str):
    with pytest.raises(AssertionError, match=message):
        lockstep(game, LOCKSTEP["tic_tac_toe"], 100, seed=0)
