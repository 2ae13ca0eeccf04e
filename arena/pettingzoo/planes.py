"""Observations of an env as a network wants them: planes or a vector."""

import jax
import jax.numpy as jnp

from arena.pettingzoo.spec import EnvSpec


def as_planes(spec: EnvSpec, raw: jax.Array) -> jax.Array:
    """Planes f32[H, W, C], channels last, or a vector f32[N]; numbers at most 1 in size.

    Three axes are planes, with the channels on the first or the last axis, whichever leaves a
    board that is nearer to a square. Two axes of whole numbers are a board, with a plane for each
    value if they are few. The planes, or vectors, of a window of observations follow each other,
    the newest last.

    Args:
      spec: of the env.
      raw: of one position, [...] as the env gives it, or [K, ...], see `EnvSpec.window`.
    """
    if spec.window == 1:
        return _planes(spec, raw)
    return jnp.concatenate([_planes(spec, seen) for seen in raw], -1)


def _planes(spec: EnvSpec, raw: jax.Array) -> jax.Array:
    low, high = spec.low, spec.high
    axes = [size for size in spec.shape if size > 1]
    if len(spec.shape) == 3 and len(axes) >= 2:
        planes = jnp.moveaxis(raw, _channels(spec.shape), -1)
    elif spec.is_board:
        if spec.values:
            values = jnp.asarray(spec.values).astype(raw.dtype)
            return (raw[..., None] == values).astype(jnp.float32)
        planes = raw[..., None]
    else:
        planes = raw.reshape(-1)
    bound = max(abs(low), abs(high))
    scale = 1 / bound if 1 < bound < 1e6 else 1.0
    return planes.astype(jnp.float32) * jnp.float32(scale)


def _channels(shape: tuple[int, ...]) -> int:
    """Which of three axes counts the planes: the first if the others are more alike, else the last.

    Boards are as high as wide, or nearly; where both could be one, the last, as in PettingZoo's.
    """
    a, b, c = shape
    first, last = (max(pair) / min(pair) for pair in ((b, c), (a, b)))
    return 0 if 1.1 * first < last else 2
