"""Where training games are played: a trainer requests matches, and actors play them.

A request says all that its result depends on, so it may be played anywhere, by anyone, and more
than once. `LocalActors` play in this process.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax

from arena.play.device_loop import Match, Played
from arena.types import Params, PyTree, stack


class WeightsRef(NamedTuple):
    """Weights by name.

    Attributes:
      id: of the snapshot, or of a league learner on its way to the next one.
      digest: SHA-256 of the weights.
    """

    id: str
    digest: str


@dataclass(frozen=True, eq=False)
class PlayRequest:
    """A batch of G matches of P pairs each.

    Attributes:
      run: name of the run.
      generation: for which they are played.
      role: what they are for; with the generation it names the randomness.
      numbers: G numbers of the matches in their role.
      match: game, policies, judge, and what is recorded: what is compiled in.
      a: G weights of the agents A.
      b: G weights of their opponents.
      openings: positions [G, P, ...] in which a seat is to move.
      keys: PRNG keys [G].
      judge: weights of the judge, if it has some that change.
    """

    run: str
    generation: int
    role: str
    numbers: tuple[int, ...]
    match: Match
    a: tuple[WeightsRef, ...]
    b: tuple[WeightsRef, ...]
    openings: PyTree
    keys: jax.Array
    judge: WeightsRef | None = None


class Actors(ABC):
    """Whoever plays requested matches."""

    @abstractmethod
    def play(self, requests: Sequence[PlayRequest]) -> list[Played]:
        """The results of requests, in order; each follows from its request alone."""


@dataclass(frozen=True)
class LocalActors(Actors):
    """Plays in this process, one request after the other, each spread over the devices.

    Attributes:
      weights: finds weights by reference.
    """

    weights: Callable[[WeightsRef], Params]

    def play(self, requests: Sequence[PlayRequest]) -> list[Played]:
        """The results of requests, in order."""
        return [self._play(request) for request in requests]

    def _play(self, request: PlayRequest) -> Played:
        a, b = (stack([self.weights(ref) for ref in refs]) for refs in (request.a, request.b))
        judge = self.weights(request.judge) if request.judge else ()
        return request.match.play(
            a, b, keys=request.keys, openings=request.openings, judge_params=judge
        )
