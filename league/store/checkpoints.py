"""Weights in a folder, through Orbax, or as objects in a store: written whole or not at all."""

import logging
import shutil
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from arena.digests import digest
from arena.errors import UserError
from arena.types import PyTree
from league.store.objects import Files, ObjectFiles

# Orbax reports every step of its work, and of its failures, which are told in one line here.
for _name in ("absl", "asyncio"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


def _quiet(unraisable: Any, others: Any = sys.unraisablehook) -> None:
    """Where one array is damaged, Orbax stops listening; what the other reads then say is noise."""
    if "Event loop is closed" not in str(unraisable.exc_value):
        others(unraisable)


sys.unraisablehook = _quiet

__all__ = ["FolderStore", "ObjectStore", "Store", "digest", "finite", "store"]


class Store(ABC):
    """Numbered pytrees."""

    @abstractmethod
    def title(self, number: int) -> str:
        """Where one lies, for messages."""

    @abstractmethod
    def save(self, number: int, tree: PyTree) -> None:
        """Writes a pytree of arrays.

        Raises:
          UserError: it cannot be written, say on a full disk.
        """

    @abstractmethod
    def numbers(self) -> list[int]:
        """What is there, in order."""

    @abstractmethod
    def drop_after(self, number: int) -> None:
        """Removes all that come after a number."""

    @abstractmethod
    def clear(self) -> None:
        """Removes all, and what a kill may have left."""

    @abstractmethod
    def close(self) -> None:
        """Ends what it keeps open."""

    @abstractmethod
    def _read(self, number: int, like: PyTree) -> PyTree:
        """A pytree of numpy arrays of this structure, whatever their shapes."""

    def load(self, number: int, like: PyTree) -> PyTree:
        """Reads a pytree of numpy arrays, shaped like the one given (arrays or shapes).

        Raises:
          UserError: it is not there, is damaged, or holds numbers that are not finite.
        """
        if number not in self.numbers():
            raise UserError(f"{self.title(number)} is not there")
        try:
            found = self._read(number, like)
            if _shapes(found) != _shapes(like):
                raise ValueError("its arrays have other shapes")
            if not finite(found):
                raise ValueError("it holds numbers that are not finite")
            return found
        except UserError:
            raise
        except Exception as error:  # Orbax and its storage raise many kinds for a damaged file
            raise UserError(f"{self.title(number)} is damaged: {_line(error)}") from None


def store(place: Path | str, name: str, keep: int | None = None) -> Store:
    """The numbered pytrees of a name.

    Args:
      place: a folder, or the URL of a store.
      name: below it.
      keep: how many to keep, the newest ones; None keeps all.
    """
    if isinstance(place, Path):
        return FolderStore(place / name, keep)
    return ObjectStore(ObjectFiles(place), name, keep)


class FolderStore(Store):
    """A folder of numbered pytrees.

    Args:
      folder: where they lie, `folder/NUMBER/` each.
      keep: how many to keep, the newest ones; None keeps all.
    """

    def __init__(self, folder: Path, keep: int | None = None):
        # Where several hosts compute together, one of them writes, and waits for no other.
        alone = ocp.options.MultiprocessingOptions(
            active_processes={jax.process_index()}, barrier_sync_key_prefix=str(folder)
        )
        options = ocp.CheckpointManagerOptions(
            max_to_keep=keep,
            enable_async_checkpointing=False,
            create=False,
            multiprocessing_options=alone,
        )
        self.folder = folder
        self._manager = ocp.CheckpointManager(folder.absolute(), options=options)

    def title(self, number: int) -> str:
        """As `Store.title`."""
        return str(self.folder / str(number))

    def save(self, number: int, tree: PyTree) -> None:
        """As `Store.save`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            # Numpy, since among several hosts Orbax takes other arrays for those of all.
            self._manager.save(number, args=ocp.args.StandardSave(jax.device_get(tree)))
        except Exception as error:  # Orbax and its storage raise many kinds
            raise UserError(
                f"{self.folder / str(number)} cannot be written: {_line(error)}"
            ) from None

    def numbers(self) -> list[int]:
        """As `Store.numbers`."""
        return sorted(self._manager.all_steps())

    def drop_after(self, number: int) -> None:
        """As `Store.drop_after`."""
        for later in self.numbers():
            if later > number:
                self._manager.delete(later)

    def clear(self) -> None:
        """As `Store.clear`."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._manager.reload()

    def _read(self, number: int, like: PyTree) -> PyTree:
        # Numpy, since Orbax gives other arrays back only to as many devices as they came from.
        target = jax.tree.map(lambda x: np.empty(x.shape, x.dtype), like)
        return self._manager.restore(number, args=ocp.args.StandardRestore(target))

    def close(self) -> None:
        """Ends the threads that Orbax keeps."""
        self._manager.close()


class ObjectStore(Store):
    """Numbered pytrees as objects, `NAME/NUMBER.npz` each.

    Args:
      files: where they lie.
      name: of the folder.
      keep: how many to keep, the newest ones; None keeps all.
    """

    def __init__(self, files: Files, name: str, keep: int | None = None):
        self._files, self._name, self._keep = files, name, keep

    def title(self, number: int) -> str:
        """As `Store.title`."""
        return self._files.title(self._file(number))

    def save(self, number: int, tree: PyTree) -> None:
        """As `Store.save`."""
        leaves = {
            jax.tree_util.keystr(path): np.asarray(leaf)
            for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
        }
        with self._files.writing(self._file(number)) as file:
            np.savez(file, allow_pickle=False, **leaves)
        if self._keep is not None:
            for older in self.numbers()[: -self._keep]:
                self._files.delete(self._file(older))

    def numbers(self) -> list[int]:
        """As `Store.numbers`."""
        names = [name.removesuffix(".npz") for name in self._files.names(self._name)]
        return sorted(int(name) for name in names if name.isdecimal())

    def drop_after(self, number: int) -> None:
        """As `Store.drop_after`."""
        for later in self.numbers():
            if later > number:
                self._files.delete(self._file(later))

    def clear(self) -> None:
        """As `Store.clear`."""
        self.drop_after(-1)

    def close(self) -> None:
        """As `Store.close`."""

    def _read(self, number: int, like: PyTree) -> PyTree:
        paths, tree = jax.tree_util.tree_flatten_with_path(like)
        with self._files.reading(self._file(number)) as file, np.load(file) as held:
            leaves = [held[jax.tree_util.keystr(path)] for path, _ in paths]
        return jax.tree.unflatten(tree, leaves)

    def _file(self, number: int) -> str:
        return f"{self._name}/{number}.npz"


def _shapes(tree: PyTree) -> PyTree:
    return jax.tree.map(lambda x: (x.shape, x.dtype), tree)


def _line(error: Exception) -> str:
    """What an error says: the end of its first line, where the storage names the cause."""
    return ": ".join(str(error).strip().partition("\n")[0].split(": ")[-2:])[-160:]


def finite(tree: PyTree) -> bool:
    """Whether all numbers of a pytree of arrays are finite."""
    return all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(tree))
