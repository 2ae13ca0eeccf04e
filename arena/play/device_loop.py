"""Matches in pairs: every opening is played twice, with the seats swapped.

All games of a match, and many matches side by side, run as one compiled loop on the device. Of
twice S slots a tick asks agent A about up to S games that wait for A, and agent B about up to S
that wait for B, so each network is evaluated on games in which it moves and on no others. Where
the seats alternate, the two halves simply change places after every move; where they do not, a
game whose half is full waits for the next tick. A slot whose game has ended takes the next
opening, on the side with fewer games, so that no slot runs idle before the openings run out.
Chance moves, where a game has them, are made as soon as they are due.
"""

from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from arena.chance import resolve_chance
from arena.types import CachedPolicy, Decision, Judge, Policy, as_host_game
from games import OVER, Game


class Record(NamedTuple):
    """Every position in which somebody chose a move; side 0 holds A's moves, side 1 B's.

    Attributes:
      state: positions [T, 2, G, S, ...].
      aux: the agents' notes [T, 2, G, S, ...].
      game: i32[T, 2, G, S], j·P + k for the game j of pair k; 2P where the slot was idle.
      finals: how the games ended, positions [G, 2P, ...]; () if they were not to be kept.
    """

    state: Any
    aux: Any
    game: Any
    finals: Any = ()


class Played(NamedTuple):
    """What a batch of matches gives.

    Attributes:
      scores: f32[G, P, 2], A's score (1, ½ or 0) in both games of each pair; in the first A makes
        the first move after the opening.
      record: the moves in T ticks, as numpy arrays; None if they were not to be recorded.
      moves: i32[G, 2], how many moves A and B chose; None where nobody counted.
    """

    scores: jax.Array
    record: Record | None
    moves: jax.Array | None = None


@dataclass(frozen=True)
class Match:
    """The rules of a batch of matches: everything that is compiled in.

    Attributes:
      game: what is played.
      policy_a: how agents A move.
      policy_b: how agents B move.
      judge: who says who won.
      slots: S, games in flight per match and half.
      record: keep positions and notes of every move; if the agents aux different things, only
        what A notes.
      finals: keep in the record how each game ended, too.
    """

    game: Game
    policy_a: Policy
    policy_b: Policy
    judge: Judge
    slots: int
    record: bool = False
    finals: bool = False

    def play(self, params_a: Any, params_b: Any, keys: jax.Array, openings: Any) -> Played:
        """Plays G matches of P pairs each, spread over the devices of this process.

        Args:
          params_a: weights of the agents A, stacked [G, ...].
          params_b: weights of the agents B, stacked [G, ...].
          keys: PRNG keys [G].
          openings: positions [G, P, ...] in which a seat is to move.
        """
        if outside := as_host_game(self.game):
            return outside.play(self, params_a, params_b, keys, openings)
        devices = [d for d in range(1, jax.device_count() + 1) if keys.shape[0] % d == 0][-1]
        run, everywhere = _compiled(self, devices)
        table, pairs = _idle(self, openings), jax.tree.leaves(openings)[0].shape[1]
        table = jax.device_put(table, everywhere)
        pieces = []
        while _going(table, pairs).any():
            start = np.int32(_PIECE * len(pieces))
            table, piece = run(start, table, params_a, params_b, keys, openings)
            if piece is not None:
                pieces.append(_used(jax.tree.map(np.asarray, piece), pairs))
        record = jax.tree.map(lambda *x: np.concatenate(x), *pieces) if pieces else None
        if record:
            record = record._replace(finals=jax.tree.map(np.asarray, table.finals))
        scores = table.scores.reshape(-1, 2, pairs).swapaxes(1, 2)
        return Played(scores, record, table.moves)


_PIECE = 64
"""Ticks that are recorded in one call of the compiled loop. Nobody knows beforehand how many there
will be, and memory for as many as there might be would be gigabytes in games such as chess."""


_A, _IDLE, _B = 0, 1, 2  # whom a slot waits for, in the order in which slots are sorted


class _Slots(NamedTuple):
    """Games in flight."""

    state: Any  # [G, 2S, ...]
    game: Any  # i32[G, 2S], 2P if idle


