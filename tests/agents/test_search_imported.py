"""Search in an env: the same as by the rules, and in matches."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents import mcts, search, uniform
from arena.pettingzoo import as_game
from arena.play import match
from games import Game

_LINES = [[], [4], [4, 0], [0, 4, 8], [0, 3, 1, 4], [4, 0, 8, 2], [0, 1, 2, 4, 5, 3, 7], [0, 1, 3]]


@pytest.fixture(scope="module")
def env() -> as_game.ImportedGame:
    """Tic-tac-toe; its cells are numbered by columns, which is the same game."""
    return as_game.load("pettingzoo:classic/tictactoe-v3")


def _evaluate(game: Game):
    """A prior and a value that depend on the legal moves alone, and on them wildly."""
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(9, 9)).astype("f4"), rng.normal(size=9).astype("f4")

    def evaluate(keys: jax.Array, states: Any) -> tuple[jax.Array, jax.Array]:
        legal = jax.vmap(game.legal)(states)
        pick = jnp.where(legal[..., None], one, 0.0).sum(1)  # no matrix product: in the same order
        return pick, jnp.tanh(jnp.where(legal, two, 0.0).sum(1))

    return evaluate


def _search(game: Game, states: Any) -> search.PolicyOutput:
    def run(states: Any, noise: jax.Array) -> search.PolicyOutput:
        keys = jax.random.key(0)[None]
        return search.gumbel(game, _evaluate(game), states, keys=keys, simulations=32, noise=noise)

    noise = jax.random.gumbel(jax.random.key(1), (len(_LINES), 9))
    return jax.tree.map(np.asarray, jax.jit(run)(states, noise))


def test_a_search_in_an_env_finds_what_a_search_by_the_rules_finds(env: as_game.ImportedGame):
    native = games.load("tic_tac_toe")
    table, states = env.deal(jax.random.key(0), len(_LINES), 0), []
    for row, line in enumerate(_LINES):
        state = native.init()
        for move in line:
            table.step([row], [move])
            state = native.step(state, jnp.int32(move))
        states.append(state)
    here = jax.tree.map(lambda *x: np.stack(x), *[table.position(n).state for n in range(8)])
    np.testing.assert_array_equal(here.legal, [native.legal(state) for state in states])
    theirs = _search(env, here)
    ours = _search(native, jax.tree.map(lambda *x: jnp.stack(x), *states))
    np.testing.assert_array_equal(theirs.move, ours.move)
    np.testing.assert_allclose(theirs.policy, ours.policy, atol=1e-6)
    np.testing.assert_allclose(theirs.value, ours.value, atol=1e-6)


def test_mcts_wins_in_an_env_and_its_matches_come_again(env: as_game.ImportedGame):
    key, tree, other = jax.random.key(0), mcts.make(env, "24"), uniform.make(env, "")
    scores = match.play([tree], [other], env, key=key, pairs=8, plies=2, groups=1, slots=16)
    assert scores.mean() > 0.75
    again = match.play([tree], [other], env, key=key, pairs=8, plies=2, groups=1, slots=16)
    np.testing.assert_array_equal(again, scores)
    assert not env.pool.errors
