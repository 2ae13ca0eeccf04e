"""A game in progress: moves by label, undo, chance by a seed, what a seat may see, records."""

import copy
import pickle
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from arena.errors import UserError
from arena.play.session import GameRecord, Session
from games import CHANCE, OVER
from games.chess import Chess
from games.tic_tac_toe import State, TicTacToe
from tests.helpers.false_judge import Inverted

TIC_TAC_TOE, KUHN = games.load("tic_tac_toe"), games.load("kuhn_poker")
LEDUC = games.load("leduc_poker")
PHANTOM = games.load("phantom_tic_tac_toe")
WON = ("a1", "b1", "a2", "b2", "a3")  # a column of seat 0


def played(session: Session, *moves: int | str) -> Session:
    for move in moves:
        session.push(move)
    return session


def first_moves(session: Session, count: int) -> Session:
    """Plays the first legal move so many times."""
    for _ in range(count):
        session.push(next(iter(session.legal_moves)))
    return session


def test_moves_are_made_by_label_or_number_until_the_game_is_over():
    session = Session(TIC_TAC_TOE)
    assert (session.seat, session.over, session.result) == (0, False, None)
    assert session.legal.all()
    assert list(session.legal_moves.values()) == list(range(9))
    number = session.push("a1")
    assert session.record.labels == ("a1",)
    assert (session.seat, session.moves) == (1, (number,))
    assert "a1" not in session.legal_moves
    played(session, session.legal_moves["b1"], *WON[2:])
    assert (session.seat, session.over, session.result) == (OVER, True, 1.0)
    assert not session.legal.any()
    assert session.legal_moves == {}
    state = TIC_TAC_TOE.init()
    for move in session.moves:
        state = TIC_TAC_TOE.step(state, jnp.int32(move))
    jax.tree.map(np.testing.assert_array_equal, session.state, state)


@pytest.mark.parametrize("move", [-1, 9, 6, "a1", "z9"])
def test_an_illegal_move_is_refused_and_changes_nothing(move: int | str):
    session = played(Session(TIC_TAC_TOE), "a1")
    assert session.moves == (6,)
    with pytest.raises(ValueError, match=r"\S") as refused:
        session.push(move)
    assert "\n" not in str(refused.value)
    assert session.moves == (6,)
    assert session.seat == 1


def test_after_the_end_there_are_no_moves():
    session = played(Session(TIC_TAC_TOE), *WON)
    with pytest.raises(ValueError, match="the game is over"):
        session.push("c3")


def test_the_judge_alone_says_who_won():
    assert played(Session(TIC_TAC_TOE, judge=Inverted(TIC_TAC_TOE)), *WON).result == -1.0


def test_undo_takes_back_one_move_after_the_other():
    session, fresh = played(Session(TIC_TAC_TOE), *WON), Session(TIC_TAC_TOE)
    session.undo()
    assert (session.seat, session.result, session.record.labels) == (0, None, WON[:-1])
    for _ in WON[:-1]:
        session.undo()
    assert session.record == fresh.record
    with pytest.raises(ValueError, match="there is no move to take back"):
        session.undo()


@pytest.mark.parametrize("seed", range(5))
def test_undo_takes_back_chance_which_brings_the_same_again(seed: int):
    session = first_moves(Session(LEDUC, seed=seed), 2)  # two calls, after which a card is dealt
    before = session.record
    assert before.movers[:2] == (CHANCE, CHANCE)
    assert before.movers[-1] == CHANCE
    deal = before.moves[:2]
    session.undo()
    assert session.moves == before.moves[:-2]
    assert session.moves[:2] == deal
    assert first_moves(session, 1).record == before
    session.undo()
    session.undo()
    with pytest.raises(ValueError, match="no move to take back"):  # the deal is no seat's move
        session.undo()
    assert session.moves == deal


