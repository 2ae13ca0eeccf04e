"""Has measured matches played by actors of Ray, with the scores that one process would find.

Matches of one call are split as devices of one process would share them, so that an actor runs the
program that one of these would run. Weights are in the memory of this process; what Ray holds of
them is a copy.
"""

import hashlib
import pickle
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from arena import extensions
from arena.digests import digest
from arena.errors import UserError
from arena.play import record
from arena.play.device_loop import Match
from arena.play.executor import Executor, HostMatch, HostPlayed, Later
from arena.play.record import Played
from arena.shards import fitting
from arena.types import Agent, HostAgent, Key, Params, PyTree
from league.cluster.match_player import DeviceRequest, HostRequest, SentAgent
from league.cluster.pool import Pool, Task, line

_KEPT = 64
"""Weights to which references are kept."""


class MatchExecutor(Executor):
    """Has matches played by a pool of actors.

    Args:
      ray: the package.
      pool: of actors that were made without a card.
    """

    def __init__(self, ray: Any, pool: Pool):
        self._ray, self._pool = ray, pool
        self._results: dict[str, Any] = {}
        self._refs: OrderedDict[str, Any] = OrderedDict()
        self._digests: OrderedDict[int, tuple[Params, str]] = OrderedDict()

    @property
    def ahead(self) -> int:
        """Enough calls that every actor has something to do."""
        return len(self._pool) + 1

    def on_device(
        self,
        match: Match,
        a: Sequence[Agent],
        b: Sequence[Agent],
        *,
        keys: Key,
        openings: PyTree,
        judge_params: Params = (),
    ) -> Later[Played]:
        """As `Executor.on_device`."""
        if jax.tree.leaves(judge_params):
            raise UserError("a judge that learns judges in one process only")
        # Matches that an env plays are not split: its processes play them all at once.
        size = len(a) // fitting(len(a), match.shards if match.game.on_device else 1)
        data = np.asarray(jax.random.key_data(keys))
        openings = jax.tree.map(np.asarray, openings)
        asked = []
        for at in range(0, len(a), size):
            some = slice(at, at + size)
            held = {self._digest(agent.params): agent.params for agent in (*a[some], *b[some])}
            request = DeviceRequest(
                replace(match, shards=1),
                tuple(self._digest(agent.params) for agent in a[some]),
                tuple(self._digest(agent.params) for agent in b[some]),
                data[some],
                jax.tree.map(lambda x, i=some: x[i], openings),
            )
            pairs = jax.tree.leaves(request.openings)[0].shape[1]
            more = f" and {len(request.a) - 1} more" if len(request.a) > 1 else ""
            title = f"{a[at].name} against {b[at].name}{more}"
            asked.append(self._ask(request, title, 2 * pairs * len(request.a), held))

        def finish() -> Played:
            parts = [self._wait(key) for key in asked]
            return parts[0] if len(parts) == 1 else record.joined(parts)

        return finish

    def on_host(
        self, match: HostMatch, a: Agent | HostAgent, b: Agent | HostAgent
    ) -> Later[HostPlayed]:
        """As `Executor.on_host`."""
        held = {self._digest(one.params): one.params for one in (a, b) if isinstance(one, Agent)}
        request = HostRequest(match, self._sent(a), self._sent(b))
        key = self._ask(request, f"{a.name} against {b.name}", 2 * match.pairs, held)
        return lambda: self._wait(key)

    def _sent(self, agent: Agent | HostAgent) -> SentAgent:
        if isinstance(agent, Agent):
            return SentAgent(agent.name, agent.policy, self._digest(agent.params))
        return SentAgent(agent.name, None, "")

    def _digest(self, params: Params) -> str:
        """Of weights; those that are there are looked at once."""
        if not jax.tree.leaves(params):
            return ""
        if id(params) not in self._digests:
            self._digests[id(params)] = params, digest(params)  # kept, so that the id stays its own
            while len(self._digests) > _KEPT:
                self._digests.popitem(last=False)
        return self._digests[id(params)][1]

    def _ask(
        self, request: DeviceRequest | HostRequest, title: str, games: int, held: dict[str, Params]
    ) -> str:
        """Begins a request; the key by which its result will be known."""
        try:
            payload = self._ray.cloudpickle.dumps(request)
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            raise UserError(f"{title}: cannot be sent to a cluster: {line(error)}") from None
        key = hashlib.sha256(payload).hexdigest()
        shown = f"{title}, {games} games"

        def call(actor: Any) -> Any:
            refs = {sha: self._ref(sha, params) for sha, params in held.items() if sha}
            return actor.play_match.remote(payload, shown, games, refs)

        self._pool.submit(Task(key, shown, call))
        return key

    def _ref(self, sha: str, params: Params) -> Any:
        """Ray's reference to weights."""
        if sha not in self._refs:
            self._refs[sha] = self._ray.put(jax.device_get(params))
            while len(self._refs) > _KEPT:
                self._refs.popitem(last=False)
        return self._refs[sha]

    def _wait(self, key: str) -> Any:
        """The result of a request that was begun."""
        began = time.monotonic()
        while key not in self._results:
            self._results.update((task.key, result) for task, result in self._pool.step())
        self._pool.figures.waited_seconds += time.monotonic() - began
        return self._results.pop(key)


def prepare_pickling(ray: Any) -> None:
    """Has code of users' files sent with what is made of it: elsewhere it has no name."""
    for module in extensions.user_modules():
        ray.cloudpickle.register_pickle_by_value(module)
