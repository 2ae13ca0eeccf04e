"""Several hosts in one computation, through `jax.distributed`: one leads, and the others help it.

On the host that leads runs the command. What it computes with the others is told in
`arena.host_calls`. No other module knows of any devices but those of its own process.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from arena import interrupt
from arena.errors import UserError, whole_number
from arena.types import PyTree

MOST_HOSTS = 1024
PATIENCE = 300.0
"""Seconds that a host waits for the one that leads."""
_LOOK = 0.1  # seconds between two looks at whether to stop
_SILENCE = 20  # seconds after which a host that is not heard of is taken to be lost


class HostLostError(UserError):
    """A host, or the connection to it, was lost."""


@dataclass(frozen=True)
class Meeting:
    """Where hosts meet, and how many they are.

    Attributes:
      address: HOST:PORT of the one that leads; "" if the machines' scheduler tells everything.
      count: of the hosts; 0 if the scheduler tells.
    """

    address: str
    count: int

    @classmethod
    def parse(cls, text: str) -> "Meeting":
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


def connect(meeting: Meeting, index: int | None) -> None:
    """Connects this process to the others; before anything is computed.

    Args:
      meeting: where.
      index: which of the hosts this is, 0 the one that leads; None if the scheduler tells.

    Raises:
      UserError: nobody leads there; the hosts are not alike; or no scheduler tells of hosts.
      KeyboardInterrupt: a stop was asked for while it waited.
    """
    if index:
        _await_leader(meeting.address)
    # Whoever is lost must not take the others with it before they have said so.
    jax.config.update("jax_enable_recoverability", True)
    failed: list[Exception] = []

    def initialise() -> None:
        try:
            jax.distributed.initialize(
                meeting.address or None,
                meeting.count or None,
                index,
                cluster_detection_method="deactivate" if meeting.address else None,
                initialization_timeout=10**6,
                heartbeat_timeout_seconds=_SILENCE,
            )
        except (RuntimeError, ValueError) as error:
            failed.append(error)

    thread = threading.Thread(target=initialise, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_LOOK)
        interrupt.check()
    if failed and not meeting.address:
        raise UserError("hosts auto: neither Slurm, Open MPI nor Kubernetes tells of hosts here")
    if failed:
        raise UserError(f"hosts {meeting}: {' '.join(str(failed[0]).split()):.300}")
    if count() == 1:
        raise UserError(f"hosts {meeting}: there is one host only")
    each = jax.local_device_count()
    if jax.device_count() != each * jax.process_count():
        raise UserError("all hosts need the same number of devices (ARENA_CPU_DEVICES on CPUs)")


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
