"""The Ehrenfeucht-Fraïssé game: the theorem on linear orders, pairs, and who must answer where."""

from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest

import games
from arena.evaluation.solver import solve
from games import OVER
from games.ehrenfeucht_fraisse import EhrenfeuchtFraisse


def _fits(pairs: frozenset[tuple[int, int]]) -> bool:
    return all((a < c) == (b < d) and (a == c) == (b == d) for a, b in pairs for c, d in pairs)


@cache
def _duplicator_wins(
    sizes: tuple[int, int], pairs: frozenset[tuple[int, int]], rounds: int
) -> bool:
    """By trying everything, on pairs of elements."""
    if not _fits(pairs):
        return False
    if not rounds:
        return True
    a, b = range(sizes[0]), range(sizes[1])
    asked = [[(x, y) for y in b] for x in a] + [[(x, y) for x in a] for y in b]
    return all(
        any(_duplicator_wins(sizes, pairs | {answer}, rounds - 1) for answer in answers)
        for answers in asked
    )


def test_the_theorem_is_what_trying_everything_finds():
    # L. Libkin 2004, theorem 3.6: equal sizes, or both at least 2^rounds - 1.
    sizes = [(m, k, n) for n in (1, 2) for m in range(1, 6) for k in range(1, 6)]
    for m, k, n in [*sizes, (6, 7, 3), (7, 8, 3), (6, 6, 3)]:
        wins = _duplicator_wins((m, k), frozenset(), n)
        assert wins == (m == k or min(m, k) >= 2**n - 1)
        assert wins == EhrenfeuchtFraisse(m, k, n).alike


@pytest.mark.parametrize(
    ("first", "second", "rounds"),
    [
        pytest.param(2, 3, 2),
        pytest.param(3, 5, 2, marks=pytest.mark.slow),
        pytest.param(6, 7, 3, marks=pytest.mark.slow),
        pytest.param(6, 6, 3, marks=pytest.mark.slow),
        pytest.param(9, 7, 3, marks=pytest.mark.slow),
    ],
)
def test_the_rules_have_the_value_of_the_theorem(first: int, second: int, rounds: int):
    game = EhrenfeuchtFraisse(first, second, rounds)
    assert solve(game).value[0] == (-1 if game.alike else 1)


def test_marks_and_answers():
    game = games.load("ehrenfeucht_fraisse:first=3,second=4,rounds=3")
    state = game.init()
    for label in ("A2", "B3"):
        state = game.step(state, jnp.int32(game.parse(state, label)))
    state = game.step(state, jnp.int32(game.parse(state, "b1")))
    assert game.mover(state) == 1
    assert game.show(state).splitlines() == ["A  . a .", "B  ? . a .", "round 2 of 3"]
    with pytest.raises(ValueError, match=r"^the answer must be an element of order A$"):
        game.parse(state, "B2")
    # Left of the third element of B is left of the second one of A.
    ends = [game.step(state, jnp.int32(move)) for move in range(3)]
    assert [int(game.mover(end)) for end in ends] == [0, OVER, OVER]
    assert [float(game.payoff(end)) for end in ends] == [0, 1, 1]
    seen = np.asarray(game.observe(state, jnp.int32(1)))
    pair, none, asked = [0, 1, 0, 0, 0, 1, 0], [0] * 7, [0, 0, 0, 1, 0, 0, 0]
    assert seen.tolist() == [*pair, *none, *none, *asked, 0, 1, 0]


@pytest.mark.parametrize("options", ["first=0", "second=17", "rounds=0", "rounds=9"])
def test_options_are_checked(options: str):
    with pytest.raises(ValueError, match=r"^ehrenfeucht_fraisse: \w+ must lie between 1 and \d+"):
        games.load(f"ehrenfeucht_fraisse:{options}")
