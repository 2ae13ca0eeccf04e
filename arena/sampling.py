"""Choosing a legal move at random, and the bits that decide."""

import jax
import jax.numpy as jnp

from arena.types import State


def uniform_move(key: jax.Array, legal: jax.Array) -> jax.Array:
    """A legal move each, all equally likely: bool[B, A] to i32[B]."""
    return choose(jax.random.uniform(key, legal.shape[:-1]), legal)


def choose(draw: jax.Array, legal: jax.Array) -> jax.Array:
    """The legal move at a point of the unit interval: f32[...] and bool[..., A] to i32[...]."""
    words = _pack(legal)
    counts = [jax.lax.population_count(word).astype(jnp.int32) for word in words]
    count = sum(counts[1:], counts[0])
    nth = jnp.floor(draw * count.astype(jnp.float32)).astype(jnp.int32)
    nth = jnp.minimum(nth, count - 1)  # a product may round up to count
    # The word in which it lies, then the bit.
    word, at, before, seen = words[0], jnp.zeros_like(nth), jnp.zeros_like(nth), counts[0]
    for k in range(1, len(words)):
        beyond = nth >= seen
        word, at, before = (
            jnp.where(beyond, new, old)
            for new, old in ((words[k], word), (32 * k, at), (seen, before))
        )
        seen = seen + counts[k]
    return at + _nth_bit(word, nth - before)


def _pack(flags: jax.Array) -> list[jax.Array]:
    """Bits 0 to 31, 32 to 63, … of bool[..., A] as u32[...] each."""
    words = []
    # Word by word: padding to whole words would keep XLA from vectorising what made the flags.
    for at in range(0, flags.shape[-1], 32):
        part = flags[..., at : at + 32].astype(jnp.uint32)
        bits = jnp.arange(part.shape[-1], dtype=jnp.uint32)
        words.append((part << bits).sum(-1, dtype=jnp.uint32))
    return words


def _nth_bit(word: jax.Array, nth: jax.Array) -> jax.Array:
    """Where in u32[...] the set bit number i32[...] is, counted from 0 at the low end."""
    at = jnp.zeros_like(nth)
    for width in (16, 8, 4, 2, 1):
        low = word & jnp.uint32((1 << width) - 1)
        count = jax.lax.population_count(low).astype(jnp.int32)
        beyond = nth >= count
        word = jnp.where(beyond, word >> width, low)
        nth = jnp.where(beyond, nth - count, nth)
        at = jnp.where(beyond, at + width, at)
    return at


def mix(bits: jax.Array) -> jax.Array:
    """A hash of u32[...], one to one: lowbias32 of nullprogram.com/blog/2018/07/31."""
    bits = (bits ^ bits >> 16) * jnp.uint32(0x7FEB352D)
    bits = (bits ^ bits >> 15) * jnp.uint32(0x846CA68B)
    return bits ^ bits >> 16


def unit(bits: jax.Array) -> jax.Array:
    """Random bits u32[...] as a point of the unit interval, f32[...], below 1."""
    return (bits >> 8).astype(jnp.float32) * jnp.float32(2**-24)


def game_numbers(keys: jax.Array, numbers: jax.Array) -> jax.Array:
    """Numbers u32[G, N] that tell games apart: those numbered i32[G, N] of matches under keys [G].

    Two games share one with a probability of 2⁻³², whatever match, generation or run they are of.
    """
    words = jax.random.key_data(keys)
    match = jnp.zeros(len(words), jnp.uint32)
    for at in range(words.shape[1]):
        match = mix(match ^ words[:, at] ^ jnp.uint32(0x9E3779B9))
    return mix(match[:, None] ^ mix(numbers.astype(jnp.uint32) + jnp.uint32(1)))


def fingerprint(states: State) -> jax.Array:
    """A hash u32[B] of positions [B, ...], the same on every device."""
    leaves = [leaf.reshape(leaf.shape[0], -1) for leaf in jax.tree.leaves(states)]
    words = jnp.concatenate([_words(leaf) for leaf in leaves], 1)
    # Each word is hashed together with where it stands, so that the order may be lost.
    place = mix(jnp.arange(words.shape[1], dtype=jnp.uint32) + jnp.uint32(1))
    return mix(mix(words ^ place).sum(1, dtype=jnp.uint32))


def _words(leaf: jax.Array) -> jax.Array:
    """Numbers [B, N] as u32[B, N], different ones as different words."""
    if leaf.dtype == jnp.float32:
        return jax.lax.bitcast_convert_type(leaf, jnp.uint32)
    return leaf.astype(jnp.uint32)