def test_chance_depends_on_the_seed_alone():
    deals = [Session(KUHN, seed=seed).moves for seed in (*range(30), 0)]
    assert deals[0] == deals[-1]
    assert len(set(deals)) == 6  # ordered pairs of three cards
    for seed in (-1, 2**32):
        with pytest.raises(UserError, match="seed must lie between"):
            Session(KUHN, seed=seed)


def test_a_record_gives_the_game_again():
    session = first_moves(Session(LEDUC, seed=7), 3)
    record = session.record
    assert isinstance(record, GameRecord)
    again = Session(record.game, seed=record.seed)
    for mover, move in zip(record.movers, record.moves, strict=True):
        if mover != CHANCE:
            assert again.seat == mover
            again.push(move)
    assert again.record == record
    by_label = played(Session(record.game, seed=record.seed), *record.labels)
    assert by_label.record == record


def test_a_seat_sees_what_the_game_shows_it_and_no_more():
    session = played(Session(PHANTOM), "b2")
    for seat in (0, 1):
        assert session.view(seat) == PHANTOM.view(session.state, seat)
        np.testing.assert_array_equal(
            session.observation(seat), PHANTOM.observe(session.state, jnp.int32(seat))
        )
    assert session.view(0) != session.view(1)


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_go_on_as_the_original_would(twin):
    session = first_moves(Session(LEDUC, seed=3), 1)
    other = twin(session)
    first_moves(other, 1)
    assert len(session.moves) == 3
    assert first_moves(session, 1).record == other.record


def test_a_position_holds_all_moves_that_led_there():
    session = first_moves(Session(KUHN, seed=2), 1)
    position = session.position
    assert position.moves == session.moves
    assert len(position.moves) == 3  # two cards and a move
    state = KUHN.init()
    for move in position.moves:
        state = KUHN.step(state, jnp.int32(move))
    jax.tree.map(np.testing.assert_array_equal, position.state, state)


@dataclass(frozen=True)
class Written(TicTacToe):
    """Tic-tac-toe, whose positions are written as the marks of both seats."""

    position_format = "marks"

    def from_text(self, text: str) -> State:
        mine, theirs = map(jnp.uint16, map(int, text.split()))
        return State(mine, theirs)

    def to_text(self, state: State) -> str:
        return f"{state.mine} {state.theirs}"


def test_a_game_begins_in_a_given_position():
    game = Written()
    session = played(Session(game, start=game.from_text("1 64")), "a2", "b2")
    assert (session.record.start, session.record.labels) == ("1 64", ("a2", "b2"))
    assert (session.record.movers, session.seat, len(session.legal_moves)) == ((0, 1), 0, 5)
    position = session.position
    assert position.start is not None
    assert game.to_text(position.start) == "1 64"
    assert position.moves == session.moves
    again = Session(game, start=game.from_text(session.record.start))
    assert played(again, *session.record.labels).record == session.record
    for twin in (copy.deepcopy(session), pickle.loads(pickle.dumps(session))):
        assert twin.record == session.record
    session.undo()
    session.undo()
    with pytest.raises(ValueError, match="no move to take back"):
        session.undo()
    assert (session.seat, session.moves) == (0, ())
    assert Session(game).record.start == ""
    assert Session(game).position.start is None


@pytest.mark.slow
def test_a_game_of_chess_begins_from_a_fen():
    chess, fen = Chess(), "r3k2r/8/8/8/8/8/8/R3K2R b KQkq - 3 20"
    session = played(Session(chess, start=chess.from_fen(fen)), "O-O", "O-O-O")
    assert (session.record.start, session.record.movers, session.seat) == (fen, (1, 0), 1)
    again = Session(chess, start=chess.from_text(session.record.start))
    assert played(again, *session.record.labels).record == session.record


def test_a_position_that_has_no_text_begins_no_game():
    with pytest.raises(ValueError, match="positions of TicTacToe have no text"):
        Session(TIC_TAC_TOE, start=TIC_TAC_TOE.init())
