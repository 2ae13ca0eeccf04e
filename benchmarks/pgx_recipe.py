"""The usual recipe of self-play training on JAX, as a peer for ours: pgx's rules and mctx's search.

    python -m benchmarks.pgx_recipe othello.pickle --recipe.game othello --seconds 600

As in pgx's own example: `mctx.gumbel_muzero_policy` with its default settings over a ResNet v2 with
batch normalisation, results as value targets, Adam, every position learnt from once. What the
example leaves to its user, sizes, is in `Recipe`.
"""

import os
import pickle
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
import tyro

from benchmarks import peers


@dataclass(frozen=True)
class Recipe:
    """Sizes and rates.

    Attributes:
      game: our name of it.
      channels: of the tower.
      blocks: of the tower.
      simulations: a move.
      games: in flight.
      steps: moves of each of them between two rounds of learning.
      batch_size: positions a gradient step.
      learning_rate: Adam's.
    """

    game: str
    channels: int = 32
    blocks: int = 4
    simulations: int = 16
    games: int = 128
    steps: int = 64
    batch_size: int = 128
    learning_rate: float = 1e-3


class _Tower(nn.Module):
    """K. He et al., ECCV 2016, with the heads of AlphaZero."""

    channels: int
    blocks: int
    actions: int

    @nn.compact
    def __call__(self, x: jax.Array, *, training: bool) -> tuple[jax.Array, jax.Array]:
        norm = partial(nn.BatchNorm, use_running_average=not training, momentum=0.9)
        x = nn.Conv(self.channels, (3, 3))(x)
        for _ in range(self.blocks):
            y = nn.Conv(self.channels, (3, 3))(nn.relu(norm()(x)))
            x = x + nn.Conv(self.channels, (3, 3))(nn.relu(norm()(y)))
        x = nn.relu(norm()(x))
        policy = nn.relu(norm()(nn.Conv(2, (1, 1))(x))).reshape(len(x), -1)
        value = nn.relu(norm()(nn.Conv(1, (1, 1))(x))).reshape(len(x), -1)
        value = nn.Dense(1)(nn.relu(nn.Dense(self.channels)(value)))
        return nn.Dense(self.actions)(policy), jnp.tanh(value[:, 0])


class _Samples(NamedTuple):
    """Positions in the order of play: arrays [T, B, ...]."""

    seen: jax.Array
    policy: jax.Array
    reward: jax.Array
    discount: jax.Array
    ended: jax.Array


class Counts(NamedTuple):
    """What a training took: games ended, positions learnt from, network evaluations in search."""

    games: int
    positions: int
    evaluations: int


