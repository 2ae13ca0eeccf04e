"""Rock, paper, scissors."""

import jax.numpy as jnp
import pytest

import games

GAME = games.load("rock_paper_scissors")


@pytest.mark.parametrize(
    ("first", "second", "payoff"),
    [
        ("paper", "rock", 1),
        ("scissors", "paper", 1),
        ("rock", "scissors", 1),
        ("rock", "paper", -1),
        ("paper", "scissors", -1),
        ("scissors", "rock", -1),
        ("rock", "rock", 0),
        ("paper", "paper", 0),
        ("scissors", "scissors", 0),
    ],
)
def test_who_beats_whom(first: str, second: str, payoff: int):
    state = GAME.init()
    for hand in (first, second):
        state = GAME.step(state, jnp.int32(GAME.parse(state, hand)))
    assert GAME.payoff(state) == payoff
    assert GAME.show(state) == f"{first} - {second}"


def test_the_second_hand_is_shown_without_the_first():
    state = GAME.step(GAME.init(), jnp.int32(1))
    assert GAME.view(state, 0) == "paper - ?"
    assert GAME.view(state, 1) == "? - ?"


def test_a_hand_has_a_name():
    message = r"^'Lizard' is no choice; choices are rock, paper, scissors$"
    with pytest.raises(ValueError, match=message):
        GAME.parse(GAME.init(), " Lizard ")
    assert GAME.parse(GAME.init(), " Scissors ") == 2


def test_the_table_is_no_option():
    with pytest.raises(ValueError, match=r"has no option 'payoffs'; its options: none$"):
        games.load("rock_paper_scissors:payoffs=1")
