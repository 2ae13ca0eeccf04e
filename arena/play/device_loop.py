"""Matches in pairs: every opening is played twice, with the seats swapped.

All games of a match, and many matches side by side, run as one compiled loop on the device. The
2S slots of a match lie in two halves: in every tick agent A is called with up to S games in which
it is to move, and agent B with up to S of its own, so each network is evaluated on games in which
it moves and on no others. Where the seats alternate, the two halves simply change places after
every move; where they do not, a game whose half is full waits for the next tick. A slot whose game
has ended takes the next opening, on the side with fewer games, so that no slot runs idle before
the openings run out. Chance moves, where a game has them, are made as soon as they are due.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from arena import interrupt, judge_weights
from arena.chance import resolve_chance
from arena.errors import UserError
from arena.play import seats
from arena.play.decisions import Caches, Weights, decide, decide_with_caches, init_caches
from arena.play.record import Played, Record, joined
from arena.sampling import game_numbers
from arena.shards import SHARDS, at_once, fitting
from arena.types import Judge, Key, Params, Policy, PyTree, State, as_host_game
from games import OVER, Game


@dataclass(frozen=True)
class Match:
    """The rules of a batch of matches: everything that is compiled in.

    Attributes:
      game: what is played.
      policy_a: how agents A move.
      policy_b: how agents B move.
      judge: who says who won.
      slots: S, games in flight per match and half.
      record: keep positions and aux of every move; if the aux of A and B differ in structure, only
        that of A.
      finals: keep in the record how each game ended, too.
      shards: in how many parts matches are played at most, see `arena.shards`.
    """

    game: Game
    policy_a: Policy
    policy_b: Policy
    _: KW_ONLY
    judge: Judge
    slots: int
    record: bool = False
    finals: bool = False
    shards: int = SHARDS

    @property
    def policies(self) -> tuple[Policy, Policy]:
        """Those of A and of B."""
        return self.policy_a, self.policy_b

    def play(
        self,
        params_a: Params,
        params_b: Params,
        *,
        keys: Key,
        openings: PyTree,
        judge_params: Params = (),
    ) -> Played:
        """Plays G matches of P pairs each.

        They are split into shards, which are spread over the devices of this process; the results
        depend on the number of shards alone.

        Args:
          params_a: weights of the agents A, stacked [G, ...].
          params_b: weights of the agents B, stacked [G, ...].
          keys: PRNG keys [G].
          openings: positions [G, P, ...] in which a seat is to move.
          judge_params: the weights of a `ParametricJudge`, without leading axes.

        Raises:
          UserError: a game has not ended after the game's `max_plies`: its rules, or moves that are
            not legal, break the contract; or the judge gave a verdict that is none.
        """
        if outside := as_host_game(self.game):
            return outside.play(self, params_a, params_b, keys=keys, openings=openings)
        groups = keys.shape[0]
        shards = fitting(groups, self.shards)
        devices = at_once(shards)
        parts = []
        for at in range(0, groups, groups // shards * devices):
            some = slice(at, at + groups // shards * devices)
            a, b, starts = jax.tree.map(lambda x, i=some: x[i], (params_a, params_b, openings))
            parts.append(
                self._play(
                    devices, a, b, keys=keys[some], openings=starts, judge_params=judge_params
                )
            )
        return parts[0] if len(parts) == 1 else joined(parts)

    def _play(
        self,
        devices: int,
        params_a: Params,
        params_b: Params,
        *,
        keys: Key,
        openings: PyTree,
        judge_params: Params,
    ) -> Played:
        """Plays matches on so many devices, an equal share on each."""
        run, shardings = _compiled(self, devices)
        table, pairs = _empty_table(self, openings), jax.tree.leaves(openings)[0].shape[1]
        table = jax.device_put(table, shardings)
        pieces, start = [], 0
        while _going(table, pairs).any():
            interrupt.check()
            if start >= _most_ticks(self.game, pairs):
                raise UserError(
                    f"a game has not ended after max_plies ({self.game.max_plies}) moves: the "
                    "rules, or an agent that makes illegal moves, break the contract"
                )
            table, piece = run(
                np.int32(start), table, params_a, params_b, keys, openings, judge_params
            )
            start += _PIECE if self.record else _most_ticks(self.game, pairs)
            if piece is not None:
                pieces.append(_used_ticks(jax.tree.map(np.asarray, piece), pairs))
        record = jax.tree.map(lambda *x: np.concatenate(x), *pieces) if pieces else None
        if record:
            record = record._replace(finals=jax.tree.map(np.asarray, table.finals))
        if not self.judge.exact:
            _check_verdicts(self.judge, np.asarray(table.scores))
        return Played(seats.by_pair(table.scores), record, table.moves)


def _check_verdicts(judge: Judge, scores: np.ndarray) -> None:
    """Raises UserError if a verdict was none: scores f32[...] outside [0, 1], or a fault."""
    judge.check()
    if not ((scores >= -1e-6) & (scores <= 1 + 1e-6)).all():
        raise UserError("the judge gave a verdict that is NaN or lies outside [-1, 1]")


_PIECE = 64
"""Ticks that are recorded in one call of the compiled loop. How many there will be is not known
beforehand, and memory for as many as there might be would be gigabytes in games such as chess."""


class _Slots(NamedTuple):
    """Games in flight."""

    state: State  # [G, 2S, ...]
    game: Any  # i32[G, 2S], 2P if idle
    moves: Any = ()  # i32[G, 2S], made since the opening; () where no judge cuts games


class _Table(NamedTuple):
    """All that changes during a match: arrays, or their shardings."""

    slots: _Slots
    queue: Any  # i32[2, G], the next opening for games in which A, or B, moves first
    scores: Any  # f32[G, 2P]
    moves: Any  # i32[G, 2], made by A and by B
    finals: State  # [G, 2P, ...], or () if not kept


class _Inputs(NamedTuple):
    """All that stays the same during a match."""

    params: Weights  # of A and of B, [G, ...] each
    keys: Key  # [G]
    openings: State  # [G, P, ...]
    first: jax.Array  # i32[G, P], the seats to move in the openings

    @property
    def pairs(self) -> int:
        """P."""
        return self.first.shape[1]

    @property
    def rows(self) -> jax.Array:
        """The numbers of the matches, i32[G, 1], to index arrays [G, N, ...] with i32[G, N]."""
        return jnp.arange(self.first.shape[0])[:, None]


class _Carry(NamedTuple):
    """What one tick hands to the next."""

    tick: jax.Array  # i32[], since the call began
    table: _Table
    record: Record | None
    caches: Caches


@cache
def _compiled(match: Match, devices: int):
    """The loop, and the shardings of its table."""
    mesh = Mesh(np.array(jax.local_devices()[:devices]), ("match",))
    matches, moves = PartitionSpec("match"), PartitionSpec(None, None, "match")
    counted = () if match.judge.cut_after is None else matches
    slots, queue = _Slots(matches, matches, counted), PartitionSpec(None, "match")
    table = _Table(slots, queue, matches, matches, matches)
    run = jax.shard_map(
        partial(_run, match),
        mesh=mesh,
        in_specs=(PartitionSpec(), table, matches, matches, matches, matches, PartitionSpec()),
        out_specs=(table, moves if match.record else None),
        check_vma=False,
    )
    return jax.jit(run), jax.tree.map(partial(NamedSharding, mesh), table)


def _run(
    match: Match,
    start: jax.Array,
    table: _Table,
    params_a: Params,
    params_b: Params,
    keys: Key,
    openings: State,
    judge_params: Params,
) -> tuple[_Table, Record | None]:
    """Plays on, from the tick `start`: to the end, or a piece of the record if it is recorded.

    Illegal moves may lead to positions that no rules end, so the ticks are counted, too.
    """
    with judge_weights.bound(match.judge, judge_params):
        return _loop(match, start, table, (params_a, params_b), keys=keys, openings=openings)


def _loop(
    match: Match, start: jax.Array, table: _Table, params: Weights, *, keys: Key, openings: State
) -> tuple[_Table, Record | None]:
    """As `_run`, the weights of the judge being bound."""
    first = jax.vmap(jax.vmap(match.game.mover))(openings)
    inputs = _Inputs(params, keys, openings, first)

    def going(carry: _Carry) -> jax.Array:
        most = _most_ticks(match.game, inputs.pairs) - start
        most = most if carry.record is None else jnp.minimum(most, _PIECE)
        return _going(carry.table, inputs.pairs).any() & (carry.tick < most)

    record = _empty_record(match, inputs, table) if match.record else None
    # Caches last as long as a call does.
    caches = init_caches(match.policies, inputs.params)
    carry = _Carry(jnp.int32(0), table, record, caches)
    carry = jax.lax.while_loop(going, partial(_tick, match, inputs, start), carry)
    return carry.table, carry.record


def _tick(match: Match, inputs: _Inputs, start: jax.Array, carry: _Carry) -> _Carry:
    """Deals openings, makes a move in up to 2S games of each match, and scores those that end."""
    table = _deal(match, inputs, carry.table)
    slots, moving = _sort(match, inputs, table.slots)
    keys = jax.vmap(partial(_fold, start + carry.tick))(inputs.keys)
    states = _halves(slots.state)
    decision, caches = decide_with_caches(
        carry.caches, match.policies, inputs.params, keys=keys, states=states
    )
    after = _batched(match.game.step, 3)(states, decision.move)
    after = _chance(match.game, keys, _side_by_side(after))
    record = carry.record
    if record is not None:
        game = jnp.where(moving, _halves(slots.game), seats.no_game(inputs.pairs))
        row = Record(states, decision.aux, game)
        record = jax.tree.map(lambda all, one: all.at[carry.tick].set(one), record, row)
    slots = slots._replace(state=_select(_side_by_side(moving), after, slots.state))
    if match.judge.cut_after is not None:
        slots = slots._replace(moves=slots.moves + _side_by_side(moving).astype(jnp.int32))
    moves = table.moves + moving.sum(2, dtype=jnp.int32).T
    table = _score(match, inputs, table._replace(slots=slots, moves=moves))
    return _Carry(carry.tick + 1, table, record, caches)


def _most_ticks(game: Game, pairs: int) -> int:
    """In each tick of a match that goes on, one of its 2P games at least moves on by a ply."""
    return min(2 * pairs * game.max_plies, 2**31 - 1 - _PIECE)


def _going(table: _Table, pairs: int) -> Any:
    """Which matches have games in flight or openings left, bool[G]."""
    return (table.slots.game < seats.no_game(pairs)).any(1) | (table.queue < pairs).any(0)


def _used_ticks(record: Record, pairs: int) -> Record:
    """The first ticks of a piece, those in which a move was made."""
    ticks = (record.game < seats.no_game(pairs)).any((1, 2, 3)).sum()
    return jax.tree.map(lambda x: x[:ticks], record)


def _halves(tree: PyTree) -> PyTree:
    """[G, 2S, ...] to [2, G, S, ...]: the slots of A, then those of B."""
    return jax.tree.map(lambda x: x.reshape(x.shape[0], 2, -1, *x.shape[2:]).swapaxes(0, 1), tree)


def _side_by_side(tree: PyTree) -> PyTree:
    """[2, G, S, ...] to [G, 2S, ...], the inverse of `_halves`."""
    return jax.tree.map(lambda x: x.swapaxes(0, 1).reshape(x.shape[1], -1, *x.shape[3:]), tree)


def _select(flags: jax.Array, yes: PyTree, no: PyTree) -> PyTree:
    """Slots [G, 2S, ...] of one tree where bool[G, 2S] is set, else of the other."""

    def select(a: jax.Array, b: jax.Array) -> jax.Array:
        return jnp.where(flags.reshape(flags.shape + (1,) * (a.ndim - 2)), a, b)

    return jax.tree.map(select, yes, no)


def _seat_of_a(inputs: _Inputs, game: jax.Array) -> jax.Array:
    """The seats of A in games numbered i32[G, N], i32[G, N]."""
    first = inputs.first[inputs.rows, seats.pair_of(game, pairs=inputs.pairs)]
    return seats.seat_of_a(first, seats.is_second(game, pairs=inputs.pairs))


def _sides(match: Match, inputs: _Inputs, slots: _Slots) -> jax.Array:
    """Which side is to move in each slot, i32[G, 2S]: `seats.A`, `seats.B` or `seats.IDLE`."""
    mover = _batched(match.game.mover, 2)(slots.state)
    playing = slots.game < seats.no_game(inputs.pairs)
    return seats.side_to_move(mover, _seat_of_a(inputs, slots.game), playing)


def _sort(match: Match, inputs: _Inputs, slots: _Slots) -> tuple[_Slots, jax.Array]:
    """Brings the games of A to the front, those of B to the back, idle slots between them.

    Returns:
      the slots, and bool[2, G, S]: in which of its half an agent is to move.
    """
    sides = _sides(match, inputs, slots)
    place = jnp.where(sides == seats.IDLE, 1, 2 * sides)
    order = jnp.argsort(place, axis=1, stable=True)
    slots, sides = jax.tree.map(lambda x: x[inputs.rows, order], (slots, sides))
    return slots, _halves(sides) == jnp.array([seats.A, seats.B])[:, None, None]


def _chance(game: Game, keys: Key, states: State) -> State:
    """Positions [G, 2S, ...] after all chance moves that are due, by keys [G]."""
    if not game.num_outcomes:
        return states
    count = jax.tree.leaves(states)[0].shape[1]
    split = jax.vmap(lambda key: jax.random.split(jax.random.fold_in(key, 2), count))
    return jax.vmap(jax.vmap(partial(resolve_chance, game)))(split(keys), states)


def _fold(number: jax.Array | int, key: Key) -> Key:
    return jax.random.fold_in(key, number)


def _batched(function: Callable[..., Any], axes: int) -> Callable[..., Any]:
    """A function of one position, of arrays of positions with so many axes."""
    for _ in range(axes):
        function = jax.vmap(function)
    return function


def _score(match: Match, inputs: _Inputs, table: _Table) -> _Table:
    """Writes down the scores of the games that have just ended, and frees their slots."""
    state, game, moves = table.slots
    none = seats.no_game(inputs.pairs)
    ended = _batched(match.game.mover, 2)(state) == OVER
    if match.judge.cut_after is not None:
        ended = ended | (moves >= match.judge.cut_after)
    ended = ended & (game < none)
    flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), state)
    verdict = _verdicts(match.judge, inputs, game, ended.reshape(-1), flat).reshape(ended.shape)
    score = seats.score_of_a(verdict, _seat_of_a(inputs, game))
    target = inputs.rows, jnp.where(ended, game, none)
    scores = table.scores.at[target].set(score, mode="drop")
    finals = table.finals
    if match.finals:
        finals = jax.tree.map(lambda all, one: all.at[target].set(one, mode="drop"), finals, state)
    slots = _Slots(state, jnp.where(ended, none, game), moves)
    return table._replace(slots=slots, scores=scores, finals=finals)


def _verdicts(
    judge: Judge, inputs: _Inputs, game: jax.Array, wanted: jax.Array, states: State
) -> jax.Array:
    """The judge's verdicts f32[G·N] where they are wanted, in games numbered i32[G, N]."""
    if not judge.by_game:
        return judge.verdicts_where(wanted, states)
    return judge.verdicts_in_games(wanted, states, game_numbers(inputs.keys, game).reshape(-1))


