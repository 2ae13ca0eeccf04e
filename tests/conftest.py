"""For the whole suite: strict dtype promotion, and the CPU unless JAX_PLATFORMS says otherwise."""

import os
import signal

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax

jax.config.update("jax_numpy_dtype_promotion", "strict")
# A suite that was started in the background ignores Ctrl-C, and its children would do so too.
signal.signal(signal.SIGINT, signal.default_int_handler)
