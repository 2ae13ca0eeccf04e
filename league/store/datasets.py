"""Datasets on disk: what a generation's games gave a learner, `data/GEN.npz`."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from arena.errors import UserError
from arena.types import PyTree
from league.store import migrations
from league.store.files import replacing


def write(path: Path, data: PyTree) -> None:
    """Writes a dataset [N, ...], whole or not at all; arrays are named by their fields."""
    leaves = {
        jax.tree_util.keystr(place, simple=True, separator="."): np.asarray(leaf)
        for place, leaf in jax.tree_util.tree_leaves_with_path(data)
    }
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as file:
        np.savez(file, allow_pickle=False, **leaves)


def read(path: Path, template: PyTree) -> PyTree:
    """Reads a dataset of the template's structure.

    Raises:
      UserError: it is not there, or damaged.
    """
    places, tree = jax.tree_util.tree_flatten_with_path(template)
    names = [jax.tree_util.keystr(place, simple=True, separator=".") for place, _ in places]
    try:
        with np.load(path) as file:
            return jax.tree.unflatten(tree, [_array(file, name) for name in names])
    except FileNotFoundError:
        raise UserError(f"{path} is missing") from None
    except Exception as error:  # a cut zip file shows in many ways
        raise UserError(f"{path} is damaged: {error}") from None


def _array(file: Any, name: str) -> np.ndarray:
    found = next((old for old in migrations.old_names(name) if old in file), name)
    return file[found]
