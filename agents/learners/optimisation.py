"""Gradient steps on positions of past games: what all learners share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
from jax.sharding import Mesh, NamedSharding, PartitionSpec, SingleDeviceSharding

from agents.learners.base import LearnerConfig, TrainState
from agents.nn import networks
from arena import host_calls, hosts, interrupt
from arena.shards import at_once, fitting
from arena.types import Params, PyTree
from games import Game

Losses = dict[str, jax.Array]
"""The total loss f32[] and its parts by name."""
_NEVER = float(np.finfo(np.float32).min)  # the logit of an illegal move
Scale = tuple[jax.Array, jax.Array]
"""The step size f32[], and the share of the run that is done, f32[]."""


@dataclass(frozen=True)
class Objective(ABC):
    """What a learner minimises; hashable, and equal ones share a compiled program.

    Attributes:
      game: what is played.
      config: the learner's, of which `fit` needs sizes and rates.
    """

    game: Game
    config: LearnerConfig

    @property
    def optimiser(self) -> optax.GradientTransformation:
        """Of step size one: `fit` scales the steps, since the schedule needs the run."""
        return adam(self.config)

    def draw(self, rows: PyTree, size: int, chance: np.random.Generator) -> PyTree:
        """A batch of numpy arrays [size, ...] of rows [N, ...], all of which are as likely."""
        index = chance.integers(len(jax.tree.leaves(rows)[0]), size=size)
        return jax.tree.map(lambda x: x[index], rows)

    @abstractmethod
    def prepare(self, rows: PyTree, key: jax.Array) -> PyTree:
        """What the loss needs of rows [N, ...] of the data, under random symmetries if any."""

    @abstractmethod
    def loss(
        self, params: Params, batch: PyTree, progress: jax.Array
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """The loss f32[], and parts of it to report; progress f32[] is the share of the run."""


def adam(config: LearnerConfig) -> optax.GradientTransformation:
    """D. Kingma and J. Ba, ICLR 2015, with decoupled weight decay."""
    step = optax.adamw(1.0, weight_decay=config.weight_decay)
    return optax.chain(optax.clip_by_global_norm(1.0), step)


def muon(config: LearnerConfig) -> optax.GradientTransformation:
    """Steps that are orthogonal matrices, for all layers but the last.

    Whatever a layer can change about its output, it learns at the same pace, the rare things too. A
    convolution is a matrix from neighbourhoods to channels. Steps are as long as Adam's usually
    are, and Adam, with Nesterov's momentum as well, does the rest. K. Jordan et al., "Muon: an
    optimizer for hidden layers in neural networks", 2024; J. Liu et al., arXiv:2502.16982.
    """
    step = optax.contrib.muon(
        1.0,
        weight_decay=config.weight_decay,
        adam_weight_decay=config.weight_decay,
        muon_weight_dimension_numbers=_matrices,
        consistent_rms=0.2,
    )
    return optax.chain(optax.clip_by_global_norm(1.0), step)


def _matrices(params: Params) -> Any:
    """Which axes of which parameters go in and come out; None if it is Adam's."""

    def of(path: Any, leaf: jax.Array) -> optax.contrib.MuonDimensionNumbers | None:
        if path[-1].key != "kernel" or path[0].key in networks.LAST:
            return None
        return optax.contrib.MuonDimensionNumbers(tuple(range(leaf.ndim - 1)), leaf.ndim - 1)

    return jax.tree_util.tree_map_with_path(of, params)


def cross_entropy(logits: jax.Array, legal: jax.Array, policy: jax.Array) -> jax.Array:
    """Of a network's policy over the legal moves, from a target policy, f32[B].

    What the network says of illegal moves does not count, in no learner: so weights that one has
    made are good for another, and a game with thousands of moves needs no time to learn its rules.

    Args:
      logits: the network's, f32[B, A].
      legal: bool[B, A].
      policy: the target, f32[B, A], 0 for illegal moves.
    """
    log_probs = jax.nn.log_softmax(jnp.where(legal, logits, _NEVER))
    return -(policy * jnp.where(legal, log_probs, 0.0)).sum(-1)


def illegality(logits: jax.Array, legal: jax.Array) -> jax.Array:
    """How surprising it is that a move is legal, f32[B]: -log of what a policy gives legal moves.

    Together with `cross_entropy` it is the cross-entropy of a policy over all moves.

    Args:
      logits: the network's, f32[B, A].
      legal: bool[B, A].
    """
    allowed = jax.nn.logsumexp(jnp.where(legal, logits, _NEVER), axis=-1)
    return jax.nn.logsumexp(logits, axis=-1) - allowed


