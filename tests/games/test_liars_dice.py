"""Liar's dice: what a bid says, which bids are higher, and any number of dice."""

import jax.numpy as jnp
import numpy as np
import pytest

import games
from games import CHANCE, OVER

GAME = games.load("liars_dice")
TWO = games.load("liars_dice:dice=2")


def _after(game, dice: str, *bids: str):
    """The position after rolls, of seat 0 and then of seat 1, and bids."""
    state = game.init()
    for face in dice:
        assert game.mover(state) == CHANCE
        state = game.step(state, jnp.int32(int(face) - 1))
    for bid in bids:
        state = game.step(state, jnp.int32(game.parse(state, bid)))
    return state


@pytest.mark.parametrize(
    ("game", "dice", "bids", "payoff"),
    [
        # Seat 0 bids and is doubted: it wins if the dice show what it said, or more.
        (GAME, "25", "1-2", 1),
        (GAME, "25", "1-5", 1),  # the other's dice count, too
        (GAME, "25", "1-3", -1),
        (GAME, "25", "2-2", -1),
        (GAME, "22", "1-2", 1),
        (GAME, "22", "2-2", 1),
        # A six is any face.
        (GAME, "26", "2-2", 1),
        (GAME, "66", "2-1", 1),
        # But only a six is a six.
        (GAME, "26", "2-6", -1),
        (GAME, "66", "2-6", 1),
        # The last bid counts, and who made it.
        (GAME, "25", "1-3 1-5", -1),
        (GAME, "25", "1-2 1-3", 1),
        (GAME, "25", "1-1 1-3 2-5", -1),
        # All dice of both seats count, each once.
        (TWO, "3363", "4-3", 1),
        (TWO, "3361", "4-3", -1),
        (TWO, "3361", "3-3", 1),
        (TWO, "6666", "4-6", 1),
        (TWO, "1665", "3-5", 1),
        (TWO, "1665", "4-5", -1),
    ],
)
def test_payoffs(game, dice: str, bids: str, payoff: int):
    state = _after(game, dice, *bids.split())
    assert game.payoff(state) == 0
    state = game.step(state, jnp.int32(game.parse(state, "liar")))
    assert game.mover(state) == OVER
    assert game.payoff(state) == payoff


def test_bids_go_by_number_then_by_face():
    state = _after(GAME, "25", "1-6")
    assert [GAME.label(state, m) for m in np.flatnonzero(GAME.legal(state)).tolist()] == [
        *(f"2-{face}" for face in range(1, 7)),
        "liar",
    ]
    with pytest.raises(ValueError, match=r"^1-6 is not above 1-6$"):
        GAME.parse(state, "1-6")


def test_the_highest_bid_can_only_be_doubted():
    state = _after(GAME, "25", "2-6")
    assert np.flatnonzero(GAME.legal(state)).tolist() == [12]


def test_the_first_move_is_a_bid():
    state = _after(GAME, "25")
    assert np.flatnonzero(GAME.legal(state)).tolist() == list(range(12))
    with pytest.raises(ValueError, match=r"^there is no bid yet$"):
        GAME.parse(state, "liar")
    with pytest.raises(ValueError, match=r"^'3-1' is no bid; bids are 1-1 to 2-6, or liar$"):
        GAME.parse(state, "3-1")


def test_dice_are_a_hand_not_a_sequence():
    """The order in which dice fall is told to nobody, and forgotten."""
    one, other = _after(TWO, "3152"), _after(TWO, "1325")
    assert [x.tolist() for x in one] == [x.tolist() for x in other]
    assert TWO.show(one) == "dice 1 3 / 2 5"


def test_texts():
    state = _after(TWO, "3152", "1-2", "2-2")
    assert TWO.show(state) == "dice 1 3 / 2 5: 1-2, 2-2"
    assert TWO.view(state, 0) == "dice 1 3 / ?: 1-2, 2-2"
    assert TWO.view(state, 1) == "dice ? / 2 5: 1-2, 2-2"
    assert GAME.show(GAME.init()) == "dice - / -"
    assert "liar!" not in TWO.draw(state)
    assert "liar!" in TWO.draw(TWO.step(state, jnp.int32(TWO.parse(state, "liar"))))
    assert ">8</text>" in games.load("liars_dice:sides=8").draw(
        _after(games.load("liars_dice:sides=8"), "82")
    )


def test_sizes():
    game = games.load("liars_dice:dice=3,sides=5")
    assert (game.num_actions, game.num_outcomes, game.max_plies) == (31, 5, 37)
    assert GAME.facts.value is not None
    assert game.facts.value is None


@pytest.mark.parametrize("options", ["dice=0", "sides=1", "dice=-1,sides=-6", "dice=3", "sides=16"])
def test_bad_sizes_are_one_clear_line(options: str):
    message = r"^liars_dice: needs 1 dice and 2 sides or more, and dice times sides up to 15$"
    with pytest.raises(ValueError, match=message):
        games.load(f"liars_dice:{options}")
