"""What a run's judge says of each generation beside what the rules say, and when the two part.

The raw network of the newest snapshot plays its measuring games, and some against the first policy;
the same games are scored twice. A judge that is being gamed overrates what was trained on it: in
the same games its score is above that of the rules. Nothing of this is learnt from.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from arena import judge_weights
from arena.judges import check as contract
from arena.types import Params, PyTree, State
from league.evaluation.compute_ledger import JudgeCost
from league.settings.json_object import JsonObject
from league.store.database import MatchResult
from league.store.run import Run
from league.training.actors import Actors
from league.training.measuring import Measuring

_ROWS = 2048  # positions on which the divergence from the first policy is measured
_TILES = 16  # copies of some positions by which a judge's networks are timed
_NONE = 0.05  # verdicts nearer to 0 name no winner


@dataclass
class Judging:
    """Compares a run's judge with the rules.

    Attributes:
      run: the run.
      weights: the parameters of an older snapshot, by id.
      measuring: plays the games, and counts their passes.
      actors: played the games that were learnt from, maybe in other processes.
    """

    run: Run
    weights: Callable[[str], Params]
    measuring: Measuring
    actors: Actors
    _sample: tuple[State, np.ndarray] | None = field(default=None, init=False)
    _spent: tuple[float, int] = field(default=(0.0, 0), init=False)
    _each: float | None = field(default=None, init=False)

    @property
    def wanted(self) -> bool:
        """Whether the run's judge is another than the rules."""
        return not self.run.judge.exact

    def figures(
        self,
        generation: int,
        params: Params,
        *,
        measured: Sequence[MatchResult],
        judge_params: Params,
        data: PyTree,
        games: int,
    ) -> JsonObject:
        """What goes into the record of a generation.

        Args:
          generation: its number.
          params: of its snapshot.
          measured: its matches against the pool, by the rules.
          judge_params: the weights by which its games were judged; () if the judge has none.
          data: its dataset.
          games: training games that the judge scored.

        Returns:
          `judged`, its parts by name; `verdict_seconds` where the judge has code of its own, with
          `verdict_positions` that this code was given, or networks, whose seconds are estimated.

        Raises:
          UserError: the judge changed its mind, or gave a verdict that is none.
        """
        self._check_mind(judge_params)
        judged = self.measuring.judged_against_pool(generation, params, judge_params)
        pool = [match.scores for match in measured if match.role == "measure"]
        first = self.measuring.against_first(generation, params)
        judged_first = self.measuring.against_first(generation, params, judge_params, judged=True)
        rules, judge = np.concatenate([*pool, first]), np.concatenate([*judged, judged_first])
        excess = (judge - rules).mean(1)
        decided = rules != 0.5
        named = np.abs(2 * judge - 1) >= _NONE
        right = np.where(named, (judge > 0.5) == (rules > 0.5), 0.5)[decided]
        verdicts = games + judge.size
        cost, self.measuring.judge_cost = self.measuring.judge_cost, JudgeCost()
        asked = cost.positions(self.run.judge, verdicts, compiled=self.run.game.on_device)
        divergence = self._divergence(params, data)
        parts = {
            **_mean("judge_first", judged_first),
            **_mean("rules_first", first),
            **_mean("judge_pool", np.concatenate(judged)),
            **_mean("rules_pool", np.concatenate(pool)),
            "excess": float(excess.mean()),
            "excess_squares": float(np.square(excess - excess.mean()).sum()),
            "pairs": len(excess),
            "decided": int(decided.sum()),
            "right": float(right.sum()),
            "named": int(named[decided].sum()),
            "verdicts": verdicts,
            "searched": cost.searches,
            "evaluations": asked * self.run.judge.evaluations,
            "human_verdicts": self.run.judge.human_verdicts(),
            **({} if divergence is None else {"kl": divergence}),
        }
        return {"judged": parts, **self._seconds(parts["evaluations"], judge_params)}

    def _check_mind(self, judge_params: Params) -> None:
        """Asks the judge once more about the ends of random games, unless it learns."""
        judge, game = self.run.judge, self.run.game
        if judge.weighted is not None or not game.on_device:
            return
        if self._sample is None:
            states = contract.finals(game, jax.random.key(0), cut_after=judge.cut_after)
            self._sample = states, contract.verdicts(judge, states)
        states, before = self._sample
        contract.check_same(before, contract.verdicts(judge, states, judge_params))

    def _seconds(self, evaluations: int, judge_params: Params) -> JsonObject:
        """Seconds that the judge has taken in this generation; {} if that is not to be known."""
        judge = self.run.judge
        spent = judge.seconds_spent()
        if spent is not None:
            elsewhere = self.actors.judged()
            now = spent + elsewhere[0], judge.positions_judged() + elsewhere[1]
            before, self._spent = self._spent, now
            taken, given = (now - then for now, then in zip(self._spent, before, strict=True))
            return {"verdict_seconds": taken, "verdict_positions": given}
        if not evaluations or not self.run.game.on_device:
            return {}
        if self._each is None:
            self._each = _seconds_each(self.run, judge_params)
        return {"verdict_seconds": evaluations * self._each}

    def _divergence(self, params: Params, data: PyTree) -> float | None:
        """KL(snapshot ‖ first policy), nats a move, in positions of the generation's games."""
        try:
            states = self.run.learner.preferred(data).state
        except ValueError:  # it does not say in which positions its moves were made
            return None
        count = len(jax.tree.leaves(states)[0])
        if not self.run.game.on_device or not count:
            return None
        rows = self.run.rng(0, "divergence").integers(count, size=_ROWS)
        some = jax.tree.map(lambda x: np.asarray(x)[rows], states)
        found = _divergences(self.run)(params, self.weights("0"), some)
        return float(np.asarray(found, np.float64).mean())


