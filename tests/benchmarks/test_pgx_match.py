"""Our moves in pgx's numbers, and matches in both implementations side by side."""

from typing import Any

import jax
import jax.numpy as jnp
import pytest

import games
from benchmarks import peers, pgx_match, pgx_moves


@pytest.mark.parametrize(
    "name",
    [
        name if name == "connect_four" else pytest.param(name, marks=pytest.mark.slow)
        for name in pgx_moves.GAMES
    ],
)
def test_legal_moves_agree_to_the_end_of_random_games(name: str):
    """`play` compares them before every move; here all moves but the openings' are at random."""
    game, env = games.load(name), peers.pgx_env(name)

    def ours(key: jax.Array, states: Any) -> jax.Array:
        legal = jax.vmap(game.legal)(states)
        return jnp.argmax(jnp.where(legal, jax.random.uniform(key, legal.shape), -1), -1)

    def theirs(key: jax.Array, states: Any) -> jax.Array:
        draw = jax.random.uniform(key, states.legal_action_mask.shape)
        return jnp.argmax(jnp.where(states.legal_action_mask, draw, -1), -1)

    found = pgx_match.play(
        name, game, env, jax.jit(ours), jax.jit(theirs), pairs=4, plies=4, seed=0
    )
    assert found.score.wins + found.score.draws + found.score.losses == 8
    assert found.distinct > 4, "all but the openings' moves are at random"


def test_a_score_is_ours_whoever_begins():
    """A player that piles up one column beats random moves, as ours and as the peer's."""
    game, env = games.load("connect_four"), peers.pgx_env("connect_four")

    def pile(key: jax.Array, legal: jax.Array) -> jax.Array:
        return jnp.argmax(legal, -1)

    def at_random(key: jax.Array, legal: jax.Array) -> jax.Array:
        return jnp.argmax(jnp.where(legal, jax.random.uniform(key, legal.shape), -1), -1)

    def score(ours: Any, theirs: Any) -> float:
        def choose(key: jax.Array, states: Any) -> jax.Array:
            return ours(key, jax.vmap(game.legal)(states))

        def answer(key: jax.Array, states: Any) -> jax.Array:
            return theirs(key, states.legal_action_mask)

        players = jax.jit(choose), jax.jit(answer)
        played = pgx_match.play("connect_four", game, env, *players, pairs=32, plies=1, seed=1)
        return played.score.score

    assert score(pile, at_random) > 0.7
    assert score(at_random, pile) < 0.3
