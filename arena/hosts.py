"""Several hosts in one computation, through `jax.distributed`: one leads, and the others help it.

On the host that leads runs the command. What it computes with the others is told in
`arena.host_calls`. No other module knows of any devices but those of its own process.
"""

import contextlib
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax._src import distributed  # its client has no public name
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from arena import interrupt
from arena.errors import UserError, whole_number
from arena.types import PyTree

MOST_HOSTS = 1024
PATIENCE = 300.0
"""Seconds that a host waits for the one that leads."""
LOST = 75
"""The exit code of a host that helps and has lost the others, so that it may try again."""
_LOOK = 0.1  # seconds between two looks at whether to stop
_SILENCE = 20  # seconds after which a silent host is taken to be lost
_ROUND = 5.0  # seconds between two looks at who is there
_KEY = "arena/host/"
_KEPT = "; the run is kept: go on with --resume"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

lost = threading.Event()
"""A host was lost."""
calling = threading.Event()
"""This one is in a call that needs all of them."""


class HostLostError(UserError):
    """A host, or the connection to it, was lost."""


@dataclass(frozen=True)
class Rendezvous:
    """Where hosts meet, and how many they are.

    Attributes:
      address: HOST:PORT of the one that leads; "" if the machines' scheduler tells everything.
      count: of the hosts; 0 if the scheduler tells.
    """

    address: str
    count: int

    @classmethod
    def parse(cls, text: str) -> "Rendezvous":
        """`auto`, or `HOST:PORT,COUNT`.

        Raises:
          UserError: it is neither.
        """
        if text == "auto":
            return cls("", 0)
        address, _, number = text.rpartition(",")
        count, port = whole_number(number, 2, MOST_HOSTS), address.rpartition(":")[2]
        if not address.rpartition(":")[0] or count is None or not whole_number(port, 1, 65535):
            raise UserError(f"hosts are auto or HEAD:PORT,COUNT, as head:1234,2, not {text!r:.99}")
        return cls(address, count)

    def __str__(self) -> str:
        return f"{self.address},{self.count}" if self.address else "auto"


def count() -> int:
    """Hosts that compute together; 1 if this one is alone."""
    return jax.process_count() if jax.distributed.is_initialized() else 1


def connect(
    rendezvous: Rendezvous, index: int | None, *, leads: bool, about: Callable[[], str]
) -> None:
    """Connects this process to the others; before anything is computed.

    Args:
      rendezvous: where.
      index: which of the hosts this is, 0 the one that leads; None if the scheduler tells.
      leads: whether it means to lead; it waits for the others as long as it takes.
      about: tells what has to be the same on all hosts, and may ask JAX for it.

    Raises:
      HostLostError: a host was lost meanwhile, or this one has been here before.
      UserError: nobody leads there, the hosts are not alike, or no scheduler tells of hosts.
      KeyboardInterrupt: a stop was asked for while it waited.
    """
    if index:
        _await_leader(rendezvous.address)
    # Whoever is lost must not take the others with it before they have said so.
    jax.config.update("jax_enable_recoverability", True)
    # It would take SIGTERM away, which ends a command.
    jax.config.update("jax_enable_preemption_service", False)
    failed: list[Exception] = []
    head = rendezvous.address.rpartition(":")[0]

    def initialise() -> None:
        try:
            jax.distributed.initialize(
                rendezvous.address or None,
                rendezvous.count or None,
                index,
                local_device_ids=[],  # all that there are
                cluster_detection_method="deactivate" if rendezvous.address else None,
                initialization_timeout=10**6 if leads else round(PATIENCE),
                heartbeat_timeout_seconds=_SILENCE,
                coordinator_bind_address=rendezvous.address if head in _LOOPBACK else None,
            )
            _introduce(about())
        except Exception as error:  # of many kinds, by schedulers
            failed.append(error)

    thread = threading.Thread(target=initialise, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_LOOK)
        interrupt.check()
    if not failed:
        threading.Thread(target=_watch, daemon=True).start()
    elif isinstance(failed[0], UserError):
        raise failed[0]
    elif isinstance(failed[0], ValueError) and "be defined" in str(failed[0]):
        raise UserError("hosts auto: neither Slurm, Open MPI nor Kubernetes tells of hosts here")
    else:
        kind = HostLostError if isinstance(failed[0], jax.errors.JaxRuntimeError) else UserError
        raise kind(f"hosts {rendezvous}: {' '.join(str(failed[0]).split()):.300}")


def _introduce(about: str) -> None:
    """Tells the other hosts of this one, and looks at whether they are alike."""
    if count() == 1:
        raise UserError("there is one host only")
    wait = round(1000 * PATIENCE)
    try:
        client().key_value_set(f"{_KEY}{index()}", about, allow_overwrite=False)
    except jax.errors.JaxRuntimeError:
        raise HostLostError("this host was here before; those that are left wait for it") from None
    others = [client().blocking_key_value_get(f"{_KEY}{host}", wait) for host in range(count())]
    if other := next((other for other in others if other != about), None):
        raise UserError(f"all hosts have to be alike: here {about}, on another {other}")


