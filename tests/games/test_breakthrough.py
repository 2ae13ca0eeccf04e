"""Positions that force Breakthrough's rare rules."""

import jax.numpy as jnp
import numpy as np
import pytest

import games
from arena.evaluation import enumeration
from games import OVER
from games._bitboard import Bitboard
from games.breakthrough import State

GAME = games.load("breakthrough")


def _state(*rows: str, black_moves: bool = False) -> State:
    """A board from the top row down: white w, black b."""
    cells = "".join(rows[::-1]).replace(" ", "")
    white, black = (sum(1 << c for c, man in enumerate(cells) if man == m) for m in "wb")
    if not black_moves:
        return State(Bitboard.of(white), Bitboard.of(black), jnp.uint8(0))
    white, black = (int.from_bytes(b.to_bytes(8, "big"), "little") for b in (white, black))
    return State(Bitboard.of(black), Bitboard.of(white), jnp.uint8(1))


def _legal(state: State) -> set[str]:
    return {GAME.label(state, m) for m in np.flatnonzero(GAME.legal(state)).tolist()}


def _play(state: State, move: str) -> State:
    return GAME.step(state, jnp.int32(GAME.parse(state, move)))


EMPTY = ". . . . . . . ."
CLASH = (
    *[EMPTY] * 3,
    ". b b b . . . .",
    ". . w . . . . .",
    *[EMPTY] * 3,
)


def test_captures_are_diagonal_only():
    assert _legal(_state(*CLASH)) == {"c4xb5", "c4xd5"}  # c5 is blocked
    assert _legal(_state(*CLASH, black_moves=True)) >= {"b5xc4", "d5xc4", "b5a4", "d5d4"}
    assert "c5c4" not in _legal(_state(*CLASH, black_moves=True))


def test_a_captured_man_is_gone():
    after = _play(_state(*CLASH), "c4xd5")
    assert GAME.show(after).splitlines()[3:5] == ["5  . b b w . . . .", "4  . . . . . . . ."]


def test_own_men_block_every_way():
    state = _state(*[EMPTY] * 5, "w w w . . . . .", "w w . . . . . .", EMPTY)
    assert not {m for m in _legal(state) if m.startswith(("a2", "b2"))}


@pytest.mark.parametrize("black_moves", [False, True])
def test_no_way_leads_off_the_side(black_moves: bool):
    men = "w . . . . . . w".replace("w", "b" if black_moves else "w")
    other = "w" if black_moves else "b"
    # The other's man keeps the game going; it stands where a step off the side would lead.
    board = [EMPTY, EMPTY, EMPTY, men, EMPTY, EMPTY, EMPTY, EMPTY]
    row = 6 if black_moves else 1
    board[row] = f"{other} . . . . . . {other}"
    moves = _legal(_state(*board, black_moves=black_moves))
    to = 4 if black_moves else 6
    assert moves == {f"a5a{to}", f"a5b{to}", f"h5g{to}", f"h5h{to}"}


@pytest.mark.parametrize("black_moves", [False, True])
def test_a_man_on_the_last_row_wins(black_moves: bool):
    state = _state(
        ". b . . . . . .",
        "w . . . . . . .",
        *[EMPTY] * 4,
        ". . . . . . . b",
        ". . . . . . w .",
        black_moves=black_moves,
    )
    assert GAME.payoff(state) == 0
    for move in ("h2h1", "h2xg1") if black_moves else ("a7a8", "a7xb8"):
        over = _play(state, move)
        assert GAME.mover(over) == OVER
        assert GAME.payoff(over) == (-1 if black_moves else 1)


@pytest.mark.parametrize("black_moves", [False, True])
def test_who_captures_the_last_man_wins(black_moves: bool):
    state = _state(
        *[EMPTY] * 3, "b . . . . . . .", ". w . . . . . .", *[EMPTY] * 3, black_moves=black_moves
    )
    over = _play(state, "a5xb4" if black_moves else "b4xa5")
    assert GAME.mover(over) == OVER
    assert GAME.payoff(over) == (-1 if black_moves else 1)


def test_perft_of_a_position_full_of_captures():
    # github.com/fairy-stockfish/Fairy-Stockfish, tests/perft.sh
    state = _state(
        ". b . . b b . b",
        ". . b . . b b b",
        ". . w . . . . .",
        EMPTY,
        EMPTY,
        ". . . w . . w .",
        ". b . w . . w w",
        ". w w . w w . w",
    )
    assert enumeration.perft(GAME, 4, state)[4] == 121_264


@pytest.mark.parametrize("text", ["a2a4", "a2b4", "a3a4", "a2xb3", "a7a6", "a1a2", "h2a3"])
def test_a_move_that_is_not_legal_is_refused(text: str):
    with pytest.raises(ValueError, match=rf"\A{text} is not legal here\Z"):
        GAME.parse(GAME.init(), text)