class _Table(NamedTuple):
    """All that changes during a match: arrays, or where they lie."""

    slots: _Slots
    queue: Any  # i32[2, G], the next opening for games in which A, or B, moves first
    scores: Any  # f32[G, 2P]
    moves: Any  # i32[G, 2], made by A and by B
    finals: Any  # [G, 2P, ...], or () if not kept


@cache
def _compiled(match: Match, devices: int):
    """The loop, and where its table lies."""
    mesh = Mesh(np.array(jax.devices()[:devices]), ("match",))
    matches, moves = PartitionSpec("match"), PartitionSpec(None, None, "match")
    slots, queue = _Slots(matches, matches), PartitionSpec(None, "match")
    table = _Table(slots, queue, matches, matches, matches)
    run = jax.shard_map(
        partial(_run, match),
        mesh=mesh,
        in_specs=(PartitionSpec(), table, matches, matches, matches, matches),
        out_specs=(table, moves if match.record else None),
        check_vma=False,
    )
    return jax.jit(run), jax.tree.map(partial(NamedSharding, mesh), table)


def _run(
    match: Match,
    start: jax.Array,
    table: _Table,
    params_a: Any,
    params_b: Any,
    keys: jax.Array,
    openings: Any,
) -> tuple[_Table, Record | None]:
    """Plays on, from the tick `start`: to the end, or a piece of the record if it is recorded."""
    pairs = jax.tree.leaves(openings)[0].shape[1]
    first = jax.vmap(jax.vmap(match.game.mover))(openings)

    def body(carry):
        tick, table, record, memory = carry
        table = _refill(match, table, openings, first, pairs)
        slots, asked = _sort(match, table.slots, first, pairs)
        here = jax.vmap(partial(_fold, start + tick))(keys)
        states = _halves(slots.state)
        decision, memory = _recall(match, memory, params_a, params_b, here, states)
        after = _batched(match.game.step, 3)(states, decision.move)
        after = _chance(match.game, here, _side_by_side(after))
        if record is not None:
            row = Record(states, decision.aux, jnp.where(asked, _halves(slots.game), 2 * pairs))
            record = jax.tree.map(lambda all, one: all.at[tick].set(one), record, row)
        slots = slots._replace(state=_choose(_side_by_side(asked), after, slots.state))
        moves = table.moves + asked.sum(2, dtype=jnp.int32).T
        table = table._replace(slots=slots, moves=moves)
        return tick + 1, _finish(match, table, first, pairs), record, memory

    def going(carry):
        tick, table, record, _ = carry
        busy = _going(table, pairs).any()
        return busy if record is None else busy & (tick < _PIECE)

    record = None
    if match.record:
        states = _halves(table.slots.state)
        policy = partial(decide, match, params_a, params_b)
        record = _blank(states, jax.eval_shape(policy, keys, states).aux, pairs)
    # What the agents remember lasts as long as a call does.
    carry = jnp.int32(0), table, record, _memory(match, params_a, params_b)
    _, table, record, _ = jax.lax.while_loop(going, body, carry)
    return table, record


def _going(table: _Table, pairs: int) -> Any:
    """Which matches have games in flight or openings left, bool[G]."""
    return (table.slots.game < 2 * pairs).any(1) | (table.queue < pairs).any(0)


def _used(record: Record, pairs: int) -> Record:
    """The ticks in which anybody moved."""
    ticks = (record.game < 2 * pairs).any((1, 2, 3)).sum()
    return jax.tree.map(lambda x: x[:ticks], record)


def _halves(tree: Any) -> Any:
    """[G, 2S, ...] to [2, G, S, ...]: those asked of A, and those asked of B."""
    return jax.tree.map(lambda x: x.reshape(x.shape[0], 2, -1, *x.shape[2:]).swapaxes(0, 1), tree)


def _side_by_side(tree: Any) -> Any:
    """The inverse of `_halves`."""
    return jax.tree.map(lambda x: x.swapaxes(0, 1).reshape(x.shape[1], -1, *x.shape[3:]), tree)


def _choose(flags: jax.Array, yes: Any, no: Any) -> Any:
    """Slots [G, 2S, ...] of one tree or the other."""

    def choose(a, b):
        return jnp.where(flags.reshape(flags.shape + (1,) * (a.ndim - 2)), a, b)

    return jax.tree.map(choose, yes, no)


