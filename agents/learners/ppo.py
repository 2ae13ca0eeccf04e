"""Proximal policy optimisation: how it moves, and how it learns from its own games, unsearched.

It learns from results alone, so it serves every game, chance and hidden information included.
J. Schulman et al., arXiv:1707.06347. The reward of entropy fades as the run goes on; with the
clipped steps this is what takes self-play to an equilibrium where bluffing pays (S. Sokota et al.,
"A unified approach to reinforcement learning, quantal response equilibria, and two-player zero-sum
games", ICLR 2023).
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents.learners import optimisation, played, returns
from agents.learners.base import Learner, LearnerConfig, Preferred, TrainState
from agents.nn import networks
from agents.policies import SearchPolicy
from agents.search.evaluation import check_searchable
from arena.errors import check_positive, check_share
from arena.play.device_loop import Record
from arena.types import Decision, Judge, Params, Policy, PyTree, State
from games import Game

_NEVER = float(np.finfo(np.float32).min)  # the logit of an illegal move


@dataclass(frozen=True)
class PPOConfig(LearnerConfig):
    """Sizes and rates of proximal policy optimisation; a replay_window above 1 is off-policy.

    Attributes:
      clip: how far a step may change the probability of a move, as a share of it.
      gae_lambda: of the advantage estimate: 1 waits for the result, 0 trusts the next value.
      entropy: reward of entropy at the start of the run, in standard deviations of the advantage.
      entropy_end: the same at the end; it fades geometrically.
    """

    network: networks.NetworkConfig = field(default_factory=networks.ResNetConfig)
    batch_size: int = 1024
    replay_ratio: float = 3.0
    value_weight: float = 0.5
    clip: float = 0.2
    gae_lambda: float = 0.95
    entropy: float = 0.05
    entropy_end: float = 0.005

    def __post_init__(self):
        super().__post_init__()
        check_positive(self, "clip", "entropy", "entropy_end")
        check_share(self, "gae_lambda")

    def make(self, game: Game, judge: Judge) -> "PPO":
        """PPO for a game."""
        return PPO(game, self, judge)


class Choice(NamedTuple):
    """What it keeps of a move in training.

    Attributes:
      move: i32[B].
      log_prob: f32[B], the log probability it had.
      value: f32[B], what the mover expected then.
    """

    move: jax.Array
    log_prob: jax.Array
    value: jax.Array


@dataclass(frozen=True)
class NetworkPolicy:
    """A `Policy` by the network's policy alone.

    Attributes:
      game: what is played.
      network: size of the network.
      greedy: play the favourite move; otherwise draw one.
      explore: aux `Choice`s for training.
    """

    game: Game
    network: networks.NetworkConfig
    greedy: bool = False
    explore: bool = False

    @property
    def evaluations(self) -> int:
        """Positions that the network evaluates for one move."""
        return 1

    def __call__(self, params: Params, keys: jax.Array, states: State) -> Decision:
        """Chooses moves; `params` are stacked [G, ...]."""
        groups = keys.shape[0]
        logits, value = networks.mover_outputs(self.game, self.network, params, states)
        logits = jnp.where(jax.vmap(self.game.legal)(states), logits, _NEVER)
        if self.greedy:
            return Decision(jnp.argmax(logits, -1).astype(jnp.int32))
        draw = jax.vmap(lambda key, x: jax.random.categorical(key, x))
        move = draw(keys, logits.reshape(groups, -1, logits.shape[-1])).reshape(-1)
        if not self.explore:
            return Decision(move)
        log_prob = jax.nn.log_softmax(logits)[jnp.arange(len(move)), move]
        return Decision(move, Choice(move, log_prob, value))


class Dataset(NamedTuple):
    """Positions to train on.

    Attributes:
      state: positions [N, ...].
      move: i32[N], what was played.
      log_prob: f32[N], the log probability it had.
      advantage: f32[N], how much better it did than was expected, mean 0 and deviation 1.
      target: f32[N], what the value should have been.
    """

    state: State
    move: np.ndarray
    log_prob: np.ndarray
    advantage: np.ndarray
    target: np.ndarray


@dataclass(frozen=True)
class Objective(optimisation.Objective):
    """Moves that did better than expected become likelier, but not by too much at once."""

    config: PPOConfig

    def prepare(self, rows: PyTree, key: jax.Array) -> PyTree:
        """Observations and legal moves in place of the states."""
        movers = jax.vmap(self.game.mover)(rows.state)
        seen = jax.vmap(self.game.observe)(rows.state, movers)
        return rows._replace(state=(seen, jax.vmap(self.game.legal)(rows.state)))

    def loss(
        self, params: Params, batch: PyTree, progress: jax.Array
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """The clipped surrogate, the weighted squared error of the value, less the entropy."""
        seen, legal = batch.state
        logits, value = networks.apply(self.game, self.config.network, params, seen)
        log_probs = jax.nn.log_softmax(jnp.where(legal, logits, _NEVER))
        ratio = jnp.exp(log_probs[jnp.arange(len(batch.move)), batch.move] - batch.log_prob)
        low, high = 1 - self.config.clip, 1 + self.config.clip
        gain = jnp.minimum(ratio * batch.advantage, ratio.clip(low, high) * batch.advantage)
        entropy = -(jnp.exp(log_probs) * jnp.where(legal, log_probs, 0.0)).sum(-1).mean()
        fade = (self.config.entropy_end / self.config.entropy) ** progress
        policy_loss = -gain.mean()
        value_loss = jnp.square(value - batch.target).mean()
        total = policy_loss + self.config.value_weight * value_loss
        parts = {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy}
        return total - self.config.entropy * fade * entropy, parts


def evaluating(
    game: Game, network: networks.NetworkConfig, judge: Judge, simulations: int
) -> Policy:
    """How a network that is trained without search moves in measured games.

    Raises:
      ValueError: simulations are given for a game that cannot be searched.
    """
    if simulations:
        check_searchable(game)
        return SearchPolicy(game, network, simulations, judge=judge)
    return NetworkPolicy(game, network, greedy=game.perfect_information)


@dataclass(frozen=True)
class PPO(Learner[Params, Choice, Dataset]):
    """Learns from results alone: every game."""

    Config = PPOConfig

    config: PPOConfig

    def check(self) -> None:
        """Every game can be learnt."""

    @property
    def _objective(self) -> Objective:
        return Objective(self.game, self.config)

    def init(self, key: jax.Array) -> TrainState:
        """A random network."""
        params = networks.initialise(self.game, self.config.network, key)
        return optimisation.init(self._objective, params)

    def behaviour_policy(self) -> NetworkPolicy:
        """Draws moves from the network's policy; its aux are `Choice`s."""
        return NetworkPolicy(self.game, self.config.network, explore=True)

    def eval_policy(self, simulations: int) -> Policy:
        """The favourite move, or a draw where bluffing may pay; see `evaluating`."""
        return evaluating(self.game, self.config.network, self.judge, simulations)

    def logits(self, params: Params, observations: jax.Array) -> jax.Array:
        """The network's policy, f32[B, A]."""
        return networks.apply(self.game, self.config.network, params, observations)[0]

    def value(self, params: Params, observations: jax.Array) -> jax.Array:
        """What the network expects, f32[B]."""
        return networks.apply(self.game, self.config.network, params, observations)[1]

    def dataset_template(self) -> Dataset:
        """A dataset's structure."""
        return Dataset(self.game.template(), *(np.empty(0),) * 4)

    def make_dataset(self, record: Record, scores: np.ndarray, learns: np.ndarray) -> Dataset:
        """Moves with their advantages, each side's of a game in the order of play."""
        state, aux, outcome, whose = played.moves(record, scores, learns)
        last = np.ones(len(whose), bool)
        last[:-1] = whose[1:] != whose[:-1]
        advantage = returns.advantages(aux.value, outcome, last, td_lambda=self.config.gae_lambda)
        normal = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        target = (aux.value + advantage).clip(-1, 1)
        return Dataset(state, aux.move, aux.log_prob, normal, target)

    def preferred(self, data: Dataset) -> Preferred:
        """The moves that were made."""
        move, weight = data.move[:, None], np.ones((len(data.move), 1), np.float32)
        return Preferred(data.state, move, weight, data.target, drawn=True)

    def learn(
        self, state: TrainState, data: Dataset, *, fresh: int, progress: float, key: jax.Array
    ) -> tuple[TrainState, dict[str, float]]:
        """Trains on the data; see `optimisation.fit`."""
        return optimisation.fit(
            self._objective, state, data, fresh=fresh, progress=progress, key=key
        )
