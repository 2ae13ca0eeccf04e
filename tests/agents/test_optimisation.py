"""What becomes of gradients."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents.learners import alphazero, optimisation
from agents.nn import networks

GAME = games.load("tic_tac_toe")
RATES = alphazero.AlphaZeroConfig(weight_decay=0.0)


@pytest.mark.parametrize(
    ("game", "network", "inner", "last"),
    [
        ("tic_tac_toe", networks.ResNetConfig(16, 1), ("blocks", 0, "first"), ("move",)),
        ("kuhn_poker", networks.MLPConfig(16, 2), ("hidden", 1), ("outcome",)),
    ],
)
def test_muon_turns_every_direction_by_as_much(
    game: str, network: networks.NetworkConfig, inner: tuple, last: tuple
):
    initialise = partial(networks.initialise, games.load(game), network)
    shapes, form = jax.tree.flatten(jax.eval_shape(initialise, jax.random.key(0)))
    rng = np.random.default_rng(0)
    params, grads = (
        form.unflatten([jnp.asarray(rng.normal(0, 1, x.shape), "f") for x in shapes])
        for _ in range(2)
    )
    with jax.numpy_dtype_promotion("standard"):
        optimiser = optimisation.muon(RATES)
        steps, _ = optimiser.update(grads, optimiser.init(params), params)

    def step(path: tuple) -> np.ndarray:
        found: Any = steps
        for name in path:
            found = found[name]
        return np.asarray(found["kernel"])

    matrix = step(inner).reshape(-1, 16)
    stretched = np.linalg.svd(matrix, compute_uv=False) / np.sqrt(max(matrix.shape))
    # Five steps of Newton and Schulz bring all singular values near to 1; 0.2 is Adam's usual step.
    assert stretched.min() > 0.2 * 0.6
    assert stretched.max() < 0.2 * 1.3
    assert np.ptp(np.abs(step(last))) < 0.02  # Adam's first step is as long for all


@dataclass(frozen=True)
class Explodes(optimisation.Objective):
    """Its loss is finite for small weights only."""

    def prepare(self, rows: Any, key: jax.Array) -> Any:
        return rows

    def loss(self, params: Any, batch: Any, progress: jax.Array) -> tuple[jax.Array, dict]:
        return jnp.exp(params["w"] ** 2) + 0 * batch.sum(), {}


@pytest.mark.parametrize(("rate", "finite"), [(1e-3, True), (1e9, False)])
def test_weights_that_the_last_step_broke_are_told_by_the_loss(rate: float, finite: bool):
    objective = Explodes(
        GAME, alphazero.AlphaZeroConfig(batch_size=4, learning_rate=rate, shards=1)
    )
    state = optimisation.init(
        objective, {"w": jnp.float32(1)}
    )  # Adam steps by the rate: to 1 - rate
    state, losses = optimisation.fit(
        objective, state, np.zeros(4, np.float32), fresh=1, progress=0.0, key=jax.random.key(0)
    )
    assert np.isfinite(state.params["w"])
    assert np.isfinite(losses["loss"]) == finite


def test_what_is_said_of_illegal_moves_counts_for_nothing():
    logits = jnp.array([[1.0, 50.0, 0.0], [0.0, 0.0, -70.0]])
    legal = jnp.array([[True, False, True], [True, True, True]])
    policy = jnp.array([[0.25, 0.0, 0.75], [0.5, 0.5, 0.0]])
    found = optimisation.cross_entropy(logits, legal, policy)
    log_probs = np.log(np.exp([1.0, 0.0]) / np.exp([1.0, 0.0]).sum())
    np.testing.assert_allclose(found, [-log_probs @ [0.25, 0.75], np.log(2)], rtol=1e-6)
    steps = jax.grad(lambda x: optimisation.cross_entropy(x, legal, policy).sum())(logits)
    assert steps[0, 1] == 0.0
    assert jnp.isfinite(steps).all()
