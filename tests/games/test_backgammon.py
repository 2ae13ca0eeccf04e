"""Positions that force backgammon's rare rules; points as the seat to move counts them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from games import CHANCE, OVER, load
from games.backgammon import Backgammon, State
from tests.proofs.backgammon import expected, position

GAME = Backgammon()
STEP, LEGAL = jax.jit(GAME.step), jax.jit(GAME.legal)
FAR = {6: 15}  # the opponent, out of the way


def legal(state: State) -> set[str]:
    return {GAME.label(state, move) for move in np.flatnonzero(LEGAL(state)).tolist()}


def play(state: State, *labels: str) -> State:
    for label in labels:
        state = STEP(state, jnp.int32(GAME.parse(state, label)))
    return state


def same(a: State, b: State) -> bool:
    return all(x == y for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


def test_the_opening_roll_decides_who_begins_and_is_never_a_double():
    begin = GAME.init()
    assert GAME.mover(begin) == CHANCE
    np.testing.assert_allclose(GAME.chance(begin), 1 / 30)
    rolled = jax.vmap(STEP, (None, 0))(begin, jnp.arange(30))
    dice = [tuple(int(d) >> k & 15 for k in (0, 4)) for d in rolled.dice]
    assert dice[:15] == dice[15:] == [(a, b) for a in range(2, 7) for b in range(1, a)]
    assert jax.vmap(GAME.mover)(rolled).tolist() == [0] * 15 + [1] * 15


def test_later_rolls_are_pairs_and_doubles():
    state = play(STEP(GAME.init(), jnp.int32(1)), "8/5", "6/5")
    assert GAME.mover(state) == CHANCE
    np.testing.assert_allclose(GAME.chance(state), [1 / 18] * 15 + [1 / 36] * 6 + [0] * 9)
    rolled = jax.vmap(STEP, (None, 0))(state, jnp.arange(21))
    assert rolled.dice[15:].tolist() == [0x1111 * die for die in range(1, 7)]
    assert (np.asarray(jax.vmap(GAME.mover)(rolled)) == 1).all()


def test_both_orders_of_two_moves_lead_to_the_same_position():
    rolled = STEP(GAME.init(), jnp.int32(1))
    assert same(play(rolled, "8/5", "6/5"), play(rolled, "6/5", "8/5"))


def test_a_checker_on_the_bar_comes_first():
    state = position({25: 1, 6: 14}, FAR, 4, 3)
    assert legal(state) == {"bar/21", "bar/22"}
    assert legal(play(state, "bar/22")) == {"22/18", "6/2"}


def test_two_checkers_come_in_with_both_dice():
    state = play(position({25: 2, 6: 13}, FAR, 4, 3), "bar/22")
    assert legal(state) == {"bar/21"}


def test_the_second_checker_may_be_left_on_the_bar():
    # 21 is held: one checker comes in, and the turn is over.
    state = play(position({25: 2, 6: 13}, {4: 2, 6: 13}, 4, 3), "bar/22")
    assert GAME.mover(state) == CHANCE


def test_who_cannot_come_in_passes():
    state = position({25: 1, 6: 14}, {3: 2, 4: 2, 6: 11}, 4, 3)
    assert legal(state) == {"pass"}
    after = play(state, "pass")
    assert GAME.mover(after) == CHANCE
    assert int(after.turn) == 3


def test_a_hit_checker_goes_to_the_bar():
    # The opponent's blot on its point 17 is on 8 here.
    state = play(position({13: 1, 6: 14}, {17: 1, 6: 14}, 5, 4), "13/8*", "8/4")
    assert same(state, position({25: 1, 6: 14}, {4: 1, 6: 14}, turn=3))


def test_two_checkers_hold_a_point():
    assert "13/8" not in legal(position({13: 1, 6: 14}, {17: 2, 6: 13}, 5, 4))


def test_coming_in_can_hit():
    state = play(position({25: 1, 6: 14}, {4: 1, 6: 14}, 4, 3), "bar/21", "6/3")
    assert same(state, position({25: 1, 6: 14}, {21: 1, 6: 13, 3: 1}, turn=3))


def test_both_dice_must_be_used_if_they_can():
    # 8 and 9 are held. After 20/14 no five would be left: neither 14/9 nor 13/8.
    state = position({20: 1, 13: 1, 1: 13}, {16: 2, 17: 2, 6: 11}, 6, 5)
    assert legal(state) == {"13/7", "20/15"}
    assert legal(play(state, "13/7")) == {"20/15", "7/2"}
    assert legal(play(state, "20/15")) == {"13/7"}


def test_the_larger_die_must_be_used_if_only_one_can():
    # 2 is held: 13/7 and 13/8 are both possible, but nothing after them.
    state = position({13: 1, 1: 14}, {23: 2, 6: 13}, 6, 5)
    assert legal(state) == {"13/7"}
    assert GAME.mover(play(state, "13/7")) == CHANCE


def test_the_smaller_die_is_used_if_the_larger_cannot_be():
    state = position({13: 1, 1: 14}, {23: 2, 18: 2, 6: 11}, 6, 5)
    assert legal(state) == {"13/8"}


def test_a_double_is_four_moves():
    state = position({13: 4, 1: 11}, FAR, 2, 2, 2, 2)
    for place, left in ((13, 3), (11, 2), (9, 1)):
        state = play(state, f"{place}/{place - 2}")
        assert bin(int(state.dice)).count("1") == left
    assert legal(state) == {"13/11", "7/5"}
    assert GAME.mover(play(state, "7/5")) == CHANCE


def test_a_double_ends_where_it_is_blocked():
    # 7 is held: three moves of two from 13 would need it.
    state = play(position({13: 1, 1: 14}, {18: 2, 6: 13}, 2, 2, 2, 2), "13/11", "11/9")
    assert GAME.mover(state) == CHANCE


def test_bearing_off_waits_for_all_checkers():
    assert legal(position({7: 1, 3: 14}, FAR, 3)) == {"7/4"}
    assert legal(position({25: 1, 3: 14}, FAR, 3)) == {"bar/22"}
    assert legal(position({6: 1, 3: 14}, FAR, 3)) == {"6/3", "3/off"}


def test_a_larger_die_takes_off_the_last_checker_only():
    assert legal(position({4: 2, 2: 3}, FAR, 5)) == {"4/off"}
    assert legal(position({6: 1, 4: 2}, FAR, 5)) == {"6/1"}
    assert legal(position({5: 1, 4: 2}, FAR, 5)) == {"5/off"}


def test_a_move_that_brings_the_last_checker_home_lets_the_other_die_bear_off():
    state = position({8: 1, 4: 3}, FAR, 4, 2)
    assert legal(state) == {"8/4", "8/6", "4/2"}
    assert legal(play(state, "8/6")) == {"6/2", "4/off"}


def test_a_double_bears_off_four():
    state = play(position({3: 3, 2: 2}, FAR, 3, 3, 3, 3), "3/off", "3/off", "3/off", "2/off")
    assert same(state, position(FAR, {2: 1}, turn=3))


def test_either_of_two_dice_may_take_the_same_checker_off():
    state = position({4: 1, 1: 2}, FAR, 6, 5)
    assert legal(state) == {"4/off by 6", "4/off by 5"}
    assert legal(play(state, "4/off by 6")) == {"1/off"}


def test_the_last_checker_ends_the_game_whatever_is_left_of_the_dice():
    for turn, payoff in ((2, 1), (3, -1)):
        state = play(position({4: 1}, {1: 1}, 6, 5, turn=turn), "4/off by 6")
        assert GAME.mover(state) == OVER
        assert GAME.payoff(state) == payoff


@pytest.mark.parametrize(
    ("loser", "points"),
    [
        ({6: 14}, 1),  # one is off
        ({6: 15}, 2),  # a gammon
        ({18: 1, 6: 14}, 2),  # not yet in the winner's home
        ({19: 1, 6: 14}, 3),  # a backgammon
        ({25: 1, 6: 14}, 3),
        ({25: 1, 6: 13}, 1),  # one is off
    ],
)
def test_gammons(loser: dict[int, int], points: int):
    state = play(position({1: 1}, loser, 2), "1/off")
    assert GAME.payoff(state) == 1
    assert load("backgammon:gammons=true").payoff(state) == points


def test_a_game_that_is_not_won_in_time_is_a_draw():
    game = Backgammon(turns=3)
    state = play(position({13: 1, 1: 14}, FAR, 3, turn=2), "13/10")
    assert game.mover(state) == OVER
    assert game.payoff(state) == 0
    won = play(position({1: 1}, FAR, 3, turn=2), "1/off")
    assert game.payoff(won) == 1


def test_what_a_seat_sees():
    state = position({25: 1, 6: 3, 4: 6, 1: 1}, {24: 2, 3: 1}, 6, 2, turn=3)
    seen = np.asarray(GAME.observe(state, jnp.int32(1)))[:, 0]
    assert seen[6].tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1]
    assert seen[4, :4].tolist() == [1, 1, 1, 1.5]
    assert seen[25].tolist()[:8] == [1, 0, 0, 0, 1, 1, 1, 4.5]  # its bar, the opponent's 12 off
    assert seen[22, 4:8].tolist() == [1, 0, 0, 0]
    assert seen[1, :8].tolist() == [1, 0, 0, 0, 1, 1, 0, 0]
    other = np.asarray(GAME.observe(state, jnp.int32(0)))[:, 0]
    np.testing.assert_array_equal(other[:, :8], np.roll(seen[::-1, :8], 4, 1))
    assert (other[:, 14] == 0).all()


def test_eight_checkers_against_six_on_the_ace_points():
    # H. A. Peelle, Backgammon Tools in J 4: Ace-point Bearoffs, Vector 24 (2 & 3)
    assert (expected(GAME, position({1: 8}, {1: 6})) + 1) / 2 == pytest.approx(0.301055, abs=1e-6)


def test_the_star_of_a_hit_may_be_left_out():
    state = position({13: 1, 6: 14}, {17: 1, 6: 14}, 5, 4)
    assert GAME.parse(state, "13/8*") == GAME.parse(state, "13/8")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("backgammon:turns=0", "^backgammon: turns=0 is not one of 1 to 100,000$"),
        ("backgammon:gammons=2", "is not true or false$"),
    ],
)
def test_bad_options(spec: str, message: str):
    with pytest.raises(ValueError, match=message):
        load(spec)
