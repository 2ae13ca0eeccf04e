"""Values of games of logic: by their own rules, and beside them from definitions."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from arena.evaluation.enumeration import in_chunks, raw
from games import OVER
from games.prover_delayer import ProverDelayer
from games.prover_delayer import State as Answers
from games.quantified_formula import QuantifiedFormula
from games.quantified_formula import State as Assignment

Clauses = list[list[int]]
"""Literals by clause; -3 is the negation of variable 3."""


def delayer_points(game: ProverDelayer) -> tuple[int, int]:
    """What Delayer gets under perfect play, and the number of sets of answers on which it rests.

    Points add up, so the rest of a game depends on the answers alone: too many positions otherwise.
    """
    count = game.variables

    def both(state: Answers) -> tuple[Answers, jax.Array]:
        """What each question [V] leads to by no and by yes, and which of both ends the game."""
        asked = jax.vmap(game.step, (None, 0))(state, jnp.arange(count))
        told = jax.vmap(jax.vmap(game.step, (None, 0)), (0, None))(asked, count + jnp.arange(2))
        return told, jax.vmap(jax.vmap(game.mover))(told) == OVER

    look = jax.jit(jax.vmap(lambda state: (*both(state), game.legal(state)[:count])))
    states = jax.tree.map(lambda x: np.asarray(x)[None], game.init())
    levels, sets = [], 0
    while len(states.known):
        sets += len(states.known)
        told, over, legal = in_chunks(look, states)
        goes_on = ~over & legal[..., None]
        following = jax.tree.map(lambda x, goes_on=goes_on: x[goes_on], told)
        _, first, which = np.unique(raw(following), return_index=True, return_inverse=True)
        states = jax.tree.map(lambda x, first=first: x[first], following)
        levels.append((legal, goes_on, which.reshape(-1)))
    value = np.zeros(0, np.int64)
    for legal, goes_on, which in reversed(levels):
        gains = np.zeros(goes_on.shape, np.int64)
        gains[goes_on] = value[which]
        least, most = gains.min(-1), gains.max(-1)
        value = np.where(legal, np.maximum(most, least + 1), 2 * count).min(1)
    return int(value[0]), sets


def winners(game: QuantifiedFormula, random: np.ndarray | None = None) -> np.ndarray:
    """The payoffs of seat 0 under perfect play, by all ends of the game, f64[N].

    Args:
      game: of any variables.
      random: the clauses that chance has drawn, as in the game's state, u16[N, 2, drawn]; N is 1
        without any.
    """
    ends = np.arange(2**game.variables).astype(np.uint16)
    moves, drawn = jnp.uint8(game.variables), jnp.uint8(3 * game.drawn)

    @jax.jit
    def payoffs(clauses: jax.Array | tuple[()]) -> jax.Array:
        return jax.vmap(lambda true: game.payoff(Assignment(true, moves, drawn, clauses)))(ends)

    value = np.stack([np.asarray(payoffs(one)) for one in ([()] if random is None else random)])
    for letter in game.quantifiers[::-1]:  # the last variable is the highest bit
        pair = value.reshape(len(value), 2, -1)
        value = pair.max(1) if letter == "E" else pair.min(1)
    return value[:, 0].astype(np.float64)


def is_true(quantifiers: str, clauses: Clauses, at: int = 1) -> bool:
    """A formula's truth value from its definition, the first open variable being `at`."""
    if not all(clauses):
        return False
    if not clauses:
        return True
    found = (
        is_true(
            quantifiers,
            [[k for k in clause if k != -made] for clause in clauses if made not in clause],
            at + 1,
        )
        for made in (at, -at)
    )
    return any(found) if quantifiers[at - 1] == "E" else all(found)


def drawn(rng: np.random.Generator, variables: int, count: int) -> Clauses:
    """Random clauses of three different variables, as chance draws them."""
    chosen = [rng.permutation(variables)[:3] + 1 for _ in range(count)]
    return [(clause * rng.choice([-1, 1], 3)).tolist() for clause in chosen]


def as_marks(formulas: Sequence[Clauses]) -> np.ndarray:
    """Formulas of equally many clauses as in the game's state, u16[N, 2, clauses]."""
    marks = np.zeros((len(formulas), 2, len(formulas[0])), np.uint16)
    for row, formula in zip(marks, formulas, strict=True):
        for k, clause in enumerate(formula):
            for literal in clause:
                row[int(literal < 0), k] |= 1 << abs(literal) - 1
    return marks


def spec(quantifiers: str, clauses: Clauses) -> str:
    """The name of a formula's game."""
    text = "; ".join(" ".join(map(str, clause)) for clause in clauses)
    return f"quantified_formula:quantifiers={quantifiers},clauses={text}"


def equality(size: int) -> tuple[str, Clauses]:
    """The equality formula of 3 · size variables, which is false: quantifiers and clauses.

    The universal variables copy the first existential ones. O. Beyersdorff, J. Blinkhorn and L.
    Hinde, Size, cost, and capacity, Logical Methods in Computer Science 15 (2019).
    """
    clauses: Clauses = []
    for k in range(1, size + 1):
        clauses += [[k, size + k, 2 * size + k], [-k, -size - k, 2 * size + k]]
    clauses.append([-2 * size - k for k in range(1, size + 1)])
    return "E" * size + "A" * size + "E" * size, clauses
