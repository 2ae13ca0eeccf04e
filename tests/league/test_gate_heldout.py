"""Nothing that the gate uses has been seen in training: planted overlaps are found."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from arena.errors import UserError
from arena.play.openings import recorded_openings
from league.gate import heldout
from league.gate.heldout import Openings, keys

TIC_TAC_TOE = games.load("tic_tac_toe")


def position(*moves: int):
    """One position [1, ...] of tic-tac-toe."""
    state = TIC_TAC_TOE.init()
    for move in moves:
        state = TIC_TAC_TOE.step(state, jnp.int32(move))
    return jax.tree.map(lambda x: np.asarray(x)[None], state)


def key(*moves: int) -> bytes:
    (found,) = keys(TIC_TAC_TOE, position(*moves))
    return found


def test_mirror_images_and_transpositions_are_one_opening():
    assert len({key(corner) for corner in (0, 2, 6, 8)}) == 1
    assert len({key(edge) for edge in (1, 3, 5, 7)}) == 1
    assert len({key(0), key(1), key(4), key()}) == 4
    assert key(0, 4, 8) == key(8, 4, 0) == key(2, 4, 6)
    assert key(0, 4) != key(4, 0)  # who stands where matters


def test_openings_are_new_different_and_the_same_whenever_asked_for():
    # Of all openings of up to two plies there are 1 + 3 + 12 up to symmetry (tic-tac-toe's facts).
    seen = {key(), key(4)}
    openings = Openings(TIC_TAC_TOE, seen, jax.random.key(0), 2)
    some = openings.take(3, 5)
    everything = openings.take(0, 1000)
    found = list(keys(TIC_TAC_TOE, everything.states))
    assert len(found) == len(set(found)) == 14
    assert not set(found) & seen
    assert everything.moves[3:8] == some.moves
    again = Openings(TIC_TAC_TOE, seen, jax.random.key(0), 2)
    assert again.take(3, 5).moves == some.moves
    assert not openings.take(14, 5).moves
    for n, moves in enumerate(everything.moves):
        assert key(*moves) == found[n]
    other = Openings(TIC_TAC_TOE, seen, jax.random.key(1), 2)
    assert other.take(0, 14).moves != everything.moves


def test_without_the_check_there_would_be_overlap():
    drawn = recorded_openings(TIC_TAC_TOE, jax.random.key(0), count=256, plies=2, room=256)
    assert {key(), key(4)} <= set(keys(TIC_TAC_TOE, drawn.states))


def test_where_training_has_begun_from_everything_nothing_is_left():
    every = Openings(TIC_TAC_TOE, set(), jax.random.key(0), 2).take(0, 1000)
    seen = set(keys(TIC_TAC_TOE, every.states))
    assert len(seen) == 16
    assert not Openings(TIC_TAC_TOE, seen, jax.random.key(1), 2).take(0, 1).moves


def test_where_chance_deals_the_start_openings_are_fresh_deals():
    kuhn = games.load("kuhn_poker")
    taken = Openings(kuhn, set(), jax.random.key(0), 0).take(0, 300)
    assert len(taken.moves) == 300
    assert len({tuple(moves) for moves in taken.moves}) == 6  # two cards of three, in order
    assert (np.asarray(jax.vmap(kuhn.mover)(taken.states)) == 0).all()


def test_hidden_positions_have_keys_of_their_own():
    game = games.load("phantom_tic_tac_toe")
    state = game.init()
    after = [game.step(game.step(state, jnp.int32(0)), jnp.int32(move)) for move in (1, 2)]
    states = jax.tree.map(lambda *x: np.stack([np.asarray(y) for y in x]), *after)
    # The mover, who sees nothing of the other's stone, could not tell them apart.
    seen = jax.vmap(lambda s: game.observe(s, jnp.int32(0)))(states)
    assert np.array_equal(seen[0], seen[1])
    assert len(set(keys(game, states))) == 2


def test_an_opponent_from_the_pool_is_refused_in_one_line():
    pool = {"sha 5": "snapshot 5", "sha 6": "exploiter 6e1"}
    heldout.check("other:1", "sha 7", pool)
    with pytest.raises(
        UserError, match="other:1 is snapshot 5 of the pool: held-out opponents must not"
    ) as told:
        heldout.check("other:1", "sha 5", pool)
    assert "\n" not in str(told.value)