def _waits(match: Match, slots: _Slots, first: jax.Array, pairs: int) -> jax.Array:
    """Whom each slot waits for, i32[G, 2S]."""
    seat = _seat_of_a(slots.game, first, pairs)
    side = jnp.where(_batched(match.game.mover, 2)(slots.state) == seat, _A, _B)
    return jnp.where(slots.game < 2 * pairs, side, _IDLE)


def _seat_of_a(game: jax.Array, first: jax.Array, pairs: int) -> jax.Array:
    """A sits where the opening is to move in games j = 0, and opposite in games j = 1."""
    groups = jnp.arange(first.shape[0])[:, None]
    return first[groups, game % pairs] ^ (game // pairs)


def _sort(match: Match, slots: _Slots, first: jax.Array, pairs: int) -> tuple[_Slots, jax.Array]:
    """Brings the games that wait for A to the front and those that wait for B to the back.

    Returns:
      the slots, and bool[2, G, S]: whether the agent of that half is asked about a game.
    """
    waits = _waits(match, slots, first, pairs)
    order = jnp.argsort(waits, axis=1, stable=True)
    groups = jnp.arange(order.shape[0])[:, None]
    slots, waits = jax.tree.map(lambda x: x[groups, order], (slots, waits))
    return slots, _halves(waits) == jnp.array([_A, _B])[:, None, None]


def _chance(game: Game, keys: jax.Array, states: Any) -> Any:
    """Positions [G, 2S, ...] after all chance moves that are due."""
    if not game.num_outcomes:
        return states
    count = jax.tree.leaves(states)[0].shape[1]
    split = jax.vmap(lambda key: jax.random.split(jax.random.fold_in(key, 2), count))
    return jax.vmap(jax.vmap(partial(resolve_chance, game)))(split(keys), states)


def _fold(number: jax.Array | int, key: jax.Array) -> jax.Array:
    return jax.random.fold_in(key, number)


def _batched(function, axes: int):
    for _ in range(axes):
        function = jax.vmap(function)
    return function


def decide(match: Match, params_a: Any, params_b: Any, keys: jax.Array, states: Any) -> Decision:
    """Asks A about the near games and B about the far ones; [2, G, S, ...] in and out."""
    return _recall(match, (None, None), params_a, params_b, keys, states)[0]


def _both(params_a: Any, params_b: Any) -> Any:
    """Weights of all agents, [2G, ...]: two that move by the same function are one batch."""
    return jax.tree.map(lambda a, b: jnp.concatenate([a, b]), params_a, params_b)


def _memory(match: Match, params_a: Any, params_b: Any) -> tuple[Any, ...]:
    """What the agents know before they are asked: one memory if they move by the same function."""

    def blank(policy: Policy, params: Any) -> Any:
        return policy.init_cache(params) if isinstance(policy, CachedPolicy) else None

    if match.policy_a == match.policy_b:
        return (blank(match.policy_a, _both(params_a, params_b)),)
    return blank(match.policy_a, params_a), blank(match.policy_b, params_b)


def _ask(
    policy: Policy, memory: Any, params: Any, keys: jax.Array, states: Any
) -> tuple[Decision, Any]:
    if memory is None or not isinstance(policy, CachedPolicy):
        return policy(params, keys, states), None
    return policy.with_cache(memory, params, keys, states)


def _recall(
    match: Match,
    memory: tuple[Any, ...],
    params_a: Any,
    params_b: Any,
    keys: jax.Array,
    states: Any,
) -> tuple[Decision, tuple[Any, ...]]:
    """As `decide`, by agents who remember."""
    shape = jax.tree.leaves(states)[0].shape[:3]
    flat = jax.tree.map(lambda x: x.reshape(2, -1, *x.shape[3:]), states)
    near, far = (jax.vmap(partial(_fold, side))(keys) for side in (0, 1))
    if match.policy_a == match.policy_b:
        flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), flat)
        both, keys = _both(params_a, params_b), jnp.concatenate([near, far])
        decision, after = _ask(match.policy_a, memory[0], both, keys, flat)
        return jax.tree.map(lambda x: x.reshape(*shape, *x.shape[1:]), decision), (after,)
    for_a, for_b = (jax.tree.map(lambda x, n=n: x[n], flat) for n in (0, 1))
    a, after_a = _ask(match.policy_a, memory[0], params_a, near, for_a)
    b, after_b = _ask(match.policy_b, memory[1], params_b, far, for_b)
    if jax.tree.structure(a.aux) != jax.tree.structure(b.aux):
        b = b._replace(aux=jax.tree.map(jnp.zeros_like, a.aux))
    decision = jax.tree.map(lambda *x: jnp.stack(x).reshape(*shape, *x[0].shape[1:]), a, b)
    return decision, (after_a, after_b)


