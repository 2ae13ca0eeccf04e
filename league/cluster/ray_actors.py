"""Actors on a cluster of Ray that play training games: any may die at any instant, or come late.

A call is no more than a request, and its result is known by the request's key. What an actor needs
it fetches from the run's store. The pool is directed by a thread of its own, so with a lag actors
play on while the trainer learns.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from arena.play.record import Played
from arena.play.record_template import record_template
from arena.types import Params
from league.cluster.driver import Driver
from league.cluster.kept import KeptResults, KeptWeights
from league.cluster.pool import Pool, Task
from league.store.run import Run
from league.training import step
from league.training.actors import Actors
from league.training.requests import Request, Result, WeightsRef


class RayActors(Actors):
    """Plays the games of one run, until it is closed.

    Args:
      run: the run.
      pool: of actors, made with its card.
    """

    def __init__(self, run: Run, pool: Pool):
        self._run, self._pool = run, pool
        self._weights = KeptWeights(run.files)
        self._results = KeptResults(run.files, self._template)
        self._named: dict[int, set[str]] = {}
        self._waiting: dict[str, Request] = {}
        self._driver = Driver(pool, self._keep)

    def play(
        self, requests: Sequence[Request], weights: Callable[[WeightsRef], Params]
    ) -> list[Result]:
        """As `Actors.play`."""
        return list(self.begin(requests, weights))

    def begin(
        self, requests: Sequence[Request], weights: Callable[[WeightsRef], Params]
    ) -> Iterator[Result]:
        """As `Actors.begin`, while actors are there."""
        with self._waits():
            oldest = requests[0].generation - self._run.config.lag
            self._results.drop_before(oldest)
            found: dict[str, Result] = {}
            for request in requests:
                if (kept := self._results.read(request)) is not None:
                    found[request.key] = kept
            self._pool.figures.reused += len(found)
            waiting = [one for one in requests if one.key not in found]
            if waiting:
                self._write(requests, weights, oldest)
            for request in waiting:
                self._waiting[request.key] = request
                self._driver.submit(_task(request))
        return (found.get(one.key) or self._take(one.key) for one in requests)

    def judged(self) -> tuple[float, int]:
        """As `Actors.judged`, as far as actors have told."""
        actors = self._pool.figures.actors
        return sum(one.judge_seconds for one in actors), sum(one.judge_positions for one in actors)

    def close(self) -> None:
        """Has nothing more played."""
        self._driver.close()

    def clear(self) -> None:
        """Removes from the store what a training that is over needs no more."""
        self._weights.keep(())
        self._results.clear()

    def _write(
        self, requests: Sequence[Request], weights: Callable[[WeightsRef], Params], oldest: int
    ) -> None:
        """Writes the weights that requests name, and removes those that none names any more."""
        refs = {ref.digest: ref for one in requests for ref in (*one.a, *one.b)}
        for sha, ref in refs.items():
            self._weights.write(sha, weights(ref))
        self._named = {number: some for number, some in self._named.items() if number >= oldest}
        self._named[requests[0].generation] = set(refs)
        self._weights.keep(set().union(*self._named.values()))

    def _keep(self, task: Task, result: Result) -> None:
        """Writes a result that has come; called by the driver."""
        self._results.write(self._waiting.pop(task.key), result)

    def _take(self, key: str) -> Result:
        with self._waits():
            return self._driver.take(key)

    @contextmanager
    def _waits(self) -> Iterator[None]:
        """Counts the time in which the trainer waits for games."""
        began = time.monotonic()
        yield
        self._pool.figures.waited_seconds += time.monotonic() - began

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
