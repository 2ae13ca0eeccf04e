"""How an actor plays the matches of `arena rate`, `arena gate` and `arena match`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents import registry
from arena.play.device_loop import Match
from arena.play.executor import HostMatch, HostPlayed
from arena.play.record import Played
from arena.types import Agent, HostAgent, Params, Policy, PyTree, stack
from games import Game
from league.cluster.config import load_ray
from league.cluster.weights import WeightsInMemory


class SentAgent(NamedTuple):
    """An agent as a request holds it.

    Attributes:
      name: as a user types it.
      policy: how it moves; None if it lives outside the device, and is made by its name.
      digest: SHA-256 of its weights; "" if it has none.
    """

    name: str
    policy: Policy | None
    digest: str


@dataclass(frozen=True, eq=False)
class DeviceRequest:
    """G matches for one device.

    Attributes:
      match: their rules.
      a: G digests of the weights of the agents A, "" where there are none.
      b: those of their opponents.
      keys: u32[G, K], the data of PRNG keys.
      openings: positions [G, P, ...], numpy arrays.
    """

    match: Match
    a: tuple[str, ...]
    b: tuple[str, ...]
    keys: np.ndarray
    openings: PyTree


@dataclass(frozen=True, eq=False)
class HostRequest:
    """One match for the loop on the host.

    Attributes:
      match: its rules.
      a: agent A.
      b: its opponent.
    """

    match: HostMatch
    a: SentAgent
    b: SentAgent


class MatchPlayer:
    """Plays requests; weights come by Ray's references, and the newest stay in memory."""

    def __init__(self):
        self._ray = load_ray()
        self._weights = WeightsInMemory()
        self._agents: dict[tuple[str, Game], HostAgent] = {}

    def play(
        self, request: DeviceRequest | HostRequest, weights: Mapping[str, Any]
    ) -> Played | HostPlayed:
        """What a request brings, of numpy arrays.

        Args:
          request: what is to be played.
          weights: references to the weights that it names, by digest.

        Raises:
          UserError: there is no such agent here.
          Forfeit: it cannot go on.
        """
        if isinstance(request, HostRequest):
            a, b = (self._agent(one, request.match.game, weights) for one in (request.a, request.b))
            return request.match.play(a, b)
        one, two = (
            stack([self._find(sha, weights) for sha in side]) for side in (request.a, request.b)
        )
        keys = jax.random.wrap_key_data(jnp.asarray(request.keys))
        return jax.device_get(request.match.play(one, two, keys=keys, openings=request.openings))

    def fetched(self) -> tuple[int, float]:
        """Bytes of weights that were fetched since the last call, and seconds that this took."""
        return self._weights.spent()

    def judged(self) -> tuple[float, int]:
        """The same of a judge's own code, which nobody counts here."""
        return 0.0, 0

    def _find(self, sha: str, weights: Mapping[str, Any]) -> Params:
        if not sha:
            return ()
        return self._weights.find(sha, lambda: self._ray.get(weights[sha]))

    def _agent(self, sent: SentAgent, game: Game, weights: Mapping[str, Any]) -> Agent | HostAgent:
        if sent.policy is not None:
            return Agent(sent.name, sent.policy, self._find(sent.digest, weights))
        if (sent.name, game) not in self._agents:
            made = registry.make(sent.name, game)
            assert isinstance(made, HostAgent)
            self._agents[sent.name, game] = made
        return self._agents[sent.name, game]
