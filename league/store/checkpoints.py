"""Weights on disk, through Orbax: written whole or not at all."""

import logging
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from arena.digests import digest
from arena.errors import UserError
from arena.types import PyTree

# Orbax reports every step of its work, and of its failures, which are told in one line here.
for _name in ("absl", "asyncio"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


def _quiet(unraisable: Any, others: Any = sys.unraisablehook) -> None:
    """Where one array is damaged, Orbax stops listening; what the other reads then say is noise."""
    if "Event loop is closed" not in str(unraisable.exc_value):
        others(unraisable)


sys.unraisablehook = _quiet

__all__ = ["Store", "digest", "finite"]


class Store:
    """A folder of numbered pytrees.

    Args:
      folder: where they lie, `folder/NUMBER/` each.
      keep: how many to keep, the newest ones; None keeps all.
    """

    def __init__(self, folder: Path, keep: int | None = None):
        options = ocp.CheckpointManagerOptions(
            max_to_keep=keep, enable_async_checkpointing=False, create=False
        )
        self.folder = folder
        self._manager = ocp.CheckpointManager(folder.absolute(), options=options)

    def save(self, number: int, tree: PyTree) -> None:
        """Writes a pytree of arrays.

        Raises:
          UserError: it cannot be written, say on a full disk.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._manager.save(number, args=ocp.args.StandardSave(tree))
        except Exception as error:  # Orbax and its storage raise many kinds
            raise UserError(
                f"{self.folder / str(number)} cannot be written: {_line(error)}"
            ) from None

    def numbers(self) -> list[int]:
        """What is there, in order."""
        return sorted(self._manager.all_steps())

    def drop_after(self, number: int) -> None:
        """Removes all that come after a number."""
        for later in self.numbers():
            if later > number:
                self._manager.delete(later)

    def load(self, number: int, like: PyTree) -> PyTree:
        """Reads a pytree of numpy arrays, shaped like the one given (arrays or shapes).

        Numpy, since Orbax gives other arrays back only to as many devices as they came from.

        Raises:
          UserError: it is not there, is damaged, or holds numbers that are not finite.
        """
        if number not in self.numbers():
            raise UserError(f"{self.folder / str(number)} is not there")
        try:
            target = jax.tree.map(lambda x: np.empty(x.shape, x.dtype), like)
            found = self._manager.restore(number, args=ocp.args.StandardRestore(target))
            if _shapes(found) != _shapes(like):
                raise ValueError("its arrays have other shapes")
            if not finite(found):
                raise ValueError("it holds numbers that are not finite")
            return found
        except Exception as error:  # Orbax and its storage raise many kinds for a damaged file
            raise UserError(f"{self.folder / str(number)} is damaged: {_line(error)}") from None

    def close(self) -> None:
        """Ends the threads that Orbax keeps."""
        self._manager.close()


def _shapes(tree: PyTree) -> PyTree:
    return jax.tree.map(lambda x: (x.shape, x.dtype), tree)


def _line(error: Exception) -> str:
    """What an error says: the end of its first line, where the storage names the cause."""
    return ": ".join(str(error).strip().partition("\n")[0].split(": ")[-2:])[-160:]


def finite(tree: PyTree) -> bool:
    """Whether all numbers of a pytree of arrays are finite."""
    return all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(tree))
