"""A request is all there is: its result follows from it alone, whoever plays it, and how often."""

import dataclasses
from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents.learners import ppo
from agents.nn.networks import MLPConfig
from arena.digests import digest
from arena.judges.rules import Rules
from arena.play.device_loop import Match, Played
from arena.play.openings import random_openings
from arena.play.record import Record
from arena.types import Params, stack
from league.training import step
from league.training.actors import LocalActors
from league.training.requests import Request, Shape, WeightsRef, divide, join

GAME = games.load("tic_tac_toe")
SHAPE = Shape(pairs=3, slots=2)


@cache
def learner():
    config = ppo.PPOConfig(network=MLPConfig(width=8, layers=1))
    return config.make(GAME, Rules(GAME))


def weights(ref: WeightsRef) -> Params:
    return learner().init(jax.random.key(int(ref.id))).params


def match(shape: Shape) -> Match:
    return step.recorded_match(learner(), slots=shape.slots, pairs=shape.pairs)


def ref(number: int) -> WeightsRef:
    return WeightsRef(str(number), f"sha of {number}")


@cache
def request() -> Request:
    """Four matches."""
    drawn = random_openings(GAME, jax.random.key(1), shape=(4, SHAPE.pairs), plies=2)
    return Request(
        run="a run",
        generation=3,
        role="play",
        numbers=(0, 1, 2, 3),
        a=(ref(0),) * 4,
        b=(ref(0), ref(1), ref(2), ref(0)),
        openings=jax.tree.map(np.asarray, drawn),
        keys=np.asarray(jax.random.key_data(jax.random.split(jax.random.key(2), 4))),
        shape=SHAPE,
    )


def bits(played: Played) -> str:
    return digest([np.asarray(played.scores), np.asarray(played.moves), played.record])


def test_a_key_says_all_that_a_result_depends_on():
    asked = request()
    others = [
        replace(asked, run="another"),
        replace(asked, generation=4),
        replace(asked, role="play 1"),
        replace(asked, numbers=(0, 1, 2, 4)),
        replace(asked, b=(ref(0), ref(1), ref(3), ref(0))),
        replace(asked, a=asked.b, b=asked.a),
        replace(asked, judge=ref(7)),
        replace(asked, shape=Shape(3, 1)),
        replace(asked, keys=asked.keys + np.uint32(1)),
        replace(asked, openings=jax.tree.map(lambda x: x[::-1], asked.openings)),
    ]
    assert {field.name for field in dataclasses.fields(Request)} == {
        "run", "generation", "role", "numbers", "a", "b", "openings", "keys", "shape", "judge",
    }  # fmt: skip
    assert len({one.key for one in [asked, *others]}) == 11
    # The weights of an agent in training have a passing name.
    renamed = tuple(WeightsRef("current", one.digest) for one in asked.a)
    assert replace(asked, a=renamed).key == asked.key


def test_results_follow_from_their_requests_alone():
    requests = request().split(2)
    assert [one.numbers for one in requests] == [(0, 1), (2, 3)]
    found = LocalActors(match).play(requests, weights)
    assert [result.key for result in found] == [one.key for one in requests]
    [again] = LocalActors(match).play(requests[1:], weights)  # another actor, another order, twice
    assert bits(again.played) == bits(found[1].played)
    # As one batch, as it was played before there were requests.
    asked = request()
    a, b = (stack([weights(one) for one in side]) for side in (asked.a, asked.b))
    keys = jax.random.wrap_key_data(jnp.asarray(asked.keys))
    whole = match(SHAPE).play(a, b, keys=keys, openings=asked.openings)
    assert bits(join(requests, found)) == bits(whole)
    with pytest.raises(ValueError, match="results of other requests"):
        join(requests, found[::-1])


def test_what_is_played_together_is_divided():
    requests, pairs = request().split(4), SHAPE.pairs
    game = np.full((5, 2, 4, 2), 2 * pairs, np.int32)
    for number, ticks in enumerate((5, 2, 0, 3)):
        game[:ticks, 0, number] = number
    state = np.arange(game.size).reshape(game.shape)
    together = Played(
        jnp.arange(4.0 * pairs * 2).reshape(4, pairs, 2),
        Record(state, (), jnp.asarray(game), ()),
        jnp.arange(8).reshape(4, 2),
    )
    found = divide(requests, together)
    records = [result.played.record for result in found]
    assert [len(one.game) for one in records if one is not None] == [5, 2, 0, 3]
    joined = join(requests, found)
    assert (np.asarray(joined.scores) == together.scores).all()
    assert joined.record is not None
    assert (joined.record.game == game).all()
    played = game < 2 * pairs
    assert (joined.record.state[played] == state[played]).all()
    for number, ticks in enumerate((5, 2, 0, 3)):
        assert not joined.record.state[ticks:, :, number].any()
