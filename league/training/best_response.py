"""How much an agent can be exploited: exactly where the game is small, else by training a rival.

The exact figure is what a best response gains (NashConv / 2, OpenSpiel's convention). In any other
game a fresh learner plays against the frozen agent alone; what it then scores on games that it
has not seen is a lower bound.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import numpy as np

from agents.learners.base import Learner
from arena.evaluation import metagame, score
from arena.evaluation.exploitability import (
    enumerable,
    exploitability,
    mixture_exploitability,
    payoffs,
)
from arena.judges.rules import Rules
from arena.play import device_loop, match
from arena.play.openings import random_openings
from arena.types import Agent, stack
from games import Game
from league.settings.config import Config

ENUMERABLE = 100_000
"""Courses of a game of hidden information, or positions of another, that are enumerated at most."""


def policy(game: Game, config: Config, params: Any) -> Callable[[np.ndarray, np.ndarray], Any]:
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
def _logits(game: Game, learner: Any):
    """Jitted: weights and observations to logits."""
    return jax.jit(learner.make(game, Rules(game)).logits)


def small(game: Game) -> bool:
    """Whether `of_pool` can say how far a run is from an equilibrium."""
    return not game.perfect_information and enumerable(game, ENUMERABLE)


def of_pool(game: Game, config: Config, snapshots: Sequence[Any]) -> dict[str, float]:
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


def words(found: dict[str, float]) -> str:
    """What was measured, in a line: of the snapshot alone, and of the pool if `of_pool` did it."""
    line = f"exploitability {found['exploitability']:.4f} (exact; NashConv / 2)"
    if "pool_exploitability" in found:
        line += (
            f" of this snapshot alone, worth {found['value']:.4f} to seat 0 against itself; "
            f"{found['pool_exploitability']:.4f} of the Nash mixture of the pool"
        )
    return line


def exact(game: Game, config: Config, params: Any) -> float:
    """The exploitability of a snapshot, in the game's own payoffs."""
    return exploitability(game, policy(game, config, params))


@dataclass(frozen=True)
class Rival:
    """A learner that meets one frozen agent.

    Attributes:
      game: what is played.
      config: of the run that the agent is from; the rival learns as that run does.
      frozen: the agent.
    """

    game: Game
    config: Config
    frozen: Agent

    def train(
        self, generations: int, key: jax.Array, tell: Callable[[int], None] = lambda number: None
    ) -> Any:
        """Trains from nothing and returns the weights; `tell` hears of every generation."""
        learner = self._learner
        state = learner.init(jax.random.fold_in(key, 0))
        for number in range(1, generations + 1):
            here = jax.random.fold_in(key, number)
            data = self._play(state.params, jax.random.fold_in(here, 0))
            state, _ = learner.learn(
                state,
                data,
                fresh=len(jax.tree.leaves(data)[0]),
                progress=number / generations,
                key=jax.random.fold_in(here, 1),
            )
            tell(number)
        return state.params

    @property
    def _learner(self) -> Learner:
        return self.config.learner.make(self.game, Rules(self.game))

    def _play(self, params: Any, key: jax.Array) -> Any:
        """One generation's games, all of them against the frozen agent."""
        config, learner = self.config, self._learner
        table = device_loop.Match(
            self.game,
            learner.behaviour_policy(),
            self.frozen.policy,
            judge=Rules(self.game),
            slots=min(config.slots, config.pairs),
            record=True,
            finals=learner.needs_final_states,
        )
        shape = config.matches, config.pairs
        starts = random_openings(
            self.game, jax.random.fold_in(key, 0), shape=shape, plies=config.opening_plies
        )
        played = table.play(
            stack([params] * config.matches),
            stack([self.frozen.params] * config.matches),
            keys=jax.random.split(key, config.matches),
            openings=starts,
        )
        learns = np.array([[True], [False]]).repeat(config.matches, 1)
        record = jax.tree.map(np.asarray, played.record)
        return learner.make_dataset(record, np.asarray(played.scores), learns)

    def measure(self, params: Any, pairs: int, key: jax.Array) -> score.Score:
        """What the rival scores without search, on fresh games."""
        policy = self._learner.eval_policy(0)
        rival, plies = Agent("rival", policy, params), self.config.measure.opening_plies
        played = match.play(
            [rival],
            [self.frozen],
            self.game,
            key=key,
            pairs=pairs,
            plies=plies,
            groups=1,
            slots=min(pairs, 256),
        )
        return score.of(played[0])
