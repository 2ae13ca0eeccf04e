"""Every game against an implementation that nobody here wrote; see tests/helpers/lockstep.py."""

import jax
import jax.numpy as jnp
import pytest

import games
from games import OVER, Game
from games.tic_tac_toe import State, TicTacToe
from tests.helpers.lockstep import lockstep
from tests.proofs import proven

PARTNERS = {spec: start for module in proven().values() for spec, start in module.LOCKSTEP.items()}
# The default options of each game, or the first ones that have a partner; `slow` plays them all.
FIRST = [next(iter(module.LOCKSTEP)) for module in proven().values()]


def _plays(spec: str, plies: int) -> None:
    made = lockstep(games.load(spec), PARTNERS[spec], plies, seed=plies)
    print(f"{spec}: {made} plies without a difference")


@pytest.mark.parametrize("spec", FIRST)
def test_ten_thousand_plies(spec: str):
    _plays(spec, 10_000)


@pytest.mark.slow
@pytest.mark.parametrize("spec", PARTNERS)
def test_a_million_plies(spec: str):
    _plays(spec, 1_000_000)


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
        (WrongMover(), r"^after \[\d\] we say mover 0, .*, they say mover 1, "),
        (WrongLegal(), r"^after \[.*4.*\] we say .*, they say "),
        (WrongPayoff(), r"^after \[.*\] we say .* payoff -?1\.0, they say .* payoff -?1\.0$"),
        (WrongEnd(), r"^after \[.*\] we say mover [01], .*, they say mover -2, "),
        (NoEnd(), r"^\d+ games run past 4 plies$"),
    ],
    ids=lambda x: type(x).__name__ if isinstance(x, Game) else "",
)
def test_a_difference_is_found(game: Game, message: str):
    with pytest.raises(AssertionError, match=message):
        lockstep(game, PARTNERS["tic_tac_toe"], 1000, seed=0)
