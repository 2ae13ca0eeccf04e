"""How work is split into shards, so that no result depends on how many devices there are.

A batch is split into a fixed number of equal shards, each of which one device computes by a program
of one shape. With fewer devices they take turns; more devices than shards are of no use.
"""

import jax

SHARDS = 2
"""Shards where nothing else is said; a run's own number is a setting of it."""
MOST_SHARDS = 1024


def fitting(count: int, shards: int) -> int:
    """The largest number of equal shards of `count` things that is no more than `shards`."""
    return max(n for n in range(1, shards + 1) if count % n == 0)


def at_once(shards: int) -> int:
    """How many shards are computed at once, each on a device of its own; it divides them."""
    return fitting(shards, min(shards, jax.local_device_count()))
