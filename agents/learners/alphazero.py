"""AlphaZero by Gumbel search: how it moves, and how it learns from its own searches.

Search improves on the network's policy; training makes the network predict the improved policy,
and what the judge and later searches said of the game. D. Silver et al., Science 362 (2018);
I. Danihelka et al., ICLR 2022.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from agents import search
from agents.learners import optimisation, returns
from agents.learners.optimisation import Learner
from agents.nn import evaluation_cache, networks
from arena.judges.rules import Rules
from arena.types import Classifier, Decision, Remembering
from games import Game


@dataclass(frozen=True)
class Config:
    """Learning rates and sizes.

    Attributes:
      network: size of the network.
      simulations: simulations a move, in training.
      considered: root moves that sequential halving starts from.
      batch_size: positions in one gradient step.
      reuse: how often each new position is trained on, on average.
      window: generations of positions to train on.
      learning_rate: peak of the step size; it decays to a tenth along a cosine over the run.
      weight_decay: decoupled, per step and unit of learning rate.
      value_weight: weight of the value loss beside the policy loss.
      trace: lambda of the value target: 1 waits for the result, 0 trusts the next search.
      spread: see `AlphaZero`.
      ownership_weight: weight of a third loss, by which the network learns to tell who will own
        each cell when the game is over, in games that say so; 0 leaves it out. It hears that from
        the rules, not from the judge.
    """

    network: networks.Config = field(default_factory=networks.ResNetConfig)
    simulations: int = 16
    considered: int = 16
    batch_size: int = 512
    reuse: float = 5.0
    window: int = 4
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    value_weight: float = 1.0
    trace: float = 0.8
    spread: float = 1.0
    ownership_weight: float = 0.0


_KEPT = 64
"""Moves of a policy that are kept for training: with thousands of moves a game, all of them would
fill the memory, and hardly a position has more that are worth a probability."""


class Lesson(NamedTuple):
    """What it notes of a move in training.

    Attributes:
      move: i16[B, K], the likeliest moves of the improved policy, at most 64.
      policy: f32[B, K], their probabilities there.
      value: f32[B], what the search expected for the mover.
      proven: bool[B], whether that is certain.
    """

    move: jax.Array | np.ndarray
    policy: jax.Array | np.ndarray
    value: jax.Array | np.ndarray
    proven: jax.Array | np.ndarray


@dataclass(frozen=True)
class AlphaZero(Remembering):
    """An `Act` by network and Gumbel search.

    Attributes:
      game: what is played.
      network: size of the network.
      simulations: a move; 0 plays the network's favourite move without search.
      considered: root moves that sequential halving starts from.
      explore: draw Gumbel noise, as in training, and note `Lesson`s; otherwise play the strongest
        move every time, and note nothing.
      judge: who says what ended games are worth; the rules if None.
      spread: see `search.gumbel`. Where all moves are worth about the same, their differences are
        mostly noise, and stretched to full length they would teach certainty.
    """

    game: Game
    network: networks.Config
    simulations: int
    considered: int = 16
    explore: bool = False
    judge: Classifier | None = None
    spread: float = 1.0

    @property
    def evaluations(self) -> int:
        """Positions that the network is asked about for one move."""
        return self.simulations + 1

    def __call__(self, params: Any, keys: jax.Array, states: Any) -> Decision:
        """Chooses moves; `params` are stacked [G, ...]."""
        asked = self.evaluations * jax.tree.leaves(states)[0].shape[0]
        return self.recall(evaluation_cache.blank(self.game, params, asked), params, keys, states)[
            0
        ]

    def memory(self, params: Any) -> Any:
        """No answers of the networks yet, and room for many."""
        return evaluation_cache.blank(self.game, params)

    def recall(
        self, memory: Any, params: Any, keys: jax.Array, states: Any
    ) -> tuple[Decision, Any]:
        """Chooses moves, and remembers what the networks say."""
        recall = search.Recall(partial(self._evaluate, params), memory)
        if self.simulations == 0:
            logits, _, recall = search.begin(recall, keys, states)
            legal = jax.vmap(self.game.legal)(states)
            move = jnp.argmax(jnp.where(legal, logits, -jnp.inf), -1)
            return Decision(move.astype(jnp.int32)), recall.memory
        batch = jax.tree.leaves(states)[0].shape[0]
        noise = jnp.zeros((batch, self.game.num_actions))
        if self.explore:
            shape = batch // keys.shape[0], self.game.num_actions
            draw = jax.vmap(lambda key: jax.random.gumbel(key, shape))
            noise = draw(keys).reshape(noise.shape)
        improved = search.gumbel(
            self.game,
            self.judge or Rules(self.game),
            recall,
            states,
            keys,
            self.simulations,
            noise,
            self.considered,
            self.spread,
            prove=True,
        )
        if not self.explore:
            return Decision(improved.move), improved.memory
        policy, move = jax.lax.top_k(improved.policy, min(_KEPT, self.game.num_actions))
        proven = jnp.zeros(batch, bool) if improved.proven is None else improved.proven
        lesson = Lesson(move.astype(jnp.int16), policy, improved.value, proven)
        return Decision(improved.move, lesson), improved.memory

    def _evaluate(
        self, params: Any, known: Any, wanted: jax.Array, keys: jax.Array, states: Any
    ) -> tuple[jax.Array, jax.Array, Any]:
        return evaluation_cache.recall(self.game, self.network, params, known, states, wanted)


class Dataset(NamedTuple):
    """Positions to train on.

    Attributes:
      state: positions [N, ...].
      lesson: the `Lesson`s of the search there.
      outcome: f32[N], what it turned out to be worth to the seat that moved, by how the game ended
        or was proven to end, and by what later searches expected.
      final: positions [N, ...], how the game ended; () unless ownership is learnt.
    """

    state: Any
    lesson: Lesson
    outcome: np.ndarray
    final: Any = ()


@dataclass(frozen=True)
class Objective(optimisation.Objective):
    """Predict the improved policy, what the judge said of the game, and ownership if asked for."""

    config: Config

    @property
    def optimiser(self) -> optax.GradientTransformation:
        """Muon: it learns more from as many positions, and at small cost."""
        return optimisation.muon(self.config)

    def prepare(self, rows: Any, key: jax.Array) -> tuple[jax.Array, ...]:
        """Observations, policies, values, and owners if asked for, under random symmetries."""
        movers = jax.vmap(self.game.mover)(rows.state)
        seen = jax.vmap(self.game.observe)(rows.state, movers)
        number = jnp.arange(len(rows.outcome))
        policy = jnp.zeros((len(number), self.game.num_actions))
        policy = policy.at[number[:, None], rows.lesson.move].add(rows.lesson.policy)
        if self.config.ownership_weight:  # one more plane, to be turned with the others
            owners = jax.vmap(self.game.ownership)(rows.final, movers)
            seen = jnp.concatenate([seen, owners[..., None]], -1)
        images, policies = jax.vmap(self.game.symmetries)(seen, policy)
        chosen = jax.random.randint(key, number.shape, 0, images.shape[1])
        value = rows.outcome
        seen, policy = images[number, chosen], policies[number, chosen]
        if self.config.ownership_weight:
            return seen[..., :-1], policy, value, seen[..., -1]
        return seen, policy, value

    def loss(
        self, params: Any, batch: Any, progress: jax.Array
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Cross-entropy of the policy and of ownership, and the squared error of the value."""
        observations, policy, target, *owners = batch
        read = networks.apply_with_ownership if owners else networks.apply
        logits, value, *claims = read(self.game, self.config.network, params, observations)
        policy_loss = optax.softmax_cross_entropy(logits, policy).mean()
        value_loss = jnp.square(value - target).mean()
        total = policy_loss + self.config.value_weight * value_loss
        parts = {"policy_loss": policy_loss, "value_loss": value_loss}
        for claim, owner in zip(claims, owners, strict=True):
            share = (1 + owner.reshape(claim.shape)) / 2
            parts["ownership_loss"] = optax.sigmoid_binary_cross_entropy(claim, share).mean()
            total = total + self.config.ownership_weight * parts["ownership_loss"]
        return total, parts


