"""Gomoku: where five in a row lies, what longer rows and a full board mean."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from games import OVER, Game
from tests.helpers.playouts import playouts


def _after(game: Game, *labels: str) -> Any:
    """The position after moves as players write them."""
    state = game.init()
    for label in labels:
        state = game.step(state, jnp.int32(game.parse(state, label)))
    return state


def _lines(size: int) -> list[list[int]]:
    """The cells of every line of five, found cell by cell."""
    found = []
    for r, c in np.ndindex(size, size):
        for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
            if r + 4 * dr < size and 0 <= c + 4 * dc < size:
                found.append([(r + k * dr) * size + c + k * dc for k in range(5)])
    return found


def _ends(size: int, sets: list[list[int]]) -> np.ndarray:
    """Whether the game ends when the last of each set of stones is placed, bool[N]."""
    game = games.load(f"gomoku:size={size}")

    def place(cells: jax.Array) -> jax.Array:
        board = game.init()
        for k in range(cells.shape[0] - 1):
            board = board._replace(mine=game.step(board, cells[k]).theirs)
        return game.step(board, cells[-1]).won

    return np.asarray(jax.jit(jax.vmap(place))(jnp.asarray(sets, jnp.int32)))


@pytest.mark.parametrize("size", [5, 6, 15, 16, 17, 19])
def test_every_line_of_five_wins_and_four_of_it_do_not(size: int):
    lines = _lines(size)
    # 2n(n - 4) + 2(n - 4)² lines: 572 on 15×15.
    assert len(lines) == 2 * size * (size - 4) + 2 * (size - 4) ** 2
    assert _ends(size, lines).all()
    assert not _ends(size, [line[:4] for line in lines]).any()
    assert not _ends(size, [line[1:] for line in lines]).any()


def test_five_stones_that_are_no_line_do_not_win():
    # Cells that follow each other in number, or lie one row and one column apart, but run over the
    # edge of the board; and rows of five with a gap.
    for size in (5, 6, 15, 16):
        grid = np.arange(size**2)
        broken = [
            [grid[i + k * step] for k in range(5)]
            for step in (1, size - 1, size + 1)
            for i in range(size**2 - 4 * step)
        ]
        lines = {tuple(line) for line in _lines(size)}
        broken = [line for line in broken if tuple(line) not in lines]
        assert broken
        assert not _ends(size, broken).any()
    gaps = [[line[0], line[1], line[3], line[4], (line[2] + 15 * 7) % 225] for line in _lines(15)]
    found = _ends(15, gaps)
    lines = {frozenset(line) for line in _lines(15)}
    assert found.tolist() == [frozenset(cells) in lines for cells in gaps]


@pytest.mark.parametrize("size", [5, 6, 15])
def test_random_games_end_with_the_first_five(size: int):
    game = games.load(f"gomoku:size={size}")
    played = playouts(game, 20, seed=size)
    look = jax.jit(jax.vmap(jax.vmap(game.observe, (0, None)), (0, None)))
    seen = np.asarray(look(played.states, 0)).reshape(*played.movers.shape, size**2, 2) > 0
    lines = np.array(_lines(size))
    five = np.any(np.all(seen[:, :, lines], 3), 2)
    full = np.all(np.any(seen, 3), 2)
    np.testing.assert_array_equal(played.movers == OVER, np.any(five, 2) | full)
    payoff = np.asarray(jax.jit(jax.vmap(jax.vmap(game.payoff)))(played.states))
    np.testing.assert_array_equal(payoff, five[..., 0] * 1.0 - five[..., 1])


def test_six_in_a_row_wins_too():
    # Freestyle: filling the gap of three and two makes six at once.
    game = games.load("gomoku")
    black, white = ("a1", "b1", "c1", "e1", "f1", "d1"), ("a3", "c3", "e3", "g3", "i3")
    moves = [m for pair in zip(black, white, strict=False) for m in pair]
    state = _after(game, *moves)
    assert game.mover(state) == 0
    state = game.step(state, jnp.int32(game.parse(state, "d1")))
    assert game.mover(state) == OVER
    assert game.payoff(state) == 1


def test_the_second_seat_wins_with_its_own_five():
    game = games.load("gomoku:size=9")
    black, white = ("a1", "c1", "e1", "g1", "i1"), ("e9", "d8", "c7", "b6", "a5")
    state = _after(game, *[m for pair in zip(black, white, strict=True) for m in pair])
    assert game.mover(state) == OVER
    assert game.payoff(state) == -1


def test_a_full_board_without_five_is_a_draw():
    game = games.load("gomoku:size=5")
    # No row, column or diagonal is of one colour; 13 stones are black and 12 white.
    stones = "XOXOXXOXOXOXOXOXOXOXOXOXO"
    black, white = ([cell for cell in range(25) if stones[cell] == colour] for colour in "XO")
    state = game.init()
    for cell in [m for pair in zip(black, white, strict=False) for m in pair] + black[-1:]:
        assert game.mover(state) != OVER
        state = game.step(state, jnp.int32(cell))
    assert game.mover(state) == OVER
    assert game.payoff(state) == 0


@pytest.mark.parametrize("size", [4, 20, -5])
def test_a_size_that_cannot_be_played_is_refused(size: int):
    with pytest.raises(ValueError, match=rf"^gomoku: size={size} is not one of 5 to 19$"):
        games.load(f"gomoku:size={size}")
