"""An agent in one game in progress, as the servers of protocols use it.

This module imports JAX.
"""

import copy
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import jax

from agents.search import analysis as searches
from agents.search.growth import node_bytes
from arena.analysis import Analysis, Limit, MoveAnalysis
from arena.play import host_loop
from arena.play.session import Session
from arena.types import Agent, HostAgent, State, stack
from games import Game
from league.cli import names

_PATIENCE = 0.03
"""Seconds between two looks at the clock and the stop."""
_MOST_NODES = 1 << 17
"""No tree has room for more: what is read off it would take too long."""
_WARM_UP = 3
"""Simulations with which all that a game needs is compiled."""


class Player:
    """An agent, and the game that it is in.

    Args:
      spec: the agent, as a user types it.
      rules: the game, if the agent's name does not say it.
      megabytes: what its tree may take.
      agent: the agent itself, where the name is not to be looked up.

    Attributes:
      game: what is played.
      agent: who plays.
      raw: it is a network that shall not search: it plays its favourite move.

    Raises:
      UserError: there is no such agent, or it plays another game.
    """

    def __init__(
        self,
        spec: str,
        rules: Game | None,
        *,
        megabytes: int,
        agent: Agent | HostAgent | None = None,
    ):
        game, found = names.agent(spec, rules) if agent is None else (rules, agent)
        assert game is not None
        self.game, self.agent = game, found
        self.raw = names.searches(spec) and "simulations=0" in spec.split(",")
        self._session = Session(self.game)
        self._analyst: searches.TreeAnalyst | None = None
        self._chooser: HostAgent | None = None
        self._make(megabytes)

    def _make(self, megabytes: int) -> None:
        """Sets up how the agent thinks."""
        agent = self.agent
        policy = agent.policy if isinstance(agent, Agent) and self.game.searchable else None
        if isinstance(agent, Agent) and isinstance(policy, searches.Searches):
            nodes = min((megabytes << 20) // node_bytes(self.game), _MOST_NODES)
            self._analyst = searches.TreeAnalyst(
                policy.tree_search(),
                stack([agent.params]),
                patience=_PATIENCE,
                capacity=1 << max(6, nodes.bit_length() - 1),
                fixed=True,
                keep_traced=True,
            )
        else:
            self._chooser = host_loop.hosted(agent, jax.random.key(0))

    @property
    def session(self) -> Session:
        """The game in progress; moves are made by `follow` and `push` only."""
        return self._session

    def resize(self, megabytes: int) -> None:
        """Gives the tree other room, and drops what it holds."""
        if self._analyst is not None:
            self._make(megabytes)

    def clear(self) -> None:
        """Drops what is known of earlier positions."""
        if self._analyst is not None:
            self._analyst.clear()

    def warm_up(self) -> None:
        """Compiles, or loads, all that a move needs."""
        session = Session(self.game)
        with suppress(ValueError):  # positions of other games have no text
            Session(self.game, start=session.state)
        analysis = self._think(session, Limit(simulations=_WARM_UP))
        if self._analyst is not None:
            session.push(analysis.move)
            self._analyst.advance(analysis.move)
            if not session.over:
                self._think(session, Limit(simulations=1))
            self._analyst.clear()

    def begin(self, start: State | None = None) -> None:
        """Begins a game, in the initial position unless another is given."""
        self._session = Session(self.game, start=start)

    def push(self, move: int) -> None:
        """Makes a move; what is known of the position after it is kept."""
        self._session.push(move)
        if self._analyst is not None:
            self._analyst.advance(move)

    def undo(self) -> None:
        """Takes a move back; raises ValueError if there is none."""
        self._session.undo()

    def alter(self, state: State) -> None:
        """Puts another position in the place of the last one."""
        self._session.alter(state)
        self.clear()

    def twin(self) -> Session:
        """A copy of the game in progress."""
        return copy.deepcopy(self._session)

    def think(
        self,
        limit: Limit,
        *,
        stop: threading.Event,
        callback: Callable[[Analysis], None] | None = None,
        every: float = 0.0,
        among: Sequence[int] | None = None,
    ) -> Analysis:
        """What the agent finds out about the position; see `Analyst.analyse`.

        One that does not search has nothing but its move. A raw network is asked once.

        Raises:
          ValueError: the game is over.
          Forfeit: a player outside the device cannot go on, or broke the rules.
        """
        if self.raw:
            self.clear()
            limit = Limit(simulations=1)
        analysis = self._think(
            self._session, limit, stop=stop, callback=callback, every=every, among=among
        )
        if self.raw:
            self.clear()
        return analysis

    def _think(
        self,
        session: Session,
        limit: Limit,
        *,
        stop: threading.Event | None = None,
        callback: Callable[[Analysis], None] | None = None,
        every: float = 0.0,
        among: Sequence[int] | None = None,
    ) -> Analysis:
        if self._analyst is not None:
            return self._analyst.analyse(
                session.position, limit, callback=callback, every=every, stop=stop, among=among
            )
        if session.over:
            raise ValueError("the game is over")
        analysis = self._chosen(session, among)
        if callback:
            callback(analysis)
        return analysis

    def _chosen(self, session: Session, among: Sequence[int] | None) -> Analysis:
        """The move of an agent that does not search."""
        assert self._chooser is not None
        began = time.monotonic()
        move = self._chooser.choose(self.game, session.position)
        host_loop.check_legal(self._chooser, move, session.legal)
        if among and move not in among:
            move = among[0]
        label = session.label(move)
        found = MoveAnalysis(move, label, 1.0, 1, 0.0, None, (move,))
        seconds = time.monotonic() - began
        return Analysis(move, 0.0, False, (found,), (move,), (label,), 1, seconds)

    def close(self) -> None:
        """Ends the processes that the agent has started."""
        if isinstance(self.agent, HostAgent):
            self.agent.close()
