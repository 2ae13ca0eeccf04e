"""The games of a gate, played from held-out openings."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np

from arena.judges.rules import Rules
from arena.play import host_loop
from arena.play.device_loop import Match
from arena.types import Agent, HostAgent, Position, Positions, stack
from games import Game
from league.evaluation import compute_ledger
from league.gate.decision import Rule, Trial
from league.gate.heldout import Openings


@dataclass(frozen=True)
class Trials:
    """Plays what a gate asks for.

    Attributes:
      game: what is played.
      rule: of the gate.
      agents: all who may meet, by name.
      openings: the held-out ones of the test and its selection, and those of the vetoes.
      key: PRNG key of agents that play at random, and of chance.
    """

    game: Game
    rule: Rule
    agents: dict[str, Agent | HostAgent]
    openings: tuple[Openings, Openings]
    key: jax.Array

    def __call__(self, trial: Trial) -> tuple[np.ndarray, int]:
        """The candidate's scores f32[P, 2], and the forward passes that they took."""
        scores, passes = [np.zeros((0, 2), np.float32)], 0
        for at in range(0, trial.pairs, self.rule.pairs):  # one size, one compilation
            starts = self._starts(trial, at, min(self.rule.pairs, trial.pairs - at))
            if starts.moves:
                found, more = self._play(trial, at, starts)
                scores, passes = [*scores, found], passes + more
        return np.concatenate(scores), passes

    def _starts(self, trial: Trial, at: int, count: int) -> Positions:
        """All candidates are chosen by the same openings; the test goes on where these end."""
        test, veto = self.openings
        if trial.stage == "veto":
            return veto.take(at, count)
        batch = trial.number + 1 if trial.stage == "test" else 0
        return test.take(batch * self.rule.pairs + at, count)

    def _play(self, trial: Trial, at: int, starts: Positions) -> tuple[np.ndarray, int]:
        a, b = self.agents[trial.a], self.agents[trial.b]
        key = self.key
        for number in (zlib.crc32(trial.stage.encode()), trial.number, at):
            key = jax.random.fold_in(key, number)
        if isinstance(a, Agent) and isinstance(b, Agent):
            return self._on_device(a, b, key, starts)
        one, two = _Counted(a, jax.random.fold_in(key, 0)), _Counted(b, jax.random.fold_in(key, 1))
        count = len(starts.moves)
        scores = host_loop.pairs(
            one, two, self.game, key=key, count=count, plies=0, slots=2 * count, openings=starts
        )
        return scores, one.passes + two.passes

    def _on_device(
        self, a: Agent, b: Agent, key: jax.Array, starts: Positions
    ) -> tuple[np.ndarray, int]:
        pairs = len(starts.moves)
        groups = max(d for d in range(1, jax.device_count() + 1) if pairs % d == 0)
        match = Match(self.game, a.policy, b.policy, judge=Rules(self.game), slots=pairs // groups)
        states = jax.tree.map(lambda x: x.reshape(groups, -1, *x.shape[1:]), starts.states)
        one, two = (stack([agent.params] * groups) for agent in (a, b))
        played = match.play(one, two, keys=jax.random.split(key, groups), openings=states)
        passes = compute_ledger.passes(np.asarray(played.moves), a, b)
        return np.asarray(played.scores).reshape(pairs, 2), passes


class _Counted(HostAgent):
    """A player on the host, and what its network evaluates."""

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
