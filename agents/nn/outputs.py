"""What a network, or any other evaluator, answers: made fit for play, whatever it is."""

import jax
import jax.numpy as jnp

_LARGEST = 1e30
"""Of logits: differences and sums of some are still finite, and far above an illegal move's."""


def playable_logits(logits: jax.Array) -> jax.Array:
    """Logits f32[...] that are finite: 0 for NaN, and at most 1e30 in size.

    Which moves are legal must not depend on what a network says, and NaN or infinity would hide it.
    Logits that are in these bounds are not changed.
    """
    return _bounded(logits, _LARGEST)


def playable_value(value: jax.Array) -> jax.Array:
    """Values f32[...] in [-1, 1], as payoffs are: 0 for NaN."""
    return _bounded(value, 1.0)


def _bounded(x: jax.Array, size: float) -> jax.Array:
    return jnp.where(jnp.isnan(x), 0.0, jnp.clip(x, -size, size))
