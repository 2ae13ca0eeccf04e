"""Imitation of what the judge prefers: sample games, keep the better ones, learn to play like them.

The model M plays games, the judge C says how each ended, some are kept or weigh more, and M' is
trained to move as was moved in them. In each position M' becomes M times the mean weight of a move:
with weights that grow with the verdict, moves that do better become likelier. Nothing but moves and
verdicts is used, so it serves every game and every judge.

Best of n and e^(C/T) are the policies that reinforcement learning from preferences aims at; how far
they lie from M is known (J. Hilton and L. Gao, "Measuring Goodhart's law", OpenAI 2022; X. Peng et
al., "Advantage-weighted regression", arXiv:1910.00177, for weights relative to what was expected).
"""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np
import optax

from agents.learners import optimisation, played, ppo
from agents.learners.base import Learner, LearnerConfig, Preferred, TrainState
from agents.nn import networks
from agents.nn.rated import rated
from arena.errors import UserError, check_positive, check_share
from arena.play.device_loop import Record
from arena.types import Decision, Judge, Params, Policy, PyTree, State
from games import Game

SelectionName = Literal["tilt", "winners", "best", "threshold"]
"""The ways to prefer some games to others."""

_LARGEST = 20.0
"""No move weighs more than so many average ones."""
_NEVER = float(np.finfo(np.float32).min)  # the logit of an illegal move


@dataclass(frozen=True)
class ImitationConfig(LearnerConfig):
    """Sizes and rates of imitation.

    Attributes:
      selection: tilt: a game weighs e^(C/T), C being its verdict for who moved, less what the
        network expected there; winners: the moves of who won; best: of each n games the best;
        threshold: those whose verdict is above one.
      temperature: T of tilt.
      samples: n of best.
      threshold: the verdict of threshold, in [-1, 1].
      exploration: share of the moves in training that are drawn evenly.
    """

    network: networks.NetworkConfig = field(default_factory=networks.ResNetConfig)
    batch_size: int = 512
    replay_ratio: float = 1.5
    replay_window: int = 4
    learning_rate: float = 5e-3
    selection: SelectionName = "tilt"
    temperature: float = 0.5
    samples: int = 4
    threshold: float = 0.0
    exploration: float = 0.05

    def __post_init__(self):
        super().__post_init__()
        if self.selection not in get_args(SelectionName):
            raise UserError(
                f"selection must be one of {', '.join(get_args(SelectionName))}, "
                f"not {self.selection}"
            )
        check_positive(self, "temperature", "samples")
        check_share(self, "exploration")
        if not -1 <= self.threshold <= 1:
            raise UserError(f"threshold must lie between -1 and 1, not {self.threshold}")

    def make(self, game: Game, judge: Judge) -> "Imitation":
        """Imitation for a game."""
        return Imitation(game, self, judge)


class Choice(NamedTuple):
    """What it keeps of a move in training.

    Attributes:
      move: i32[B].
      value: f32[B], what the mover expected then.
    """

    move: jax.Array
    value: jax.Array


class Dataset(NamedTuple):
    """Moves with their weights; all of them, those that are not kept with weight 0.

    Attributes:
      state: positions [N, ...].
      move: i32[N], what was played.
      weight: f32[N], of the move in training, mean 1 unless nothing was kept.
      outcome: f32[N], the verdict for who moved.
    """

    state: State
    move: np.ndarray
    weight: np.ndarray
    outcome: np.ndarray


