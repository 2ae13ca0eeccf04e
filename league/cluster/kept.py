"""What a cluster shares through a run's store while a generation is under way.

Weights that requests name are `weights/DIGEST.npz`, results that have come
`requests/GENERATION-KEY.npz`: who resumes a run does not have them played again.
"""

from collections.abc import Callable, Collection
from pathlib import Path

import jax
import numpy as np

from arena.digests import digest
from arena.errors import UserError
from arena.play.record import Played
from arena.types import Params, PyTree
from league.store.objects import Files
from league.training.requests import Request, Result

_WEIGHTS, _RESULTS = "weights", "requests"


class KeptWeights:
    """Weights by their digests.

    Args:
      files: of the run.
    """

    def __init__(self, files: Files):
        self._files = files

    def write(self, sha: str, params: Params) -> None:
        """Writes weights, unless they are there."""
        if not self._files.exists(_name(_WEIGHTS, sha)):
            _write(self._files, _name(_WEIGHTS, sha), params)

    def read(self, sha: str, like: PyTree) -> Params:
        """Reads weights.

        Raises:
          UserError: they are not there, or damaged.
        """
        name = _name(_WEIGHTS, sha)
        found = _read(self._files, name, like)
        if found is None or digest(found) != sha:
            raise UserError(f"{self._files.title(name)} is missing or damaged")
        return found

    def keep(self, digests: Collection[str]) -> None:
        """Removes all but some."""
        for file in self._files.names(_WEIGHTS):
            if Path(file).stem not in digests:
                self._files.delete(f"{_WEIGHTS}/{file}")
        self._files.tidy(_WEIGHTS)


class KeptResults:
    """Results by the keys of their requests.

    Args:
      files: of the run.
      template: gives a result's structure, whose leaves are of no account.
    """

    def __init__(self, files: Files, template: Callable[[Request], Played]):
        self._files, self._template = files, template

    def write(self, request: Request, result: Result) -> None:
        """Writes a result, unless it is there."""
        name = _of(request)
        if not self._files.exists(name):
            _write(self._files, name, result.played)

    def read(self, request: Request) -> Result | None:
        """The result of a request; None if it has none, or a damaged one."""
        name = _of(request)
        if not self._files.exists(name):
            return None
        played = _read(self._files, name, self._template(request))
        if played is None:
            self._files.delete(name)
            return None
        return Result(request.key, played)

    def drop_before(self, generation: int) -> None:
        """Removes those of generations before one; the folder stays, for whoever writes into it."""
        for file in self._files.names(_RESULTS):
            if int(file.partition("-")[0]) < generation:
                self._files.delete(f"{_RESULTS}/{file}")

    def clear(self) -> None:
        """Removes all."""
        for file in self._files.names(_RESULTS):
            self._files.delete(f"{_RESULTS}/{file}")
        self._files.tidy(_RESULTS)


def _of(request: Request) -> str:
    return _name(_RESULTS, f"{request.generation}-{request.key}")


def _name(folder: str, name: str) -> str:
    return f"{folder}/{name}.npz"


def _write(files: Files, name: str, tree: PyTree) -> None:
    leaves = {
        jax.tree_util.keystr(path): np.asarray(leaf)
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }
    with files.writing(name) as file:
        np.savez(file, allow_pickle=False, **leaves, digest=np.array(digest(leaves)))


def _read(files: Files, name: str, like: PyTree) -> PyTree | None:
    """A tree of that structure; None if it is not there, or not what was written."""
    paths, structure = jax.tree_util.tree_flatten_with_path(like)
    try:
        with files.reading(name) as file, np.load(file) as held:
            arrays = dict(held)
        sha = str(arrays.pop("digest"))
        leaves = [arrays[jax.tree_util.keystr(path)] for path, _ in paths]
    except UserError:
        raise
    except Exception:  # a cut zip file shows in many ways
        return None
    return jax.tree.unflatten(structure, leaves) if digest(arrays) == sha else None