_COMPILED: dict[Run, Callable[..., jax.Array]] = {}


def _seconds_each(run: Run, judge_params: Params) -> float:
    """Seconds of an evaluation by the judge's networks, by themselves, in a large batch."""
    judge = run.judge
    states = contract.finals(run.game, jax.random.key(0), cut_after=judge.cut_after)
    batch = jax.tree.map(lambda x: jax.device_put(np.concatenate([x] * _TILES)), states)

    def ask(states: State, params: Params) -> jax.Array:
        with judge_weights.bound(judge, params):
            return judge.verdict(states)

    compiled, seconds = jax.jit(ask), []
    count = len(jax.block_until_ready(compiled(batch, judge_params)))  # which compiles it
    for _ in range(3):
        began = time.perf_counter()
        jax.block_until_ready(compiled(batch, judge_params))
        seconds.append(time.perf_counter() - began)
    return min(seconds) / (count * judge.evaluations)


def _divergences(run: Run) -> Callable[[Params, Params, State], jax.Array]:
    """Jitted: KL f32[N] of two sets of weights' policies in positions [N, ...]."""
    game, learner = run.game, run.learner

    def divergence(new: Params, old: Params, states: State) -> jax.Array:
        movers = jnp.maximum(jax.vmap(game.mover)(states), 0)
        seen, legal = jax.vmap(game.observe)(states, movers), jax.vmap(game.legal)(states)

        def policy(params: Params) -> jax.Array:
            logits = learner.logits(params, seen)
            return jax.nn.log_softmax(jnp.where(legal, logits, -1e9))

        p, q = policy(new), policy(old)
        return (jnp.exp(p) * jnp.where(legal, p - q, 0.0)).sum(-1)

    if run not in _COMPILED:
        _COMPILED[run] = jax.jit(divergence)
    return _COMPILED[run]


def _mean(name: str, scores: np.ndarray) -> dict[str, float]:
    """Points per game of scores f32[P, 2], and their standard error over pairs."""
    points = np.asarray(scores, np.float64).mean(1)
    error = points.std() / math.sqrt(len(points))
    return {name: float(points.mean()), f"{name}_error": float(error)}
