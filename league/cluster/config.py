"""Which cluster plays, and what of it. Imports no JAX."""

import os
from dataclasses import dataclass
from typing import Annotated, Any

import tyro

from arena.errors import UserError, check_positive, whole_number


@dataclass(frozen=True)
class ClusterConfig:
    """Which cluster, and what of it.

    Attributes:
      address: `local:N`, so many actors on this machine; `auto`, the cluster that this machine is
        part of; or the address of one.
      actors: how many; with a cluster by default as many as its CPUs have room for.
      actor_cpus: CPUs of each.
      actor_gpus: GPUs of each.

    Raises:
      UserError: a figure is out of its range.
    """

    address: str
    actors: int | None = None
    actor_cpus: int = 1
    actor_gpus: float = 0.0

    def __post_init__(self):
        check_positive(self, "actor_cpus")
        if self.actors is not None:
            check_positive(self, "actors")
        if self.address.startswith("local") and self.local is None:
            raise UserError(f"a cluster is local:N, auto or an address, not {self.address!r:.99}")

    @property
    def local(self) -> int | None:
        """N of `local:N`; None for a cluster that is there."""
        kind, _, number = self.address.partition(":")
        return whole_number(number, 1, 1024) if kind == "local" else None


@dataclass(frozen=True)
class ClusterFlags:
    """Where the games are played.

    Attributes:
      cluster: play the games on Ray: local:N, N actors on this machine; auto, the cluster that this
        machine is part of; or the address of one. In this process by default.
      actors: of the cluster; by default as many as its CPUs have room for.
      actor_cpus: CPUs of each actor.
      actor_gpus: GPUs of each actor.
    """

    cluster: Annotated[str, tyro.conf.arg(metavar="CLUSTER")] = ""
    actors: int | None = None
    actor_cpus: int = 1
    actor_gpus: float = 0.0

    def config(self) -> ClusterConfig | None:
        """The cluster that is named; None if none is.

        Raises:
          UserError: a figure is out of its range, or belongs to no cluster; Ray is not installed.
        """
        if self.cluster:
            load_ray()
            return ClusterConfig(self.cluster, self.actors, self.actor_cpus, self.actor_gpus)
        if self != IN_PROCESS:
            raise UserError("--actors, --actor-cpus and --actor-gpus are those of a --cluster")
        return None


IN_PROCESS = ClusterFlags()
"""No cluster: the games are played in this process."""


def load_ray() -> Any:
    """The package `ray`, set up; raises UserError if it is not installed."""
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise UserError("--cluster needs Ray: pip install 'arena-selfplay[cluster]'") from None
    return ray
