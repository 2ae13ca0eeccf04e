"""Where training games are played: a trainer asks for matches, and actors play them.

A request says all that its result depends on, so it may be played anywhere, by anyone, and more
than once. `LocalActors` play in this process.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import jax
import numpy as np

from arena.play.device_loop import Match
from arena.shards import at_once
from arena.types import Params, stack
from league.training.requests import Request, Result, Shape, WeightsRef, divide


class Actors(Protocol):
    """Whoever plays requested matches."""

    def play(
        self, requests: Sequence[Request], weights: Callable[[WeightsRef], Params]
    ) -> list[Result]:
        """The results of requests, in order; each follows from its request alone.

        Args:
          requests: of one shape, with equally many matches each.
          weights: finds weights by reference, in this process.
        """
        ...

    def begin(
        self, requests: Sequence[Request], weights: Callable[[WeightsRef], Params]
    ) -> Iterator[Result]:
        """Has requests played while the caller does something else, if these actors can do that.

        Args:
          requests, weights: as for `play`.

        Returns:
          the results, in order; each is waited for when it is asked for. Here they are played when
          the first is.
        """
        yield from self.play(requests, weights)

    def judged(self) -> tuple[float, int]:
        """Seconds that the judge's own code took in other processes, and positions it was given."""
        return 0.0, 0


@dataclass(frozen=True)
class LocalActors(Actors):
    """Plays in this process, as many requests at once as there are devices.

    Attributes:
      match: the rules of matches of a shape.
    """

    match: Callable[[Shape], Match]

    def play(
        self, requests: Sequence[Request], weights: Callable[[WeightsRef], Params]
    ) -> list[Result]:
        """As `Actors.play`."""
        return list(self.begin(requests, weights))

    def begin(
        self, requests: Sequence[Request], weights: Callable[[WeightsRef], Params]
    ) -> Iterator[Result]:
        """As `Actors.begin`; played when it is asked for, as the learner needs the same devices."""
        on_device = self.match(requests[0].shape).game.on_device
        together = at_once(len(requests)) if on_device else 1
        for at in range(0, len(requests), together):
            yield from self._play(requests[at : at + together], weights)

    def _play(
        self, requests: Sequence[Request], weights: Callable[[WeightsRef], Params]
    ) -> list[Result]:
        """Plays requests in one call of a program, each on a device of its own."""
        first = requests[0]
        a, b = (
            stack([weights(ref) for request in requests for ref in side(request)])
            for side in (lambda request: request.a, lambda request: request.b)
        )
        openings, keys = jax.tree.map(
            lambda *x: np.concatenate(x),
            *[(request.openings, request.keys) for request in requests],
        )
        match = replace(self.match(first.shape), shards=len(requests))
        judge = weights(first.judge) if first.judge else ()
        played = match.play(
            a, b, keys=jax.random.wrap_key_data(keys), openings=openings, judge_params=judge
        )
        return divide(requests, played)
