"""How JAX is set up for this process: once, before anything is computed."""

import contextlib
import os
from pathlib import Path

import jax

from arena.errors import UserError, whole_number
from arena.shards import MOST_SHARDS


def prepare() -> None:
    """One XLA device for each CPU core; compiled programs are kept; dtypes are never promoted."""
    set_up_devices()
    jax.config.update("jax_numpy_dtype_promotion", "strict")


def set_up_devices() -> None:
    """One XLA device for each CPU core, so that all work; compiled programs are kept on disk.

    Where JAX has started already, the number of its devices stays as it is.

    Raises:
      UserError: `ARENA_CPU_DEVICES`, which may say how many, is no such number.
    """
    # Not every system tells which cores this process may use.
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    text = os.environ.get("ARENA_CPU_DEVICES", str(cores))
    devices = whole_number(text, 1, MOST_SHARDS)
    if devices is None:
        raise UserError(f"ARENA_CPU_DEVICES must be a number from 1 to {MOST_SHARDS}, not {text!r}")
    with contextlib.suppress(RuntimeError):
        jax.config.update("jax_num_cpu_devices", devices)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "arena"
    jax.config.update("jax_compilation_cache_dir", str(cache))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
