"""The matches that measure new snapshots; none of them is learnt from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from agents import mcts, uniform
from arena.play import match
from arena.types import Agent, Judge, Params
from league.evaluation import compute_ledger
from league.evaluation.compute_ledger import JudgeCost
from league.settings.config import MeasureConfig
from league.store.database import MatchResult, Results, Tally
from league.store.run import Run

_STEP = 4
"""How many times the rollouts of the rung below it a rung of the ladder has."""
_OVERCOME = 0.9
"""The score by which a rung is left for the next."""


@dataclass
class Measuring:
    """Measures snapshots of one run.

    Attributes:
      run: the run.
      results: its record.
      weights: the parameters of an older snapshot, by id.
      passes: positions that networks have evaluated in these matches so far.
      judge_cost: what the run's judge was asked for where it judged them, too.
    """

    run: Run
    results: Results
    weights: Callable[[str], Params]
    passes: int = 0
    judge_cost: JudgeCost = field(default_factory=JudgeCost)

    def against_pool(self, generation: int, params: Params, **judge: Any) -> list[MatchResult]:
        """A new snapshot against the one before it and others of the pool, without search."""
        rule = self.run.config.measure
        others = self.run.rng(generation, "rate").permutation(generation - 1).tolist()
        numbers = [generation - 1, *others][: rule.opponents]
        opponents = [self._agent(str(number), self.weights(str(number))) for number in numbers]
        agents = [self._agent(str(generation), params)] * len(opponents)
        groups = rule.opponents
        return self._matches(
            "measure", generation, agents, opponents, pairs=rule.pairs, groups=groups, **judge
        )

    def judged_against_pool(
        self, generation: int, params: Params, judge_params: Params
    ) -> list[np.ndarray]:
        """The same games, scored by the run's judge: f32[P, 2] each."""
        judge = {"judge": self.run.judge, "judge_params": judge_params}
        return [match.scores for match in self.against_pool(generation, params, **judge)]

    def against_first(
        self, generation: int, params: Params, judge_params: Params = (), *, judged: bool = False
    ) -> np.ndarray:
        """A new snapshot's scores f32[P, 2] against the first policy, by the rules or the judge."""
        rule = self.run.config.measure
        agent, first = self._agent(str(generation), params), self._agent("0", self.weights("0"))
        judge = {"judge": self.run.judge, "judge_params": judge_params} if judged else {}
        matches = self._matches(
            "first",
            generation,
            [agent] * rule.opponents,
            [first] * rule.opponents,
            pairs=rule.pairs,
            groups=rule.opponents,
            **judge,
        )
        return np.concatenate([match.scores for match in matches])

    def exploiter(
        self, generation: int, main: Params, name: str, params: Params
    ) -> list[MatchResult]:
        """An exploiter that joins against the main agent, now and before, without search."""
        rule = self.run.config.measure
        past = self.run.rng(generation, f"test {name}").permutation(generation)
        mains = [
            self._agent(str(generation), main),
            *(
                self._agent(str(number), self.weights(str(number)))
                for number in past[: rule.opponents - 1].tolist()
            ),
        ]
        opponents = [self._agent(name, params)] * len(mains)
        return self._matches(
            "exploiter", generation, mains, opponents, pairs=rule.pairs, groups=rule.opponents
        )

    def against_baselines(self, generation: int, params: Params) -> list[MatchResult]:
        """A new snapshot against fixed opponents, if it is its turn.

        Its raw network meets uniform play; with search it meets a rung of the ladder, where search
        is possible and rules are on the device.
        """
        game, config, rule = self.run.game, self.run.config, self.run.config.measure
        last = config.calibrated and generation == config.generations
        if not rule.baseline_pairs or (generation % rule.every and not last):
            return []
        rounds = max(1, round(rule.last_pairs / rule.baseline_pairs)) if last else 1
        found = self._baseline("uniform", generation, params, uniform.make(game, ""), rounds)
        if game.on_device and game.searchable:
            tree = mcts.make(game, str(rung(rule, self.results.tallies("mcts"))))
            found += self._baseline("mcts", generation, params, tree, rounds)
        return found

    def _baseline(
        self, role: str, generation: int, params: Params, opponent: Agent, rounds: int
    ) -> list[MatchResult]:
        """So many rounds of `baseline_pairs` pairs; all go through one compiled loop."""
        rule = self.run.config.measure
        agent = self._agent(str(generation), params, rule.simulations if role == "mcts" else 0)
        halves = max(1, rule.baseline_pairs // 2)
        count = 2 * rounds
        return self._matches(
            role, generation, [agent] * count, [opponent] * count, pairs=halves, groups=2
        )

    def _agent(self, name: str, params: Params, simulations: int = 0) -> Agent:
        return Agent(name, self.run.eval_policy(simulations), params)

    def _matches(
        self,
        role: str,
        generation: int,
        a: list[Agent],
        b: list[Agent],
        *,
        pairs: int,
        groups: int,
        judge: Judge | None = None,
        judge_params: Params = (),
    ) -> list[MatchResult]:
        def count(moves: np.ndarray) -> None:
            self.passes += compute_ledger.passes(moves, a[0], b[0])
            if judge is not None:
                self.judge_cost.add(int(moves.sum()), a[0].policy)

        scores = match.play(
            a,
            b,
            self.run.game,
            key=self.run.key(generation, role),
            pairs=pairs,
            plies=self.run.config.measure.opening_plies,
            groups=groups,
            slots=pairs,
            judge=judge,
            judge_params=judge_params,
            callback=count,
        )
        return [
            MatchResult(role, one.name, two.name, score)
            for one, two, score in zip(a, b, scores, strict=True)
        ]


def rung(rule: MeasureConfig, met: Sequence[Tally]) -> int:
    """The rollouts of the rung that the next snapshot meets: above the last, if that is overcome.

    Args:
      rule: how snapshots are measured.
      met: what those before it scored on the ladder, oldest first.
    """
    if not met:
        return rule.rollouts
    last = met[-1]
    rollouts = int(last.b.partition(":")[2])
    if last.points < _OVERCOME * last.games:
        return rollouts
    return min(rollouts * _STEP, rule.rollouts * _STEP ** (rule.rungs - 1))