def init(objective: Objective, params: Params) -> TrainState[Params]:
    """The state before the first gradient step."""
    return TrainState(params, objective.optimiser.init(params))


def fit(
    objective: Objective,
    state: TrainState[Params],
    data: PyTree,
    *,
    fresh: int,
    progress: float,
    key: jax.Array,
) -> tuple[TrainState[Params], dict[str, float]]:
    """Trains on positions drawn from the data.

    Args:
      objective: what to minimise.
      state: where training stands.
      data: pytree of N rows, numpy arrays [N, ...].
      fresh: how many of them are new; they set the number of gradient steps.
      progress: share of the run that is done, in [0, 1]; it sets the learning rate.
      key: PRNG key.

    Returns:
      the trained state, and mean losses over the last quarter of the steps, `loss` their total;
      where the trained weights give no finite losses for the last batch, these.

    Raises:
      HostLostError: a host that computes a share of the gradients was lost.
    """
    rates = objective.config
    steps = max(1, round(fresh * rates.replay_ratio / rates.batch_size))
    rate = rates.learning_rate * (0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * progress)))
    shards = fitting(rates.batch_size, rates.shards)
    fixed = _Fixed(objective, shards, float(rate), progress, np.asarray(jax.random.key_data(key)))
    batches = _drawn(
        objective, data, shards=shards, steps=steps, chance=np.random.default_rng(fixed.key)
    )
    if fixed.hosts == 1:
        return _train(fixed, state, batches)
    return host_calls.together(_train, fixed, state=state, pieces=batches)


def _drawn(
    objective: Objective, data: PyTree, *, shards: int, steps: int, chance: np.random.Generator
) -> Iterator[list[PyTree]]:
    """The shards of so many batches, numpy arrays [size, ...] each.

    They are drawn here, so that the program is the same however many rows there are.
    """
    size = objective.config.batch_size // shards
    for _ in range(steps):
        interrupt.check()
        yield [objective.draw(data, size, chance) for _ in range(shards)]


@dataclass(frozen=True)
class _Fixed:
    """What does not change from step to step.

    Attributes:
      objective: what is minimised.
      shards: of a batch.
      rate: the step size.
      progress: the share of the run that is done.
      key: of a PRNG key, u32[...].
    """

    objective: Objective
    shards: int
    rate: float
    progress: float
    key: np.ndarray

    @property
    def hosts(self) -> int:
        """Between how many the shards of a batch are divided."""
        return hosts.count() if self.shards % hosts.count() == 0 else 1


