"""Gardner's minichess: positions that force its rules, most of all those it does not have."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from games import OVER
from games.gardner_chess import GardnerChess, State

GAME = GardnerChess()
START = "rnbqk/ppppp/5/PPPPP/RNBQK w - - 0 1"
STEP = jax.jit(GAME.step)


class View(NamedTuple):
    mover: int
    payoff: float
    moves: set[str]


@jax.jit
def _look(state: State) -> tuple[jax.Array, jax.Array, jax.Array]:
    return GAME.mover(state), GAME.payoff(state), GAME.legal(state)


def _view(state: State) -> View:
    mover, payoff, legal = _look(state)
    moves = {GAME.label(state, k) for k in np.flatnonzero(legal).tolist()}
    return View(int(mover), float(payoff), moves if mover != OVER else set())


def _after(fen: str, moves: str = "") -> State:
    state = GAME.from_fen(fen)
    for move in moves.split():
        state = STEP(state, jnp.int32(GAME.parse(state, move)))
    return state


def test_pawns_make_one_step():
    assert _view(GAME.init()).moves == {"a2a3", "b2b3", "c2c3", "d2d3", "e2e3", "b1a3", "b1c3"}
    answers = {"b4a3", "b4b3", "c4c3", "d4d3", "e4e3", "b5a3", "b5c3"}
    assert _view(_after(START, "b1a3")).moves == answers


def test_nobody_castles():
    moves = _view(GAME.from_fen("4k/5/5/5/R3K w - - 0 1")).moves
    assert {move for move in moves if move.startswith("e1")} == {"e1d1", "e1d2", "e1e2"}


def test_a_pawn_becomes_one_of_four_pieces():
    view = _view(GAME.from_fen("1r2k/P4/5/5/K4 w - - 0 1"))
    steps = {move for move in view.moves if move.startswith("a4")}
    assert steps == {f"a4{square}{man}" for square in ("a5", "b5") for man in "nbrq"}
    for man in "nbrq":
        after = _after("1r2k/P4/5/5/K4 w - - 0 1", f"a4b5{man}")
        assert GAME.to_fen(after).startswith(f"1{man.upper()}2k/5/5/5/K4 b")


def test_black_becomes_a_queen_too():
    after = _after("k4/5/5/p4/4K b - - 0 1", "a2a1q")
    assert GAME.to_fen(after) == "k4/5/5/5/q3K w - - 0 2"


def test_pinned_men_move_along_their_pin_only():
    moves = _view(GAME.from_fen("k3r/5/4R/5/4K w - - 0 1")).moves
    assert {move for move in moves if move.startswith("e3")} == {"e3e2", "e3e4", "e3e5"}
    moves = _view(GAME.from_fen("4k/b4/1N3/2K2/5 w - - 0 1")).moves
    assert not {move for move in moves if move.startswith("b3")}


# After some moves: whether the game is over, and what White gets.
ENDS = {
    "White mates": ("k4/5/1K3/5/4R w - - 0 1", "e1e5", True, 1),
    "Black mates": ("4r/5/1k3/5/K4 b - - 0 1", "e5e1", True, -1),
    "stalemate": ("k4/5/5/2Q2/4K w - - 0 1", "c2b3", True, 0),
    "99 plies without progress": ("1k3/5/5/5/R3K w - - 98 60", "e1d1", False, 0),
    "100 are a draw": ("1k3/5/5/5/R3K w - - 99 60", "e1d1", True, 0),
    "mate on the 100th wins": ("k4/5/1K3/5/4R w - - 99 60", "e1e5", True, 1),
    "a capture starts the count again": ("k4/5/5/p4/R3K w - - 99 60", "a1a2", False, 0),
    "and so does a pawn": ("k4/5/5/P4/4K w - - 99 60", "a2a3", False, 0),
    "twice is no draw": (START, "b1c3 b5a3 c3b1 a3b5 b1c3 b5a3 c3b1", False, 0),
    "three times are": (START, "b1c3 b5a3 c3b1 a3b5 b1c3 b5a3 c3b1 a3b5", True, 0),
    "256 plies are a draw": ("1k3/5/5/5/R3K b - - 0 128", "b5b4", True, 0),
    "mate on the last wins": ("4r/5/1k3/5/K4 b - - 0 128", "e5e1", True, -1),
    "a knight cannot mate": ("k1N2/5/5/5/4K b - - 0 1", "a5b5", True, 0),
    "nor bishops on one colour": ("k1B2/5/B4/5/K3b b - - 0 1", "a5b5", True, 0),
    "but on two": ("k1BB1/5/5/5/4K b - - 0 1", "a5a4", False, 0),
    "or two knights": ("k1N1N/5/5/5/4K b - - 0 1", "a5b5", False, 0),
}


@pytest.mark.parametrize("end", ENDS)
def test_end(end: str):
    fen, moves, over, payoff = ENDS[end]
    view = _view(_after(fen, moves))
    assert (view.mover == OVER, view.payoff) == (over, payoff)


@pytest.mark.parametrize("plies", [0, -1])
def test_a_game_has_at_least_one_ply(plies: int):
    with pytest.raises(ValueError, match=rf": plies={plies} is not one of 1 to 100,000$"):
        games.load(f"gardner_chess:plies={plies}")


def test_the_number_of_plies_is_an_option():
    drawn = _after(START, "a2a3 b4a3")
    assert GardnerChess(plies=2).mover(drawn) == OVER
    assert GardnerChess(plies=3).mover(drawn) == 0


@pytest.mark.parametrize("fen", [START, "r1b1k/2p1P/5/P4/4K b - - 7 31"])
def test_fens_are_read_and_written(fen: str):
    assert GAME.to_fen(GAME.from_fen(fen)) == fen


@pytest.mark.parametrize(
    ("fen", "message"),
    [
        ("", "is not a FEN of a board of 5×5"),
        ("a\nb", "is not a FEN of a board of 5×5"),
        ("rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w - - 0 1", "is not a FEN of a board of 5×5"),
        ("rnbqk/ppppp/4/PPPPP/RNBQK w - - 0 1", "is not a FEN of a board of 5×5"),
        ("rnbqk/ppppp/5/PPPPP/RNBQX w - - 0 1", "is not a FEN of a board of 5×5"),
        ("rnbqk/ppppp/5/PPPPP/RNBQK x - - 0 1", "is not a FEN of a board of 5×5"),
        ("rnbqk/ppppp/5/PPPPP/RNBQK w - - 0 one", "is not a FEN of a board of 5×5"),
        ("rnbqk/ppppp/5/PPPPP/RNBQK w KQ - 0 1", "nobody castles or takes en passant"),
        ("rnbqk/ppppp/5/PPPPP/RNBQQ w - - 0 1", "there must be one king each"),
        ("rnbqk/ppppp/5/PPPPP/RNBPK w - - 0 1", "pawns on the last rank"),
        ("k3R/5/5/5/4K w - - 0 1", "the king can be taken"),
    ],
)
def test_a_bad_fen_is_one_clear_line(fen: str, message: str):
    with pytest.raises(ValueError, match=message) as caught:
        GAME.from_fen(fen)
    assert "\n" not in str(caught.value)


def test_both_seats_see_the_board_from_their_own_side():
    white = GAME.from_fen("r1b1k/2p1P/5/P4/4K b - - 7 31")
    black = GAME.from_fen("4k/p4/5/2P1p/R1B1K w - - 7 31")
    observe = jax.jit(GAME.observe)
    a, b = (np.array(observe(state, seat)) for state, seat in ((white, 1), (black, 0)))
    np.testing.assert_array_equal(a[..., :-1], b[..., :-1])  # all but the plies that are gone
    np.testing.assert_array_equal(GAME.legal(white), GAME.legal(black))
    other = np.array(observe(black, 1))
    np.testing.assert_array_equal(other[..., :6], b[::-1, :, 6:12])
    np.testing.assert_array_equal(other[..., 6:12], b[::-1, :, :6])
