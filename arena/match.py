"""Matches in pairs: every opening is played twice, with the seats swapped.

All games of a match, and many matches side by side, run as one compiled loop on the device.
The seats alternate, so of two agents one is always to move in half of the games and the other in
the other half. The loop keeps these halves apart: `near` games wait for agent A, `far` games for
agent B; each agent is asked about its own half only, and after every move the halves change
places. A slot whose game has ended takes the next opening, so that no slot runs idle before the
openings have run out.
"""

from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from arena.core import Act, Agent, Classifier, Rules, stack, uniform_move
from games import OVER, Game


class Record(NamedTuple):
    """Every position in which somebody chose a move; side 0 holds A's moves, side 1 B's.

    Attributes:
      state: positions [T, 2, G, S, ...].
      note: the agents' notes [T, 2, G, S, ...].
      game: i32[T, 2, G, S], j·P + k for the game j of pair k; 2P where the slot was idle.
    """

    state: Any
    note: Any
    game: jax.Array


class Played(NamedTuple):
    """What a batch of matches gives.

    Attributes:
      scores: f32[G, P, 2], A's score (1, ½ or 0) in both games of each pair; in the first A makes
        the first move after the opening.
      record: the moves, or None if they were not to be recorded.
    """

    scores: jax.Array
    record: Record | None


@dataclass(frozen=True)
class Match:
    """The rules of a batch of matches: everything that is compiled in.

    Attributes:
      game: what is played; its seats alternate, and nothing is left to chance.
      act_a: how agents A move.
      act_b: how agents B move.
      classifier: who says who won.
      slots: S, games in flight per match and half.
      record: keep positions and notes of every move.
    """

    game: Game
    act_a: Act
    act_b: Act
    classifier: Classifier
    slots: int
    record: bool = False

    def play(self, params_a: Any, params_b: Any, keys: jax.Array, openings: Any) -> Played:
        """Plays G matches of P pairs each, spread over the devices of this process.

        Args:
          params_a: weights of the agents A, stacked [G, ...].
          params_b: weights of the agents B, stacked [G, ...].
          keys: PRNG keys [G].
          openings: positions [G, P, ...] that are not over.
        """
        devices = [d for d in range(1, jax.device_count() + 1) if keys.shape[0] % d == 0][-1]
        return Played(*_compiled(self, devices)(params_a, params_b, keys, openings))


class _Half(NamedTuple):
    """Games in which the same agent is to move."""

    state: Any  # [G, S, ...]
    game: jax.Array  # i32[G, S], 2P if idle


class _Table(NamedTuple):
    """All that changes during a match."""

    halves: _Half  # near and far on a leading axis [2, G, S, ...]
    queue: jax.Array  # i32[2, G], the next opening for games in which A, or B, moves first
    scores: jax.Array  # f32[G, 2P]
    time: jax.Array  # i32[]
    record: Record | None


@cache
def _compiled(match: Match, devices: int):
    mesh = Mesh(np.array(jax.devices()[:devices]), ("match",))
    matches, moves = PartitionSpec("match"), PartitionSpec(None, None, "match")
    run = jax.shard_map(
        partial(_run, match),
        mesh=mesh,
        in_specs=(matches, matches, matches, matches),
        out_specs=(matches, moves if match.record else None),
        check_vma=False,
    )
    return jax.jit(run)


