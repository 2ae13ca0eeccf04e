"""How JAX is set up for this process: once, before anything is computed."""

import os
from pathlib import Path

import jax


def prepare() -> None:
    """One XLA device per CPU core, so that both work; compiled programs are kept for next time.

    The number of CPU devices is settled here because the parts of a batch, and so the last bit of
    a sum, depend on it.
    """
    # Not every system tells which cores this process may use.
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    jax.config.update("jax_num_cpu_devices", int(os.environ.get("ARENA_CPU_DEVICES", cores)))
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "arena"
    jax.config.update("jax_compilation_cache_dir", str(cache))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_numpy_dtype_promotion", "strict")
