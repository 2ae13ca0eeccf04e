"""AlphaZero by Gumbel search: how it moves, and how it learns from its own searches.

Search improves on the network's policy; training makes the network predict the improved policy
and what the judge said of the game. D. Silver et al., Science 362 (2018); I. Danihelka et al.,
ICLR 2022.
"""

from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from agents import networks, search
from arena.core import Classifier, Decision, Rules
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
      learning_rate: peak of Adam's step size; it decays to a tenth along a cosine over the run.
      weight_decay: decoupled, per step and unit of learning rate.
      value_weight: weight of the value loss beside the policy loss.
    """

    network: networks.ResNetConfig = field(default_factory=networks.ResNetConfig)
    simulations: int = 16
    considered: int = 16
    batch_size: int = 512
    reuse: float = 5.0
    window: int = 4
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    value_weight: float = 1.0


@dataclass(frozen=True)
class AlphaZero:
    """An `Act` by network and Gumbel search.

    Attributes:
      game: what is played.
      network: size of the network.
      simulations: a move; 0 plays the network's favourite move without search.
      considered: root moves that sequential halving starts from.
      explore: draw Gumbel noise, as in training, and note the improved policy f32[B, A]; otherwise
        play the strongest move every time, and note nothing.
      judge: who says what ended games are worth; the rules if None.
    """

    game: Game
    network: networks.ResNetConfig
    simulations: int
    considered: int = 16
    explore: bool = False
    judge: Classifier | None = None

    def __call__(self, params: Any, keys: jax.Array, states: Any) -> Decision:
        """Chooses moves; `params` are stacked [G, ...]."""
        evaluate = partial(self._evaluate, params)
        if self.simulations == 0:
            logits, _ = evaluate(keys, states)
            legal = jax.vmap(self.game.legal)(states)
            return Decision(jnp.argmax(jnp.where(legal, logits, -jnp.inf), -1).astype(jnp.int32))
        batch = jax.tree.leaves(states)[0].shape[0]
        noise = jnp.zeros((batch, self.game.num_actions))
        if self.explore:
            shape = batch // keys.shape[0], self.game.num_actions
            draw = jax.vmap(lambda key: jax.random.gumbel(key, shape))
            noise = draw(keys).reshape(noise.shape)
        improved = search.gumbel(
            self.game,
            self.judge or Rules(self.game),
            evaluate,
            states,
            keys,
            self.simulations,
            noise,
            self.considered,
        )
        return Decision(improved.move, improved.policy if self.explore else ())

    def _evaluate(self, params: Any, keys: jax.Array, states: Any) -> tuple[jax.Array, jax.Array]:
        movers = jnp.maximum(jax.vmap(self.game.mover)(states), 0)
        seen = jax.vmap(self.game.observe)(states, movers)
        seen = seen.reshape(keys.shape[0], -1, *seen.shape[1:])
        logits, value = networks.over_agents(
            partial(networks.apply, self.game, self.network), params, seen
        )
        return logits.reshape(-1, logits.shape[-1]), value.reshape(-1)


class Dataset(NamedTuple):
    """Positions to train on.

    Attributes:
      state: positions [N, ...].
      policy: f32[N, A], the improved policy there.
      outcome: f32[N], the judge's word on the game, for the seat that moved.
    """

    state: Any
    policy: np.ndarray
    outcome: np.ndarray


class Learner(NamedTuple):
    """All that training carries from one generation to the next.

    Attributes:
      params: the network's weights.
      optimiser: Adam's moments.
    """

    params: Any
    optimiser: Any


def _optimiser(config: Config) -> optax.GradientTransformation:
    """Adam at step size one: `learn` scales the updates, since the schedule needs the run."""
    return optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.scale_by_adam(),
        optax.add_decayed_weights(config.weight_decay),
    )


def begin(game: Game, config: Config, key: jax.Array) -> Learner:
    """A random network."""
    params = networks.initialise(game, config.network, key)
    return Learner(params, _optimiser(config).init(params))


def learn(
    game: Game,
    config: Config,
    learner: Learner,
    data: Dataset,
    fresh: int,
    progress: float,
    key: jax.Array,
) -> tuple[Learner, dict[str, float]]:
    """Trains on positions drawn from the data, under random symmetries of the board.

    Args:
      game: what is played.
      config: rates and sizes.
      learner: where training stands.
      data: N positions.
      fresh: how many of them are new; they set the number of gradient steps.
      progress: share of the run that is done, in [0, 1]; it sets the learning rate.
      key: PRNG key.

    Returns:
      the trained learner, and mean losses over the last quarter of the steps.
    """
    count = len(data.outcome)
    steps = max(1, round(fresh * config.reuse / config.batch_size))
    rate = config.learning_rate * (0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * progress)))
    # Room for twice as much at a time, so that few sizes are ever compiled.
    room = 1 << (count - 1).bit_length()
    padded = jax.tree.map(lambda x: np.resize(x, (room, *x.shape[1:])), data)
    devices = [d for d in range(1, jax.device_count() + 1) if config.batch_size % d == 0][-1]
    step, everywhere = _compiled(game, config, devices)
    padded = jax.device_put(padded, everywhere)
    losses = []
    for number in range(steps):
        learner, loss = step(
            learner, padded, jnp.int32(count), jnp.float32(rate), jax.random.fold_in(key, number)
        )
        losses.append(loss)
    tail = jax.device_get(losses[-max(1, steps // 4) :])
    mean = {k: float(np.mean([loss[k] for loss in tail])) for k in tail[0]}
    return learner, {"loss": mean["policy_loss"] + config.value_weight * mean["value_loss"], **mean}


@cache
def _compiled(game: Game, config: Config, devices: int):
    mesh = Mesh(np.array(jax.devices()[:devices]), ("batch",))
    everywhere = PartitionSpec()
    step = jax.shard_map(
        partial(_step, game, config, devices),
        mesh=mesh,
        in_specs=(everywhere,) * 5,
        out_specs=everywhere,
        check_vma=False,
    )
    return jax.jit(step), NamedSharding(mesh, everywhere)


def _step(
    game: Game,
    config: Config,
    devices: int,
    learner: Learner,
    data: Dataset,
    count: jax.Array,
    rate: jax.Array,
    key: jax.Array,
) -> tuple[Learner, dict[str, jax.Array]]:
    """One gradient step, each device on its share of the batch."""
    key = jax.random.fold_in(key, jax.lax.axis_index("batch"))
    batch = _sample(game, data, count, key, config.batch_size // devices)
    gradient = jax.grad(partial(_loss, game, config), has_aux=True)
    grads, loss = jax.lax.pmean(gradient(learner.params, *batch), "batch")
    with jax.numpy_dtype_promotion("standard"):  # Adam raises a float to an integer power
        updates, optimiser = _optimiser(config).update(grads, learner.optimiser, learner.params)
    params = jax.tree.map(lambda p, u: p - rate * u, learner.params, updates)
    return Learner(params, optimiser), loss


def _sample(
    game: Game, data: Dataset, count: jax.Array, key: jax.Array, size: int
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Observations, policies and outcomes of random positions, each under a random symmetry."""
    which, turn = jax.random.split(key)
    index = jax.random.randint(which, (size,), 0, count)
    state, policy, outcome = jax.tree.map(lambda x: x[index], data)
    seen = jax.vmap(game.observe)(state, jax.vmap(game.mover)(state))
    images, policies = jax.vmap(game.symmetries)(seen, policy)
    chosen = jax.random.randint(turn, (size,), 0, images.shape[1])
    rows = jnp.arange(size)
    return images[rows, chosen], policies[rows, chosen], outcome