def _train(
    fixed: _Fixed, state: TrainState[Params], batches: Iterator[list[PyTree]]
) -> tuple[TrainState[Params], dict[str, float]]:
    """A gradient step for each batch; see `fit`. All hosts that compute together call it."""
    program = _compiled(fixed.objective, at_once(fixed.shards // fixed.hosts), fixed.hosts)
    scale = jnp.float32(fixed.rate), jnp.float32(fixed.progress)
    key = last = jax.random.wrap_key_data(jnp.asarray(fixed.key))
    losses, batch = [], []
    for number, batch in enumerate(batches):
        last = jax.random.fold_in(key, number)
        state, loss = program.step(state, batch, scale, last)
        losses.append(loss)
    # The last step may have broken what all losses so far were still finite with.
    after = program.losses(state, batch, scale, last)
    if not all(np.isfinite(loss).all() for loss in after.values()):
        losses = [after]
    tail = jax.device_get(losses[-max(1, len(losses) // 4) :])
    state = jax.device_get(state)  # the next games may be spread over other devices
    return state, {k: float(np.mean([loss[k] for loss in tail])) for k in tail[0]}


class _Program(NamedTuple):
    """A gradient step as two compiled programs, whose shapes do not depend on the devices.

    What one program fuses, and over how many devices it is partitioned, decides the last bits of a
    sum: so the gradient of a shard is the same program on every device, and what is done with all
    of them is another, on one device. Where several hosts compute, each of them gets all gradients
    and does that, too.

    Attributes:
      hosts: H, between how many the shards are divided.
      devices: D, how many shards this one computes at once.
      gradients: of D shards, one on each device.
      update: of the state by the gradients of all shards, on the first device.
      split: where shards lie.
      everywhere: where all else lies.
      first: the first device.
    """

    hosts: int
    devices: int
    gradients: Callable[..., tuple[PyTree, Losses]]
    update: Callable[..., tuple[TrainState, Losses]]
    split: NamedSharding
    everywhere: NamedSharding
    first: SingleDeviceSharding

    def step(
        self, state: TrainState, batch: Sequence[PyTree], scale: Scale, key: jax.Array
    ) -> tuple[TrainState, Losses]:
        """One gradient step on the shards of a batch, numpy arrays [size, ...] each."""
        gathered = self._gathered(state, batch, scale, key)
        return self.update(*jax.device_put((state, gathered), self.first), scale[0])

    def losses(
        self, state: TrainState, batch: Sequence[PyTree], scale: Scale, key: jax.Array
    ) -> dict[str, np.ndarray]:
        """The losses f32[shards] of the shards of a batch, by the program of their gradients."""
        return jax.device_get(self._gathered(state, batch, scale, key)[1])

    def _gathered(
        self, state: TrainState, batch: Sequence[PyTree], scale: Scale, key: jax.Array
    ) -> tuple[PyTree, Losses]:
        """Gradients and losses [shards, ...] of the shards of a batch."""
        params, found = jax.device_put(state.params, self.everywhere), []
        own = hosts.index() * self.devices if self.hosts > 1 else 0
        for at in range(own, len(batch), self.hosts * self.devices):
            rows = jax.tree.map(lambda *x: np.stack(x), *batch[at : at + self.devices])
            numbers = np.arange(at, at + self.devices, dtype=np.int32)
            rows, numbers = jax.device_put((rows, numbers), self.split)
            mine = self.gradients(params, rows, numbers, scale[1], key)
            found.append(hosts.gathered(mine) if self.hosts > 1 else mine)
        return found[0] if len(found) == 1 else _concatenated(found)


@cache
def _compiled(objective: Objective, devices: int, between: int) -> _Program:
    if between > 1:
        hosts.connect_devices(devices)
    mesh = Mesh(np.array(jax.local_devices()[:devices]), ("shard",))
    everywhere, split = PartitionSpec(), PartitionSpec("shard")
    gradients = jax.shard_map(
        partial(_gradients, objective),
        mesh=mesh,
        in_specs=(everywhere, split, split, everywhere, everywhere),
        out_specs=split,
        check_vma=False,
    )
    return _Program(
        between,
        devices,
        jax.jit(gradients),
        jax.jit(partial(_update, objective)),
        NamedSharding(mesh, split),
        NamedSharding(mesh, everywhere),
        SingleDeviceSharding(jax.local_devices()[0]),
    )


def _gradients(
    objective: Objective,
    params: Params,
    rows: PyTree,
    number: jax.Array,
    progress: jax.Array,
    key: jax.Array,
) -> tuple[PyTree, Losses]:
    """The gradients and losses [1, ...] of one shard: rows [1, size, ...], its number i32[1]."""
    rows = jax.tree.map(lambda x: x[0], rows)
    batch = objective.prepare(rows, jax.random.fold_in(key, number[0]))

    def total(params: Params) -> tuple[jax.Array, Losses]:
        loss, parts = objective.loss(params, batch, progress)
        return loss, {"loss": loss, **parts}

    return jax.tree.map(lambda x: x[None], jax.grad(total, has_aux=True)(params))


@jax.jit
def _concatenated(parts: Sequence[PyTree]) -> PyTree:
    """Arrays [D, ...] one after the other; a program that computes nothing changes no bits."""
    return jax.tree.map(lambda *x: jnp.concatenate(x), *parts)


def _update(
    objective: Objective, state: TrainState, found: tuple[PyTree, Losses], rate: jax.Array
) -> tuple[TrainState, Losses]:
    """The state after a step by the mean of gradients [shards, ...], added up in their order."""

    def mean(shards: jax.Array) -> jax.Array:
        total = shards[0]
        for number in range(1, len(shards)):
            total = total + shards[number]
        return total / len(shards)

    grads, losses = jax.tree.map(mean, found)
    with jax.numpy_dtype_promotion("standard"):  # Adam raises a float to an integer power
        updates, optimiser = objective.optimiser.update(grads, state.optimiser, state.params)
    params = jax.tree.map(lambda p, u: p + rate * u, state.params, updates)
    return TrainState(params, optimiser), losses
