"""How much an agent can be exploited: exactly, or by training a best response.

The exact figure is what a best response gains (NashConv / 2, the convention of OpenSpiel). Where a
game is too large for it, a fresh learner trains against the frozen agent alone; what it then scores
on fresh games is a lower bound.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import jax
import numpy as np

from agents.learners.base import Learner, LearnerConfig
from agents.nn import networks
from arena.evaluation import exploitability as exact_play
from arena.evaluation import metagame, score
from arena.evaluation.exploitability import (
    exploitability,
    mixture_exploitability,
    payoffs,
)
from arena.judges.rules import Rules
from arena.play import match as matches
from arena.play.device_loop import Match
from arena.play.openings import random_openings
from arena.types import Agent, Judge, Params, PyTree, TrainingMoment
from games import Game
from league.settings.config import Config
from league.store.checkpoints import digest
from league.training import step
from league.training.actors import LocalActors
from league.training.requests import Request, Shape, WeightsRef, join

_POSITIONS, _COURSES = 100_000, 400_000
"""Positions of a game, or courses of one of hidden information, that are enumerated at most."""


def policy(
    game: Game, config: Config, params: Params
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """How likely a snapshot, without search, makes each move; see `Strategy`."""
    logits = _logits(game, config.learner)

    def chances(observations: np.ndarray, legal: np.ndarray) -> np.ndarray:
        found = np.where(legal, np.asarray(logits(params, observations), np.float64), -np.inf)
        if game.perfect_information:
            return np.eye(legal.shape[1])[found.argmax(1)]
        odds = np.exp(found - found.max(1, keepdims=True))
        return odds / odds.sum(1, keepdims=True)

    return chances


@cache
def _logits(game: Game, learner: LearnerConfig):
    """Jitted: weights and observations to logits."""
    return jax.jit(learner.make(game, Rules(game)).logits)


def enumerable(game: Game) -> bool:
    """Whether a best response can be found exactly."""
    limit = _POSITIONS if game.perfect_information else _COURSES
    return exact_play.enumerable(game, limit)


def small(game: Game) -> bool:
    """Whether `of_pool` can say how far a run is from an equilibrium."""
    return not game.perfect_information and enumerable(game)


def of_pool(game: Game, config: Config, snapshots: Sequence[Params]) -> dict[str, float]:
    """How far a pool is from an equilibrium, in the game's own payoffs.

    Args:
      game: of hidden information, small enough to be enumerated.
      config: of the run.
      snapshots: the weights of the pool, the newest last.

    Returns:
      `exploitability` of the newest snapshot alone, the last iterate; its `value`, what seat 0 gets
      when it plays itself; and `pool_exploitability`, of whoever draws a snapshot by the Nash
      equilibrium of the pool and keeps to it for a game.
    """
    policies = [policy(game, config, params) for params in snapshots]
    table = payoffs(game, policies)
    share = metagame.nash((table - table.T) / (2 * game.max_payoff)).mixture
    return {
        "exploitability": exploitability(game, policies[-1]),
        "value": float(table[-1, -1]),
        "pool_exploitability": mixture_exploitability(game, policies, share),
    }


def describe(found: dict[str, float]) -> str:
    """What was measured, in a line: of the snapshot alone, and of the pool if `of_pool` did it."""
    line = f"exploitability {found['exploitability']:.4f} (exact; NashConv / 2)"
    if "pool_exploitability" in found:
        line += (
            f" of this snapshot alone, worth {found['value']:.4f} to seat 0 against itself; "
            f"{found['pool_exploitability']:.4f} of the Nash mixture of the pool"
        )
    return line


def exact(game: Game, config: Config, params: Params) -> float:
    """The exploitability of a snapshot, in the game's own payoffs."""
    return exploitability(game, policy(game, config, params))