def _loss(
    game: Game,
    config: Config,
    params: Any,
    observations: jax.Array,
    policy: jax.Array,
    outcome: jax.Array,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    logits, value = networks.apply(game, config.network, params, observations)
    policy_loss = optax.softmax_cross_entropy(logits, policy).mean()
    value_loss = jnp.square(value - outcome).mean()
    total = policy_loss + config.value_weight * value_loss
    return total, {"policy_loss": policy_loss, "value_loss": value_loss}


def harvest(game: Game, record: Any, payoffs: np.ndarray, learns: np.ndarray) -> Dataset:
    """Turns the record of self-play into positions to train on.

    Args:
      game: what was played.
      record: an `arena.match.Record` of numpy arrays, noted by an exploring `AlphaZero`.
      payoffs: f32[G, P, 2], agent A's score (1, ½, 0) by match, pair and game.
      learns: bool[2, G], whose moves are to be learnt: those of side A and B in each match.

    Returns:
      positions in the order of play.
    """
    pairs = payoffs.shape[1]
    chosen = (record.game < 2 * pairs) & learns[None, :, :, None]
    time, side, group, slot = np.nonzero(chosen)
    number = record.game[time, side, group, slot]
    score = 2 * payoffs[group, number % pairs, number // pairs] - 1
    return Dataset(
        jax.tree.map(lambda x: x[time, side, group, slot], record.state),
        record.note[time, side, group, slot],
        np.where(side == 0, score, -score).astype(np.float32),
    )
