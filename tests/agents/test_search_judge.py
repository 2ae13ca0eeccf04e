"""Every search obeys its judge, and nothing is proven by one that may be wrong."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents import mcts, search
from agents.nn import networks
from agents.nn.networks import MLPConfig
from agents.policies import SearchPolicy
from arena.judges.rules import Rules
from arena.types import Judge, stack
from games import Game
from tests.helpers.false_judge import Inverted

GAME = games.load("tic_tac_toe")
JUDGES = {"rules": Rules(GAME), "inverted": Inverted(GAME)}
NETWORK = MLPConfig(width=16, layers=1)
# X at a3 and b3, O at a2 and b2, X to move: c3 completes the top row. By the inverted judge c3
# loses, and so does everything else that does not make O complete the middle row.
LINE, WINNING = "a3 a2 b3 b2", "c3"


def _position() -> tuple[Any, int]:
    state = GAME.init()
    for text in LINE.split():
        state = GAME.step(state, jnp.int32(GAME.parse(state, text)))
    return jax.tree.map(lambda x: x[None], state), GAME.parse(state, WINNING)


def _uninformed(keys: jax.Array, states: Any) -> tuple[jax.Array, jax.Array]:
    return jnp.zeros((1, GAME.num_actions)), jnp.zeros(1)


def _by_recipe(recipe: str, judge: Judge, states: Any) -> search.PolicyOutput:
    common: dict[str, Any] = {"keys": jax.random.split(jax.random.key(0), 1), "simulations": 64}
    common |= {"noise": jnp.zeros((1, 9)), "judge": judge, "prove": True}
    if recipe == "gumbel":
        return search.gumbel(GAME, _uninformed, states, **common)
    gumbels = jnp.zeros((1, 9))
    return search.puct(GAME, _uninformed, states, gumbels=gumbels, noise_share=0.0, **common)


@pytest.mark.parametrize("recipe", ["gumbel", "puct"])
def test_recipes_obey_the_judge(recipe: str):
    states, winning = _position()
    right, wrong = (
        jax.jit(lambda s, j=judge: _by_recipe(recipe, j, s))(states) for judge in JUDGES.values()
    )
    assert right.move[0] == winning
    assert right.proven is not None
    assert bool(right.proven[0])
    assert wrong.move[0] != winning
    assert wrong.policy[0, winning] < right.policy[0, winning]
    assert wrong.proven is None  # though it was to prove what it could


def test_rollouts_obey_the_judge():
    states, winning = _position()
    keys = jax.random.split(jax.random.key(0), 1)
    moves = {
        name: int(jax.jit(mcts.MCTS(GAME, 200, judge=judge))((), keys, states).move[0])
        for name, judge in JUDGES.items()
    }
    assert moves["rules"] == winning
    assert moves["inverted"] != winning
    # The values of rollouts are the judge's, too, and not only those of ended games in the tree.
    _, right = mcts.MCTS(GAME, 1)._evaluate(keys, states)
    _, wrong = mcts.MCTS(GAME, 1, judge=JUDGES["inverted"])._evaluate(keys, states)
    np.testing.assert_array_equal(right, -wrong)


@pytest.mark.parametrize("name", ["gumbel", "puct"])
@pytest.mark.parametrize("explore", [False, True])
def test_policies_obey_the_judge(name: Any, explore: bool):
    states, winning = _position()
    states = jax.tree.map(lambda x: jnp.repeat(x, 32, 0), states)
    params = stack([networks.initialise(GAME, NETWORK, jax.random.key(0))])
    keys = jax.random.split(jax.random.key(0), 1)
    found = {}
    for who, judge in {**JUDGES, "default": None}.items():
        policy = SearchPolicy(GAME, NETWORK, 48, search=name, explore=explore, judge=judge)
        found[who] = jax.jit(policy)(params, keys, states)
    share = {who: float((decision.move == winning).mean()) for who, decision in found.items()}
    assert share["rules"] == share["default"] > 0.9
    assert share["inverted"] < 0.1
    if explore:
        assert found["rules"].aux.proven.mean() > 0.9
        assert not found["inverted"].aux.proven.any()


def test_a_game_without_chance_is_proven_by_the_rules_alone():
    """The kernel itself refuses to prove by a judge that is not exact."""
    states, _ = _position()

    def run(game: Game, judge: Judge) -> search.RootSummary:
        def select(edges: search.Edges) -> tuple[jax.Array, jax.Array]:
            return -edges.visits, jnp.full_like(edges.next_prior, jnp.inf)

        root = search.Root(jax.vmap(game.legal)(states).astype(jnp.float32), jnp.zeros(1))
        kernel = search.Kernel(game, judge, select, select, prove=True)
        keys = jax.random.split(jax.random.key(0), 1)
        return search.search(kernel, _uninformed, states, keys=keys, simulations=20, root=root)

    assert run(GAME, Rules(GAME)).edges.lower is not None
    assert run(GAME, Inverted(GAME)).edges.lower is None
