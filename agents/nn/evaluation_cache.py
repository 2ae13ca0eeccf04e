"""A cache of network evaluations, so that no position is evaluated twice.

Searches of the same game, move after move, reach much the same positions, and matches with the same
opening reach the same ones. A network's output depends on the observation alone: so a table holds
its last outputs, found by a hash of 64 bits of observation and weights, as the caches of chess and
Go engines do. Only what is not found there is evaluated, a few positions at a time; positions whose
output nobody will use are not, either.

On a CPU, where a network takes about as long for each position however many there are, that saves
half of all evaluations in self-play and more (`benchmarks/selfplay.py`). So no tree is carried on
from one move to the next in matches: what that would save is saved here, and each search starts
without the bias of the last one's visits. An accelerator evaluates all at once, without a cache.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents.nn import networks
from arena.sampling import mix
from arena.types import State
from games import Game

_BYTES = 1 << 24
"""The most that a table may take."""


class EvaluationCache(NamedTuple):
    """A hash table of evaluations, for all agents of one batch.

    Attributes:
      rows: u32[T, 3 + A], one evaluation each: two words of its hash, then the bits of the value
        and of the logits. The low bits of a hash are its row; a newer entry replaces an older one.
      agents: u32[2, G], hashes of the weights; agents with the same weights share entries.
    """

    rows: jax.Array
    agents: jax.Array


def init(
    game: Game, params: networks.Params, *, evaluations: int | None = None
) -> EvaluationCache | None:
    """An empty cache; None on an accelerator, where every position is evaluated.

    Args:
      game: what is played.
      params: their weights, stacked [G, ...].
      evaluations: how many there will be at most, so that a table need not be larger.
    """
    if jax.default_backend() != "cpu":
        return None
    width = 3 + game.num_actions
    room = _BYTES // (4 * width)
    count = 1 << (room if evaluations is None else min(room, 2 * evaluations)).bit_length() - 1
    leaves = [leaf.reshape(leaf.shape[0], -1) for leaf in jax.tree.leaves(params)]
    return EvaluationCache(jnp.zeros((count, width), jnp.uint32), _hash(jnp.concatenate(leaves, 1)))


def _hash(seen: jax.Array) -> jax.Array:
    """Hashes u32[2, B] of numbers f32[B, N]."""
    words = jax.lax.bitcast_convert_type(seen, jnp.uint32)
    place = np.arange(words.shape[1], dtype=np.uint32) * np.uint32(2)

    def lane(salt: int) -> jax.Array:
        # Each word is hashed together with where it stands, so that the order may be lost.
        salts = mix(jnp.asarray(place + np.uint32(salt)))
        return mix(mix(words ^ salts).sum(1, dtype=jnp.uint32))

    return jnp.stack([lane(0), lane(1)])


def evaluate(
    game: Game,
    network: networks.NetworkConfig,
    params: networks.Params,
    *,
    cache: EvaluationCache | None,
    states: State,
    wanted: jax.Array,
    chunk: int | None = None,
) -> tuple[jax.Array, jax.Array, EvaluationCache | None]:
    """As `networks.mover_outputs`, but evaluates only what is wanted and not in the cache.

    Args:
      game: what is played.
      network: its size.
      params: weights of G agents, stacked [G, ...].
      cache: of these agents; None evaluates every position.
      states: positions [B, ...], B = G·S, the first S of them the first agent's.
      wanted: bool[B], whose results will be used; others may be anything, as those of positions
        in which no seat is to move.
      chunk: positions to evaluate at a time; as many as the network likes best if None.

    Returns:
      logits f32[B, A], values f32[B] for the mover, and the cache with these.
    """
    if cache is None:
        return *networks.mover_outputs(game, network, params, states), None
    mover = jax.vmap(game.mover)(states)
    seen = jax.vmap(game.observe)(states, jnp.maximum(mover, 0))
    size = len(mover) // cache.agents.shape[1]
    key = _hash(seen.reshape(len(mover), -1)) ^ jnp.repeat(cache.agents, size, 1)
    row = (key[0] & (len(cache.rows) - 1)).astype(jnp.int32)
    found = cache.rows[row]
    known = (found[:, 0] == key[0]) & (found[:, 1] == key[1])
    missing = wanted & (mover >= 0) & ~known
    answers = jax.lax.bitcast_convert_type(found[:, 2:], jnp.float32)
    answers = _fill(
        partial(networks.apply, game, network),
        chunk or network.evaluation_chunk,
        params,
        agents=cache.agents,
        seen=seen,
        key=key,
        missing=missing,
        known=answers,
    )
    words = jax.lax.bitcast_convert_type(answers, jnp.uint32)
    rows = cache.rows.at[jnp.where(missing, row, len(cache.rows))].set(
        jnp.concatenate([key.T, words], 1), mode="drop"
    )
    return answers[:, 1:], answers[:, 0], cache._replace(rows=rows)


Network = Callable[[Any, jax.Array], tuple[jax.Array, jax.Array]]
"""Weights of one agent and observations f32[N, ...] to logits f32[N, A] and values f32[N]."""


def _fill(
    network: Network,
    chunk: int,
    params: networks.Params,
    *,
    agents: jax.Array,
    seen: jax.Array,
    key: jax.Array,
    missing: jax.Array,
    known: jax.Array,
) -> jax.Array:
    """The known outputs f32[B, 1 + A], and the missing ones, each position evaluated once."""
    count, batch = agents.shape[1], len(missing)
    # Positions of agents with the same weights go together, under the number of the first of them.
    first = jnp.argmax((agents[:, :, None] == agents[:, None, :]).all(0), 1).astype(jnp.int32)
    agent = jnp.where(missing, jnp.repeat(first, batch // count), count)
    number = jnp.arange(batch, dtype=jnp.int32)
    *keys, place = jax.lax.sort((agent, *key, number), num_keys=3)
    again = jnp.stack([jnp.roll(x, 1) == x for x in keys]).all(0) & (number > 0)
    new = ~again & (keys[0] < count)
    ends = (new[:, None] & (keys[0][:, None] <= np.arange(count))).sum(0, dtype=jnp.int32)
    order = jnp.full(batch + chunk, batch, jnp.int32)
    order = order.at[jnp.where(new, jnp.cumsum(new) - 1, len(order))].set(place, mode="drop")
    outputs = _evaluate_in_chunks(
        network, chunk, params, seen=seen, order=order, ends=ends, outputs=known
    )
    source = place[jax.lax.cummax(jnp.where(again, 0, number))]
    return outputs.at[place].set(outputs[source])


def _evaluate_in_chunks(
    network: Network,
    chunk: int,
    params: networks.Params,
    *,
    seen: jax.Array,
    order: jax.Array,
    ends: jax.Array,
    outputs: jax.Array,
) -> jax.Array:
    """Writes the networks' outputs f32[B, 1 + A] at positions i32[N], agent after agent.

    Those of agent n end before ends[n].
    """
    count, batch = len(ends), len(outputs)

    def of_agent(number: jax.Array, outputs: jax.Array) -> jax.Array:
        weights = jax.tree.map(lambda x: x[number], params)

        def next_chunk(carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            start, outputs = carry
            rows = jax.lax.dynamic_slice_in_dim(order, start, chunk)
            # A last chunk runs on into positions of the next agents, and leaves them as they are.
            rows = jnp.where(start + np.arange(chunk) < ends[number], rows, batch)
            logits, value = network(weights, seen.at[rows].get(mode="clip"))
            found = jnp.concatenate([value[:, None], logits], 1)
            return start + chunk, outputs.at[rows].set(found, mode="drop")

        start = jnp.where(number > 0, ends[number - 1], 0)
        return jax.lax.while_loop(lambda c: c[0] < ends[number], next_chunk, (start, outputs))[1]

    if count == 1:
        return of_agent(jnp.int32(0), outputs)

    def next_agent(carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        done, outputs = carry
        number = (ends <= done).sum(dtype=jnp.int32)
        return ends[number], of_agent(number, outputs)

    return jax.lax.while_loop(lambda c: c[0] < ends[-1], next_agent, (jnp.int32(0), outputs))[1]
