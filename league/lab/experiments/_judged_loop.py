"""Self-improvement under a judge, step by step: how far it went, and what that was worth.

The model M plays games, the judge says who won them, the learner learns from that. After every
generation the policy M' meets the first one, drawing its moves; the same games are scored by the
rules, which is gold, and by the judge.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents.learners import played
from agents.learners.base import Learner
from arena.judges import check as contract
from arena.judges.rules import Rules
from arena.play.device_loop import Match, Record
from arena.play.openings import random_openings
from arena.types import Judge, Key, Params, State, stack
from league.training import step


class Point(NamedTuple):
    """Where the loop stands.

    Attributes:
      distance: √KL(M' ‖ M) of one seat's moves in a game, in √nats.
      gold: log odds of M' against M, by the rules.
      proxy: the same, by the judge.
    """

    distance: float
    gold: float
    proxy: float


@dataclass(frozen=True)
class Loop:
    """A learner, whose behaviour policy draws its moves, and the sizes of its loop.

    Attributes:
      learner: plays and learns.
      generations: of games and learning.
      pairs: of games that a generation learns from, and as many against the first policy.
    """

    learner: Learner
    generations: int
    pairs: int

    def run(
        self,
        judge: Judge,
        first: Params,
        key: Key,
        tell: Callable[[float], None] = lambda share: None,
    ) -> list[Point]:
        """The points after each generation, the first policy's at the beginning.

        Args:
          judge: says who won the games that are learnt from.
          first: the weights of M.
          key: PRNG key.
          tell: called with the share that is done.
        """
        state = self.learner.init(key)._replace(params=first)
        points = [Point(0.0, 0.0, 0.0)]
        for number in range(1, self.generations + 1):
            here = jax.random.fold_in(key, number)
            record, _, said = self._play(judge, state.params, state.params, here)
            data = self.learner.make_dataset(record, said, np.ones((2, 1), bool))
            state, _ = self.learner.learn(
                state,
                data,
                fresh=step.rows(data),
                progress=number / self.generations,
                key=jax.random.fold_in(here, 1),
            )
            after = jax.random.fold_in(here, 2)
            points.append(self._measure(judge, state.params, first, after))
            tell(number / self.generations)
        return points

    def games(self, params: Params, count: int, key: Key) -> tuple[State, np.ndarray]:
        """How games of a policy against itself ended, and who won by the rules.

        Args:
          params: its weights.
          count: N, games.
          key: PRNG key.

        Returns:
          final positions [N, ...], and seat 0's results f32[N] in [-1, 1].
        """
        rules, found = Rules(self.learner.game), []
        for number in range(-(-count // (2 * self.pairs))):
            record, *_ = self._play(rules, params, params, jax.random.fold_in(key, number))
            found.append(_finals(record))
        finals = jax.tree.map(lambda *x: np.concatenate(x)[:count], *found)
        return finals, contract.verdicts(rules, finals)

    def _play(
        self, judge: Judge, a: Params, b: Params, key: Key
    ) -> tuple[Record, np.ndarray, np.ndarray]:
        """Games of two policies: their record, and the first one's scores f32[1, P, 2].

        The scores are those by the rules, and those by the judge. It is asked afterwards, so that
        the compiled games are the same for every judge.
        """
        policy, game = self.learner.behaviour_policy(), self.learner.game
        match = Match(
            game, policy, policy, judge=Rules(game), slots=self.pairs, record=True, finals=True
        )
        start = random_openings(game, jax.random.key(0), shape=(1, self.pairs), plies=0)
        played = match.play(stack([a]), stack([b]), keys=key[None], openings=start)
        assert played.record is not None
        record = jax.tree.map(np.asarray, played.record)
        verdicts = contract.verdicts(judge, _finals(record)).reshape(2, self.pairs)
        said = (1 + verdicts * np.array([[1], [-1]])) / 2  # in the second half it has seat 1
        return record, np.asarray(played.scores), said.T[None].astype(np.float32)

    def _measure(self, judge: Judge, params: Params, first: Params, key: Key) -> Point:
        """The games of a policy against the first one."""
        record, true, said = self._play(judge, params, first, key)
        moves = played.moves(record, true, np.array([[True], [False]]))
        nats = divergence(self.learner, params, first, moves.state) / true.size
        gold, proxy = (log_odds(float(x.sum()), x.size) for x in (true, said))
        return Point(math.sqrt(nats), gold, proxy)


def _finals(record: Record) -> State:
    """How the games of one match ended, [2P, ...]."""
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), record.finals)


def divergence(learner: Learner, new: Params, old: Params, states: State) -> float:
    """KL in nats of one policy from another, summed over positions [N, ...]."""
    count = len(jax.tree.leaves(states)[0])
    total, size = 0.0, 1024
    for at in range(0, count, size):
        index = np.minimum(np.arange(at, at + size), count - 1)
        some = jax.tree.map(lambda x, i=index: x[i], states)
        found = np.asarray(_DIVERGENCE(learner, new, old, some), np.float64)
        total += float(found[: count - at].sum())
    return max(0.0, total)


def _each(learner: Learner, new: Params, old: Params, states: State) -> jax.Array:
    game = learner.game
    movers = jax.vmap(game.mover)(states)
    seen, legal = jax.vmap(game.observe)(states, movers), jax.vmap(game.legal)(states)

    def policy(params: Params) -> jax.Array:
        return jax.nn.log_softmax(jnp.where(legal, learner.logits(params, seen), -1e9))

    p, q = policy(new), policy(old)
    return (jnp.exp(p) * jnp.where(legal, p - q, 0.0)).sum(-1)


_DIVERGENCE = jax.jit(_each, static_argnums=0)


def log_odds(points: float, games: float) -> float:
    """Of a score, with half a point added to either side, so that it is finite."""
    return math.log((points + 0.5) / (games - points + 0.5))