def check(game: Game, config: Config) -> None:
    """Raises ValueError for a game that cannot be learnt by search, or has no owners to learn."""
    search.check(game)
    if config.ownership_weight:
        jax.eval_shape(lambda: game.ownership(game.init(), jnp.int32(0)))


def begin(game: Game, config: Config, key: jax.Array) -> Learner:
    """A random network."""
    ownership = config.ownership_weight > 0
    params = networks.initialise(game, config.network, key, ownership)
    return optimisation.begin(Objective(game, config), params)


def explorer(game: Game, config: Config) -> AlphaZero:
    """How it moves in training; notes what `harvest` needs."""
    return AlphaZero(
        game,
        config.network,
        config.simulations,
        config.considered,
        explore=True,
        spread=config.spread,
    )


def player(game: Game, config: Config, simulations: int) -> AlphaZero:
    """How it moves when it counts; without search if `simulations` is 0."""
    return AlphaZero(game, config.network, simulations, spread=config.spread)


def logits(game: Game, config: Config, params: Any, seen: jax.Array) -> jax.Array:
    """What the network makes of observations f32[B, ...], f32[B, A]."""
    return networks.apply(game, config.network, params, seen)[0]


def learn(
    game: Game,
    config: Config,
    learner: Learner,
    data: Dataset,
    fresh: int,
    progress: float,
    key: jax.Array,
) -> tuple[Learner, dict[str, float]]:
    """Trains on the data, under random symmetries of the board; see `training.fit`."""
    return optimisation.fit(Objective(game, config), learner, data, fresh, progress, key)


