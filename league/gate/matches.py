"""The games of a gate, played from held-out openings."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np

from arena import interrupt
from arena.judges.rules import Rules
from arena.keys import fold
from arena.play import host_loop
from arena.play.device_loop import Match
from arena.shards import SHARDS, fitting
from arena.types import Agent, HostAgent, Judge, Position, Positions, stack
from games import Game
from league.evaluation import compute_ledger
from league.gate.heldout import Openings
from league.gate.match import GateMatch, Stage
from league.gate.rule import Rule


@dataclass(frozen=True)
class GateMatches:
    """Plays the matches of a gate.

    Attributes:
      game: what is played.
      rule: of the gate.
      agents: all that may meet, by name.
      openings: the held-out ones of the test and its selection, and those of the checks.
      key: PRNG key of agents that play at random, and of chance.
      judge: who says who won; the rules if None.
    """

    game: Game
    rule: Rule
    agents: dict[str, Agent | HostAgent]
    openings: tuple[Openings, Openings]
    key: jax.Array
    judge: Judge | None = None

    def __call__(self, match: GateMatch) -> tuple[np.ndarray, int]:
        """The candidate's scores f32[P, 2], and the forward passes that they took."""
        scores, passes = [np.zeros((0, 2), np.float32)], 0
        for at in range(0, match.pairs, self.rule.pairs):  # one size, one compilation
            interrupt.check()
            starts = self._starts(match, at, min(self.rule.pairs, match.pairs - at))
            if starts.moves:
                found, more = self._play(match, at, starts)
                scores, passes = [*scores, found], passes + more
        return np.concatenate(scores), passes

    def _starts(self, match: GateMatch, at: int, count: int) -> Positions:
        """All candidates are chosen by the same openings; the test goes on where these end."""
        test, heldout = self.openings
        if match.stage == Stage.HELDOUT:
            return heldout.take(at, count)
        batch = match.number + 1 if match.stage == Stage.TEST else 0
        return test.take(batch * self.rule.pairs + at, count)

    def _play(self, match: GateMatch, at: int, starts: Positions) -> tuple[np.ndarray, int]:
        a, b = self.agents[match.a], self.agents[match.b]
        key = fold(self.key, match.stage, match.number, at)
        if isinstance(a, Agent) and isinstance(b, Agent):
            return self._on_device(a, b, key, starts)
        one, two = _Counted(a, jax.random.fold_in(key, 0)), _Counted(b, jax.random.fold_in(key, 1))
        count = len(starts.moves)
        scores = host_loop.pairs(
            one,
            two,
            self.game,
            key=key,
            count=count,
            plies=0,
            slots=2 * count,
            openings=starts,
            judge=self.judge,
        )
        return scores, one.passes + two.passes

    def _on_device(
        self, a: Agent, b: Agent, key: jax.Array, starts: Positions
    ) -> tuple[np.ndarray, int]:
        pairs = len(starts.moves)
        groups = fitting(pairs, SHARDS)
        judge = self.judge or Rules(self.game)
        match = Match(self.game, a.policy, b.policy, judge=judge, slots=pairs // groups)
        states = jax.tree.map(lambda x: x.reshape(groups, -1, *x.shape[1:]), starts.states)
        one, two = (stack([agent.params] * groups) for agent in (a, b))
        played = match.play(one, two, keys=jax.random.split(key, groups), openings=states)
        passes = compute_ledger.passes(np.asarray(played.moves), a, b)
        return np.asarray(played.scores).reshape(pairs, 2), passes


class _Counted(HostAgent):
    """An agent in the loop of the host, and how many positions its network evaluates."""

    def __init__(self, agent: Agent | HostAgent, key: jax.Array):
        self.name, self.passes = agent.name, 0
        self._inner, self._each = host_loop.hosted(agent, key), compute_ledger.evaluations(agent)

    def choose(self, game: Game, position: Position) -> int:
        """The agent's move."""
        return self.choose_all(game, [position])[0]

    def choose_all(self, game: Game, positions: Sequence[Position]) -> list[int]:
        """The agent's moves."""
        self.passes += self._each * len(positions)
        return self._inner.choose_all(game, positions)
