"""Quantified formulas: the winner is the truth value, chance's clauses, and the observation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from games.quantified_formula import QuantifiedFormula, State


def _true(quantifiers: str, clauses: list[list[int]], values: list[bool]) -> bool:
    """A formula's truth, from its definition."""
    if len(values) == len(quantifiers):
        made = {k + 1 if value else -k - 1 for k, value in enumerate(values)}
        return all(made & set(clause) for clause in clauses)
    found = (_true(quantifiers, clauses, [*values, value]) for value in (False, True))
    return any(found) if quantifiers[len(values)] == "E" else all(found)


def _random(rng: np.random.Generator, variables: int, count: int) -> list[list[int]]:
    chosen = [rng.permutation(variables)[:3] + 1 for _ in range(count)]
    return [(clause * rng.choice([-1, 1], 3)).tolist() for clause in chosen]


def test_the_winner_is_the_truth_value():
    quantifiers = "EAEAEE"
    game, rng = QuantifiedFormula(quantifiers, "1 -2 4", drawn=7), np.random.default_rng(17)
    formulas = [_random(rng, 6, 7) for _ in range(300)]
    marks = np.zeros((300, 2, 7), np.uint16)
    for row, formula in zip(marks, formulas, strict=True):
        for k, clause in enumerate(formula):
            for literal in clause:
                row[int(literal < 0), k] |= 1 << abs(literal) - 1

    @jax.jit
    @jax.vmap
    def ends(random: jax.Array) -> jax.Array:
        states = State(jnp.uint16(0), jnp.uint8(0), jnp.uint8(21), random)
        states = jax.tree.map(lambda x: x[None], states)
        for _ in quantifiers:
            both = jax.vmap(jax.vmap(game.step, (None, 0)), (0, None))(states, jnp.arange(2))
            states = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), both)
        return jax.vmap(game.payoff)(states)

    value = np.asarray(ends(marks))
    for letter in quantifiers[::-1]:
        pairs = value.reshape(300, -1, 2)
        value = pairs.max(2) if letter == "E" else pairs.min(2)
    truth = [_true(quantifiers, [[1, -2, 4], *formula], []) for formula in formulas]
    assert 50 < sum(truth) < 250
    np.testing.assert_array_equal(value[:, 0] > 0, truth)


def test_a_clause_is_drawn_literal_by_literal():
    game = games.load("quantified_formula:quantifiers=EAEA,clauses=,drawn=1")
    state = game.init()
    for outcome, left in ((7, 8), (0, 6), (2, 4)):  # -4, 1, 2
        chances = np.asarray(game.chance(state))
        assert (chances > 0).sum() == left
        np.testing.assert_allclose(chances[chances > 0], 1 / left, rtol=1e-6)
        assert game.mover(state) == -1
        state = game.step(state, jnp.int32(outcome))
    assert game.mover(state) == 0
    assert game.show(state) == "E1 A2 E3 A4\n1 2 -4"
    state = game.step(state, jnp.int32(1))
    assert game.mover(state) == 1
    assert game.show(state) == "E1=1 A2 E3 A4\n[1 2 -4]"


def test_the_observation_shows_what_is_open():
    game = games.load("quantified_formula:quantifiers=EAE,clauses=1 2; -1 -3")
    state = game.step(game.init(), jnp.int32(1))
    seen = np.asarray(game.observe(state, jnp.int32(1)))
    assert seen.tolist() == [
        [1, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 1, 0],
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("quantifiers=", "quantifiers must be 1 to 16 letters E and A"),
        ("quantifiers=EXA", "quantifiers must be 1 to 16 letters E and A"),
        ("quantifiers=EA", "literals must lie from 1 to 2 or be negative such numbers"),
        ("clauses=0", "literals must lie from 1 to 6 or be negative such numbers"),
        ("clauses=one", "clauses='one' are no lists of whole numbers"),
        ("clauses=", "there must be 1 to 64 clauses, given or drawn"),
        ("drawn=60", "there must be 1 to 64 clauses, given or drawn"),
        ("drawn=-1", "there must be 1 to 64 clauses, given or drawn"),
        ("quantifiers=EA,clauses=1,drawn=1", "chance draws clauses of three variables"),
    ],
)
def test_options_are_checked(options: str, message: str):
    with pytest.raises(ValueError, match=f"^quantified_formula: {message}$"):
        games.load(f"quantified_formula:{options}")