def blank(game: Game, config: Config) -> Dataset:
    """A dataset's structure."""
    final = game.init() if config.ownership_weight else ()
    return Dataset(game.init(), Lesson(*(np.empty(0),) * 4), np.empty(0), final)


def harvest(
    game: Game, config: Config, record: Any, payoffs: np.ndarray, learns: np.ndarray
) -> Dataset:
    """Turns the record of self-play into positions to train on.

    Args:
      game: what was played.
      config: the learner's.
      record: an `arena.device_loop.Record` of numpy arrays, noted by an exploring `AlphaZero`.
      payoffs: f32[G, P, 2], agent A's score (1, ½, 0) by match, pair and game.
      learns: bool[2, G], whose moves are to be learnt: those of side A and B in each match.

    Returns:
      positions, those of a game in the order of play.
    """
    pairs = payoffs.shape[1]
    time, side, group, slot = np.nonzero(record.game < 2 * pairs)
    number = record.game[time, side, group, slot]
    order = np.lexsort((time, number, group))
    time, side, group, slot, number = (x[order] for x in (time, side, group, slot, number))
    state, note = jax.tree.map(lambda x: x[time, side, group, slot], (record.state, record.note))
    sign = np.where(side == 0, 1, -1).astype(np.float32)
    score = (2 * payoffs[group, number % pairs, number // pairs] - 1).astype(np.float32)
    game_id = group * 2 * pairs + number
    target = sign * _targets(game_id, sign * note.value, note.proven, score, config.trace)
    own = learns[side, group]
    data = Dataset(state, note, target, ())
    finals = jax.tree.map(lambda x: x[group[own], number[own]], record.finals)
    return jax.tree.map(lambda x: x[own], data)._replace(final=finals)


def _targets(
    game: np.ndarray, value: np.ndarray, proven: np.ndarray, score: np.ndarray, trace: float
) -> np.ndarray:
    """What positions are taken to be worth f32[N], all by the scale of the same seat.

    A proof ends a game as its rules do: what was played after it, and the mistakes in it, say
    nothing about what came before.

    Args:
      game: i64[N], which game it is; the positions of each lie together, in the order of play.
      value: f32[N], what the search expected there.
      proven: bool[N], whether that is certain.
      score: f32[N], how the game ended.
      trace: lambda.
    """
    last = proven | (game != np.append(game[1:], -1))
    outcome = np.where(proven, value, score)
    return value + returns.advantages(value, outcome, last, trace)
