"""How agents move and analyse for visitors: in pieces, so that others have their turn.

An agent that searches grows a new tree for every move: the same position, agent and limit have the
same answer, whoever asks and whenever.
"""

import contextlib
import time
from collections import OrderedDict
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillThinking
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import jax
import numpy as np

from agents.mcts import MCTS
from agents.search.analysis import Searches, TreeAnalyst
from arena.analysis import Analysis, Limit
from arena.errors import UserError
from arena.play.host_loop import check_legal
from arena.types import Agent, Forfeit, HostAgent, Position, stack
from games import Game
from league.cli import names as agent_names
from league.web import names
from league.web.lines import Line
from league.web.query import read_limit
from league.web.site import Settings
from league.web.work import MOST_SIMULATIONS

_MOST_AGENTS = 24
_CHUNK = 32
"""Simulations of one piece of work."""
_SHORTEST = 0.02
"""Seconds that the thread waits for an engine before it is another's turn."""

Thinking: TypeAlias = Generator[Analysis | None, None, int]
"""A job that ends with a move; its values are what is known so far."""


@dataclass(eq=False)
class Opponent:
    """An agent, as visitors play it.

    Attributes:
      name: as it was asked for, a run's snapshot by its id.
      game: what it plays.
      agent: how.
    """

    name: str
    game: Game
    agent: Agent | HostAgent

    @property
    def searches(self) -> bool:
        """Whether it can search, and so analyse."""
        agent = self.agent
        able = isinstance(agent, Agent) and isinstance(agent.policy, Searches)
        return able and self.game.searchable

    def analyst(self, seed: int = 0) -> TreeAnalyst:
        """One that begins a new tree.

        Raises:
          UserError: the agent, or the game, cannot be searched.
        """
        if not self.game.searchable:
            raise UserError("games of hidden information cannot be searched")
        agent = self.agent
        if not isinstance(agent, Agent) or not isinstance(agent.policy, Searches):
            raise UserError(f"{self.name} does not search, so it cannot analyse")
        return TreeAnalyst(agent.policy.tree_search(), self._stacked, seed=seed)

    def choose(self, line: Line, limit: str) -> Thinking:
        """A move in a game in which a seat is to move.

        Args:
          line: the game.
          limit: simulations, or seconds, see `query.read_limit`; engines have their own.

        Raises:
          UserError: the agent gives no legal move.
        """
        simulations, seconds = read_limit(limit)
        if isinstance(self.agent, HostAgent):
            move = yield from self._ask(self.agent, line.session.position)
        elif isinstance(self.agent.policy, MCTS):
            rollouts = self.agent.policy.rollouts
            move = yield from self._search(line, None if seconds else rollouts, seconds)
        elif self.searches and simulations != 0:
            move = yield from self._search(line, simulations, seconds)
        else:
            ply = jax.random.fold_in(jax.random.key(line.seed), len(line.session.moves))
            states = jax.tree.map(lambda x: np.asarray(x)[None], line.session.state)
            move = int(self._policy(self._stacked, ply[None], states).move[0])
        try:
            check_legal(_Named(self.name), move, line.session.legal)
        except Forfeit as error:
            raise UserError(str(error)) from None
        return move

    def close(self) -> None:
        """Ends the processes that it has started."""
        if isinstance(self.agent, HostAgent):
            self._thread.shutdown(wait=False, cancel_futures=True)
            self.agent.close()

    def _search(self, line: Line, simulations: int | None, seconds: float | None) -> Thinking:
        analyst, position = self.analyst(line.seed), line.session.position
        left, spent = simulations or MOST_SIMULATIONS, 0.0
        while True:
            began = time.monotonic()
            count = min(_CHUNK, left)
            found = analyst.analyse(position, Limit(simulations=count))
            left -= count
            spent += time.monotonic() - began
            if found.proven or not left or (seconds is not None and spent >= seconds):
                return found.move
            yield found

    def _ask(self, agent: HostAgent, position: Position) -> Thinking:
        """An engine thinks in a process of its own, while the thread that computes goes on."""
        future = self._thread.submit(agent.choose, self.game, position)
        while True:
            try:
                return future.result(timeout=_SHORTEST)
            except StillThinking:
                yield None
            except Forfeit as error:
                raise UserError(str(error)) from None

    @cached_property
    def _thread(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, "arena-engine")

    @cached_property
    def _stacked(self):
        assert isinstance(self.agent, Agent)
        return stack([self.agent.params])

    @cached_property
    def _policy(self):
        assert isinstance(self.agent, Agent)
        return jax.jit(self.agent.policy)


class _Named(HostAgent):
    """Stands for an agent in messages."""

    def __init__(self, name: str):
        self.name = name

    def choose(self, game: Game, position: Position) -> int:
        raise NotImplementedError


class Opponents:
    """All agents that visitors play, the latest kept.

    Args:
      settings: of the server.
    """

    def __init__(self, settings: Settings):
        self._settings = settings
        self._kept: OrderedDict[tuple[str, Game], Opponent] = OrderedDict()

    def get(self, spec: str, game: Game) -> Opponent:
        """An agent that plays a game.

        Raises:
          UserError: there is none, or it does not play this game.
        """
        names.check_agent(spec, self._settings.agents, self._settings.folder)
        try:
            key = self._resolved(spec), game
            if key not in self._kept:
                self._kept[key] = Opponent(key[0], game, agent_names.agent(key[0], game)[1])
        except OSError as error:  # a run may be deleted at any time
            raise UserError(f"{spec} cannot be read: {error.strerror or error}") from None
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_AGENTS:
            self._kept.popitem(last=False)[1].close()
        return self._kept[key]

    def _resolved(self, spec: str) -> str:
        """The name with a snapshot's id, as the newest one changes."""
        if spec in self._settings.agents or not agent_names.is_run(spec):
            return spec
        run, number, _ = agent_names.snapshot(spec)
        run.close()
        return f"{run.name}:{number}"

    def close(self) -> None:
        """Ends the processes that agents have started."""
        for opponent in self._kept.values():
            with contextlib.suppress(Exception):
                opponent.close()
