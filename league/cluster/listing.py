"""The actors of Arena on a cluster, whoever directs them: each is asked what it does."""

from typing import Any

from league.cluster import actor
from league.cluster.config import ClusterConfig
from league.cluster.connection import connected
from league.settings.json_object import JsonObject

_PATIENCE = 5.0
"""Seconds in which an actor has to answer."""


def actors(address: str) -> list[JsonObject]:
    """What every actor says of itself, see `Actor.about`, by name; one that is silent says that.

    Args:
      address: of the cluster, or `auto`.

    Raises:
      UserError: it cannot be reached, or Ray is not installed.
    """
    with connected(ClusterConfig(address)) as ray:
        names = sorted(one for one in ray.util.list_named_actors() if one.startswith(actor.PREFIX))
        asked = {}
        for name in names:
            try:
                handle = ray.get_actor(name)
            except ValueError:  # it ended meanwhile
                continue
            asked[handle.about.options(concurrency_group=actor.ABOUT).remote()] = name
        done, _ = (
            ray.wait(list(asked), num_returns=len(asked), timeout=_PATIENCE) if asked else ([], [])
        )
        return [
            {"name": name.removeprefix(actor.PREFIX), **_said(ray, ref, ref in done)}
            for ref, name in asked.items()
        ]


def _said(ray: Any, ref: Any, answered: bool) -> JsonObject:
    silent = {"state": "does not answer", "playing": "", "place": "", "command": ""}
    silent |= {"playing_seconds": 0.0, "requests": 0, "games": 0, "games_per_s": 0.0}
    silent |= {"weights_bytes": 0, "weights_seconds": 0.0, "seconds": 0.0}
    if not answered:
        return silent
    try:
        return ray.get(ref)
    except ray.exceptions.RayError:
        return silent
