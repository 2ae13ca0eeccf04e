"""Actors on a cluster of Ray: any of them may die at any instant, or come late.

Ray may run a call twice or not at all, so a call is no more than a request, and its result is known
by the request's key. What an actor needs it fetches from the run's store.
"""

import logging
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np

from arena import interrupt
from arena.errors import UserError
from arena.play.record import Played
from arena.play.record_template import record_template
from arena.types import Params
from league.cluster.config import ClusterConfig, load_ray
from league.cluster.kept import KeptResults, KeptWeights
from league.cluster.player import Player
from league.settings.json_object import JsonObject
from league.store import places
from league.store.objects import files, is_url
from league.store.run import Run
from league.training import step
from league.training.actors import Actors
from league.training.requests import Request, Result, WeightsRef

_LOOK = 1.0
"""Seconds after which it is looked whether a stop was asked for."""
_RETRIES = 100
"""Calls of one request that may be lost before it is given up."""

_log = logging.getLogger("arena.cluster")


@contextmanager
def connected(config: ClusterConfig, run: Run) -> Iterator["RayActors"]:
    """Actors that play a run's games, for as long as they are needed.

    Raises:
      UserError: Ray is not installed, or the cluster cannot be reached.
    """
    if run.judge.weighted is not None:
        raise UserError(f"the judge {run.card['judge']} learns: it plays in one process only")
    ray = load_ray()
    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    try:
        with warnings.catch_warnings():  # Ray starts programs, of which JAX warns
            warnings.simplefilter("ignore", RuntimeWarning)
            if config.local is None:
                ray.init(address=config.address, **quiet)
            else:
                cpus = (config.actors or config.local) * config.actor_cpus
                ray.init(address="local", num_cpus=cpus, include_dashboard=False, **quiet)
    except Exception as error:  # Ray raises many kinds
        raise UserError(f"the cluster {config.address} cannot be reached: {_line(error)}") from None
    try:
        room = int(ray.cluster_resources().get("CPU", 1)) // config.actor_cpus
        count = config.actors or config.local or max(1, room)
        actors = RayActors(run, config, count)
        yield actors
        actors.clear()
    finally:
        ray.shutdown()


class RayActors(Actors):
    """Actors of Ray that play the games of one run.

    Args:
      run: the run.
      config: what each of them gets.
      count: how many; those for which there is no room yet come when there is.

    Attributes:
      lost: calls whose results did not come, and were asked for again.
      reused: results that were in the store already.
    """

    def __init__(self, run: Run, config: ClusterConfig, count: int):
        self._ray = load_ray()
        self._run = run
        self._weights = KeptWeights(run.files)
        self._results = KeptResults(run.files, self._template)
        self.lost = self.reused = 0
        options = {
            "num_cpus": config.actor_cpus,
            "num_gpus": config.actor_gpus,
            "max_restarts": -1,
            "max_task_retries": 0,
            "runtime_env": {"env_vars": _environment(config)},
        }
        remote = self._ray.remote(_Actor).options(**options)
        place = run.place if isinstance(run.place, str) else str(run.place.absolute())
        # An actor may work in another folder.
        card = places.located(run.card, run.folder, absolute=True)
        actors = [remote.remote(card, place) for _ in range(count)]
        self._ready = {actor.ready.remote(): actor for actor in actors}
        self._idle: deque[Any] = deque()

    def play(
        self, requests: Sequence[Request], weights: Callable[[WeightsRef], Params]
    ) -> list[Result]:
        """As `Actors.play`."""
        self._results.drop_before(requests[0].generation)
        refs = {ref.digest: ref for one in requests for ref in (*one.a, *one.b)}
        found: dict[str, Result] = {}
        for request in requests:
            if (kept := self._results.read(request)) is not None:
                found[request.key] = kept
        self.reused += len(found)
        waiting = deque(one for one in requests if one.key not in found)
        if waiting:
            for sha, ref in refs.items():
                self._weights.write(sha, weights(ref))
            self._weights.keep(refs)
        self._collect(waiting, found)
        return [found[request.key] for request in requests]

    def clear(self) -> None:
        """Removes from the store what a training that is over needs no more."""
        if self.lost or self.reused:
            _log.warning(
                "cluster: calls lost and made again: %d, results that were there: %d",
                self.lost,
                self.reused,
            )
        self._weights.keep(())
        self._results.clear()

    def _collect(self, waiting: deque[Request], found: dict[str, Result]) -> None:
        """Has requests played until there is a result of each."""
        out: dict[Any, tuple[Request, Any]] = {}
        tries: Counter[str] = Counter()
        while waiting or out:
            interrupt.check()
            while waiting and self._idle:
                actor, request = self._idle.popleft(), waiting.popleft()
                out[actor.play.remote(request)] = request, actor
            done, _ = self._ray.wait([*out, *self._ready], num_returns=1, timeout=_LOOK)
            for ref in done:
                if ref in self._ready:
                    self._welcome(ref)
                    continue
                request, actor = out.pop(ref)
                result = self._get(ref)
                if result is None or result.key != request.key:
                    self.lost += 1
                    tries[request.key] += 1
                    if tries[request.key] > _RETRIES:
                        raise UserError(f"{_RETRIES} actors were lost over one request")
                    waiting.append(request)
                    self._ready[actor.ready.remote()] = actor  # when it has been started again
                    continue
                self._idle.append(actor)
                self._results.write(request, result)
                found[request.key] = result

    def _welcome(self, ref: Any) -> None:
        """Takes an actor in that says it is ready; asks again one that has died meanwhile."""
        actor = self._ready.pop(ref)
        if self._get(ref):
            self._idle.append(actor)
        else:
            time.sleep(_LOOK)
            self._ready[actor.ready.remote()] = actor

    def _get(self, ref: Any) -> Any:
        """What a call gave; None if it was lost.

        Raises:
          UserError: the actor found something wrong.
        """
        errors = self._ray.exceptions
        try:
            return self._ray.get(ref)
        except errors.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, UserError):
                raise UserError(str(cause)) from None
            raise
        except errors.RayError as error:
            _log.info("an actor was lost: %s", _line(error))
            return None

    def _template(self, request: Request) -> Played:
        """The structure of a result."""
        params = jax.tree.map(
            lambda x: jax.ShapeDtypeStruct((len(request.numbers), *x.shape), x.dtype),
            self._run.template().params,
        )
        match = step.recorded_match(
            self._run.learner, slots=request.shape.slots, pairs=request.shape.pairs
        )
        record = record_template(
            match, params, params, keys=request.keys, openings=request.openings
        )
        return Played(np.zeros(0), record, np.zeros(0))


class _Actor:
    """The process of an actor."""

    def __init__(self, card: JsonObject, place: str):
        self._card, self._place = card, place  # what is wrong with them, calls tell

    @cached_property
    def _player(self) -> Player:
        from league.cli import device

        device.prepare()
        place = self._place if is_url(self._place) else Path(self._place)
        return Player(self._card, files(place))

    def ready(self) -> bool:
        """Whether it has started."""
        return self._player is not None

    def play(self, request: Request) -> Result:
        """The result of a request."""
        return self._player.play(request)


def _environment(config: ClusterConfig) -> dict[str, str]:
    """Of an actor: one device, and as many threads as it has CPUs."""
    cpus = str(config.actor_cpus)
    found = {"ARENA_CPU_DEVICES": "1", "NPROC": cpus, "PJRT_NPROC": cpus, "OMP_NUM_THREADS": cpus}
    if not config.actor_gpus:
        found["JAX_PLATFORMS"] = "cpu"
    return found


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
