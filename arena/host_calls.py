"""What several hosts compute together: the one that leads announces it, and all of them call it.

It is a function with the same arguments on all of them. Between two calls the others wait for the
next. Whoever reaches the port of the one that leads can have the others run code.
"""

import contextlib
import itertools
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from arena import extensions, hosts, interrupt
from arena.errors import UserError
from arena.hosts import HostLostError
from arena.types import PyTree

Work = Callable[[Any, PyTree, Iterator[PyTree]], Any]
"""What hosts call together; see `together`."""

_END, _PIECE, _GIVEN_UP = range(3)
_KEY = "arena/call/"
_LOOK = 1.0  # seconds between two looks at whether to stop
_FAREWELL = 10.0  # seconds that are waited for hosts that have been dismissed
_LOST = ("Gloo", "NCCL", "UNAVAILABLE", "heartbeat")
"""What the messages say of an operation that a lost host has ended."""


def together(function: Work, fixed: Any, *, state: PyTree, pieces: Iterator[PyTree]) -> Any:
    """Calls a function on all hosts; what it gives on this one.

    Args:
      function: of a module.
      fixed: its first argument, which is pickled.
      state: its second, a pytree of arrays.
      pieces: its third: pytrees of numpy arrays, all of the same shapes, which are told as they
        come. What it raises is raised here, and the other hosts go back to waiting.

    Raises:
      HostLostError: a host was lost.
    """
    first = next(pieces)
    wires = _Wire.of(state), _Wire.of(first)
    with _losing():
        _announce(_written(function, fixed, *wires))
        wires[0].send(_PIECE, state)
        return function(fixed, state, _sent(itertools.chain([first], pieces), wires[1]))


@contextlib.contextmanager
def leading() -> Iterator[None]:
    """Around all that is computed on the host that leads: in the end the others are dismissed.

    Where it fails they are not: they wait for it to go on.
    """
    try:
        yield
    except KeyboardInterrupt:
        _dismiss()
        raise
    _dismiss()


def _dismiss() -> None:
    if hosts.count() > 1:
        _announce(b"")
        _part()


def help_out() -> None:
    """Takes part in what the host that leads computes with others, until it says that it is done.

    Raises:
      HostLostError: a host was lost.
      UserError: this one lacks code of a user's that the one that leads has.
    """
    for number in itertools.count():
        told = _announced(number)
        if not told:
            return _part()
        function, fixed, state, piece = _read(told)
        with _losing(), contextlib.suppress(_GivenUpError):
            function(fixed, state.receive()[1], _received(piece))


def _written(*call: Any) -> bytes:
    """A call that is to be announced, and the files of users' that it needs."""
    files = [module.__arena_file__ for module in extensions.user_modules()]
    digests = [extensions.file_digest(file) for file in files]
    try:
        return pickle.dumps((files, digests, pickle.dumps(call)))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise UserError(f"this cannot be computed by several hosts: {error}") from None


def _read(told: bytes) -> tuple[Work, Any, "_Wire", "_Wire"]:
    """A call that was announced."""
    files, digests, call = pickle.loads(told)
    for file, digest in zip(files, digests, strict=True):
        if extensions.file_digest(file) != digest:
            raise UserError(f"all hosts need the same code, and {file} is another here")
        extensions.load_file(file)
    try:
        return pickle.loads(call)
    except Exception as error:  # whatever code of a user's raises
        raise UserError(
            f"all hosts need the same code, and here it lacks {extensions.reason(error)}"
        ) from None


class _GivenUpError(Exception):
    """The host that leads has left a call before its end."""


def _sent(pieces: Iterator[PyTree], wire: "_Wire") -> Iterator[PyTree]:
    """The pieces, each of which the others get first."""
    while True:
        try:
            piece = next(pieces, None)
        except BaseException:
            wire.send(_GIVEN_UP)
            raise
        if piece is None:
            wire.send(_END)
            return
        wire.send(_PIECE, piece)
        yield piece


def _received(wire: "_Wire") -> Iterator[PyTree]:
    """The pieces that the host that leads sends."""
    while True:
        sign, piece = wire.receive()
        if sign == _GIVEN_UP:
            raise _GivenUpError
        if sign == _END:
            return
        yield piece


@dataclass(frozen=True)
class _Wire:
    """How pytrees of the same shapes go from the host that leads to the others, as bytes.

    Attributes:
      tree: `jax.ShapeDtypeStruct`s.
      size: bytes of one.
    """

    tree: PyTree
    size: int

    @classmethod
    def of(cls, tree: PyTree) -> "_Wire":
        """The wire for a pytree of arrays, and others like it."""
        shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(np.shape(x), x.dtype), tree)
        return cls(shapes, sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(shapes)))

    def send(self, sign: int, tree: PyTree | None = None) -> None:
        """Sends a sign, and a pytree if there is one."""
        leaves = [np.asarray(x) for x in jax.tree.leaves(tree)]
        parts = [np.ascontiguousarray(x).reshape(-1).view(np.uint8) for x in leaves]
        empty = [] if parts else [np.zeros(self.size, np.uint8)]
        hosts.told(np.concatenate([np.array([sign], np.uint8), *parts, *empty]))

    def receive(self) -> tuple[int, PyTree]:
        """The next sign, and the pytree that came with it, or zeros."""
        told = hosts.told(np.zeros(1 + self.size, np.uint8))
        leaves, structure = jax.tree.flatten(self.tree)
        ends = np.cumsum([1, *(x.size * x.dtype.itemsize for x in leaves)])
        found = [
            np.frombuffer(told[at:end].tobytes(), x.dtype).reshape(x.shape)
            for x, at, end in zip(leaves, ends[:-1], ends[1:], strict=True)
        ]
        return int(told[0]), jax.tree.unflatten(structure, found)


_calls = itertools.count()


def _announce(message: bytes) -> None:
    """Tells the others what is computed next; nothing if that was all."""
    hosts.client().key_value_set_bytes(f"{_KEY}{next(_calls)}", message)


def _announced(number: int) -> bytes:
    """What the host that leads has announced so many calls after the first; waits for it."""
    client = hosts.client()
    while True:
        interrupt.check()
        try:
            return client.blocking_key_value_get_bytes(f"{_KEY}{number}", round(1000 * _LOOK))
        except jax.errors.JaxRuntimeError as error:
            if "DEADLINE_EXCEEDED" not in str(error):
                raise HostLostError(f"the host that leads was lost: {error}") from None


def _part() -> None:
    """Waits until all know that it is over, which one that has ended cannot tell."""
    with contextlib.suppress(jax.errors.JaxRuntimeError):
        hosts.client().wait_at_barrier(f"{_KEY}end", round(1000 * _FAREWELL))


@contextlib.contextmanager
def _losing() -> Iterator[None]:
    """Around a call: raises HostLostError where a host is gone."""
    if hosts.lost.is_set():
        raise HostLostError("a host was lost")
    hosts.calling.set()
    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if not any(word in str(error) for word in _LOST):
            raise
        raise HostLostError(f"a host was lost: {error}") from None
    finally:
        hosts.calling.clear()
