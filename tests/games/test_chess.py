"""Chess: positions that force its rare rules, and published counts of moves."""

from itertools import islice
from typing import NamedTuple

import chess
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from arena.evaluation import enumeration
from games import OVER
from games.chess import Chess, State, _key

GAME = Chess()
START = chess.STARTING_FEN
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
    moves = (
        {GAME.label(state, k) for k in np.flatnonzero(legal).tolist()} if mover != OVER else set()
    )
    return View(int(mover), float(payoff), moves)


def _after(fen: str, moves: str = "") -> State:
    state = GAME.from_fen(fen)
    for move in moves.split():
        state = STEP(state, jnp.int32(GAME.parse(state, move)))
    return state


# chessprogramming.org/Perft_Results; the start is a fact of the game.
PERFT = {
    "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1": (
        (48, 2_039, 97_862, 4_085_603)
    ),
    "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1": (14, 191, 2_812, 43_238, 674_624),
    "r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1": (6, 264, 9_467, 422_333),
    "rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8": (44, 1_486, 62_379, 2_103_487),
    "r4rk1/1pp1qppp/p1np1n2/2b1p1B1/2B1P1b1/P1NP1N2/1PP1QPPP/R4RK1 w - - 0 10": (
        (46, 2_079, 89_890, 3_894_594)
    ),
}


@pytest.mark.parametrize("fen", PERFT)
def test_moves_are_as_many_as_published(fen: str):
    assert enumeration.perft(GAME, 3, GAME.from_fen(fen)) == [1, *PERFT[fen][:3]]


@pytest.mark.slow
@pytest.mark.parametrize("fen", PERFT)
def test_moves_are_as_many_as_published_deeper(fen: str):
    assert enumeration.perft(GAME, len(PERFT[fen]), GAME.from_fen(fen)) == [1, *PERFT[fen]]


