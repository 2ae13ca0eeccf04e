"""Positions that force animal shogi's rare rules."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from games import OVER, load
from games.animal_shogi import AnimalShogi, State, Words

GAME = AnimalShogi()
STEP, LEGAL = jax.jit(GAME.step), jax.jit(GAME.legal)
# Which letters move straight, diagonally ahead, and diagonally back or are chicks.
STRAIGHT, AHEAD, BACK = "GHL", "EHL", "ELC"


def position(rows: str, hand: str = "", other: str = "", plies: int = 0) -> State:
    """The mover's pieces in capitals, the last row first; what it holds, and the other."""
    cells = "".join(reversed(rows.split()))

    def plane(letters: str) -> int:
        return sum(1 << 3 * (c // 3) + c % 3 for c, x in enumerate(cells) if x in letters)

    def held(letters: str) -> int:
        return sum(letters.count(x) << 24 + 2 * k for k, x in enumerate("CEG"))

    low = plane("CEGHL") | plane(STRAIGHT + STRAIGHT.lower()) << 12 | held(hand)
    high = plane(AHEAD + AHEAD.lower()) | plane(BACK + BACK.lower()) << 12 | held(other)
    past = GAME.init().past
    return State(Words(jnp.uint32(low), jnp.uint32(high)), past, jnp.int32(plies), jnp.int32(0))


def legal(state: State) -> set[str]:
    return {GAME.label(state, move) for move in np.flatnonzero(LEGAL(state)).tolist()}


def play(state: State, *labels: str) -> State:
    for label in labels:
        state = STEP(state, jnp.int32(GAME.parse(state, label)))
    return state


def same(a: State, b: State) -> bool:
    return bool(a.now.low == b.now.low) and bool(a.now.high == b.now.high)


def test_the_start():
    assert same(GAME.init(), position("gle .c. .C. ELG"))
    assert legal(GAME.init()) == {"Gc4-c3", "Lb4-a3", "Lb4-c3", "Cb3xb2"}


def test_a_lion_on_the_last_row_wins():
    for plies, payoff in ((0, 1), (1, -1)):
        before = position("..e L.. ... ..l", plies=plies)
        state = play(before, "La2-a1" if plies == 0 else "Lc3-c4")
        assert GAME.mover(state) == OVER
        assert GAME.payoff(state) == payoff


def test_a_lion_may_not_go_where_it_can_be_caught():
    # The giraffe looks at a1 and b2, the other lion at b3; nothing protects the giraffe.
    assert legal(position(".g. L.. ... ..l")) == {"La2xb1", "La2-a3"}


def test_a_lion_may_not_catch_what_is_protected():
    assert "Lb2xb1" in legal(position(".g. .L. ... l.."))
    assert "Lb2xb1" not in legal(position(".gg .L. ... l.."))


def test_check_must_be_answered():
    # From `show moves` in the manual of dobutsu(6), where the lion may be left in check: Ga1-a2.
    state = play(GAME.init(), "Cb3xb2")
    assert legal(state) == {"Ec1xb2", "Lb1-c2", "Lb1xb2", "Lb1-a2"}


def test_only_the_lion_moves_out_of_a_double_check():
    # The hen could take the elephant, but there is still the giraffe.
    assert legal(position("..l ... ge. L.H")) == {"La4xa3", "La4-b4"}
    assert "Hc4xb3" in legal(position("..l ... .e. L.H"))


def test_no_drop_helps_against_check():
    state = position("..l ... g.. L..", hand="CEG")
    assert legal(state) == {"La4xa3", "La4-b4"}


def test_who_cannot_move_has_lost():
    # One of the two positions that the notes on the database of clausecker/dobutsu give.
    state = position("lEG EGL .CC ...")
    assert GAME.mover(state) == OVER
    assert GAME.payoff(state) == -1


def test_mate():
    # The lion protects the chick and covers both ways out. To mate with a chick is no foul here.
    state = play(position("glg ... .L. ...", hand="C"), "C*b2")
    assert GAME.mover(state) == OVER
    assert GAME.payoff(state) == 1


def test_a_chick_becomes_a_hen_as_it_arrives():
    state = position("..l C.. ... L..")
    assert same(play(state, "Ca2-a1+"), position("..l ... ... L.h"))


def test_a_chick_dropped_on_the_last_row_stays_one():
    state = play(position("... ..l ... L..", hand="C"), "C*a1")
    assert same(state, position("..l ... L.. ..c"))
    state = play(state, "Lc2-c3")
    assert not {label for label in legal(state) if label.startswith("C")}


def test_two_chicks_may_stand_in_a_file():
    assert "C*a3" in legal(position("..l C.. ... .L.", hand="C"))


def test_a_hen_that_is_caught_is_a_chick():
    state = play(position("..l ... h.. L.."), "La4xa3")
    assert same(state, position("... ..l ... L..", other="C"))


@pytest.mark.parametrize(("piece", "hand"), [("c", "C"), ("e", "E"), ("g", "G")])
def test_what_is_caught_can_be_dropped(piece: str, hand: str):
    state = play(position(f"..l ... {piece}.. L.."), "La4xa3")
    state = play(state, "Lc1-c2", f"{hand}*b1")
    assert int(state.now.high) >> 24 == 0


def test_the_third_time_is_a_draw():
    shuffle = ("Gc4-c3", "Ga1-a2", "Gc3-c4", "Ga2-a1")
    state = play(GAME.init(), *shuffle, *shuffle[:3])
    assert int(state.times) == 1
    assert GAME.mover(state) == 1
    state = play(state, shuffle[3])
    assert int(state.times) == 2
    assert GAME.mover(state) == OVER
    assert GAME.payoff(state) == 0


def test_a_position_that_comes_back_after_three_moves_each_is_recognised():
    # pgx plays on here.
    circle = ("La4-b4", "Lc1-b1", "Lb4-a3", "Lb1-c2", "La3-a4", "Lc2-c1")
    state = play(position("..l ... ... L..", hand="CCEEGG"), *circle, *circle[:-1])
    assert GAME.mover(state) == 1
    assert GAME.mover(play(state, circle[-1])) == OVER


@pytest.mark.parametrize(("plies", "times"), [(1, 1), (2, 0)])
def test_with_the_other_seat_to_move_it_is_another_position(plies: int, times: int):
    state = GAME.init()._replace(plies=jnp.int32(plies))
    after = play(state, GAME.label(state, int(np.flatnonzero(LEGAL(state))[0])))
    # What comes next has been there at the start.
    past = jax.tree.map(lambda words, new: words.at[0].set(new), state.past, after.now)
    move = int(np.flatnonzero(LEGAL(state))[0])
    assert int(STEP(state._replace(past=past), jnp.int32(move)).times) == times


def test_a_game_that_lasts_too_long_is_a_draw():
    game = AnimalShogi(plies=4)
    step = jax.jit(game.step)
    state = game.init()
    for label in ("Gc4-c3", "Ga1-a2", "Gc3-c4", "Ga2-a1"):
        assert game.mover(state) != OVER
        state = step(state, jnp.int32(game.parse(state, label)))
    assert game.mover(state) == OVER
    assert game.payoff(state) == 0


def test_what_a_seat_sees():
    state = position("..l C.. .Hg LE.", hand="CC", other="E")
    seen = np.asarray(GAME.observe(state, jnp.int32(0)))
    where = {tuple(x) for x in np.argwhere(seen[..., :10]).tolist()}
    assert where == {(0, 2, 9), (1, 0, 0), (2, 1, 3), (2, 2, 7), (3, 0, 4), (3, 1, 1)}
    assert seen[..., 10:].reshape(12, 7).tolist() == [[2, 0, 0, 0, 1, 0, 0]] * 12
    other = np.asarray(GAME.observe(state, jnp.int32(1)))
    np.testing.assert_array_equal(other[::-1, ::-1, 5:10], seen[..., :5])
    np.testing.assert_array_equal(other[::-1, ::-1, :5], seen[..., 5:10])
    assert other[0, 0, 10:].tolist() == [0, 1, 0, 2, 0, 0, 0]


def test_moves_may_be_typed_in_small_letters():
    assert GAME.parse(GAME.init(), "cb3xb2") == GAME.parse(GAME.init(), "Cb3xb2")


def test_bad_options():
    with pytest.raises(ValueError, match=r"^animal_shogi: plies=0 is not one of 1 to 100,000$"):
        load("animal_shogi:plies=0")