def _deal(match: Match, inputs: _Inputs, table: _Table) -> _Table:
    """Puts the next openings into free slots, until A and B have S games each to move in."""
    sides, pairs = _sides(match, inputs, table.slots), inputs.pairs
    free = sides == seats.IDLE
    busy = jnp.stack([(sides == side).sum(1, dtype=jnp.int32) for side in (seats.A, seats.B)])
    room = free.sum(1, dtype=jnp.int32)
    for_a, for_b = jnp.minimum(jnp.clip(match.slots - busy, 0, room), pairs - table.queue)
    nth = jnp.cumsum(free, 1, dtype=jnp.int32) - 1
    to_b = nth >= for_a[:, None]
    pair = jnp.where(to_b, nth + (table.queue[1] - for_a)[:, None], nth + table.queue[0][:, None])
    dealt = free & (nth < (for_a + for_b)[:, None])
    pair = jnp.clip(pair, 0, pairs - 1)
    fresh = jax.tree.map(lambda x: x[inputs.rows, pair], inputs.openings)
    state = _select(dealt, fresh, table.slots.state)
    number = seats.number(pair, to_b.astype(jnp.int32), pairs=pairs)
    moves = table.slots.moves
    if match.judge.cut_after is not None:
        moves = jnp.where(dealt, 0, moves)
    slots = _Slots(state, jnp.where(dealt, number, table.slots.game), moves)
    return table._replace(slots=slots, queue=table.queue + jnp.stack([for_a, for_b]))


