"""What a cluster is doing, in words and as a table, for a terminal and a page alike."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

COLUMNS = ("actor", "where", "does", "for", "requests", "games", "games/s", "lost", "weights")
"""Of the table of actors."""
FRESH = 30.0
"""Seconds after which figures are those of a command that has died, or cannot write them."""


def is_going_on(found: Mapping[str, Any], locked: bool) -> bool:
    """Whether the command that wrote figures is at it still, as far as can be known from here.

    Args:
      found: its figures.
      locked: a process of this machine, or of the same folder, holds the run.
    """
    return not found["ended"] and (locked or abs(time.time() - found["told"]) < FRESH)


def rows(found: Mapping[str, Any]) -> list[list[str]]:
    """A row of the table for each actor."""
    return [
        [
            str(actor.get("number", place)),
            actor["place"] or "nowhere yet",
            actor["playing"] or actor["state"],
            f"{actor['playing_seconds']:.0f} s" if actor["playing"] else "",
            str(actor["requests"]),
            str(actor["games"]),
            f"{actor['games_per_s']:.1f}" if actor["requests"] else "",
            str(actor.get("losses", "")),
            f"{_megabytes(actor['weights_bytes'])} in {actor['weights_seconds']:.1f} s",
        ]
        for place, actor in enumerate(found["actors"])
    ]


def lines(found: Mapping[str, Any]) -> list[str]:
    """What is to be told of all actors together."""
    actors = found["actors"]
    counts = {
        state: sum(actor["state"] == state for actor in actors)
        for state in ("playing", "idle", "starting", "lost")
    }
    states = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    waited, seconds = found["waited_seconds"], found["seconds"]
    return [
        f"actors: {len(actors)} at {found['address']} for arena {found['command']}"
        + (f": {states}" if states else ""),
        f"queue: {found['queue']} request(s) that nobody plays yet",
        f"calls: {found['lost']} lost, {found['repeated']} made again, "
        f"{found['duplicates']} answered twice, {found['reused']} found in the store",
        f"weights: {_megabytes(found['weights_bytes'])} fetched, for which actors waited "
        f"{found['weights_seconds']:.1f} s",
        f"games: waited for {timedelta(seconds=round(waited))} of "
        f"{timedelta(seconds=round(seconds))}",
    ]


def age(found: Mapping[str, Any]) -> str:
    """When figures were written, by the clocks of both machines."""
    seconds = round(time.time() - found["told"])
    if seconds < 0:
        return f"by a clock {timedelta(seconds=-seconds)} ahead of this one"
    return f"{timedelta(seconds=seconds)} ago"


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
