"""Random game trees: leaves, who sees what of them, and options."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from games import CHANCE, OVER
from games.game_tree import root_share

GAME = games.load("game_tree:depth=3")
STEP, OBSERVE = jax.jit(GAME.step), jax.jit(GAME.observe)


def _drawn(leaves: str):
    """The position at the root, from the leaves: 1 where seat 0 wins."""
    return STEP(GAME.init(), jnp.int32(int(leaves[::-1], 2)))


def test_a_path_leads_to_its_leaf():
    state = _drawn("00000100")
    assert GAME.mover(GAME.init()) == CHANCE
    assert [int(GAME.mover(state))] == [0]
    for move, seat in ((1, 1), (0, 0), (1, OVER)):
        state = STEP(state, jnp.int32(move))
        assert int(GAME.mover(state)) == seat
    assert GAME.payoff(state) == 1
    assert GAME.show(state) == "right left right: 0"


def test_leaves_that_are_left_come_first_and_from_the_seats_side():
    state = STEP(_drawn("00000110"), jnp.int32(1))
    first, second = (np.asarray(OBSERVE(state, jnp.int32(seat))) for seat in (0, 1))
    assert first[:, 0].tolist() == [0, 1, 1, 0, 0, 0, 0, 0]
    assert first[:, 1].tolist() == [1, 0, 0, 1, 0, 0, 0, 0]
    np.testing.assert_array_equal(second[:, :2], first[:, 1::-1])
    # Seat 0 makes the last of three moves.
    assert not first[:, 2].any()
    assert second[:, 2].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


def test_wider_trees_are_drawn_eight_leaves_at_a_time():
    game = games.load("game_tree:depth=5,share=0.6")
    state = game.init()
    for outcome in (1, 2, 4, 128):
        assert game.mover(state) == CHANCE
        state = game.step(state, jnp.int32(outcome))
    assert game.mover(state) == 0
    wins = np.flatnonzero(np.asarray(game.observe(state, jnp.int32(0)))[:, 0])
    assert wins.tolist() == [0, 9, 18, 31]
    np.testing.assert_allclose(np.asarray(game.chance(state)).sum(), 1, rtol=1e-6)


def test_the_golden_section_is_a_fixed_point():
    # J. Pearl 1980: (sqrt(5) - 1) / 2 is the share of leaves at which a tree of any even depth is
    # as likely won as a leaf.
    golden = (5**0.5 - 1) / 2
    assert root_share(8, golden) == pytest.approx(golden, abs=1e-12)
    assert root_share(30, golden - 0.01) < 0.01
    assert root_share(30, golden + 0.01) > 0.99


@pytest.mark.parametrize("options", ["depth=2", "depth=11", "share=0", "share=1"])
def test_options_are_checked(options: str):
    with pytest.raises(ValueError, match=r"^game_tree: (depth|share) must lie between"):
        games.load(f"game_tree:{options}")
