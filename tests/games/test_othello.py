"""Positions that force Othello's rare rules."""

import jax.numpy as jnp
import numpy as np
import pytest

import games
from games import OVER
from games._bitboard import Bitboard
from games.othello import State
from tests.helpers.playouts import playouts

GAME = games.load("othello")
PASS = 64


def _state(*rows: str, seat: int = 0) -> State:
    """The top rows of a board, the others empty; X is to move and is the seat given."""
    cells = "".join(row.replace(" ", "") for row in rows)
    mine, theirs = (sum(1 << c for c, disc in enumerate(cells) if disc == d) for d in "XO")
    return State(Bitboard.of(mine), Bitboard.of(theirs), jnp.uint8(seat))


def _play(state: State, *moves: str) -> State:
    for move in moves:
        state = GAME.step(state, jnp.int32(GAME.parse(state, move)))
    return state


def _legal(state: State) -> list[str]:
    return [GAME.label(state, m) for m in np.flatnonzero(GAME.legal(state)).tolist()]


# Black cannot turn over the disc on a2, for nothing lies beyond the edge.
ONE_PASS = _state(". . . X . . . .", "O X . . . . . .")


def test_a_seat_without_a_placement_passes_and_gets_its_turn_back():
    assert _legal(ONE_PASS) == ["pass"]
    passed = _play(ONE_PASS, "pass")
    assert GAME.mover(passed) == 1
    assert "c2" in _legal(passed)
    back = _play(passed, "c2")
    assert GAME.mover(back) == 0
    assert _legal(back) == ["b3"]  # along d1, c2


def test_a_pass_changes_nothing_but_the_turn():
    passed = _play(ONE_PASS, "pass")
    assert (int(passed.mine), int(passed.theirs)) == (int(ONE_PASS.theirs), int(ONE_PASS.mine))
    before, after = (np.asarray(GAME.observe(s, jnp.int32(0))) for s in (ONE_PASS, passed))
    np.testing.assert_array_equal(before, after)


def test_nobody_passes_who_can_place_a_disc():
    assert not GAME.legal(GAME.init())[PASS]
    with pytest.raises(ValueError, match=r"\Apass is not legal: there is a disc to place\Z"):
        GAME.parse(GAME.init(), "pass")


@pytest.mark.parametrize(
    ("rows", "lead"),
    [
        # White turns over black's only disc: a wipe-out.
        (("O X . . . . . .",), -3),
        # The black disc on h4 touches no white one: nobody can place, on a board almost empty.
        (("O X . . . . . .", "", "", ". . . . . . . X"), -2),
        (("O X . . . . . .", "", ". . . . . . X X", ". . . . . . . X"), 0),
        (("O X . . . . . .", "", ". . . . . . X X", ". . . . . . X X"), 1),
    ],
)
def test_the_game_ends_when_neither_seat_can_place(rows: tuple[str, ...], lead: int):
    state = _state(*(row or ". " * 8 for row in rows))
    assert GAME.payoff(state) == 0
    over = _play(state, "pass", "c1")
    assert GAME.mover(over) == OVER
    assert GAME.payoff(over) == float(np.sign(lead))
    # White has turned over a1 to c1, and black owns all its discs further down.
    black, white = (np.asarray(GAME.ownership(over, jnp.int32(seat))) for seat in (0, 1))
    assert black[0].tolist() == [-1, -1, -1, 0, 0, 0, 0, 0]
    assert (black[1:] >= 0).all()
    assert black.sum() == lead
    np.testing.assert_array_equal(white, -black)


def test_all_eight_directions_turn_over_at_once():
    state = _state(
        "X . . X . . X .",
        ". O . O . O . .",
        ". . O O O . . .",
        "X O O . O O O X",
        ". . O O O . . .",
        ". O . O . O . .",
        "X . . O . . X .",
        ". . . X . . . .",
    )
    assert int(_play(state, "d4").mine) == 0


def test_lines_do_not_run_on_into_the_next_row():
    # In the numbering of cells a2 follows h1, and a3 lies 7 beyond b2.
    assert _legal(_state(". . . . . . X O")) == ["pass"]
    assert _legal(_state(". . . . . . . .", "O . . . . . . .", "X . . . . . . .")) == ["a1"]
    assert _legal(_state(". . . . . . . X", ". . . . . . . .", "O . . . . . . .")) == ["pass"]
    assert _legal(_state("X . . . . . . .", ". . . . . . . O", ". . . . . . . .")) == ["pass"]


def test_a_line_of_six_is_turned_over_whole():
    for row in ("X O O O O O O .", ". O O O O O O X"):
        state = _state(row)
        (move,) = _legal(state)
        assert int(_play(state, move).theirs) == 0xFF


def test_both_colours_pass_in_random_games():
    played = playouts(GAME, 100, seed=5)
    for seat in (0, 1):
        turn = played.movers[:-1] == seat
        assert (turn & (played.moves == PASS)).any()


def test_the_two_seats_see_the_planes_swapped():
    for state in (GAME.init(), ONE_PASS):
        first, second = (np.asarray(GAME.observe(state, jnp.int32(seat))) for seat in (0, 1))
        np.testing.assert_array_equal(first, second[..., ::-1])
        assert first[..., 0].sum() == int(state.mine).bit_count()


@pytest.mark.parametrize("text", ["d4", "a1"])
def test_a_cell_where_nothing_turns_over_is_refused(text: str):
    with pytest.raises(ValueError, match=rf"\A{text} is not legal: it turns no disc over\Z"):
        GAME.parse(GAME.init(), text)
