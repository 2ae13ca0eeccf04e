"""What a network has said of positions, so that it is not asked twice.

Searches of the same game, move after move, look at much the same positions, and matches that begin
alike meet the same ones. A network says the same whenever it sees the same: so a table holds its
last answers, found by a hash of 64 bits of what was seen and of the weights, as the caches of chess
and Go engines do. Only what is not found there is evaluated, a few positions at a time; positions
whose answer nobody will use are not, either.

On a CPU, where a network takes about as long for each position however many there are, that saves
half of all evaluations in self-play and more (`benchmarks/selfplay.py`). So no tree is carried on
from one move to the next: what that would save is saved here, and each search starts without the
bias of the last one's visits. An accelerator evaluates all at once, and remembers nothing.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents.nn import networks
from arena.sampling import mix
from games import Game

_BYTES = 1 << 24
"""The most that a table may take."""


class Memory(NamedTuple):
    """A table of answers, for all agents of one batch.

    Attributes:
      rows: u32[T, 3 + A], an answer each: two words of its hash, then the bits of the value and of
        the logits. Where a hash begins is the row that it is kept in; what was there is forgotten.
      agents: u32[2, G], hashes of the weights; agents with the same weights share their answers.
    """

    rows: jax.Array
    agents: jax.Array


def blank(game: Game, params: Any, asked: int | None = None) -> Memory | None:
    """The memory of agents that have not been asked yet; None on an accelerator.

    Args:
      game: what is played.
      params: their weights, stacked [G, ...].
      asked: how many answers there will be at most, so that a table need not be larger.
    """
    if jax.default_backend() != "cpu":
        return None
    width = 3 + game.num_actions
    room = _BYTES // (4 * width)
    count = 1 << (room if asked is None else min(room, 2 * asked)).bit_length() - 1
    leaves = [leaf.reshape(leaf.shape[0], -1) for leaf in jax.tree.leaves(params)]
    return Memory(jnp.zeros((count, width), jnp.uint32), _hash(jnp.concatenate(leaves, 1)))


def _hash(seen: jax.Array) -> jax.Array:
    """Hashes u32[2, B] of numbers f32[B, N]."""
    words = jax.lax.bitcast_convert_type(seen, jnp.uint32)
    place = np.arange(words.shape[1], dtype=np.uint32) * np.uint32(2)

    def lane(salt: int) -> jax.Array:
        # Each word is hashed together with where it stands, so that the order may be lost.
        salts = mix(jnp.asarray(place + np.uint32(salt)))
        return mix(mix(words ^ salts).sum(1, dtype=jnp.uint32))

    return jnp.stack([lane(0), lane(1)])


def recall(
    game: Game,
    network: networks.NetworkConfig,
    params: Any,
    memory: Memory | None,
    states: Any,
    wanted: jax.Array,
) -> tuple[jax.Array, jax.Array, Memory | None]:
    """As `networks.mover_outputs`, with what is known already from memory.

    Args:
      game: what is played.
      network: its size.
      params: weights of G agents, stacked [G, ...].
      memory: of these agents.
      states: positions [B, ...], B = G·S, the first S of them the first agent's.
      wanted: bool[B], whose answers will be used; others may be anything, as those of positions
        in which no seat is to move.

    Returns:
      logits f32[B, A], values f32[B] for the mover, and the memory with these answers.
    """
    if memory is None:
        groups = len(jax.tree.leaves(params)[0])
        return *networks.mover_outputs(game, network, params, groups, states), None
    mover = jax.vmap(game.mover)(states)
    seen = jax.vmap(game.observe)(states, jnp.maximum(mover, 0))
    size = len(mover) // memory.agents.shape[1]
    key = _hash(seen.reshape(len(mover), -1)) ^ jnp.repeat(memory.agents, size, 1)
    row = (key[0] & (len(memory.rows) - 1)).astype(jnp.int32)
    found = memory.rows[row]
    known = (found[:, 0] == key[0]) & (found[:, 1] == key[1])
    missing = wanted & (mover >= 0) & ~known
    answers = jax.lax.bitcast_convert_type(found[:, 2:], jnp.float32)
    ask = partial(networks.apply, game, network)
    about = params, memory.agents, seen, key, missing, answers
    answers = _fill(ask, network.evaluation_chunk, *about)
    words = jax.lax.bitcast_convert_type(answers, jnp.uint32)
    rows = memory.rows.at[jnp.where(missing, row, len(memory.rows))].set(
        jnp.concatenate([key.T, words], 1), mode="drop"
    )
    return answers[:, 1:], answers[:, 0], memory._replace(rows=rows)


def _fill(
    ask: Any,
    chunk: int,
    params: Any,
    agents: jax.Array,
    seen: jax.Array,
    key: jax.Array,
    missing: jax.Array,
    answers: jax.Array,
) -> jax.Array:
    """Asks the networks about the positions that are missing, each once; f32[B, 1 + A]."""
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
    answers = _ask(ask, chunk, params, seen, order, ends, answers)
    source = place[jax.lax.cummax(jnp.where(again, 0, number))]
    return answers.at[place].set(answers[source])


def _ask(
    ask: Any,
    chunk: int,
    params: Any,
    seen: jax.Array,
    order: jax.Array,
    ends: jax.Array,
    answers: jax.Array,
) -> jax.Array:
    """Writes the networks' answers f32[B, 1 + A] about positions i32[N], agent after agent.

    Those of agent n end before ends[n].
    """
    count, batch = len(ends), len(answers)

    def of_agent(number: jax.Array, answers: jax.Array) -> jax.Array:
        weights = jax.tree.map(lambda x: x[number], params)

        def ask_some(carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            start, answers = carry
            rows = jax.lax.dynamic_slice_in_dim(order, start, chunk)
            # A last chunk runs on into positions of the next agents, and leaves them as they are.
            rows = jnp.where(start + np.arange(chunk) < ends[number], rows, batch)
            logits, value = ask(weights, seen.at[rows].get(mode="clip"))
            said = jnp.concatenate([value[:, None], logits], 1)
            return start + chunk, answers.at[rows].set(said, mode="drop")

        start = jnp.where(number > 0, ends[number - 1], 0)
        return jax.lax.while_loop(lambda c: c[0] < ends[number], ask_some, (start, answers))[1]

    if count == 1:
        return of_agent(jnp.int32(0), answers)

    def next_agent(carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        done, answers = carry
        number = (ends <= done).sum(dtype=jnp.int32)
        return ends[number], of_agent(number, answers)

    return jax.lax.while_loop(lambda c: c[0] < ends[-1], next_agent, (jnp.int32(0), answers))[1]
