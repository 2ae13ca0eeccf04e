"""Judges whose code runs outside the device, called from compiled programs."""

import sys
import threading
import time
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import jax
import jax.numpy as jnp
import numpy as np

from arena import extensions
from arena.errors import UserError
from arena.types import Judge, PyTree, State

_PATIENCE = 10.0
"""Seconds after which it is told on stderr what is waited for, and again after twice as many."""
_SECONDS: dict[Judge, float] = defaultdict(float)
_POSITIONS: dict[Judge, int] = defaultdict(int)
_FAULTS: dict[Judge, str] = {}


class HostedJudge(Judge):
    """A judge by a function of numpy arrays; only what is wanted is given to it.

    A fault of it cannot leave a compiled program: the verdicts are 0 then, and `check` raises.
    """

    @property
    def title(self) -> str:
        """What it is called where somebody waits for it."""
        return type(self).__name__.lower()

    def prepare(self, states: State) -> PyTree:
        """What `judge_on_host` is given of positions [B, ...], arrays [B, ...]; compiled."""
        return states

    @abstractmethod
    def judge_on_host(self, given: PyTree) -> np.ndarray:
        """Verdicts f32[N] in [-1, 1], N at least 1; it may call nothing of JAX.

        Args:
          given: what `prepare` made of N positions, numpy arrays [N, ...].

        Raises:
          UserError: it has none; what else it raises is told of in one line, too.
        """

    def verdict(self, finals: State) -> jax.Array:
        """See `Judge`."""
        return self.verdicts_where(jnp.ones(len(jax.tree.leaves(finals)[0]), bool), finals)

    def verdicts_where(self, wanted: jax.Array, states: State) -> jax.Array:
        """See `Judge`; nothing is asked if no verdict is wanted."""
        shape = jax.ShapeDtypeStruct(wanted.shape, jnp.float32)

        def ask(wanted: jax.Array, given: PyTree) -> jax.Array:
            return jax.pure_callback(self._asked, shape, wanted, given)

        def nothing(wanted: jax.Array, given: PyTree) -> jax.Array:
            return jnp.zeros(wanted.shape, jnp.float32)

        return jax.lax.cond(wanted.any(), ask, nothing, wanted, self.prepare(states))

    def seconds_spent(self) -> float:
        """See `Judge`."""
        return _SECONDS[self]

    def positions_judged(self) -> int:
        """See `Judge`."""
        return _POSITIONS[self]

    def check(self) -> None:
        """See `Judge`."""
        if fault := _FAULTS.pop(self, ""):
            raise UserError(fault)

    def _asked(self, wanted: np.ndarray, given: PyTree) -> np.ndarray:
        wanted, given = jax.tree.map(np.asarray, (wanted, given))
        found, began = np.zeros(wanted.shape, np.float32), time.monotonic()
        if self not in _FAULTS and wanted.any():
            _POSITIONS[self] += int(wanted.sum())
            try:
                with _telling(self.title, int(wanted.sum())):
                    found[wanted] = self.judge_on_host(jax.tree.map(lambda x: x[wanted], given))
            except UserError as error:
                _FAULTS[self] = str(error)
            except Exception as error:
                _FAULTS[self] = f"the judge raises {extensions.reason(error)}"
        _SECONDS[self] += time.monotonic() - began
        return found


@contextmanager
def _telling(title: str, positions: int) -> Iterator[None]:
    """Around a call: tells on stderr what is waited for, if that takes long."""
    done = threading.Event()

    def tell() -> None:
        wait, waited = _PATIENCE, 0.0
        while not done.wait(wait - waited):
            of = f"{positions} position{'s' * (positions != 1)}"
            _say(f"waiting for the judge {title}: {of}, {wait:g} s so far")
            wait, waited = 2 * wait, wait

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