def _finish(match: Match, table: _Table, first: jax.Array, pairs: int) -> _Table:
    """Scores the games that have just ended, and frees their slots."""
    state, game = table.slots
    ended = (_batched(match.game.mover, 2)(state) == OVER) & (game < 2 * pairs)
    flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), state)
    payoff = match.judge.verdict(flat).reshape(ended.shape)
    seat = _seat_of_a(game, first, pairs)
    score = 0.5 + 0.5 * jnp.where(seat == 0, payoff, -payoff)
    groups = jnp.arange(first.shape[0])[:, None]
    target = jnp.where(ended, game, 2 * pairs)
    scores = table.scores.at[groups, target].set(score, mode="drop")
    finals = table.finals
    if match.finals:
        finals = jax.tree.map(
            lambda all, one: all.at[groups, target].set(one, mode="drop"), finals, state
        )
    slots = _Slots(state, jnp.where(ended, 2 * pairs, game))
    return table._replace(slots=slots, scores=scores, finals=finals)


def _refill(match: Match, table: _Table, openings: Any, first: jax.Array, pairs: int) -> _Table:
    """Puts the next openings into free slots, until A and B have S games each to move in."""
    waits = _waits(match, table.slots, first, pairs)
    free = waits == _IDLE
    waiting = jnp.stack([(waits == side).sum(1, dtype=jnp.int32) for side in (_A, _B)])
    room = free.sum(1, dtype=jnp.int32)
    for_a, for_b = jnp.minimum(jnp.clip(match.slots - waiting, 0, room), pairs - table.queue)
    nth = jnp.cumsum(free, 1, dtype=jnp.int32) - 1
    to_b = nth >= for_a[:, None]
    pair = jnp.where(to_b, nth + (table.queue[1] - for_a)[:, None], nth + table.queue[0][:, None])
    dealt = free & (nth < (for_a + for_b)[:, None])
    pair = jnp.clip(pair, 0, pairs - 1)
    groups = jnp.arange(free.shape[0])[:, None]
    fresh = jax.tree.map(lambda x: x[groups, pair], openings)
    state = _choose(dealt, fresh, table.slots.state)
    game = jnp.where(dealt, pair + jnp.where(to_b, pairs, 0), table.slots.game)
    return table._replace(slots=_Slots(state, game), queue=table.queue + jnp.stack([for_a, for_b]))


def _idle(match: Match, openings: Any) -> _Table:
    """The table before the first opening is dealt, of numpy arrays."""
    groups, pairs = jax.tree.leaves(openings)[0].shape[:2]
    shape = (groups, 2 * match.slots)

    def anywhere(x):
        return np.broadcast_to(np.asarray(x)[:, :1], (*shape, *x.shape[2:]))

    slots = _Slots(jax.tree.map(anywhere, openings), np.full(shape, 2 * pairs, np.int32))
    queue, moves = np.zeros((2, groups), np.int32), np.zeros((groups, 2), np.int32)
    scores = np.zeros((groups, 2 * pairs), np.float32)
    finals = jax.tree.map(lambda x: np.concatenate([x, x], 1), openings) if match.finals else ()
    return _Table(slots, queue, scores, moves, finals)


def _blank(states: Any, aux: Any, pairs: int) -> Record:
    """A piece of the record in which nobody has moved."""

    def blank(x):
        return jnp.zeros((_PIECE, *x.shape), x.dtype)

    shape = jax.tree.leaves(states)[0].shape[:3]
    game = jnp.full((_PIECE, *shape), 2 * pairs)
    return Record(jax.tree.map(blank, states), jax.tree.map(blank, aux), game)
