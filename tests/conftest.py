"""For the whole suite: strict dtype promotion, and the CPU unless JAX_PLATFORMS says otherwise."""

import gc
import os
import signal
from pathlib import Path

import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax

jax.config.update("jax_numpy_dtype_promotion", "strict")
# A suite that was started in the background ignores Ctrl-C, and its children would do so too.
signal.signal(signal.SIGINT, signal.default_int_handler)

_MAPS = Path("/proc/self/maps")
_MOST_MAPS = 30_000
"""Memory maps of a process, half of what Linux grants one. A compiled program has a dozen or more,
and XLA dies without a word when there are no more."""


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Between two files, lets go of compiled programs where there are very many."""
    if (nextitem and nextitem.path == item.path) or not _MAPS.exists():
        return
    if _MAPS.read_bytes().count(b"\n") > _MOST_MAPS:
        jax.clear_caches()
        gc.collect()
