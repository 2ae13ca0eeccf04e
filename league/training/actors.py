"""Where training games are played: a trainer asks for matches, and actors play them.

A request says all that its result depends on, so it may be played anywhere, by anyone, and more
than once. `LocalActors` play in this process.
"""

from collections.abc import Callable, Sequence
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
        together = at_once(len(requests))
        found = []
        for at in range(0, len(requests), together):
            found += self._play(requests[at : at + together], weights)
        return found

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
