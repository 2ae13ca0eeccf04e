"""Pytrees of arrays as files hold them: what they hold in one text, and their places in names."""

import hashlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from arena.types import PyTree


def digest(tree: PyTree) -> str:
    """SHA-256 over all arrays of a pytree, with their places, types and shapes."""
    total = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        array = np.ascontiguousarray(leaf)
        total.update(f"{jax.tree_util.keystr(path)} {array.dtype} {array.shape}".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def nested(arrays: Mapping[str, np.ndarray]) -> dict[str | int, Any]:
    """A nested dict of arrays whose places are in their names, as in `layers.0.kernel`."""
    tree: dict[str | int, Any] = {}
    for name, array in arrays.items():
        *parents, last = [int(key) if key.isdecimal() else key for key in name.split(".")]
        place = tree
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = array
    return tree
