"""What becomes of gradients."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents.learners import alphazero, optimisation
from agents.nn import networks

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