def weights(config: ImitationConfig, outcome: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """How much more the moves of some games weigh than those of others.

    Args:
      config: says how games are selected.
      outcome: f32[N], verdicts of the games for who made each move.
      expected: f32[N], what they expected.

    Returns:
      f32[N], mean 1; all 0 if no game is kept.
    """
    match config.selection:
        case "tilt":
            tilted = np.exp((outcome - expected) / config.temperature)
            found = np.minimum(tilted, _LARGEST * max(1e-9, float(tilted.mean())))
        case "winners":
            found = (outcome > 0).astype(np.float64)
        case "threshold":
            found = (outcome >= config.threshold).astype(np.float64)
        case "best":
            found = _best_of(outcome, config.samples)
    total = found.mean() if len(found) else 0.0
    return (found / total if total > 0 else np.zeros_like(found)).astype(np.float32)


def _best_of(outcome: np.ndarray, samples: int) -> np.ndarray:
    """Weights f64[N] by which a level x has probability F(x)^n - F⁻(x)^n, shared by its games.

    F and F⁻ are the weak and the strict distribution of verdicts.
    """
    levels, which, count = np.unique(outcome, return_inverse=True, return_counts=True)
    below = np.append(0, np.cumsum(count)) / max(1, len(outcome))
    chosen = below[1:] ** samples - below[:-1] ** samples
    return (chosen / (count / max(1, len(outcome))))[which] if len(levels) else outcome


def divergence(weight: np.ndarray) -> float:
    """How far a selection lies from what it selects from: KL in nats, of weights f32[N]."""
    total = float(weight.sum(dtype=np.float64))
    if not total:
        return 0.0
    share = weight[weight > 0].astype(np.float64) / total
    return float((share * np.log(share * len(weight))).sum())


@dataclass(frozen=True)
class Objective(optimisation.Objective):
    """Make the moves that are kept likely, and predict the verdict."""

    config: LearnerConfig

    @property
    def optimiser(self) -> optax.GradientTransformation:
        """As AlphaZero's."""
        return optimisation.muon(self.config)

    def prepare(self, rows: PyTree, key: jax.Array) -> PyTree:
        """Observations, moves and legal ones under random symmetries, weights, verdicts."""
        movers = jax.vmap(self.game.mover)(rows.state)
        seen = jax.vmap(self.game.observe)(rows.state, movers)
        legal = jax.vmap(self.game.legal)(rows.state).astype(jnp.float32)
        made = jax.nn.one_hot(rows.move, self.game.num_actions, dtype=jnp.float32)
        number = jnp.arange(len(rows.move))
        images, moves = jax.vmap(self.game.symmetries)(seen, made)
        _, allowed = jax.vmap(self.game.symmetries)(seen, legal)
        chosen = jax.random.randint(key, number.shape, 0, images.shape[1])
        return (
            images[number, chosen],
            moves[number, chosen],
            allowed[number, chosen] > 0,
            rows.weight,
            rows.outcome,
        )

    def loss(
        self, params: Params, batch: PyTree, progress: jax.Array
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """The weighted cross-entropy of the moves, and the squared error of the value."""
        seen, made, legal, weight, outcome = batch
        logits, value = networks.apply(self.game, self.config.network, params, seen)
        policy_loss = (weight * optimisation.cross_entropy(logits, legal, made)).mean()
        value_loss = jnp.square(value - outcome).mean()
        total = policy_loss + self.config.value_weight * value_loss
        return total, {"policy_loss": policy_loss, "value_loss": value_loss}


@dataclass(frozen=True)
class SamplingPolicy:
    """A `Policy` that draws moves from the network's policy, and some evenly.

    Attributes:
      game: what is played.
      network: size of the network.
      exploration: share of the moves that are drawn evenly.
    """

    game: Game
    network: networks.NetworkConfig
    exploration: float

    @property
    def evaluations(self) -> int:
        """Positions that the network evaluates for one move."""
        return 1

    def __call__(self, params: Params, keys: jax.Array, states: State) -> Decision:
        """Chooses moves; `params` are stacked [G, ...]."""
        logits, value = networks.mover_outputs(self.game, self.network, params, states)
        legal = jax.vmap(self.game.legal)(states)
        learnt = jax.nn.softmax(jnp.where(legal, logits, _NEVER))
        allowed = legal.astype(jnp.float32)
        even = allowed / jnp.maximum(allowed.sum(-1, keepdims=True), 1.0)
        chance = (1 - self.exploration) * learnt + self.exploration * even
        scores = jnp.where(legal, jnp.log(jnp.maximum(chance, 1e-30)), _NEVER)
        draw = jax.vmap(lambda key, x: jax.random.categorical(key, x))
        grouped = scores.reshape(keys.shape[0], -1, scores.shape[-1])
        move = draw(keys, grouped).reshape(-1)
        return Decision(move, Choice(move, value))


@dataclass(frozen=True)
class Imitation(Learner[Params, Choice, Dataset]):
    """Learns to move as in the games that the judge prefers: every game."""

    Config = ImitationConfig

    config: ImitationConfig

    def check(self) -> None:
        """Every game can be learnt."""

    @property
    def _objective(self) -> Objective:
        return Objective(self.game, self.config)

    def init(self, key: jax.Array) -> TrainState:
        """A random network."""
        params = networks.initialise(self.game, self.config.network, key)
        return optimisation.init(self._objective, params)

    def behaviour_policy(self) -> SamplingPolicy:
        """Draws moves from the network's policy, and some evenly; its aux are `Choice`s."""
        return SamplingPolicy(self.game, self.config.network, self.config.exploration)

    def eval_policy(self, simulations: int) -> Policy:
        """The favourite move, or a draw where bluffing may pay; see `ppo.evaluating`."""
        return ppo.evaluating(self.game, self.config.network, self.judge, simulations)

    def logits(self, params: Params, observations: jax.Array) -> jax.Array:
        """The network's policy, f32[B, A]."""
        return networks.apply(self.game, self.config.network, params, observations)[0]

    def value(self, params: Params, observations: jax.Array) -> jax.Array:
        """What the network expects, f32[B]."""
        return networks.apply(self.game, self.config.network, params, observations)[1]

    def dataset_template(self) -> Dataset:
        """A dataset's structure."""
        return Dataset(self.game.template(), *(np.empty(0),) * 3)

    def make_dataset(self, record: Record, scores: np.ndarray, learns: np.ndarray) -> Dataset:
        """All moves of the sides that learn, in the order of play, with their weights."""
        state, aux, outcome, _ = played.moves(record, scores, learns)
        weight = weights(self.config, outcome, np.asarray(aux.value))
        return Dataset(state, aux.move, weight, outcome)

    def preferred(self, data: Dataset) -> Preferred:
        """The moves that are kept, by their weights."""
        move, weight = data.move[:, None], data.weight[:, None]
        return Preferred(data.state, move, weight, data.outcome, drawn=True)

    def learn(
        self, state: TrainState, data: Dataset, *, fresh: int, progress: float, key: jax.Array
    ) -> tuple[TrainState, dict[str, float]]:
        """Trains on the data; see `optimisation.fit`.

        With the losses comes `selection_kl`, the divergence of the newest selection from all moves
        that it was made from, in nats.
        """
        state, losses = optimisation.fit(
            self._objective, state, data, fresh=fresh, progress=progress, key=key
        )
        newest = data.weight[len(data.weight) - fresh :]
        return state, {**losses, "selection_kl": divergence(newest)}


class RatedDataset(NamedTuple):
    """As `Dataset`, with the ratings of who moved, for a network that is told of them.

    Attributes:
      state: positions [N, ...].
      move: i32[N].
      weight: f32[N].
      outcome: f32[N].
      rating: f32[N], in standard deviations from the mean.
    """

    state: State
    move: np.ndarray
    weight: np.ndarray
    outcome: np.ndarray
    rating: np.ndarray


@dataclass(frozen=True)
class RatedObjective(Objective):
    """As `Objective`, of a `RatedDataset`, for a network that is told of ratings."""

    def prepare(self, rows: PyTree, key: jax.Array) -> PyTree:
        """The same, the observations with the plane of the ratings."""
        seen, *rest = super().prepare(rows, key)
        return rated(seen, rows.rating), *rest


def likelihood(
    learner: Learner, params: Params, data: Dataset | RatedDataset
) -> tuple[float, float]:
    """How well a policy predicts moves: mean log-probability in nats, and how often its favourite.

    Args:
      learner: whose policy.
      params: its weights.
      data: N moves, at least one; with ratings if its network is told of them.
    """
    total = hits = 0.0
    count, ask = len(data.move), jax.jit(_predict(learner))
    size = min(1024, count)
    for at in range(0, count, size):
        index = np.minimum(np.arange(at, at + size), count - 1)
        ratings = (data.rating,) if isinstance(data, RatedDataset) else ()
        told = (data.state, data.move, *ratings)
        rows = jax.tree.map(lambda x, i=index: np.asarray(x)[i], told)
        found, favourite = (np.asarray(x) for x in ask(params, *rows))
        left = min(size, count - at)
        total += float(found[:left].sum(dtype=np.float64))
        hits += float(favourite[:left].sum())
    return total / count, hits / count


def _predict(learner: Learner):
    game = learner.game

    def predict(
        params: Params, states: State, moves: jax.Array, *ratings: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        movers = jax.vmap(game.mover)(states)
        seen, legal = jax.vmap(game.observe)(states, movers), jax.vmap(game.legal)(states)
        seen = rated(seen, *ratings) if ratings else seen
        logits = jnp.where(legal, learner.logits(params, seen), _NEVER)
        log_probs = jax.nn.log_softmax(logits)
        return log_probs[jnp.arange(len(moves)), moves], logits.argmax(-1) == moves

    return predict
