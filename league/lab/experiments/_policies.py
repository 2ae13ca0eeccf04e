"""Policies of networks on positions whose optimal moves are known, taught move by move."""

from dataclasses import dataclass
from functools import cache, cached_property

import jax
import jax.numpy as jnp
import numpy as np

import games
from agents.learners.base import Learner, TrainState
from agents.learners.imitation import Dataset, ImitationConfig
from agents.nn import networks
from agents.nn.networks import ResNetConfig
from arena.evaluation import solved_positions
from arena.evaluation.solved_positions import SolvedPositions
from arena.judges.rules import Rules
from arena.types import Params, State

_CHUNK = 2048
"""Positions that are evaluated at once."""


@cache
def positions(game: str) -> SolvedPositions:
    """The positions of a game whose optimal moves are known."""
    return solved_positions.fixed(games.load(game))


def take(known: SolvedPositions, chosen: np.ndarray) -> SolvedPositions:
    """Some of the positions, by their numbers i64[K]."""
    states = jax.tree.map(lambda x: np.asarray(x)[chosen], known.states)
    group = None if known.group is None else known.group[chosen]
    return SolvedPositions(states, known.legal[chosen], known.optimal[chosen], group)


def observed(game: str, states: State) -> np.ndarray:
    """What the seats to move see in positions [N, ...], f32[N, ...]."""
    rules = games.load(game)
    look = jax.jit(jax.vmap(lambda state: rules.observe(state, rules.mover(state))))
    return np.asarray(look(states))


@dataclass(frozen=True)
class Teacher:
    """Teaches a network moves, by the imitation learner's own gradient steps.

    Attributes:
      game: the name of one that is solved.
      channels: of its residual tower.
      blocks: of it.
      learning_rate: at the start; it falls to a tenth as `progress` goes to 1.
    """

    game: str
    channels: int = 16
    blocks: int = 2
    learning_rate: float = 5e-3

    @cached_property
    def learner(self) -> Learner:
        """The imitation learner of the game, going by the rules."""
        rules = games.load(self.game)
        network = ResNetConfig(channels=self.channels, blocks=self.blocks)
        config = ImitationConfig(
            network=network,
            batch_size=256,
            replay_ratio=1.0,
            learning_rate=self.learning_rate,
            shards=1,
        )
        return config.make(rules, Rules(rules))

    def fresh(self, seed: int) -> TrainState:
        """A random network."""
        return self.learner.init(jax.random.key(seed))

    def teach(
        self,
        state: TrainState,
        states: State,
        moves: np.ndarray,
        *,
        weights: np.ndarray | None = None,
        progress: float,
        seed: int,
    ) -> TrainState:
        """One pass over moves that are to be made likely.

        Args:
          state: where training stands.
          states: positions [N, ...].
          moves: i64[N], one in each.
          weights: f64[N], of each, 1 if None.
          progress: share of the training that is done, in [0, 1].
          seed: of the order and the symmetries.
        """
        weight = np.ones(len(moves)) if weights is None else weights
        rows = Dataset(
            states,
            moves.astype(np.int32),
            weight.astype(np.float32),
            np.zeros(len(moves), np.float32),
        )
        key = jax.random.key(seed)
        return self.learner.learn(state, rows, fresh=len(moves), progress=progress, key=key)[0]

    def policy(self, params: Params, states: State) -> np.ndarray:
        """Probabilities of moves f64[N, A] in positions [N, ...]; illegal ones have none."""
        logits = self.logits(params, states)
        shifted = np.exp(logits - logits.max(1, keepdims=True))
        return shifted / shifted.sum(1, keepdims=True)

    def logits(self, params: Params, states: State) -> np.ndarray:
        """Logits of moves f64[N, A], −∞ of illegal ones."""
        ask, count = self._ask, len(jax.tree.leaves(states)[0])
        found = []
        for at in range(0, count, _CHUNK):
            index = np.minimum(np.arange(at, at + _CHUNK), count - 1)
            some = jax.tree.map(lambda x, i=index: np.asarray(x)[i], states)
            found.append(np.asarray(ask(params, some))[: count - at])
        return np.concatenate(found).astype(np.float64)

    @cached_property
    def _ask(self):
        rules, config = self.learner.game, self.learner.config

        @jax.jit
        def ask(params: Params, states: State) -> jax.Array:
            one = jax.tree.map(lambda x: x[None], params)
            logits, _ = networks.mover_outputs(rules, config.network, one, states)
            return jnp.where(jax.vmap(rules.legal)(states), logits, -jnp.inf)

        return ask


def draw(policy: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Moves i64[N, count] drawn from probabilities f64[N, A]."""
    edges = np.cumsum(policy, 1)
    edges[:, -1] = 1.0
    chance = rng.random((len(policy), count))
    # A chance in [0, 1) falls below the edge of the move that it draws, never of an impossible one.
    return np.stack([np.argmax(edges > column[:, None], 1) for column in chance.T], 1)


def majority(moves: np.ndarray, actions: int) -> np.ndarray:
    """The most frequent of moves i64[N, n] in each row, i64[N]; of equals the one drawn first."""
    votes = np.zeros((len(moves), actions))
    rows = np.arange(len(moves))
    for place in range(moves.shape[1]):
        votes[rows, moves[:, place]] += 1 + 1e-3 * (moves.shape[1] - place)
    return votes.argmax(1)


def rightness(policy: np.ndarray, optimal: np.ndarray) -> np.ndarray:
    """The probability f64[N] of an optimal move in each position."""
    return (policy * optimal).sum(1)
