"""Functions that are traced once for all processes: their StableHLO is kept beside XLA's cache.

XLA's cache on disk saves compiling, and not the tracing and lowering before it, which take a game
of large rules seconds in every process. What is kept holds for the same sources, versions, statics
and shapes only.
"""

import contextlib
import dataclasses
import hashlib
import inspect
import os
import pickle
import re
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, cast

import jax
import jax.numpy as jnp
from jax import export

_ROOMS = ("games", "arena", "agents")


class Traced:
    """A function of pytrees of arrays, for arguments of one structure and one set of shapes.

    Without a cache on disk (`jax_compilation_cache_dir`) it is traced in this process.

    Args:
      function: what is called; pure.
      name: tells it, with all that it closes over, from other functions; if empty, nothing is kept.
      donated: which arguments give their buffers away.
    """

    def __init__(self, function: Callable[..., Any], name: str, *, donated: tuple[int, ...] = ()):
        self._function, self._name, self._donated = function, name, donated
        self._call: Callable[..., Any] | None = None
        self._out: Any = None

    def __call__(self, *arguments: Any) -> Any:
        """The function's value."""
        leaves, tree = jax.tree.flatten(arguments)
        data = [_data(x) for x in leaves]
        if self._call is None:
            self._prepare(arguments, leaves, data, tree)
        assert self._call
        return jax.tree.unflatten(self._out, self._call(*data))

    def _prepare(self, arguments: Any, leaves: list[Any], data: list[Any], tree: Any) -> None:
        numbers = iter(range(len(leaves)))
        places = [[next(numbers) for _ in jax.tree.leaves(x)] for x in arguments]
        donated = tuple(n for k in self._donated for n in places[k])
        path = self._path(data, tree)
        found = _read(path) if path else None
        if found is None:
            found = self._trace(leaves, data, tree)
            if path:
                _write(path, found)
        program, shape = found
        self._out = jax.tree.structure(shape)
        # Compiled once: a call would be compiled anew for arrays that are committed to a device.
        call = jax.jit(export.deserialize(program).call, donate_argnums=donated)
        self._call = call.lower(*data).compile()

    def _trace(self, leaves: list[Any], data: list[Any], tree: Any) -> tuple[bytearray, Any]:
        """The program, and the structure of its value with numbers in place of arrays."""
        keys = [_is_key(x) for x in leaves]
        shape: list[Any] = []

        def flat(*data: jax.Array) -> list[jax.Array]:
            pairs = zip(data, keys, strict=True)
            whole = [jax.random.wrap_key_data(x) if key else x for x, key in pairs]
            out, structure = jax.tree.flatten(self._function(*jax.tree.unflatten(tree, whole)))
            shape.append(jax.tree.unflatten(structure, range(len(out))))
            return out

        specs = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in data]
        return export.export(jax.jit(flat))(*specs).serialize(), shape[0]

    def _path(self, data: list[Any], tree: Any) -> Path | None:
        folder = _folder()
        if not folder or not self._name:
            return None
        shapes = [(x.shape, str(x.dtype)) for x in data]
        parts = _sources(), jax.__version__, jax.default_backend(), self._name, str(tree), shapes
        return Path(folder) / f"traced-{hashlib.sha256(repr(parts).encode()).hexdigest()}"


def _folder() -> str | None:
    return cast(Any, jax.config).jax_compilation_cache_dir


def name_of(*parts: Any) -> str:
    """A name for what a function closes over, the same in every process.

    Returns:
      the name; "" if a part is told by its place in memory, or is of code that may change while
      ours stays the same.
    """
    name = " ".join(map(_told, parts))
    outside = set(re.findall(r"\b0x[0-9a-f]+", name)) or "\0" in name
    return "" if outside else name


def _told(x: Any) -> str:
    """A value by its fields, a function by its place in the source; \0 for what is not ours."""
    if inspect.ismethod(x):
        return f"{x.__func__.__qualname__} of {_told(x.__self__)}"
    kind = x if inspect.isfunction(x) else type(x)
    if kind.__module__.partition(".")[0] not in (*_ROOMS, "builtins"):
        return "\0"
    if inspect.isfunction(x):
        return f"{x.__module__}.{x.__qualname__}"
    if dataclasses.is_dataclass(x):
        told = (f"{f.name}={_told(getattr(x, f.name))}" for f in dataclasses.fields(x))
        return f"{kind.__module__}.{kind.__qualname__}({', '.join(told)})"
    return repr(x)


def _is_key(x: Any) -> bool:
    return isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.prng_key)


def _data(x: Any) -> Any:
    return jax.random.key_data(x) if _is_key(x) else x


def _read(path: Path) -> Any:
    """What was kept; None if there is nothing, or nothing that can be read."""
    with contextlib.suppress(Exception):
        return pickle.loads(path.read_bytes())
    return None


def _write(path: Path, found: Any) -> None:
    """Keeps it, whole or not at all."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(pickle.dumps(found))
        os.replace(name, path)


@cache
def _sources() -> str:
    """A digest of all modules that a search may call."""
    digest = hashlib.sha256()
    home = Path(__file__).resolve().parents[2]
    for file in sorted(file for room in _ROOMS for file in (home / room).rglob("*.py")):
        digest.update(f"{file.relative_to(home)}\0".encode() + file.read_bytes())
    return digest.hexdigest()