def _run(
    match: Match, params_a: Any, params_b: Any, keys: jax.Array, openings: Any
) -> tuple[jax.Array, Record | None]:
    groups, pairs = jax.tree.leaves(openings)[0].shape[:2]
    first = jax.vmap(jax.vmap(match.game.mover))(openings)
    act = partial(_decide, match, params_a, params_b)

    def body(table: _Table) -> _Table:
        asked = table.halves
        decision = act(jax.vmap(partial(_fold, table.time))(keys), asked.state)
        state = _batched(match.game.step, 3)(asked.state, decision.move)
        table = _settle(match, table, _Half(state, asked.game), first, pairs)
        table = _refill(table, openings, pairs)
        record = table.record
        if record is not None:
            row = Record(asked.state, decision.note, asked.game)
            record = jax.tree.map(lambda all, one: all.at[table.time].set(one), record, row)
        return table._replace(time=table.time + 1, record=record)

    table = _deal(match, openings, groups, pairs)
    if match.record:
        note = jax.eval_shape(act, keys, table.halves.state).note
        table = table._replace(record=_blank(match, table.halves, note, pairs))
    table = jax.lax.while_loop(lambda t: (t.halves.game < 2 * pairs).any(), body, table)
    scores = table.scores.reshape(groups, 2, pairs).swapaxes(1, 2)
    return scores, table.record


def _fold(number: jax.Array | int, key: jax.Array) -> jax.Array:
    return jax.random.fold_in(key, number)


def _batched(function, axes: int):
    for _ in range(axes):
        function = jax.vmap(function)
    return function


def _decide(match: Match, params_a: Any, params_b: Any, keys: jax.Array, states: Any) -> Any:
    """Asks A about the near games and B about the far ones; [2, G, S, ...] in and out.

    Two agents that move by the same function are one batch of 2G.
    """
    shape = jax.tree.leaves(states)[0].shape[:3]
    flat = jax.tree.map(lambda x: x.reshape(2, -1, *x.shape[3:]), states)
    near, far = (jax.vmap(partial(_fold, side))(keys) for side in (0, 1))
    if match.act_a == match.act_b:
        both = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), params_a, params_b)
        flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), flat)
        decision = match.act_a(both, jnp.concatenate([near, far]), flat)
        return jax.tree.map(lambda x: x.reshape(*shape, *x.shape[1:]), decision)
    a = match.act_a(params_a, near, jax.tree.map(lambda x: x[0], flat))
    b = match.act_b(params_b, far, jax.tree.map(lambda x: x[1], flat))
    return jax.tree.map(lambda *x: jnp.stack(x).reshape(*shape, *x[0].shape[1:]), a, b)


def _settle(match: Match, table: _Table, half: _Half, first: jax.Array, pairs: int) -> _Table:
    """Scores the games that have just ended, frees their slots, and lets the halves swap."""
    groups = jnp.arange(first.shape[0])[:, None]
    ended = (_batched(match.game.mover, 3)(half.state) == OVER) & (half.game < 2 * pairs)
    flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[3:]), half.state)
    payoff = match.classifier.score(flat).reshape(ended.shape)
    # A sits where the opening is to move in games j = 0, and opposite in games j = 1.
    pair, swapped = half.game % pairs, half.game // pairs
    seat = first[groups, pair] ^ swapped
    score = 0.5 + 0.5 * jnp.where(seat == 0, payoff, -payoff)
    target = jnp.where(ended, half.game, 2 * pairs)
    scores = table.scores.at[groups, target].set(score, mode="drop")
    swapped_halves = _Half(
        jax.tree.map(lambda x: x[::-1], half.state),
        jnp.where(ended, 2 * pairs, half.game)[::-1],
    )
    return table._replace(halves=swapped_halves, scores=scores)


def _refill(table: _Table, openings: Any, pairs: int) -> _Table:
    """Puts the next openings into free slots: near games begin with A, far games with B."""
    groups = jnp.arange(table.queue.shape[1])[None, :, None]
    free = table.halves.game == 2 * pairs
    nth = table.queue[..., None] + jnp.cumsum(free, -1, dtype=jnp.int32) - 1
    dealt = free & (nth < pairs)
    pair = jnp.minimum(nth, pairs - 1)

    def choose(old, new):
        return jnp.where(dealt.reshape(dealt.shape + (1,) * (old.ndim - 3)), new[groups, pair], old)

    state = jax.tree.map(choose, table.halves.state, openings)
    begins = jnp.array([0, pairs])[:, None, None]
    game = jnp.where(dealt, begins + pair, table.halves.game)
    queue = table.queue + dealt.sum(-1, dtype=jnp.int32)
    return table._replace(halves=_Half(state, game), queue=queue)


