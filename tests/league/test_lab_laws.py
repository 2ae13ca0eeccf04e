"""What experiments of the laboratory compute by themselves, against what is known."""

import math
from dataclasses import dataclass
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from arena.evaluation import solver
from arena.types import Agent, Decision, Params, State
from games.nim import Nim
from games.prover_delayer import ProverDelayer
from games.quantified_formula import QuantifiedFormula
from league.lab.experiments import _best_of_n as law
from league.lab.experiments import _logic as logic
from league.lab.experiments import _nim as nim
from league.lab.experiments._guarantee import guaranteed
from league.lab.experiments._judged_loop import Point, log_odds
from league.lab.experiments.over_optimisation import best_distance, downturn


def test_best_of_n_under_a_normal_error():
    """Mean of the largest of n standard normals, over √2: C is N(0, 2), and gold half of it."""
    # N. Teichroew, Annals of Mathematical Statistics 27 (1956): 1.42360 for n = 8.
    found = law.expected_gold("normal", np.array([1, 2, 8]))
    assert found == pytest.approx([0, 1 / math.sqrt(2 * math.pi), 1.42360 / math.sqrt(2)], abs=1e-4)


def test_samples_are_weighed_as_the_integral_has_it():
    numbers = np.array([1, 4, 16])
    found = law.measured_gold("student", numbers, np.random.default_rng(0), 2**15)
    assert found == pytest.approx(law.expected_gold("student", numbers), abs=0.06)


@pytest.mark.parametrize(
    ("kind", "gold", "peak"),
    [
        ("best", lambda d: d * (3 - d), 1.5),
        ("learning", lambda d: d * (1 - 0.8 * np.log(d)), math.exp(1 / 0.8 - 1)),
        ("best", lambda d: d * (3 + d), math.inf),
        ("best", lambda d: d * (30 - d), math.inf),
    ],
)
def test_the_fit_finds_the_best_distance(kind, gold, peak):
    d = np.linspace(0.1, 3, 12)
    points = [
        Point(0.0, 0.5, 0.0),
        *(Point(x, y + 0.5, 0.0) for x, y in zip(d, gold(d), strict=True)),
    ]
    assert best_distance(points, kind) == pytest.approx(peak)


def test_a_downturn_is_that_of_the_end():
    points = [Point(0.0, gold, 0.0) for gold in (0.0, 1.0, 3.0, 3.0, 1.0, 1.0)]
    assert downturn(points) == 2
    assert downturn(points[:4]) == 0


def test_log_odds_are_finite():
    assert log_odds(5, 10) == 0
    assert log_odds(10, 10) == pytest.approx(math.log(21))


def test_nims_theorem_is_what_backward_induction_finds():
    game = Nim("1 2 4")
    solution = solver.solve(game)
    known = nim.truth(game, nim.piles_of(solution.states))
    assert (known.won == (solution.value == 1)).all()
    assert (known.winning[known.won] == solution.optimal[known.won]).all()
    legal = np.asarray(jax.vmap(game.legal)(solution.states))
    assert (known.legal == legal).all()


def test_all_positions_of_nim():
    """Of heaps 1, 3, 5, 7, 9 all but the empty one: 3,839, 90.0 % of them won."""
    game = Nim("1 3 5 7 9")
    piles = nim.every(game)
    known = nim.truth(game, piles)
    assert len(piles) == 2 * 4 * 6 * 8 * 10 - 1
    # The paper's tables (arXiv:2205.12787) give 90.0 %.
    assert known.won.mean() == pytest.approx(0.900, abs=5e-4)
    assert len(nim.some(game, 100)) == 100


def test_lessons_are_the_theorem():
    game = Nim("1 2 3")
    piles = nim.every(game)
    data, known = nim.lessons(game, piles), nim.truth(game, piles)
    assert data.search_target.policy.sum(1) == pytest.approx(1)
    assert (data.outcome > 0).tolist() == known.won.tolist()
    # Of the losing positions with several moves all are taught alike: (1, 2, 3) has six.
    first = int(np.flatnonzero((piles == [1, 2, 3]).all(1))[0])
    assert sorted(set(data.search_target.policy[first].tolist())) == pytest.approx([0, 1 / 6])


@dataclass(frozen=True)
class Least:
    """Always the legal move of the least number."""

    game: Nim

    def __call__(self, params: Params, keys: jax.Array, states: State) -> Decision:
        return Decision(jnp.argmax(jax.vmap(self.game.legal)(states), -1).astype(jnp.int32))


@dataclass(frozen=True)
class Bouton(Least):
    """A move after which the nim-sum is 0, the least if there is none."""

    def __call__(self, params: Params, keys: jax.Array, states: State) -> Decision:
        def good(state: State) -> jax.Array:
            after = jax.vmap(self.game.step, (None, 0))(state, jnp.arange(self.game.num_actions))
            even = after.piles[0] == after.piles[1]
            return jnp.where(self.game.legal(state), jnp.where(even, 2, 1), 0)

        return Decision(jnp.argmax(jax.vmap(good)(states), -1).astype(jnp.int32))


def test_what_a_player_is_sure_of():
    game = Nim("2 3")
    # 2, 3 is won for who begins, by Bouton's moves; not by taking one from the first pile.
    for policy, payoffs in ((Least(game), (-1, -1)), (Bouton(game), (1, -1))):
        agent = Agent("fixed", policy, jnp.zeros(0))
        found = [guaranteed(game, agent, seat) for seat in (0, 1)]
        assert tuple(one.payoff for one in found) == payoffs
    # It moves in 2, 3; after 2, 2 in 1, 2 and 0, 2, after 1, 1 in 0, 1, and in their mirror images.
    assert found[0].positions == 7


@pytest.mark.parametrize("holes", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_points_of_delayer_rest_on_the_answers_alone(holes: int):
    # Sets of answers that contradict nothing: a hole has one pigeon or none that is known of; of a
    # pigeon that is known to sit somewhere the rest is free, of any other it is not all known.
    open_sets = sum(
        math.prod(
            2 ** (holes - sits.count(pigeon)) - (pigeon not in sits) for pigeon in range(holes + 1)
        )
        for sits in product(range(-1, holes + 1), repeat=holes)
    )
    assert logic.delayer_points(ProverDelayer(holes)) == (holes, open_sets)


def test_winners_of_formulas_are_their_truth_value():
    quantifiers, clauses = logic.equality(2)
    assert not logic.is_true(quantifiers, clauses)
    assert logic.winners(QuantifiedFormula()) == -1
    rng = np.random.default_rng(0)
    formulas = [logic.drawn(rng, 5, 8) for _ in range(40)]
    found = logic.winners(QuantifiedFormula("EAEAE", "", drawn=8), logic.as_marks(formulas))
    truth = [logic.is_true("EAEAE", formula) for formula in formulas]
    assert 5 < sum(truth) < 35
    assert (found > 0).tolist() == truth
