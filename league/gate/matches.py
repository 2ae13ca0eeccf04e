"""The games of a gate, played from held-out openings."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import jax
import numpy as np

from arena import interrupt
from arena.judges.rules import Rules
from arena.keys import fold
from arena.play.device_loop import Match
from arena.play.executor import LOCAL, Executor, HostMatch, Later
from arena.shards import SHARDS, fitting
from arena.types import Agent, HostAgent, Judge, Positions
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
      executor: where the loops run.
    """

    game: Game
    rule: Rule
    agents: dict[str, Agent | HostAgent]
    openings: tuple[Openings, Openings]
    key: jax.Array
    judge: Judge | None = None

    executor: Executor = LOCAL
    _begun: dict[GateMatch, list[Later[tuple[np.ndarray, int]]]] = field(
        default_factory=dict, init=False, repr=False
    )

    def __call__(self, match: GateMatch) -> tuple[np.ndarray, int]:
        """The candidate's scores f32[P, 2], and the forward passes that they took."""
        scores, passes = [np.zeros((0, 2), np.float32)], 0
        for finish in self._begun.pop(match, None) or self._started(match):
            interrupt.check()
            found, more = finish()
            scores, passes = [*scores, found], passes + more
        return np.concatenate(scores), passes

    def begin(self, matches: Sequence[GateMatch]) -> None:
        """Has matches that will be asked for played from now on, where others play them."""
        for match in matches:
            if len(self._begun) < self.executor.ahead and match not in self._begun:
                self._begun[match] = list(self._batches(match))

    def _started(self, match: GateMatch) -> Iterable[Later[tuple[np.ndarray, int]]]:
        """The batches of a match, all begun where others play them."""
        batches = self._batches(match)
        return list(batches) if self.executor.ahead else batches

    def _batches(self, match: GateMatch) -> Iterator[Later[tuple[np.ndarray, int]]]:
        """A match in batches, as far as there are openings."""
        for at in range(0, match.pairs, self.rule.pairs):  # one size, one compilation
            starts = self._starts(match, at, min(self.rule.pairs, match.pairs - at))
            if starts.moves:
                yield self._play(match, at, starts)

    def _starts(self, match: GateMatch, at: int, count: int) -> Positions:
        """All candidates are chosen by the same openings; the test goes on where these end."""
        test, heldout = self.openings
        if match.stage == Stage.HELDOUT:
            return heldout.take(at, count)
        batch = match.number + 1 if match.stage == Stage.TEST else 0
        return test.take(batch * self.rule.pairs + at, count)

    def _play(self, match: GateMatch, at: int, starts: Positions) -> Later[tuple[np.ndarray, int]]:
        a, b = self.agents[match.a], self.agents[match.b]
        key = fold(self.key, match.stage, match.number, at)
        if isinstance(a, Agent) and isinstance(b, Agent):
            return self._on_device(a, b, key, starts)
        count = len(starts.moves)
        agent_keys = [jax.random.key_data(jax.random.fold_in(key, side)) for side in (0, 1)]
        played = self.executor.on_host(
            HostMatch(
                self.game,
                np.asarray(jax.random.key_data(key)),
                np.stack([np.asarray(one) for one in agent_keys]),
                pairs=count,
                plies=0,
                slots=2 * count,
                judge=self.judge or Rules(self.game),
                openings=starts,
            ),
            a,
            b,
        )

        def finish() -> tuple[np.ndarray, int]:
            found = played()
            return found.scores, compute_ledger.passes(found.moves[None], a, b)

        return finish

    def _on_device(
        self, a: Agent, b: Agent, key: jax.Array, starts: Positions
    ) -> Later[tuple[np.ndarray, int]]:
        pairs = len(starts.moves)
        groups = fitting(pairs, SHARDS)
        judge = self.judge or Rules(self.game)
        match = Match(self.game, a.policy, b.policy, judge=judge, slots=pairs // groups)
        states = jax.tree.map(lambda x: x.reshape(groups, -1, *x.shape[1:]), starts.states)
        keys = jax.random.split(key, groups)
        played = self.executor.on_device(
            match, [a] * groups, [b] * groups, keys=keys, openings=states
        )

        def finish() -> tuple[np.ndarray, int]:
            found = played()
            passes = compute_ledger.passes(np.asarray(found.moves), a, b)
            return np.asarray(found.scores).reshape(pairs, 2), passes

        return finish