def _deal(match: Match, openings: Any, groups: int, pairs: int) -> _Table:
    """The table before the first move."""
    shape = (2, groups, match.slots)

    def anywhere(x):
        return jnp.broadcast_to(x[None, :, :1], (*shape, *x.shape[2:]))

    idle = _Half(jax.tree.map(anywhere, openings), jnp.full(shape, 2 * pairs))
    queue, scores = jnp.zeros((2, groups), jnp.int32), jnp.zeros((groups, 2 * pairs))
    return _refill(_Table(idle, queue, scores, jnp.int32(0), None), openings, pairs)


def _blank(match: Match, halves: _Half, note: Any, pairs: int) -> Record:
    """An empty record, long enough for any course of the games."""
    length = (-(-pairs // match.slots) + 1) * (match.game.max_plies + 1)

    def blank(x):
        return jnp.zeros((length, *x.shape), x.dtype)

    game = jnp.full((length, *halves.game.shape), 2 * pairs)
    return Record(jax.tree.map(blank, halves.state), jax.tree.map(blank, note), game)


@partial(jax.jit, static_argnames=("game", "shape", "plies"))
def openings(game: Game, key: jax.Array, shape: tuple[int, ...], plies: int) -> Any:
    """Positions [*shape, ...] after 0 to `plies` random legal moves, none of them over.

    The number of moves is uniform, but a walk that ends too soon is drawn anew, length and all.
    """

    def walk(key):
        length, moves = jax.random.split(key)

        def ply(state, key):
            return game.step(state, uniform_move(key, game.legal(state)[None])[0]), state

        _, before = jax.lax.scan(ply, game.init(), jax.random.split(moves, plies + 1))
        at = jax.random.randint(length, (), 0, plies + 1)
        over = jax.vmap(game.mover)(before) == OVER
        ended = (over & (jnp.arange(plies + 1) <= at)).any()
        return jax.tree.map(lambda x: x[at], before), ended

    def redraw(carry):
        key, _, _ = carry
        key, sub = jax.random.split(key)
        return key, *walk(sub)

    def draw(key):
        key, sub = jax.random.split(key)
        return jax.lax.while_loop(lambda c: c[2], redraw, (key, *walk(sub)))[1]

    states = jax.vmap(draw)(jax.random.split(key, int(np.prod(shape))))
    return jax.tree.map(lambda x: x.reshape(*shape, *x.shape[1:]), states)


def play(
    a: list[Agent],
    b: list[Agent],
    game: Game,
    key: jax.Array,
    pairs: int,
    plies: int,
    groups: int,
    slots: int,
) -> np.ndarray:
    """Plays a[i] against b[i] for all i, `groups` matches at a time, the rules being the judge.

    Match i depends on the key and on i alone. All agents A move by one function, and so do all
    agents B.

    Args:
      a: the agents A.
      b: their opponents, as many.
      game: what they play.
      key: PRNG key.
      pairs: P, pairs of games in each match.
      plies: openings are up to so many random moves long.
      groups: G, matches in one call of the compiled loop; a last call is filled up.
      slots: S, games in flight per match and half, at most P.

    Returns:
      A's scores f32[len(a), P, 2].
    """
    match = Match(game, a[0].act, b[0].act, Rules(game), min(slots, pairs))
    keys = jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(len(a)))
    scores = []
    for at in range(0, len(a), groups):
        index = [min(i, len(a) - 1) for i in range(at, at + groups)]
        starts = [openings(game, jax.random.fold_in(keys[i], 1), (pairs,), plies) for i in index]
        params_a, params_b = (stack([agents[i].params for i in index]) for agents in (a, b))
        played = match.play(params_a, params_b, keys[np.array(index)], stack(starts))
        scores.append(np.asarray(played.scores)[: len(a) - at])
    return np.concatenate(scores)
