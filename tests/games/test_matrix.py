"""Matrix games: tables of all shapes, and what is no table."""

import jax.numpy as jnp
import numpy as np
import pytest

import games

TABLE = "matrix:payoffs=3 -1 0.5; -2 4 1"  # seat 0 has two choices, seat 1 has three


def _after(spec: str, *moves: int):
    game = games.load(spec)
    state = game.init()
    for move in moves:
        state = game.step(state, jnp.int32(move))
    return game, state


def test_each_seat_has_its_own_choices():
    game, state = _after(TABLE)
    assert game.legal(state).tolist() == [True, True, False]
    assert game.legal(game.step(state, jnp.int32(1))).tolist() == [True, True, True]


@pytest.mark.parametrize("row", range(2))
@pytest.mark.parametrize("column", range(3))
def test_the_payoff_is_the_entry(row: int, column: int):
    game, state = _after(TABLE, row, column)
    assert game.payoff(state) == [[3, -1, 0.5], [-2, 4, 1]][row][column]


def test_the_largest_payoff_may_be_a_loss():
    assert games.load("matrix:payoffs=1 -7").max_payoff == 7


def test_a_table_may_have_one_entry_and_any_spaces():
    game, state = _after("matrix:payoffs= 2 ", 0, 0)
    assert game.num_actions == 1
    assert game.payoff(state) == 2
    np.testing.assert_array_equal(
        games.load("matrix:payoffs=1  2 ;3 4").table,  # type: ignore[attr-defined]
        [[1, 2], [3, 4]],
    )


def test_seat_1_reads_the_choice_of_seat_0_only_in_the_end():
    game, state = _after(TABLE, 1)
    assert ">" in game.view(state, 0)
    assert ">" not in game.view(state, 1)
    assert ">" in game.view(game.step(state, jnp.int32(0)), 1)


def test_facts_are_those_of_the_default_table():
    assert games.load("matrix").facts.value is not None
    assert games.load(TABLE).facts.value is None


def test_a_column_is_no_row():
    game, state = _after(TABLE)
    with pytest.raises(ValueError, match=r"^'3' is no choice; choices are 1, 2$"):
        game.parse(state, "3")
    assert game.parse(game.step(state, jnp.int32(0)), "3") == 2


@pytest.mark.parametrize(
    ("payoffs", "message"),
    [
        ("", "^matrix: payoffs must have 1 to 255 rows and columns$"),
        ("1 2; 3", "^matrix: payoffs='1 2; 3' is not a table of numbers$"),
        ("1 2;", "^matrix: payoffs='1 2;' is not a table of numbers$"),
        ("1 two", "^matrix: payoffs='1 two' is not a table of numbers$"),
        ("1 nan", "^matrix: payoffs must be finite, and not all of them 0$"),
        ("1e99 1", "^matrix: payoffs must be finite, and not all of them 0$"),
        ("0 0; 0 0", "^matrix: payoffs must be finite, and not all of them 0$"),
        (" ".join(["1"] * 256), "^matrix: payoffs must have 1 to 255 rows and columns$"),
        ("1 2,3 4", "^matrix has no option '3 4'; its options: payoffs$"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(payoffs: str, message: str):
    with pytest.raises(ValueError, match=message):
        games.load(f"matrix:payoffs={payoffs}")