def client() -> Any:
    """Of the coordinator, whose store of keys all hosts can read."""
    return distributed.global_state.client


def _watch() -> None:
    """Notes when a host is lost; a call that waits for one that is only silent ends the process."""
    everyone = list(range(count()))
    while not lost.is_set():
        try:
            living = client().get_live_nodes(everyone)
        except jax.errors.JaxRuntimeError:
            living = {}
        if len(living) < len(everyone):
            lost.set()
        time.sleep(_ROUND)
    time.sleep(_ROUND)
    if calling.is_set():  # and nothing that is raised would reach it
        print(f"arena: a host was lost{_KEPT if index() == 0 else ''}", file=sys.stderr, flush=True)
        os._exit(2 if index() == 0 else LOST)


def _await_leader(address: str) -> None:
    """Returns when somebody listens there."""
    host, _, port = address.rpartition(":")
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        interrupt.check()
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1.0):
            return
        time.sleep(_LOOK)
    raise UserError(f"nobody leads hosts at {address}: is the training running?")


def index() -> int:
    """Which of the hosts this is; 0 is the one that leads."""
    return jax.process_index() if count() > 1 else 0


def connect_devices(each: int) -> None:
    """Connects hosts for `gathered` with so many devices each, before they compile anything.

    Each takes its own time for that, and connecting does not wait for long.
    """
    mesh = Mesh(np.array(jax.local_devices()[:each]), ("row",))
    rows = NamedSharding(mesh, PartitionSpec("row"))
    jax.block_until_ready(gathered(jax.device_put(np.zeros((each, 1), np.float32), rows)))


def gathered(tree: PyTree) -> PyTree:
    """Rows of all hosts, on this one's first device.

    They are only moved, so that no bit of them depends on how many hosts there are.

    Args:
      tree: this host's rows, arrays [D, ...] with one row on each of D devices.

    Returns:
      arrays [H·D, ...], the first host's rows first.
    """
    each = len(jax.tree.leaves(tree)[0].addressable_shards)
    rows = _rows(each)

    def whole(x: jax.Array) -> jax.Array:
        mine = [shard.data for shard in x.addressable_shards]
        shape = count() * each, *x.shape[1:]
        return jax.make_array_from_single_device_arrays(shape, rows, mine)

    found = _everywhere(rows)(jax.tree.map(whole, tree))
    return jax.tree.map(lambda x: x.addressable_data(0), found)


@cache
def _everywhere(rows: NamedSharding) -> Callable[[PyTree], PyTree]:
    """Puts rows on all devices; arrays of a type go together, as each operation has its price."""
    whole = NamedSharding(rows.mesh, PartitionSpec())

    def move(tree: PyTree) -> PyTree:
        leaves, structure = jax.tree.flatten(tree)
        for kind in dict.fromkeys(x.dtype for x in leaves):
            which = [i for i, x in enumerate(leaves) if x.dtype == kind]
            flat = jnp.concatenate([leaves[i].reshape(len(leaves[i]), -1) for i in which], 1)
            flat = jax.lax.with_sharding_constraint(flat, rows)
            flat = jax.lax.with_sharding_constraint(flat, whole)
            ends = np.cumsum([leaves[i][0].size for i in which])[:-1]
            for i, part in zip(which, jnp.split(flat, ends, 1), strict=True):
                leaves[i] = part.reshape(leaves[i].shape)
        return jax.tree.unflatten(structure, leaves)

    return jax.jit(move, out_shardings=whole)


def told(row: np.ndarray) -> np.ndarray:
    """What the host that leads has given, an array of the same shape and type on all hosts."""
    mine = row if index() == 0 else np.zeros_like(row)
    rows = _rows(1)
    at = jax.device_put(mine[None], jax.local_devices()[0])
    shape = count(), *row.shape
    summed = _summed(rows)(jax.make_array_from_single_device_arrays(shape, rows, [at]))
    return np.asarray(summed.addressable_data(0))


@cache
def _summed(rows: NamedSharding) -> Callable[[jax.Array], jax.Array]:
    """The sum over hosts, all but one of which give zeros."""
    everywhere = NamedSharding(rows.mesh, PartitionSpec())
    return jax.jit(lambda x: x.sum(0, dtype=x.dtype), out_shardings=everywhere)


@cache
def _rows(each: int) -> NamedSharding:
    """Where rows lie on so many devices of every host, host by host."""
    used = [
        device
        for host in range(count())
        for device in [d for d in jax.devices() if d.process_index == host][:each]
    ]
    return NamedSharding(Mesh(np.array(used), ("row",)), PartitionSpec("row"))