class Peer:
    """The recipe for one game.

    Args:
      recipe: its sizes.
    """

    def __init__(self, recipe: Recipe):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._mctx: Any = import_module("mctx")
            wrappers: Any = import_module("pgx.experimental.wrappers")
        self.recipe, self.env = recipe, peers.pgx_env(recipe.game)
        self._move = wrappers.auto_reset(self.env.step, self.env.init)
        self._tower = _Tower(recipe.channels, recipe.blocks, self.env.num_actions)

    @cached_property
    def _optimiser(self) -> optax.GradientTransformation:
        return optax.adam(self.recipe.learning_rate)

    def evaluate(self, weights: Any, states: Any) -> tuple[jax.Array, jax.Array]:
        """Logits f32[B, A], illegal moves lowest, and values f32[B] for the mover."""
        seen = states.observation.astype(jnp.float32)
        read: Any = self._tower.apply(weights, seen, training=False)
        logits, value = read
        logits = logits - logits.max(-1, keepdims=True)
        return jnp.where(states.legal_action_mask, logits, jnp.finfo(jnp.float32).min), value

    def search(
        self, weights: Any, key: jax.Array, states: Any, *, simulations: int, noise: float
    ) -> Any:
        """mctx's output for a batch of positions; `noise` scales its Gumbel variates."""

        def expand(weights: Any, key: jax.Array, action: jax.Array, states: Any) -> Any:
            mover = states.current_player
            states = jax.vmap(self.env.step)(states, action)
            logits, value = self.evaluate(weights, states)
            output = self._mctx.RecurrentFnOutput(
                reward=states.rewards[jnp.arange(len(mover)), mover],
                discount=jnp.where(states.terminated, 0.0, -1.0),
                prior_logits=logits,
                value=jnp.where(states.terminated, 0.0, value),
            )
            return output, states

        logits, value = self.evaluate(weights, states)
        return self._mctx.gumbel_muzero_policy(
            params=weights,
            rng_key=key,
            root=self._mctx.RootFnOutput(prior_logits=logits, value=value, embedding=states),
            recurrent_fn=expand,
            num_simulations=simulations,
            invalid_actions=~states.legal_action_mask,
            gumbel_scale=noise,
        )

    def choose(self, weights: Any, key: jax.Array, states: Any, *, simulations: int) -> jax.Array:
        """Moves i32[B]: the network's favourites, or the strongest of a search without noise."""
        if simulations == 0:
            return jnp.argmax(self.evaluate(weights, states)[0], -1)
        return self.search(weights, key, states, simulations=simulations, noise=0.0).action

    def train(
        self, seconds: float, *, seed: int, clock: Callable[[], float] = time.perf_counter
    ) -> tuple[Any, Counts]:
        """Trains for so long, compiling excluded; weights, and what was done for them."""
        recipe = self.recipe
        key = jax.random.key(seed)
        states = jax.jit(jax.vmap(self.env.init))(jax.random.split(key, recipe.games))
        seen = states.observation.astype(jnp.float32)
        weights = self._tower.init(key, seen, training=False)
        optimiser = self._optimiser.init(weights["params"])
        play = jax.jit(self._play).lower(weights, states, key).compile()
        _, samples = jax.eval_shape(self._play, weights, states, key)
        shuffle = jax.jit(self._rows).lower(samples, key).compile()
        batches = jax.eval_shape(self._rows, samples, key)
        batch = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), batches)
        step = jax.jit(self._step).lower(weights, optimiser, batch).compile()
        games = positions = 0
        began = clock()
        for number in range(10**9):
            if clock() - began >= seconds:
                break
            now = jax.random.fold_in(key, number)
            states, samples = play(weights, states, now)
            batches = jax.device_get(shuffle(samples, now))
            # One call a step: within a compiled loop a CPU takes thirty times as long for it.
            for batch in zip(*batches, strict=True):
                weights, optimiser = step(weights, optimiser, batch)
            games += int(samples.ended.sum())
            positions += samples.reward.size
        return jax.device_get(weights), Counts(
            games, positions, positions * (recipe.simulations + 1)
        )

    def _play(self, weights: Any, states: Any, key: jax.Array) -> tuple[Any, _Samples]:
        """So many moves of every game in flight."""

        def move(states: Any, key: jax.Array) -> tuple[Any, _Samples]:
            think, deal = jax.random.split(key)
            found = self.search(
                weights, think, states, simulations=self.recipe.simulations, noise=1.0
            )
            mover = states.current_player
            after = jax.vmap(self._move)(
                states, found.action, jax.random.split(deal, self.recipe.games)
            )
            sample = _Samples(
                states.observation,
                found.action_weights,
                after.rewards[jnp.arange(self.recipe.games), mover],
                jnp.where(after.terminated, 0.0, -1.0),
                after.terminated,
            )
            return after, sample

        return jax.lax.scan(move, states, jax.random.split(key, self.recipe.steps))

    def _rows(self, samples: _Samples, key: jax.Array) -> Any:
        """Shuffled batches [N, batch_size, ...] of observation, policy, value and whether known.

        The value of a position whose game has not ended is not.
        """

        def back(value: jax.Array, at: _Samples) -> tuple[jax.Array, jax.Array]:
            value = at.reward + at.discount * value
            return value, value

        _, target = jax.lax.scan(back, jnp.zeros(self.recipe.games), samples, reverse=True)
        known = jnp.cumsum(samples.ended[::-1], 0)[::-1] >= 1
        count = samples.reward.size // self.recipe.batch_size
        order = jax.random.permutation(key, samples.reward.size)
        order = order[: count * self.recipe.batch_size].reshape(count, -1)
        rows = (samples.seen, samples.policy, target, known)
        return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[order], rows)

    def _step(self, weights: Any, optimiser: Any, batch: Any) -> tuple[Any, Any]:
        """One gradient step."""
        grads, stats = jax.grad(self._loss, has_aux=True)(weights["params"], weights, batch)
        updates, optimiser = self._optimiser.update(grads, optimiser, weights["params"])
        params = optax.apply_updates(weights["params"], updates)
        return {"params": params, "batch_stats": stats}, optimiser

    def _loss(self, params: Any, weights: Any, batch: Any) -> tuple[jax.Array, Any]:
        seen, policy, target, known = batch
        (logits, value), changed = self._tower.apply(
            {"params": params, "batch_stats": weights["batch_stats"]},
            seen.astype(jnp.float32),
            training=True,
            mutable=["batch_stats"],
        )
        loss = optax.softmax_cross_entropy(logits, policy).mean()
        value_loss = (known * jnp.square(value - target) / 2).mean()
        return loss + value_loss, changed["batch_stats"]


@dataclass(frozen=True)
class Options:
    """What to train.

    Attributes:
      out: file for the weights and the counts.
      recipe: sizes and rates.
      seconds: how long, compiling excluded.
      seed: of everything random.
      core: the one to run on; all there are if negative.
    """

    out: tyro.conf.Positional[Path]
    recipe: Recipe
    seconds: float = 600.0
    seed: int = 0
    core: int = -1


def main(options: Options) -> None:
    """Trains a peer and keeps it."""
    if options.core >= 0:
        os.sched_setaffinity(0, {options.core})
    weights, counts = Peer(options.recipe).train(options.seconds, seed=options.seed)
    options.out.write_bytes(pickle.dumps((options.recipe, weights, tuple(counts))))


def read(path: Path) -> tuple[Recipe, Any, Counts]:
    """A peer that `main` has trained: its recipe, weights and counts."""
    recipe, weights, counts = pickle.loads(path.read_bytes())
    return recipe, weights, Counts(*counts)


if __name__ == "__main__":
    main(tyro.cli(Options))
