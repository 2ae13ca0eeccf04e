"""Datasets on disk: what a generation's games gave a learner, `data/GEN.npz`."""

from typing import Any

import jax
import numpy as np

from arena.digests import nested
from arena.errors import UserError
from arena.types import PyTree
from league.store import migrations
from league.store.checkpoints import digest
from league.store.objects import Files


def write(files: Files, name: str, data: PyTree) -> str:
    """Writes a dataset [N, ...], whole or not at all; arrays are named by their fields.

    Returns:
      the SHA-256 of its arrays and their names, for `read`.

    Raises:
      UserError: it cannot be written.
    """
    leaves = named(data)
    with files.writing(name) as file:
        np.savez(file, allow_pickle=False, **leaves)
    return digest(leaves)


def named(data: PyTree) -> dict[str, np.ndarray]:
    """The arrays of a pytree by their places, as in `state.board`."""
    return {
        jax.tree_util.keystr(place, simple=True, separator="."): np.asarray(leaf)
        for place, leaf in jax.tree_util.tree_leaves_with_path(data)
    }


def read(files: Files, name: str, template: PyTree, sha: str | None = None) -> PyTree:
    """Reads a dataset of the template's structure.

    Args:
      files: of the run.
      name: of the file.
      template: a dataset whose leaves are of no account.
      sha: what `write` has returned, if it is known.

    Raises:
      UserError: it is not there, or damaged, or another than was written.
    """
    arrays = _arrays(files, name)
    places, tree = jax.tree_util.tree_flatten_with_path(template)
    names = [jax.tree_util.keystr(place, simple=True, separator=".") for place, _ in places]
    try:
        if sha is not None and digest(arrays) != sha:
            raise ValueError("wrong digest")
        leaves = [_array(arrays, name) for name in names]
        if len({np.shape(leaf)[:1] for leaf in leaves}) != 1 or not leaves[0].shape:
            raise ValueError("its arrays have other shapes")
        return jax.tree.unflatten(tree, leaves)
    except ValueError as error:
        raise UserError(f"{files.title(name)} is damaged: {error}") from None


def read_tree(files: Files, name: str) -> dict[str | int, Any]:
    """Reads a nested dict of arrays that `write` has written.

    Raises:
      UserError: it is not there, or damaged.
    """
    return nested(_arrays(files, name))


def _arrays(files: Files, name: str) -> dict[str, np.ndarray]:
    try:
        with files.reading(name) as whole, np.load(whole) as file:  # a cut one it leaves open
            return dict(file)
    except FileNotFoundError:
        raise UserError(f"{files.title(name)} is missing") from None
    except UserError:
        raise
    except Exception as error:  # a cut zip file shows in many ways
        raise UserError(f"{files.title(name)} is damaged: {error}") from None


def _array(arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    found = next((old for old in migrations.old_names(name) if old in arrays), name)
    if found not in arrays:
        raise ValueError(f"it lacks the array {name}")
    return arrays[found]
