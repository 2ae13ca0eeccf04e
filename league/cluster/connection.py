"""Connecting to a cluster of Ray, and starting actors there."""

import os
import sys
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arena.errors import UserError
from arena.play.executor import LOCAL, Executor
from league.cluster import actor, figures
from league.cluster.actor import Actor
from league.cluster.config import ClusterConfig, load_ray
from league.cluster.figures import ClusterFigures
from league.cluster.match_executor import MatchExecutor, prepare_pickling
from league.cluster.player import check_judge
from league.cluster.pool import Pool, line
from league.cluster.ray_actors import RayActors
from league.settings.json_object import JsonObject
from league.store import places
from league.store.objects import Files
from league.store.run import Run

Report = Callable[[str], None]


@contextmanager
def training(config: ClusterConfig, run: Run, report: Report = print) -> Iterator[RayActors]:
    """Actors that play a run's training games, for as long as they are needed.

    Args:
      config: which cluster.
      run: the run.
      report: told in the end what was lost and made again, if anything was.

    Raises:
      UserError: Ray is not installed, or the cluster cannot be reached; the run's judge learns.
    """
    check_judge(run)
    place = run.place if isinstance(run.place, str) else str(run.place.absolute())
    # An actor may work in another folder.
    card = places.located(run.card, run.folder, absolute=True)
    with _pool(config, "train", report, run.files, card=card, place=place) as (_, pool):
        actors = RayActors(run, pool)
        try:
            yield actors
        finally:
            actors.close()
        actors.clear()


@contextmanager
def executor(
    config: ClusterConfig | None, command: str, run: Run | None, report: Report = print
) -> Iterator[Executor]:
    """Where matches are played: on a cluster, or in this process if there is none.

    Args:
      config: which cluster.
      command: that has matches played.
      run: whose agents play, where the figures of the cluster are kept.
      report: told in the end what was lost and made again, if anything was.

    Raises:
      UserError: Ray is not installed, or the cluster cannot be reached.
    """
    if config is None:
        yield LOCAL
        return
    with _pool(config, command, report, run.files if run else None) as (ray, pool):
        prepare_pickling(ray)
        yield MatchExecutor(ray, pool)


@contextmanager
def _pool(
    config: ClusterConfig,
    command: str,
    report: Report,
    files: Files | None,
    *,
    card: JsonObject | None = None,
    place: str = "",
) -> Iterator[tuple[Any, Pool]]:
    """Ray, and actors of a command."""
    with connected(config) as ray:
        room = int(ray.cluster_resources().get("CPU", 1)) // config.actor_cpus
        count = config.actors or config.local or max(1, room)
        remote = ray.remote(concurrency_groups={actor.ABOUT: 1})(Actor)
        label = uuid.uuid4().hex[:8]
        handles = [
            remote.options(name=f"{actor.PREFIX}{label}:{number}", **actor.options(config)).remote(
                command, card, place, str(Path.cwd())
            )
            for number in range(count)
        ]
        address = ray.get_runtime_context().gcs_address
        told = ClusterFigures(command, address)

        def tell(now: ClusterFigures) -> None:
            if files is not None:
                figures.write(files, now)

        pool = Pool(ray, handles, told, tell)
        try:
            yield ray, pool
        finally:
            pool.tell(ended=True)
            if told.faults:
                report(f"cluster: calls {told.faults}")


def _hint(config: ClusterConfig) -> str:
    """What Ray does not say: to an address that it is given it sends no token unless it is told."""
    if config.local is not None or config.address == "auto" or "RAY_AUTH_MODE" in os.environ:
        return ""
    return "; if it asks for a token, RAY_AUTH_MODE=token sends yours"


@contextmanager
def _silence() -> Iterator[None]:
    """Drops what is written to stderr: Ray's core writes a line there for each of its attempts."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def connected(config: ClusterConfig) -> Iterator[Any]:
    """The package `ray`, connected to a cluster.

    Raises:
      UserError: Ray is not installed, or the cluster cannot be reached.
    """
    ray = load_ray()
    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    quiet["namespace"] = actor.NAMESPACE
    try:
        with warnings.catch_warnings():  # Ray starts programs, of which JAX warns
            warnings.simplefilter("ignore", RuntimeWarning)
            if config.local is None:
                with _silence():
                    ray.init(address=config.address, **quiet)
            else:
                cpus = (config.actors or config.local) * config.actor_cpus
                ray.init(address="local", num_cpus=cpus, include_dashboard=False, **quiet)
    except Exception as error:  # Ray raises many kinds
        told = f"the cluster {config.address} cannot be reached: {line(error)}"
        raise UserError(told + _hint(config)) from None
    try:
        yield ray
    finally:
        ray.shutdown()
