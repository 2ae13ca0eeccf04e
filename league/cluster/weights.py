"""Weights that an actor keeps in memory, and what it cost to fetch them."""

import time
from collections import OrderedDict
from collections.abc import Callable

import jax

from arena.types import Params

_KEPT = 32


class WeightsInMemory:
    """The weights that were used last, by their digests.

    Attributes:
      bytes: fetched since they were last asked for, by `spent`.
      seconds: that this took.
    """

    def __init__(self):
        self._kept: OrderedDict[str, Params] = OrderedDict()
        self.bytes, self.seconds = 0, 0.0

    def find(self, digest: str, fetch: Callable[[], Params]) -> Params:
        """Weights by their digest, fetched if they are not there."""
        if digest not in self._kept:
            began = time.monotonic()
            self._kept[digest] = fetch()
            self.seconds += time.monotonic() - began
            self.bytes += sum(leaf.nbytes for leaf in jax.tree.leaves(self._kept[digest]))
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(digest)
        return self._kept[digest]

    def spent(self) -> tuple[int, float]:
        """Bytes and seconds since the last call."""
        found = self.bytes, self.seconds
        self.bytes, self.seconds = 0, 0.0
        return found
