"""The process of an actor: it plays what it is asked for, on one device."""

import contextlib
import hashlib
import os
import pickle
import socket
import threading
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from league.cluster.config import ClusterConfig
from league.cluster.pool import Answer
from league.settings.json_object import JsonObject
from league.training.requests import Request

NAMESPACE = "arena"
"""Where Ray keeps the names of actors."""
PREFIX = "arena:"
"""Of the names of actors."""
ABOUT = "about"
"""The threads of an actor that answer `about` while it plays."""


class Actor:
    """What Ray makes an actor of. What is wrong with its arguments, its calls tell.

    Args:
      command: for which it plays, for people.
      card: of the run whose training games it plays; None if it plays none.
      place: of the run's store; a folder or URL.
      folder: in which the command was given; names of files are meant from there.
    """

    def __init__(self, command: str, card: JsonObject | None, place: str, folder: str):
        self._command, self._card, self._place = command, card, place
        with contextlib.suppress(OSError):  # on another machine it may not be there
            os.chdir(folder)
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._playing, self._since = "", 0.0
        self._requests = self._games = self._weights_bytes = 0
        self._seconds = self._weights_seconds = 0.0

    @cached_property
    def _player(self) -> Any:
        from league.cluster.player import Player
        from league.store.objects import files, is_url

        assert self._card is not None
        place = self._place if is_url(self._place) else Path(self._place)
        return Player(self._card, files(place))

    @cached_property
    def _matches(self) -> Any:
        from league.cluster.match_player import MatchPlayer

        return MatchPlayer()

    def ready(self) -> str:
        """Where it is, as soon as it has started."""
        from league.cli import device

        device.prepare()
        _ = self._matches if self._card is None else self._player
        return _place()

    def play(self, request: Request, title: str) -> Answer:
        """Plays training games."""
        games = 2 * request.shape.pairs * len(request.numbers)
        return self._answer(request.key, title, games, lambda: self._player.play(request))

    def play_match(self, payload: bytes, title: str, games: int, weights: Mapping) -> Answer:
        """Plays matches, pickled by `match_executor`, with Ray's references to weights."""
        key = hashlib.sha256(payload).hexdigest()

        def play() -> Any:
            return self._matches.play(pickle.loads(payload), weights)

        return self._answer(key, title, games, play)

    def about(self) -> JsonObject:
        """What it does, for people; answered while it plays."""
        with self._lock:
            return {
                "command": self._command,
                "place": _place(),
                "state": "playing" if self._playing else "idle",
                "playing": self._playing,
                "playing_seconds": time.monotonic() - self._since if self._playing else 0.0,
                "requests": self._requests,
                "games": self._games,
                "games_per_s": self._games / self._seconds if self._seconds else 0.0,
                "weights_bytes": self._weights_bytes,
                "weights_seconds": self._weights_seconds,
                "seconds": time.monotonic() - self._began,
            }

    def _answer(self, key: str, title: str, games: int, play: Callable[[], Any]) -> Answer:
        """Does the work, and tells what it took."""
        began = time.monotonic()
        with self._lock:
            self._playing, self._since = title, began
        try:
            result = play()
        finally:
            with self._lock:
                self._playing = ""
        seconds = time.monotonic() - began
        player = self._matches if self._card is None else self._player
        fetched, waited = player.fetched()
        judged = player.judged()
        with self._lock:
            self._requests, self._games = self._requests + 1, self._games + games
            self._seconds += seconds
            self._weights_bytes += fetched
            self._weights_seconds += waited
        return Answer(key, result, games, seconds, fetched, waited, *judged)


def _place() -> str:
    return f"{socket.gethostname()} {os.getpid()}"


def options(config: ClusterConfig) -> dict[str, Any]:
    """What Ray is to give each actor, and to do when it dies."""
    return {
        "num_cpus": config.actor_cpus,
        "num_gpus": config.actor_gpus,
        "max_restarts": -1,
        "max_task_retries": 0,
        "runtime_env": {"env_vars": _environment(config)},
    }


def _environment(config: ClusterConfig) -> dict[str, str]:
    """Of an actor: one device, and as many threads as it has CPUs."""
    cpus = str(config.actor_cpus)
    found = {"ARENA_CPU_DEVICES": "1", "NPROC": cpus, "PJRT_NPROC": cpus, "OMP_NUM_THREADS": cpus}
    if not config.actor_gpus:
        found["JAX_PLATFORMS"] = "cpu"
    return found
