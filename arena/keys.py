"""Randomness belongs to what it is for: keys folded from names and numbers."""

import zlib

import jax


def fold(key: jax.Array, *parts: str | int) -> jax.Array:
    """A key of its own for each sequence of names and numbers; names count by their CRC-32."""
    for part in parts:
        number = zlib.crc32(part.encode()) if isinstance(part, str) else part
        key = jax.random.fold_in(key, number)
    return key
