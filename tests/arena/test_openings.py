"""Openings, drawn on the device and on the host."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from arena.evaluation.enumeration import raw
from arena.evaluation.solver import solve
from arena.play.openings import (
    distinct_openings,
    distinct_recorded_openings,
    random_openings,
    recorded_openings,
)
from games import OVER, Game

TIC_TAC_TOE, CONNECT_FOUR = games.load("tic_tac_toe"), games.load("connect_four")


def _rows(states: Any) -> np.ndarray:
    """Positions as comparable rows of numbers."""
    return np.stack([np.asarray(x) for x in jax.tree.leaves(states)], -1)


def _stones(states: Any) -> np.ndarray:
    look = jax.vmap(lambda s: TIC_TAC_TOE.observe(s, jnp.int32(0)).sum())
    return np.asarray(look(states)).astype(int)


def test_openings_are_never_over_and_legal():
    states = random_openings(TIC_TAC_TOE, jax.random.key(0), shape=(2000,), plies=8)
    assert (jax.vmap(TIC_TAC_TOE.mover)(states) != OVER).all()
    assert set(raw(states).tolist()) <= set(raw(solve(TIC_TAC_TOE).states).tolist())
    assert set(_stones(states).tolist()) == set(range(9))


def test_openings_are_of_every_length_equally_often():
    # No game ends within four plies, so none is drawn anew.
    states = random_openings(TIC_TAC_TOE, jax.random.key(1), shape=(5, 500), plies=4)
    assert states.mine.shape == (5, 500)
    counts = np.bincount(_stones(jax.tree.map(jnp.ravel, states)))
    # Chi-square with 4 degrees of freedom: below 23.5 in all but one of 10,000 cases.
    assert len(counts) == 5
    assert ((counts - 500) ** 2 / 500).sum() < 23.5


def test_openings_depend_on_the_key_alone():
    draw = [
        _rows(random_openings(TIC_TAC_TOE, jax.random.key(seed), shape=(5, 500), plies=4))
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(draw[0], draw[1])
    assert (draw[0] != draw[2]).any()


def test_without_plies_every_opening_is_the_start():
    states = random_openings(CONNECT_FOUR, jax.random.key(1), shape=(3, 4), plies=0)
    assert all((np.asarray(x) == 0).all() for x in jax.tree.leaves(states))


# --- with the moves that led there --------------------------------------------------------------


@pytest.mark.parametrize("name", ["tic_tac_toe", "kuhn_poker"])
def test_recorded_openings_are_where_their_moves_lead(name: str):
    game: Game = games.load(name)
    found = recorded_openings(game, jax.random.key(0), count=20, plies=2, room=8)
    for n, moves in enumerate(found.moves):
        state = game.init()
        for move in moves:
            state = game.step(state, jnp.int32(move))
        assert int(game.mover(state)) >= 0
        jax.tree.map(lambda x, y, n=n: np.testing.assert_array_equal(x[n], y), found.states, state)


def test_recorded_openings_do_not_depend_on_how_many_go_into_a_call():
    some, all = (
        recorded_openings(TIC_TAC_TOE, jax.random.key(1), count=30, plies=8, room=room)
        for room in (4, 32)
    )
    assert some.moves == all.moves
    assert len({len(moves) for moves in all.moves}) == 9


# --- without repetition -------------------------------------------------------------------------


def test_no_opening_comes_twice_while_there_are_others():
    # Start, 9 first moves, 72 seconds: 82 positions within two plies.
    drawn = distinct_openings(TIC_TAC_TOE, jax.random.key(0), pairs=40, plies=2)
    assert len(np.unique(_rows(drawn), axis=0)) == 40
    # 10 within one ply: each comes four times.
    few = distinct_openings(TIC_TAC_TOE, jax.random.key(0), pairs=40, plies=1)
    _, counts = np.unique(_rows(few), axis=0, return_counts=True)
    assert counts.tolist() == [4] * 10
    start = distinct_openings(TIC_TAC_TOE, jax.random.key(0), pairs=3, plies=0)
    assert (_stones(start) == 0).all()


@pytest.mark.parametrize("name", ["tic_tac_toe", "backgammon"])
def test_recorded_openings_without_repetition_are_where_their_moves_lead(name: str):
    game = games.load(name)
    found = distinct_recorded_openings(game, jax.random.key(0), count=12, plies=2, room=8)
    for n, moves in enumerate(found.moves):
        state = game.init()
        for move in moves:
            state = game.step(state, jnp.int32(move))
        there = jax.tree.map(lambda x, n=n: x[n], found.states)
        assert all((np.asarray(a) == b).all() for a, b in zip(state, there, strict=True))
    assert (
        len(
            {
                str(jax.tree.leaves(jax.tree.map(lambda x, n=n: x[n].tolist(), found.states)))
                for n in range(12)
            }
        )
        == 12
    )
