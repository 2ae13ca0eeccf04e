"""Actors on a cluster of Ray that play training games: any may die at any instant, or come late.

A call is no more than a request, and its result is known by the request's key. What an actor needs
it fetches from the run's store.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from arena.play.record import Played
from arena.play.record_template import record_template
from arena.types import Params
from league.cluster.kept import KeptResults, KeptWeights
from league.cluster.pool import Pool, Task
from league.store.run import Run
from league.training import step
from league.training.actors import Actors
from league.training.requests import Request, Result, WeightsRef


class RayActors(Actors):
    """Plays the games of one run.

    Args:
      run: the run.
      pool: of actors, made with its card.
    """

    def __init__(self, run: Run, pool: Pool):
        self._run, self._pool = run, pool
        self._weights = KeptWeights(run.files)
        self._results = KeptResults(run.files, self._template)

    def play(
        self, requests: Sequence[Request], weights: Callable[[WeightsRef], Params]
    ) -> list[Result]:
        """As `Actors.play`."""
        began = time.monotonic()
        self._results.drop_before(requests[0].generation)
        found: dict[str, Result] = {}
        for request in requests:
            if (kept := self._results.read(request)) is not None:
                found[request.key] = kept
        self._pool.figures.reused += len(found)
        waiting = {one.key: one for one in requests if one.key not in found}
        if waiting:
            refs = {ref.digest: ref for one in requests for ref in (*one.a, *one.b)}
            for sha, ref in refs.items():
                self._weights.write(sha, weights(ref))
            self._weights.keep(refs)
        for request in waiting.values():
            self._pool.submit(_task(request))
        while waiting:
            for task, result in self._pool.step():
                if request := waiting.pop(task.key, None):
                    self._results.write(request, result)
                    found[task.key] = result
        self._pool.figures.waited_seconds += time.monotonic() - began
        self._pool.tell()
        return [found[request.key] for request in requests]

    def clear(self) -> None:
        """Removes from the store what a training that is over needs no more."""
        self._weights.keep(())
        self._results.clear()

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


def _task(request: Request) -> Task:
    numbers = f"{min(request.numbers)} to {max(request.numbers)}"
    title = f"generation {request.generation}, {request.role}, matches {numbers}"

    def call(actor: Any) -> Any:
        return actor.play.remote(request, title)

    return Task(request.key, title, call)
