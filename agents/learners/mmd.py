"""Magnetic mirror descent: policy gradients that come to rest in an equilibrium.

Where moves have to be mixed, plain policy gradients go round the equilibrium. Here every round
solves, in each situation, for the policy that gains most against the last one, less its divergence
from it and from the uniform policy, the magnet. Both the step size and the magnet's pull fade.
S. Sokota et al., "A unified approach to reinforcement learning, quantal response equilibria, and
two-player zero-sum games", ICLR 2023 (arXiv 2206.05825).

In training every move may be a random one, so that no situation becomes too rare to be learnt; what
such a move leads to counts for less, by importance. Who plays when it counts is a mean of the
weights of all rounds, the later ones weighing more, in which the noise of the games averages out
(O. Shamir and T. Zhang, "Stochastic gradient descent for non-smooth optimization", ICML 2013,
polynomial-decay averaging).

It learns from results alone, as PPO does, but from the games of one round only, of which it keeps
no more than the sums that its loss depends on.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents.learners import optimisation, ppo, returns
from agents.learners.base import Learner, LearnerConfig, Preferred, TrainState
from agents.nn import networks
from agents.search.analysis import Searches, TreeSearch
from arena.errors import UserError, check_positive, check_share
from arena.evaluation.enumeration import in_chunks, raw
from arena.play.device_loop import Record
from arena.types import Decision, Judge, Params, Policy, PyTree, State
from games import Game

_NEVER = float(np.finfo(np.float32).min)  # the logit of an illegal move
_LATE = 4.0
"""The k-th round weighs about k to this power in the mean."""


@dataclass(frozen=True)
class MMDConfig(LearnerConfig):
    """Sizes and rates of magnetic mirror descent.

    A batch is of situations, all there are if they are no more; replay_ratio counts gradient steps
    for each batch_size of positions played.

    Attributes:
      explore: share of random moves in training.
      step: of mirror descent: a gain of 1 / step outweighs a nat of divergence from the last
        policy; gains are shares of the largest payoff.
      step_end: the same at the end of the run; it fades geometrically.
      magnet: reward of a nat of entropy, as a share of the largest payoff.
      magnet_end: the same at the end; it fades geometrically.
    """

    on_policy: ClassVar[bool] = True

    network: networks.NetworkConfig = field(default_factory=networks.MLPConfig)
    batch_size: int = 1024
    replay_ratio: float = 1.0
    value_weight: float = 0.5
    explore: float = 0.1
    step: float = 1.0
    step_end: float = 0.2
    magnet: float = 0.1
    magnet_end: float = 0.005

    def __post_init__(self):
        super().__post_init__()
        if self.replay_window != 1:
            raise UserError("replay_window must be 1: games of older policies teach mmd nothing")
        check_positive(self, "explore", "step", "step_end", "magnet", "magnet_end")
        check_share(self, "explore")

    def make(self, game: Game, judge: Judge) -> "MMD":
        """Magnetic mirror descent for a game."""
        return MMD(game, self, judge)


class Weights(NamedTuple):
    """Two networks.

    Attributes:
      latest: the one that learns, and plays in training.
      mean: of all that it was; plays when it counts.
    """

    latest: Params
    mean: Params


class Optimiser(NamedTuple):
    """What learning goes on from.

    Attributes:
      adam: the moments.
      rounds: f32[], how many the mean is of.
    """

    adam: PyTree
    rounds: jax.Array


class Choice(NamedTuple):
    """What it keeps of a move in training.

    Attributes:
      move: i32[B].
      log_ratio: f32[B], how likely the policy makes the move, to how likely it was: log of that.
      value: f32[B], what the mover expected then.
    """

    move: jax.Array
    log_ratio: jax.Array
    value: jax.Array


@dataclass(frozen=True)
class Explorer:
    """A `Policy` by the network that learns, some of whose moves are random.

    Attributes:
      game: what is played.
      config: the learner's.
    """

    game: Game
    config: MMDConfig

    @property
    def evaluations(self) -> int:
        """Positions that the network evaluates for one move."""
        return 1

    def __call__(self, params: Weights, keys: jax.Array, states: State) -> Decision:
        """Chooses moves; `params` are stacked [G, ...]."""
        groups = keys.shape[0]
        logits, value = networks.mover_outputs(
            self.game, self.config.network, params.latest, states
        )
        legal = jax.vmap(self.game.legal)(states)
        log_probs = jax.nn.log_softmax(jnp.where(legal, logits, _NEVER))
        odds = jnp.log(_explored(self.config, log_probs, legal))
        draw = jax.vmap(lambda key, x: jax.random.categorical(key, x))
        move = draw(keys, odds.reshape(groups, -1, odds.shape[-1])).reshape(-1)
        at = jnp.arange(len(move)), move
        return Decision(move, Choice(move, log_probs[at] - odds[at], value))


def _explored(config: MMDConfig, log_probs: jax.Array, legal: jax.Array) -> jax.Array:
    """Probabilities f32[B, A] of moves in training, some of which are random."""
    random = legal.astype(jnp.float32)
    random = random / jnp.maximum(random.sum(-1, keepdims=True), 1.0)
    return (1 - config.explore) * jnp.exp(log_probs) + config.explore * random


@dataclass(frozen=True)
class Mean:
    """A `Policy` by the mean of the weights.

    Attributes:
      policy: how it moves, given weights of one network.
    """

    policy: Policy

    @property
    def evaluations(self) -> int:
        """Positions that the network evaluates for one move."""
        return getattr(self.policy, "evaluations", 0)

    def __call__(self, params: Weights, keys: jax.Array, states: State) -> Decision:
        """Chooses moves; `params` are stacked [G, ...]."""
        return self.policy(params.mean, keys, states)

    def tree_search(self) -> TreeSearch:
        """How it analyses a position; raises UserError if it plays without search."""
        if not isinstance(self.policy, Searches):
            raise UserError("an agent that plays without search cannot analyse")
        search = self.policy.tree_search()
        return replace(
            search, evaluate=_OfMean(search.evaluate), init_cache=_OfMean(search.init_cache)
        )


@dataclass(frozen=True)
class _OfMean:
    """A function of weights, called with the mean of them."""

    function: Callable[..., Any]

    def __call__(self, params: Weights, *arguments: Any) -> Any:
        return self.function(params.mean, *arguments)


class Dataset(NamedTuple):
    """Moves in positions, each of them once however often it was made.

    Attributes:
      state: positions [N, ...].
      move: i32[N].
      visits: f32[N], how often it was made there, explorations of the other seat counting less.
      advantage: f32[N], how much better it did than was expected, as a mean over the visits.
      target: f32[N], what the value should have been, likewise.
    """

    state: State
    move: np.ndarray
    visits: np.ndarray
    advantage: np.ndarray
    target: np.ndarray


class Situations(NamedTuple):
    """What the loss needs of the data: information sets, each of them once.

    Attributes:
      seen: f32[N, ...], what the mover sees.
      legal: bool[N, A].
      before: f32[N, A], log probabilities of the moves in the policy that is to be improved on.
      gain: f32[N, A], how much better each move did than was expected, 0 if it was not made.
      target: f32[N], what the value should have been.
      weight: f32[N], the root of its visits: a best response seeks out the rare ones, too.
    """

    seen: np.ndarray
    legal: np.ndarray
    before: np.ndarray
    gain: np.ndarray
    target: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class Objective(optimisation.Objective):
    """One round of mirror descent."""

    config: MMDConfig

    def draw(self, rows: Situations, size: int, chance: np.random.Generator) -> Situations:
        """All rows by their weight; of too many a sample, at even distances along the weights."""
        count = len(rows.weight)
        if count <= size:
            # Room for twice as much at a time, so that few sizes are ever compiled.
            room = min(size, 1 << (count - 1).bit_length())
            padded = jax.tree.map(lambda x: np.resize(x, (room, *x.shape[1:])), rows)
            return padded._replace(weight=np.append(rows.weight, np.zeros(room - count, "f")))
        ends = np.cumsum(rows.weight)
        points = (np.arange(size) + chance.random()) / size
        index = np.searchsorted(ends, points * ends[-1], side="right")
        batch = jax.tree.map(lambda x: x[np.minimum(index, count - 1)], rows)
        return batch._replace(weight=np.ones(size, np.float32))

    def prepare(self, rows: Situations, key: jax.Array) -> Situations:
        """Nothing is left to be done."""
        return rows

    def loss(
        self, params: Params, batch: Situations, progress: jax.Array
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """What the policy gains, less both divergences, and the error of the value."""
        config = self.config
        seen = jnp.asarray(batch.seen)
        logits, value = networks.apply(self.game, config.network, params, seen)
        after = jax.nn.log_softmax(jnp.where(batch.legal, logits, _NEVER))
        chances = jnp.exp(after)
        gain = (chances * batch.gain).sum(-1)
        entropy = -(chances * jnp.where(batch.legal, after, 0.0)).sum(-1)
        drift = (chances * jnp.where(batch.legal, after - batch.before, 0.0)).sum(-1)
        # One over the step size, as a product with a power: whether XLA makes that of a division by
        # one hangs on how many devices there are.
        pull = (config.step_end / config.step) ** -progress / config.step
        magnet = _fade(config.magnet, config.magnet_end, progress)
        weight = batch.weight / batch.weight.sum()
        parts = {
            "policy_loss": weight @ (drift * pull - gain - magnet * entropy),
            "value_loss": weight @ jnp.square(value - batch.target),
            "entropy": weight @ entropy,
            "drift": weight @ drift,
        }
        return parts["policy_loss"] + config.value_weight * parts["value_loss"], parts


def _fade(start: float, end: float, progress: jax.Array) -> jax.Array:
    return start * (end / start) ** progress


@dataclass(frozen=True)
class MMD(Learner[Weights, Choice, Dataset]):
    """Comes to rest in equilibria: games of hidden information above all."""

    Config = MMDConfig

    config: MMDConfig

    def check(self) -> None:
        """Every game can be learnt."""

    @property
    def _objective(self) -> Objective:
        return Objective(self.game, self.config)

    def init(self, key: jax.Array) -> TrainState[Weights]:
        """A random network, which is its own mean."""
        params = networks.initialise(self.game, self.config.network, key)
        params, adam = optimisation.init(self._objective, params)
        return TrainState(Weights(params, params), Optimiser(adam, jnp.float32(0)))

    def behaviour_policy(self) -> Explorer:
        """Draws moves, some at random; its aux are `Choice`s."""
        return Explorer(self.game, self.config)

    def eval_policy(self, simulations: int) -> Mean:
        """By the mean of its weights; see `ppo.evaluating`."""
        return Mean(ppo.evaluating(self.game, self.config.network, self.judge, simulations))

    def logits(self, params: Weights, observations: jax.Array) -> jax.Array:
        """The policy of the mean of the weights, f32[B, A]."""
        return networks.apply(self.game, self.config.network, params.mean, observations)[0]

    def value(self, params: Weights, observations: jax.Array) -> jax.Array:
        """What the network expects, f32[B]."""
        return networks.apply(self.game, self.config.network, params.mean, observations)[1]

    def dataset_template(self) -> Dataset:
        """A dataset's structure."""
        return Dataset(self.game.template(), *(np.empty(0),) * 4)

    def make_dataset(self, record: Record, scores: np.ndarray, learns: np.ndarray) -> Dataset:
        """Each move in each position once, with what came of it.

        That is its result less what was expected, weighed by how much likelier the moves after it
        are without exploration; and the visit itself counts by how much likelier the other seat's
        moves before it are. So a mean is what the policies would gain, and from what they hide.
        """
        pairs = scores.shape[1]
        time, side, group, slot = np.nonzero(record.game < 2 * pairs)
        number = record.game[time, side, group, slot]
        order = np.lexsort((time, number, group))
        time, side, group, slot, number = (x[order] for x in (time, side, group, slot, number))
        state, aux = jax.tree.map(lambda x: x[time, side, group, slot], (record.state, record.aux))
        earlier, later = returns.likelihoods(aux.log_ratio, side, group * 2 * pairs + number)
        score = 2 * scores[group, number % pairs, number // pairs] - 1
        surprise = later * (np.where(side == 0, score, -score) - aux.value)
        target = aux.value + np.exp(aux.log_ratio) * surprise
        every = Dataset(state, aux.move, earlier, surprise, target)
        return _merge(jax.tree.map(lambda x: x[learns[side, group]], every))

    def preferred(self, data: Dataset) -> Preferred:
        """The moves that were made, as often as they were."""
        move, weight = data.move[:, None], data.visits[:, None]
        return Preferred(data.state, move, weight, data.target, drawn=True)

    def learn(
        self,
        state: TrainState[Weights],
        data: Dataset,
        *,
        fresh: int,
        progress: float,
        key: jax.Array,
    ) -> tuple[TrainState[Weights], dict[str, float]]:
        """One round of mirror descent on the newest rows; see `optimisation.fit`."""
        weights, optimiser = state
        data = jax.tree.map(lambda x: x[-fresh:], data)
        (latest, adam), losses = optimisation.fit(
            self._objective,
            TrainState(weights.latest, optimiser.adam),
            situations(self.game, self.config, weights.latest, data),
            fresh=round(data.visits.sum()),
            progress=progress,
            key=key,
        )
        rounds = optimiser.rounds + 1
        share = (_LATE + 1) / (_LATE + rounds)
        mean = jax.tree.map(lambda old, new: old + share * (new - old), weights.mean, latest)
        return TrainState(Weights(latest, mean), Optimiser(adam, rounds)), losses


def _merge(rows: Dataset) -> Dataset:
    """Equal moves in equal positions as one."""
    first, which = _distinct(raw((rows.state, rows.move)))
    visits = np.bincount(which, rows.visits)

    def mean(x: np.ndarray) -> np.ndarray:
        return (np.bincount(which, rows.visits * x) / visits).astype(np.float32)

    return Dataset(
        jax.tree.map(lambda x: x[first], rows.state),
        rows.move[first],
        visits.astype(np.float32),
        mean(rows.advantage),
        mean(rows.target),
    )


def _distinct(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each of the distinct items first stands, and which one every item is.

    Sorts eight bytes at a time as numbers, many times faster than `np.unique` of raw bytes.
    """
    rows = keys.view(np.uint8).reshape(len(keys), -1)
    words = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 8))).view(np.uint64)
    order = np.lexsort(words.T)
    new = np.ones(len(keys), bool)
    new[1:] = (words[order[1:]] != words[order[:-1]]).any(1)
    which = np.empty(len(keys), np.int64)
    which[order] = np.cumsum(new) - 1
    return order[new], which


@cache
def _look(game: Game, network: networks.NetworkConfig):
    """Jitted, of weights and positions: observations, legal moves, log probabilities."""

    @jax.jit
    def look(params: Params, states: State) -> tuple[jax.Array, jax.Array, jax.Array]:
        seen = jax.vmap(game.observe)(states, jax.vmap(game.mover)(states))
        legal = jax.vmap(game.legal)(states)
        found = networks.apply(game, network, params, seen)[0]
        return seen, legal, jax.nn.log_softmax(jnp.where(legal, found, _NEVER))

    return look


def situations(game: Game, config: MMDConfig, params: Params, data: Dataset) -> Situations:
    """Merges positions of the same information set.

    Args:
      game: what was played.
      config: the learner's.
      params: of the network that explored.
      data: what came of it.
    """
    look = partial(_look(game, config.network), params)
    seen, legal, before = in_chunks(look, data.state)
    first, which = _distinct(raw((seen, legal)))
    visits, moves = np.bincount(which, data.visits), legal.shape[1]
    likely = np.asarray(_explored(config, before, legal))[np.arange(len(data.move)), data.move]
    came = data.visits * data.advantage / likely
    gain = np.bincount(which * moves + data.move, came, len(first) * moves)
    return Situations(
        seen[first],
        legal[first],
        before[first],
        (gain.reshape(-1, moves) / visits[:, None]).astype(np.float32),
        (np.bincount(which, data.visits * data.target) / visits).astype(np.float32),
        np.sqrt(visits).astype(np.float32),
    )
