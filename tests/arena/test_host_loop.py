"""Games with players outside the device."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents import uniform
from arena.judges.rules import Rules
from arena.play import host_loop, match
from arena.play.session import Session
from arena.types import Agent, Forfeit, HostAgent, Judge, Position
from games import CHANCE, OVER, Game
from tests.helpers.false_judge import Inverted
from tests.helpers.plain_match import EvenKeepsTheTurn, Ranked, ranks

TIC_TAC_TOE = games.load("tic_tac_toe")
KUHN = games.load("kuhn_poker")


@dataclass
class Noted(HostAgent):
    """Takes the legal move that comes `skip` after the first one, and notes what it was asked."""

    name: str
    skip: int
    log: list[tuple[str, tuple[int, ...], int]] = field(default_factory=list)

    def choose(self, game: Game, position: Position) -> int:
        legal = np.flatnonzero(game.legal(position.state))
        move = int(legal[self.skip % len(legal)])
        self.log.append((self.name, position.moves, move))
        return move


def replayed(game: Game, moves: tuple[int, ...]) -> Any:
    state = game.init()
    for move in moves:
        state = game.step(state, jnp.int32(move))
    return state


def courses(log: list[tuple[str, tuple[int, ...], int]]) -> Iterator[list[Any]]:
    """The log of games played one after the other, cut into games."""
    course: list[Any] = []
    for entry in log:
        if course and entry[1][: len(course[-1][1]) + 1] != (*course[-1][1], course[-1][2]):
            yield course
            course = []
        course.append(entry)
    yield course


@pytest.mark.parametrize(
    "game", [TIC_TAC_TOE, EvenKeepsTheTurn(), KUHN], ids=["ttt", "heap", "kuhn"]
)
def test_pairs_are_the_same_opening_twice_with_the_seats_swapped(game: Game):
    log: list[Any] = []
    a, b = Noted("A", 0, log), Noted("B", 1, log)
    scores = host_loop.pairs(a, b, game, key=jax.random.key(0), count=6, plies=2, slots=1)
    played = list(courses(log))
    # Two games in a row may happen to run on from each other, but not these.
    assert len(played) == 12
    for n, course in enumerate(played):
        _, opening, _ = course[0]
        start = replayed(game, opening)
        assert opening == played[n ^ 1][0][1]
        first = int(game.mover(start))
        seat_of_a = first ^ (n % 2)
        for name, moves, _ in course:
            mover = int(game.mover(replayed(game, moves)))
            assert (name == "A") == (mover == seat_of_a)
        final = replayed(game, (*course[-1][1], course[-1][2]))
        assert game.mover(final) == OVER
        payoff = float(game.payoff(final)) / game.max_payoff
        assert scores[n // 2, n % 2] == 0.5 + 0.5 * (payoff if seat_of_a == 0 else -payoff)
    assert len({course[0][1] for course in played}) > 1


@pytest.mark.parametrize("game", [TIC_TAC_TOE, KUHN], ids=["ttt", "kuhn"])
def test_scores_do_not_depend_on_how_many_games_are_in_flight(game: Game):
    one, some, all_at_once = (
        host_loop.pairs(
            Noted("A", 0), Noted("B", 1), game, key=jax.random.key(1), count=9, plies=3, slots=slots
        )
        for slots in (1, 5, 64)
    )
    np.testing.assert_array_equal(one, some)
    np.testing.assert_array_equal(one, all_at_once)


def test_openings_are_of_every_length_and_what_chance_has_to_decide_is_decided():
    a = Noted("A", 0)
    host_loop.pairs(a, a, TIC_TAC_TOE, key=jax.random.key(0), count=200, plies=3, slots=400)
    lengths = np.bincount([len(moves) for _, moves, _ in a.log[:400]], minlength=4)
    # No position twice: there is one start, and there are nine positions after one move.
    assert lengths[:2].tolist() == [2, 18]
    assert len(lengths) == 4
    assert (lengths[2:] > 50).all()
    cards = Noted("A", 0)
    host_loop.pairs(cards, cards, KUHN, key=jax.random.key(0), count=50, plies=0, slots=100)
    deals = {moves for _, moves, _ in cards.log if len(moves) == 2}
    assert len(deals) == 6  # ordered pairs of three cards


def test_a_device_agent_meets_a_host_agent_in_the_one_call():
    device = Agent("ranked", Ranked(TIC_TAC_TOE), ranks(TIC_TAC_TOE, 1, 1)[0])
    guest = Noted("guest", 1)
    scores = match.play(
        [device], [guest], TIC_TAC_TOE, key=jax.random.key(0), pairs=8, plies=2, groups=1, slots=4
    )
    mirrored = match.play(
        [guest], [device], TIC_TAC_TOE, key=jax.random.key(0), pairs=8, plies=2, groups=1, slots=4
    )
    assert scores.shape == (1, 8, 2)
    np.testing.assert_array_equal(mirrored, 1 - scores[:, :, ::-1])
    # The device agent alone, in the same loop and in the other one's, move by move.
    asked = [Position(replayed(TIC_TAC_TOE, moves), moves) for _, moves, _ in guest.log[:5]]
    together = host_loop.HostedAgent(device, jax.random.key(0)).choose_all(TIC_TAC_TOE, asked)
    one_by_one = [
        host_loop.HostedAgent(device, jax.random.key(0)).choose(TIC_TAC_TOE, p) for p in asked
    ]
    assert together == one_by_one


def test_uniform_on_the_host_and_on_the_device_are_equals():
    agent = uniform.make(TIC_TAC_TOE, "")

    class Random(HostAgent):
        name = "random"
        rng = np.random.default_rng(0)

        def choose(self, game: Game, position: Position) -> int:
            return int(self.rng.choice(np.flatnonzero(game.legal(position.state))))

    scores = match.play(
        [agent],
        [Random()],
        TIC_TAC_TOE,
        key=jax.random.key(0),
        pairs=100,
        plies=2,
        groups=1,
        slots=100,
    )
    pairs = scores.mean((0, 2))
    assert abs(pairs.mean() - 0.5) < 4 * pairs.std() / np.sqrt(len(pairs))


@pytest.mark.parametrize("move", [-1, 0, 9])
def test_an_illegal_move_is_a_forfeit(move: int):
    class Cheat(HostAgent):
        name = "cheat"

        def choose(self, game: Game, position: Position) -> int:
            return move if position.moves else 0

    with pytest.raises(Forfeit, match=f"cheat chose move {move}, which is not legal"):
        host_loop.pairs(
            Cheat(), Cheat(), TIC_TAC_TOE, key=jax.random.key(0), count=1, plies=0, slots=2
        )


def test_a_single_game_is_recorded_and_the_callback_is_called_with_every_move():
    called: list[tuple[int, str]] = []
    players = Noted("A", 0), Noted("B", 1)
    session = Session(TIC_TAC_TOE)
    record = host_loop.play(
        session, players, callback=lambda seat, label: called.append((seat, label))
    )
    assert session.over
    final = replayed(TIC_TAC_TOE, record.moves)
    assert TIC_TAC_TOE.mover(final) == OVER
    jax.tree.map(np.testing.assert_array_equal, session.state, final)
    assert called == list(zip(record.movers, record.labels, strict=True))
    assert record.result == float(TIC_TAC_TOE.payoff(final))
    assert players[0].log[1][1] == record.moves[:2]


def test_a_single_game_with_chance_is_scored_as_a_share_of_the_largest_payoff():
    players = Noted("A", 0), Noted("B", 1)
    record = host_loop.play(Session(KUHN), players)
    assert record.result is not None
    assert abs(record.result) in (0.5, 1.0)  # one chip or two, of the two that can be won
    assert record.movers[:2] == (CHANCE, CHANCE)


def test_an_illegal_move_in_a_single_game_is_a_forfeit():
    class Cheat(HostAgent):
        name = "cheat"

        def choose(self, game: Game, position: Position) -> int:
            return 9

    with pytest.raises(Forfeit, match="cheat chose move 9, which is not legal"):
        host_loop.play(Session(TIC_TAC_TOE), (Cheat(), Cheat()))


@pytest.mark.parametrize("game", [TIC_TAC_TOE, KUHN], ids=["ttt", "kuhn"])
def test_the_judge_alone_says_who_won(game: Game):
    """Under a judge that gives the loser the win, A scores what B scores by the rules."""

    def score(judge: Judge | None) -> np.ndarray:
        a, b, key = Noted("A", 0), Noted("B", 1), jax.random.key(2)
        return host_loop.pairs(a, b, game, key=key, count=6, plies=2, slots=4, judge=judge)

    rules = score(None)
    np.testing.assert_array_equal(score(Rules(game)), rules)
    np.testing.assert_array_equal(score(Inverted(game)), 1 - rules)
    assert (rules != 0.5).any()


def test_a_match_on_the_host_obeys_the_judge_too():
    a, b, key = Noted("A", 0), Noted("B", 1), jax.random.key(0)
    rules, inverted = (
        match.play([a], [b], TIC_TAC_TOE, key=key, pairs=4, plies=2, groups=1, slots=4, judge=judge)
        for judge in (None, Inverted(TIC_TAC_TOE))
    )
    np.testing.assert_array_equal(inverted, 1 - rules)
    assert (rules != 0.5).any()
