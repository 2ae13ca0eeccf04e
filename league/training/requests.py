"""What is asked of actors: matches to play. A request says all that its result depends on.

The matches of a round are asked for in shards, each for one device: how many devices, processes or
machines play them, in which order and how often, changes no bit of any result.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import jax
import numpy as np

from arena.digests import digest
from arena.play import record
from arena.play.record import Played
from arena.shards import fitting
from arena.types import PyTree


class WeightsRef(NamedTuple):
    """Weights by name.

    Attributes:
      id: of the snapshot, or of a league learner on its way to the next one.
      digest: SHA-256 of the weights.
    """

    id: str
    digest: str


class Shape(NamedTuple):
    """What of a match is compiled in beside game, learner and judge.

    Attributes:
      pairs: P, of games in each match.
      slots: games in flight in each match and half.
    """

    pairs: int
    slots: int


@dataclass(frozen=True, eq=False)
class Request:
    """G matches of P pairs each, for one device.

    Attributes:
      run: SHA-256 of what the run card says of game, learner, judge and options; "" outside runs.
      generation: for which they are played.
      role: what they are for; with the generation it names the randomness.
      numbers: G numbers of the matches in their role.
      a: G weights of the agents A.
      b: G weights of their opponents.
      openings: positions [G, P, ...] in which a seat is to move, of numpy arrays.
      keys: u32[G, K], the data of PRNG keys.
      shape: of the matches.
      judge: weights of the judge, if it has some that change.
    """

    run: str
    generation: int
    role: str
    numbers: tuple[int, ...]
    a: tuple[WeightsRef, ...]
    b: tuple[WeightsRef, ...]
    openings: PyTree
    keys: np.ndarray
    shape: Shape
    judge: WeightsRef | None = None

    @cached_property
    def key(self) -> str:
        """SHA-256 of all of it, by which its result is known.

        Of weights the digests count alone: names of weights in training are not for ever.
        """
        said = [
            self.run,
            self.generation,
            self.role,
            self.numbers,
            [ref.digest for ref in (*self.a, *self.b)],
            self.judge.digest if self.judge else "",
            self.shape,
        ]
        arrays = {"openings": self.openings, "keys": self.keys}
        return hashlib.sha256(f"{json.dumps(said)} {digest(arrays)}".encode()).hexdigest()

    def split(self, shards: int) -> "list[Request]":
        """The same matches as so many requests, or as many as come out even."""
        size = len(self.numbers) // fitting(len(self.numbers), shards)
        return [self._part(slice(at, at + size)) for at in range(0, len(self.numbers), size)]

    def _part(self, some: slice) -> "Request":
        return replace(
            self,
            numbers=self.numbers[some],
            a=self.a[some],
            b=self.b[some],
            openings=jax.tree.map(lambda x: x[some], self.openings),
            keys=self.keys[some],
        )


@dataclass(frozen=True, eq=False)
class Result:
    """What the matches of a request brought.

    Attributes:
      key: of the request.
      played: scores and record, arrays of numpy's.
    """

    key: str
    played: Played = field(repr=False)


def join(requests: Sequence[Request], results: Sequence[Result]) -> Played:
    """The matches of all requests, in their order.

    Raises:
      ValueError: a result is another request's.
    """
    keys = [request.key for request in requests]
    if keys != [result.key for result in results]:
        raise ValueError("results of other requests")
    parts = [result.played for result in results]
    return parts[0] if len(parts) == 1 else record.joined(parts)


def divide(requests: Sequence[Request], played: Played) -> list[Result]:
    """What each of some requests that were played together has brought; undoes `join`."""
    if len(requests) == 1:
        return [Result(requests[0].key, played)]
    assert played.record is not None
    scores, moves = np.asarray(played.scores), np.asarray(played.moves)
    found, at = [], 0
    for request in requests:
        some = slice(at, at + len(request.numbers))
        own = record.of_matches(played.record, some, pairs=request.shape.pairs)
        found.append(Result(request.key, Played(scores[some], own, moves[some])))
        at = some.stop
    return found