def _empty_table(match: Match, openings: State) -> _Table:
    """The table before the first opening [G, P, ...] is dealt, of numpy arrays."""
    groups, pairs = jax.tree.leaves(openings)[0].shape[:2]
    shape = (groups, 2 * match.slots)

    def anything(x: jax.Array) -> np.ndarray:
        return np.broadcast_to(np.asarray(x)[:, :1], (*shape, *x.shape[2:]))

    idle = np.full(shape, seats.no_game(pairs), np.int32)
    moves = () if match.judge.cut_after is None else np.zeros(shape, np.int32)
    slots = _Slots(jax.tree.map(anything, openings), idle, moves)
    queue, moves = np.zeros((2, groups), np.int32), np.zeros((groups, 2), np.int32)
    scores = np.zeros((groups, 2 * pairs), np.float32)
    finals = jax.tree.map(lambda x: np.concatenate([x, x], 1), openings) if match.finals else ()
    return _Table(slots, queue, scores, moves, finals)


def _empty_record(match: Match, inputs: _Inputs, table: _Table) -> Record:
    """A piece of the record, [_PIECE, 2, G, S, ...], in which no move has been made."""
    states = _halves(table.slots.state)
    policy = partial(decide, match.policies, inputs.params)
    aux = jax.eval_shape(policy, keys=inputs.keys, states=states).aux

    def blank(x: jax.Array | jax.ShapeDtypeStruct) -> jax.Array:
        return jnp.zeros((_PIECE, *x.shape), x.dtype)

    shape = jax.tree.leaves(states)[0].shape[:3]
    game = jnp.full((_PIECE, *shape), seats.no_game(inputs.pairs))
    return Record(jax.tree.map(blank, states), jax.tree.map(blank, aux), game)