BARE = "r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1"
# From a position, after some moves: what is legal, and what is not.
RULES = {
    "castling either way": (BARE, "", "O-O O-O-O", ""),
    "Black castles too": (BARE, "Rb1", "O-O O-O-O", ""),
    "castling not out of check": ("4k3/8/8/8/4r3/8/8/R3K2R w KQ - 0 1", "", "", "O-O O-O-O"),
    "castling not through check": ("3rkr2/8/8/8/8/8/8/R3K2R w KQ - 0 1", "", "", "O-O O-O-O"),
    "castling not into check": ("2r1k1r1/8/8/8/8/8/8/R3K2R w KQ - 0 1", "", "", "O-O O-O-O"),
    "castling with an attacked rook": ("r3k2r/8/8/8/8/8/8/R3K2R w KQ - 0 1", "", "O-O O-O-O", ""),
    "only the rook crosses b1": ("1r2k3/8/8/8/8/8/8/R3K2R w KQ - 0 1", "", "O-O O-O-O", ""),
    "castling not over men": ("4k3/8/8/8/8/8/8/RN2K1NR w KQ - 0 1", "", "", "O-O O-O-O"),
    "no castling once the king has moved": (BARE, "Ke2 Rb8 Ke1 Ra8", "", "O-O O-O-O"),
    "no castling with a rook that has moved": (BARE, "Rb1 Ke7 Ra1 Ke8", "O-O", "O-O-O"),
    "no castling with a rook in the place of one that was taken": (
        *("4k3/8/8/3b3R/8/8/8/R3K2R b KQ - 0 1", "Bxh1 Rxh1 Kf7"),
        *("O-O-O", "O-O"),
    ),
    "a rook that takes another costs both their rights": (
        BARE,
        "Rxa8+ Kd7 Ra1 Ke8",
        "O-O",
        "O-O-O",
    ),
    "capture en passant": ("4k3/8/8/8/4p3/8/3P4/4K3 w - - 0 1", "d4", "exd3", ""),
    "but only at once": ("4k3/8/8/8/4p3/8/3P4/4K3 w - - 0 1", "d4 Kd8 Kd1", "e3", "exd3"),
    "nor after a single step": ("4k3/8/8/8/4p3/3P4/8/4K3 w - - 0 1", "d4", "e3", "exd3"),
    "en passant by a pawn pinned to the file": (
        *("k3r3/3p4/8/4P3/8/8/8/4K3 b - - 0 1", "d5", "e6", "exd6"),
    ),
    "by one pinned across": ("7b/3p1p1k/8/4P3/8/2K5/8/8 b - - 0 1", "d5", "Kd3", "exd6 e6"),
    "by one pinned along": ("7b/3p1p1k/8/4P3/8/2K5/8/8 b - - 0 1", "f5", "exf6", "e6"),
    "both pawns leave the rank": ("8/3p4/8/K3P2r/8/8/8/7k b - - 0 1", "d5", "e6", "exd6"),
    "but a third one stays": ("8/3p4/8/K1P1P2r/8/8/8/7k b - - 0 1", "d5", "exd6 cxd6", ""),
    "one pinned, one not": ("4r2k/3p4/8/2P1P3/8/8/8/4K3 b - - 0 1", "d5", "cxd6", "exd6"),
    "en passant ends no check that the step uncovers": (
        *("4b2k/3p4/8/4P3/K7/8/8/8 b - - 0 1", "d5", "Kb4", "exd6"),
    ),
    "en passant takes the man that gives check": (
        *("1r1r1b1k/3p4/2n5/4P3/2K5/7r/8/8 b - - 0 1", "d5", "exd6", "e6"),
    ),
    "double check: only the king moves": (
        *("4r1k1/8/8/8/8/3n4/3Q4/4K3 w - - 0 1", "", "Kd1 Kf1", "Qxd3 Qe2"),
    ),
    "a check is blocked or its giver taken": (
        *("4k3/8/8/8/4r3/8/3Q1N2/4K3 w - - 0 1", "", "Qe2 Qe3 Nxe4 Kd1 Kf1", "Qd4 Nd3 Ke2"),
    ),
    "a pinned man moves along its pin": (
        *("4r1k1/8/8/8/8/8/4R3/4K3 w - - 0 1", "", "Rxe8+ Re3 Kd1", "Rd2 Ra2"),
    ),
    "a pinned knight does not": ("4r1k1/8/8/8/8/8/4N3/4K3 w - - 0 1", "", "Kd1", "Nc3 Nf4"),
    "the king does not hide behind itself": ("4r1k1/8/8/8/4K3/8/8/8 w - - 0 1", "", "Kd3", "Ke3"),
    "the king takes no guarded man": ("3r2k1/8/8/8/8/8/3p4/4K3 w - - 0 1", "", "Ke2", "Kxd2"),
    "a second step may block where the first does not": (
        *("7k/8/8/8/r6K/8/3P4/8 w - - 0 1", "", "d4 Kg5", "d3"),
    ),
    "no second step over a man": ("4k3/8/8/8/8/3n4/3P4/6K1 w - - 0 1", "", "Kf1", "d3 d4"),
    "four promotions": ("6k1/4Pppp/8/8/8/8/8/6K1 w - - 0 1", "", "e8=Q# e8=R# e8=B e8=N", "e8"),
    "promotion in passing": (
        *("3r1r2/4P1k1/8/8/8/8/8/6K1 w - - 0 1", "", "exd8=N exf8=Q+ e8=R", "e8"),
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_rule(rule: str):
    fen, moves, legal, illegal = RULES[rule]
    state = _after(fen, moves)
    view, board = _view(state), chess.Board(GAME.to_fen(state))
    assert view.moves >= set(legal.split())
    assert not view.moves & set(illegal.split())
    assert view.moves == {board.san(move) for move in board.legal_moves}
    for move in list(board.legal_moves):
        board.push(move)
        after = STEP(state, jnp.int32(GAME.parse(state, move.uci())))
        assert GAME.to_fen(after) == board.fen(en_passant="legal")
        board.pop()


def test_en_passant_may_be_the_only_move():
    assert _view(_after("1r1r1b1k/3p4/2n5/4P3/2K5/7r/8/8 b - - 0 1", "d5")).moves == {"exd6"}


# After some moves: whether the game is over, and what White gets.
ENDS = {
    "White mates": ("6k1/4Pppp/8/8/8/8/8/6K1 w - - 0 1", "e8=Q#", True, 1),
    "Black mates": (START, "f3 e5 g4 Qh4#", True, -1),
    "a promotion to a knight mates": ("6rk/5Ppp/7N/8/8/8/8/6K1 w - - 0 1", "fxg8=N", False, 0),
    "stalemate": ("7k/8/8/8/8/8/5Q2/K7 w - - 0 1", "Qf7", True, 0),
    "99 plies without progress": ("6k1/5ppp/8/8/8/8/8/R5K1 w - - 98 80", "Kf1", False, 0),
    "100 are a draw": ("6k1/5ppp/8/8/8/8/8/R5K1 w - - 99 80", "Kf1", True, 0),
    "mate on the 100th wins": ("6k1/5ppp/8/8/8/8/8/R5K1 w - - 99 80", "Ra8#", True, 1),
    "a capture starts the count again": ("6k1/8/8/8/8/8/p7/R5K1 w - - 99 80", "Rxa2", False, 0),
    "and so does a pawn": ("6k1/5ppp/8/8/8/8/P7/R5K1 w - - 99 80", "a3", False, 0),
    "twice is no draw": (START, "Nf3 Nf6 Ng1 Ng8 Nf3 Nf6 Ng1", False, 0),
    "three times are": (START, "Nf3 Nf6 Ng1 Ng8 Nf3 Nf6 Ng1 Ng8", True, 0),
    "and need not follow each other": (
        *(START, "Nf3 Nf6 Ng1 Ng8 Nc3 Nc6 Nb1 Nb8"),
        *(True, 0),
    ),
    "not with other castling rights": (BARE, "Rb1 Rb8 Ra1 Ra8 Rb1 Rb8 Ra1 Ra8", False, 0),
    "but then with the same": (BARE, "Rb1 Rb8 Ra1 Ra8 Rb1 Rb8 Ra1 Ra8 Rb1 Rb8", True, 0),
    "not if a capture en passant was legal once": (
        *("4k3/8/8/8/4p3/8/3P4/4K3 w - - 0 1", "d4 Kd8 Kd1 Ke8 Ke1 Kd8 Kd1 Ke8 Ke1"),
        *(False, 0),
    ),
    "but if it was never": (
        *("8/8/8/8/k3p2R/8/3P4/4K3 w - - 0 1", "d4 Ka5 Kd1 Ka4 Ke1 Ka5 Kd1 Ka4 Ke1"),
        *(True, 0),
    ),
    "not with the other seat to move": (
        *("4k3/8/8/8/8/8/8/R3K3 w - - 0 1", "Kd1 Kd8 Kc1 Ke8 Kd1 Kd8 Ke1 Ke8 Kd1 Kd8 Kc1"),
        *(False, 0),
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_end(end: str):
    fen, moves, over, payoff = ENDS[end]
    view = _view(_after(fen, moves))
    assert (view.mover == OVER, view.payoff) == (over, payoff)


@pytest.mark.parametrize(
    ("men", "enough"),
    [
        ("", False),
        ("N", False),
        ("n", False),
        ("B", False),
        ("Bb", True),  # on b1 and c1: of different colours
        ("B1b", False),
        ("B1B1b", False),
        ("Nn", True),
        ("NN", True),
        ("BN", True),
        ("bN", True),
        ("R", True),
        ("q", True),
    ],
)
def test_what_cannot_mate_is_a_draw(men: str, enough: bool):
    rank = f"1{men}{7 - len(men)}" if men else "8"
    fen = f"4k3/8/8/4K3/8/8/8/{rank} w - - 0 1"
    view = _view(GAME.from_fen(fen))
    assert (view.mover != OVER, view.payoff) == (enough, 0)
    assert chess.Board(fen).is_insufficient_material() != enough


def test_a_pawn_can_still_win():
    assert _view(GAME.from_fen("4k3/8/8/4K3/4P3/8/8/8 w - - 0 1")).mover != OVER


def test_long_games_are_drawn_but_not_mates_on_the_last_ply():
    drawn, mated = (_after(START, moves) for moves in ("f3 e5 g4", "f3 e5 g4 Qh4#"))
    assert Chess(plies=4).payoff(mated) == -1
    assert Chess(plies=3).mover(drawn) == OVER
    assert Chess(plies=3).payoff(drawn) == 0
    assert Chess(plies=4).mover(drawn) == 1


@pytest.mark.parametrize("plies", [0, -1])
def test_a_game_has_at_least_one_ply(plies: int):
    with pytest.raises(ValueError, match=rf"^chess: plies={plies} is not one of 1 to 100,000$"):
        games.load(f"chess:plies={plies}")


@pytest.mark.parametrize("fen", [START, *PERFT])
def test_fens_are_read_and_written(fen: str):
    assert GAME.to_fen(GAME.from_fen(fen)) == fen


def test_en_passant_is_written_only_where_it_is_legal():
    fen = "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq e3 0 1"
    assert GAME.to_fen(GAME.from_fen(fen)) == fen.replace("e3", "-")


@pytest.mark.parametrize(
    ("fen", "message"),
    [
        ("", "is not a FEN: "),
        ("rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP w KQkq - 0 1", "is not a FEN: "),
        ("a\nb", "is not a FEN: "),
        ("8/8/8/8/8/8/8/K7 w - - 0 1", "is not a legal position: no black king"),
        ("k7/8/8/8/8/8/8/KP6 w - - 0 1", "is not a legal position: pawns on backrank"),
        ("k7/8/8/8/8/8/8/KQ6 w KQ - 0 1", "is not a legal position: bad castling rights"),
        ("k6Q/8/8/8/8/8/8/K7 w - - 0 1", "is not a legal position: opposite check"),
    ],
)
def test_a_bad_fen_is_one_clear_line(fen: str, message: str):
    with pytest.raises(ValueError, match=message) as caught:
        GAME.from_fen(fen)
    assert "\n" not in str(caught.value)


def test_moves_are_understood_in_both_notations():
    state = GAME.init()
    assert GAME.parse(state, "Nf3") == GAME.parse(state, "g1f3")
    for text in ("--", "0000", "O-O", "Nf6", "e2e5"):
        with pytest.raises(ValueError, match=r"^'.*' is not a legal move here; moves are written "):
            GAME.parse(state, text)


def test_both_seats_see_the_board_from_their_own_side():
    white = GAME.from_fen("r3k2r/1p6/8/8/3Pp3/8/6P1/R3K2R b KQkq d3 3 1")
    black = GAME.from_fen("r3k2r/6p1/8/3pP3/8/8/1P6/R3K2R w KQkq d6 3 1")
    observe = jax.jit(GAME.observe)
    a, b = (np.array(observe(state, seat)) for state, seat in ((white, 1), (black, 0)))
    assert a[..., 12].sum() == 5  # four rooks and a capture en passant
    np.testing.assert_array_equal(a[..., :-1], b[..., :-1])  # all but the plies that are gone
    np.testing.assert_array_equal(GAME.legal(white), GAME.legal(black))
    other = np.array(observe(black, 1))
    np.testing.assert_array_equal(other[..., :6], b[::-1, :, 6:12])
    np.testing.assert_array_equal(other[..., 6:12], b[::-1, :, :6])


def test_half_a_key_already_tells_positions_apart():
    *_, level = islice(enumeration.levels(GAME), 4)
    low, high = jax.jit(jax.vmap(_key))(level.states)
    assert len(np.unique(low)) == len(np.unique(high)) == 5_362  # positions after three plies