@dataclass(frozen=True)
class BestResponse:
    """A learner that trains against one frozen agent.

    Attributes:
      game: what is played.
      config: of the run that the agent is from; the best response learns as that run does.
      frozen: the agent.
      judge: who says who won in training.
    """

    game: Game
    config: Config
    frozen: Agent
    judge: Judge

    def train(
        self,
        generations: int,
        key: jax.Array,
        callback: Callable[[int], None] = lambda number: None,
    ) -> Params:
        """Trains from nothing.

        Args:
          generations: as large as the run's own, on the games of one generation each.
          key: PRNG key.
          callback: called with the number of every generation that is done.

        Returns:
          the weights.
        """
        last: Params = ()
        for number, (params, _) in enumerate(self.trained(generations, key), 1):
            last = params
            callback(number)
        return last

    def trained(
        self, generations: int, key: jax.Array, *, start: Params | None = None
    ) -> Iterator[tuple[Params, int]]:
        """The same, step by step: after each generation the weights, and how many moves it learnt.

        Args:
          generations, key: as for `train`.
          start: weights to begin with; random ones if None.
        """
        learner = self.config.learner.make(self.game, self.judge)
        state = learner.init(jax.random.fold_in(key, 0))
        if start is not None:
            state = state._replace(params=start)
        past = [state.params]
        for number in range(1, generations + 1):
            here = jax.random.fold_in(key, number)
            data = self._play(learner, past, jax.random.fold_in(here, 0))
            state, _ = step.learn(
                learner,
                state,
                [data],
                fresh=step.rows(data),
                progress=number / generations,
                key=jax.random.fold_in(here, 1),
            )
            past.append(state.params)
            yield state.params, step.rows(data)

    def _play(self, learner: Learner, past: list[Params], key: jax.Array) -> PyTree:
        """The dataset of one generation's games, all of them against the frozen agent.

        Args:
          learner: plays side A.
          past: its weights after each generation so far, the first ones being random.
          key: PRNG key.
        """
        config, count = self.config, self.config.matches
        number, params = len(past), past[-1]
        own = WeightsRef("best response", digest(params))
        frozen = WeightsRef(self.frozen.name, digest(self.frozen.params))
        weights = {own: params, frozen: self.frozen.params}
        judge = None
        if self.judge.weighted is not None:
            moment = TrainingMoment(number, params, past.__getitem__, lambda make: make())
            judge = WeightsRef("judge", "")
            weights[judge] = self.judge.weighted.weights_for(moment)
        request = Request(
            run="",
            generation=number,
            role="best response",
            numbers=tuple(range(count)),
            shape=Shape(config.pairs, config.slots),
            a=(own,) * count,
            b=(frozen,) * count,
            openings=jax.tree.map(
                np.asarray,
                random_openings(
                    self.game,
                    jax.random.fold_in(key, 0),
                    shape=(count, config.pairs),
                    plies=config.opening_plies,
                ),
            ),
            keys=np.asarray(jax.random.key_data(jax.random.split(key, count))),
            judge=judge,
        )

        def match(shape: Shape) -> Match:
            policy = self.frozen.policy
            return step.recorded_match(learner, policy, slots=shape.slots, pairs=shape.pairs)

        shards = config.shards if self.game.on_device else 1
        requests = request.split(shards)
        played = join(requests, LocalActors(match).play(requests, weights.__getitem__))
        return step.make_dataset(learner, played, np.array([[True], [False]]).repeat(count, 1))

    def measure(self, params: Params, pairs: int, key: jax.Array) -> score.Score:
        """What the best response scores without search, on fresh games, by the rules."""
        policy = self.config.learner.make(self.game, Rules(self.game)).eval_policy(0)
        agent = Agent("best response", policy, networks.for_play(params))
        plies = self.config.measure.opening_plies
        played = matches.play(
            [agent],
            [self.frozen],
            self.game,
            key=key,
            pairs=pairs,
            plies=plies,
            groups=1,
            slots=min(pairs, 256),
        )
        return score.of(played[0])
