"""Positions that force the rare rules of English draughts, and whole turns against pydraughts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from draughts import Board

import games
from games import OVER
from games.english_draughts import State

GAME = games.load("english_draughts")
STEP, LEGAL, MOVER = (jax.jit(f) for f in (GAME.step, GAME.legal, GAME.mover))


def _state(black: str, white: str, white_moves: bool = False, quiet: int = 0) -> State:
    """A position from the numbers of the squares, kings with a K."""
    boards = [0, 0, 0]  # black, white, kings
    for colour, pieces in enumerate((black, white)):
        for piece in pieces.split():
            number = int(piece.removeprefix("K"))
            bit = 1 << (32 - number if white_moves else number - 1)
            boards[colour] |= bit
            boards[2] |= bit if piece.startswith("K") else 0
    mine, theirs, kings = (jnp.uint32(b) for b in boards)
    if white_moves:
        mine, theirs = theirs, mine
    return State(mine, theirs, kings, jnp.uint32(0), jnp.uint8(quiet), jnp.uint8(white_moves))


def _legal(state: State) -> set[str]:
    return {GAME.label(state, m) for m in np.flatnonzero(LEGAL(state)).tolist()}


def _play(state: State, *moves: str) -> State:
    for move in moves:
        state = STEP(state, jnp.int32(GAME.parse(state, move)))
    return state


def test_men_go_forward_and_kings_both_ways():
    assert _legal(_state("14", "1")) == {"14-17", "14-18"}
    assert _legal(_state("14", "32", white_moves=True)) == {"32-27", "32-28"}
    assert _legal(_state("K14", "1")) == {"14-17", "14-18", "14-10", "14-9"}


def test_men_jump_forward_only():
    # White men stand on all four sides of 15, with room behind them.
    around = "10 11 18 19"
    assert _legal(_state("15", around)) == {"15x22", "15x24"}
    assert _legal(_state("K15", around)) == {"15x22", "15x24", "15x6", "15x8"}


def test_who_can_jump_must():
    assert _legal(_state("1 14", "18 32")) == {"14x23"}
    with pytest.raises(ValueError, match=r"\A1-5 is not legal here\Z"):
        GAME.parse(_state("1 14", "18 32"), "1-5")


def test_any_jump_may_be_chosen_also_the_shorter():
    # 11 could take two men, 12 only one.
    state = _state("11 12", "15 16 23")
    assert _legal(state) == {"11x18", "11x20", "12x19"}
    assert GAME.mover(_play(state, "12x19")) == 0  # 19 can take 23 in turn
    assert GAME.mover(_play(state, "11x20")) == 1


def test_only_the_piece_that_jumped_jumps_on():
    state = _play(_state("1 14", "6 18 26 27"), "14x23")
    assert GAME.mover(state) == 0
    assert _legal(state) == {"23x30", "23x32"}  # and not 1x10
    after = _play(state, "23x32")
    assert GAME.mover(after) == 1
    assert after.jumper == 0
    assert _legal(after) == {"6-2", "26-22", "26-23"}


def test_a_king_may_jump_in_a_circle_to_where_it_began():
    start = _state("K11 1", "15 16 23 24")
    assert _legal(start) == {"11x18", "11x20"}
    end = _play(start, "11x20", "20x27", "27x18", "18x11")
    assert GAME.mover(end) == OVER  # no white man is left
    assert GAME.payoff(end) == 1
    assert end.theirs == _play(start, "11x18", "18x27", "27x20", "20x11").theirs


def test_a_man_that_becomes_a_king_by_a_jump_stops():
    state = _state("22", "26 27")
    after = _play(state, "22x31")
    assert GAME.mover(after) == 1
    assert GAME.show(after).splitlines()[7].strip().startswith("29  .   .   B")
    # A king goes on.
    assert _legal(_play(_state("K22", "26 27"), "22x31")) == {"31x24"}


def test_a_captured_king_leaves_no_crown_behind():
    state = _play(_state("14 1", "K18 32"), "14x23")
    assert state.kings == 0


@pytest.mark.parametrize(
    ("state", "move", "payoff"),
    [
        (_state("3 4", "12"), "4-8", 1.0),  # blocked: 8 is taken, and so is 3 behind it
        (_state("21", "29 30", white_moves=True), "29-25", -1.0),
        (_state("14", "18"), "14x23", 1.0),
        (_state("14", "18", white_moves=True), "18x9", -1.0),
    ],
)
def test_who_cannot_move_loses(state: State, move: str, payoff: float):
    assert GAME.payoff(state) == 0
    over = _play(state, move)
    assert GAME.mover(over) == OVER
    assert GAME.payoff(over) == payoff


def test_forty_moves_without_a_jump_are_a_draw():
    state = _state("K1", "K32")
    for ply in range(40):
        assert GAME.mover(state) == ply % 2
        state = _play(state, ("1-6", "32-27", "6-1", "27-32")[ply % 4])
    assert GAME.mover(state) == OVER
    assert GAME.payoff(state) == 0


def test_a_jump_starts_the_count_anew():
    state = _play(_state("14 1", "18 32", quiet=39), "14x23")
    assert state.quiet == 0
    assert GAME.mover(state) == 1


def test_the_fortieth_move_draws_even_if_it_leaves_no_reply():
    assert GAME.payoff(_play(_state("3 4", "12", quiet=38), "4-8")) == 1
    assert GAME.payoff(_play(_state("3 4", "12", quiet=39), "4-8")) == 0


def test_each_seat_sees_the_board_from_its_own_side():
    state = _play(_state("1 14", "K6 18 26 27", quiet=7), "14x23")
    white = np.asarray(GAME.observe(state, jnp.int32(1)))
    black = np.asarray(GAME.observe(state, jnp.int32(0)))
    np.testing.assert_array_equal(white, black[::-1, ::-1][..., [2, 3, 0, 1, 4, 5]])
    assert black[..., :5].sum((0, 1)).tolist() == [2, 0, 2, 1, 1]
    assert black[5, 4, [0, 4]].tolist() == [1, 1]  # square 23, the piece that jumps on
    quiet = GAME.observe(_state("1", "32", quiet=10), jnp.int32(0))
    assert (quiet[..., 5] == 0.25).all()


def _turns(state: State, path: tuple[int, ...] = ()) -> dict[tuple[int, ...], State]:
    """Whole turns, as the numbers of the squares that they lead through, and where they end."""
    found = {}
    for move in np.flatnonzero(LEGAL(state)).tolist():
        start, end = (int(x) for x in GAME.label(state, move).replace("x", "-").split("-"))
        after = STEP(state, jnp.int32(move))
        longer = (*(path or (start,)), end)
        found |= _turns(after, longer) if after.jumper else {longer: after}
    return found


def _fen(state: State) -> str:
    """In the notation of pydraughts (portable draughts notation)."""
    text = "".join(line[2:-2] for line in GAME.show(state).splitlines()).replace(" ", "")
    sides = [
        ",".join(f"{'K' * p.isupper()}{k + 1}" for k, p in enumerate(text) if p.upper() == side)
        for side in "WB"
    ]
    return f"{'BW'[int(state.seat)]}:W{sides[0]}:B{sides[1]}"


def test_whole_turns_are_those_of_pydraughts():
    rng = np.random.default_rng(11)
    compared = longer = 0
    for _ in range(12):
        state = GAME.init()
        while MOVER(state) != OVER:
            theirs = [tuple(m.steps_move) for m in Board("english", _fen(state)).legal_moves()]
            turns = _turns(state)
            assert sorted(turns) == sorted(theirs)
            turn = sorted(turns)[rng.integers(len(turns))]
            state = turns[turn]
            compared += 1
            longer += len(turn) > 2
    assert compared > 500
    assert longer > 20
