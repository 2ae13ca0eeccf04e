"""Of proven wins the quickest is played, if it is asked for."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from agents import search
from agents.search import PolicyOutput
from arena.evaluation.solver import solve
from tests.agents.test_search import TIC_TAC_TOE, legal_of, scrambled


def test_the_quickest_win_is_played():
    solution = solve(TIC_TAC_TOE)
    after = jax.jit(jax.vmap(lambda s: jax.vmap(partial(TIC_TAC_TOE.step, s))(jnp.arange(9))))
    pays = np.abs(jax.vmap(jax.vmap(TIC_TAC_TOE.payoff))(after(solution.states))) == 1
    at_once = pays & legal_of(TIC_TAC_TOE, solution.states)
    rows = np.flatnonzero(at_once.sum(1) == 1)[:100]
    states, right = jax.tree.map(lambda x: x[rows], solution.states), at_once[rows].argmax(1)
    zeros = jnp.zeros((len(rows), 9))

    @partial(jax.jit, static_argnames=("run", "quickest"))
    def found(states: Any, run: Any, quickest: bool) -> PolicyOutput:
        evaluate, keys = partial(scrambled, TIC_TAC_TOE), jax.random.key(0)[None]
        return run(
            TIC_TAC_TOE, evaluate, states, keys=keys, simulations=100, prove=True, quickest=quickest
        )

    plain, quick = (found(states, partial(search.gumbel, noise=zeros), on) for on in (False, True))
    for one, other in zip(plain[1:], quick[1:], strict=True):
        np.testing.assert_array_equal(one, other)  # all but the move
    assert (quick.move == right).all()
    assert not (plain.move == right).all()
    flat = jnp.ones_like(zeros)  # so that all moves are tried
    puct = partial(search.puct, noise=flat, gumbels=zeros, noise_share=1.0)
    assert (found(states, puct, True).move == right).all()
