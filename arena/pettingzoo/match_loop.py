"""Matches of an imported game: the same rules as `arena.play.match`, with a loop on the host.

The games in flight lie in two halves. While the device chooses the moves of one, the workers make
those of the other, so that both always have something to do. What a slot plays next depends on the
games alone, never on who was quicker, so a match of a reproducible env comes again to the last bit.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import numpy as np

from arena import interrupt
from arena.pettingzoo.adapter import FAILED
from arena.pettingzoo.env_state import EnvOpenings, EnvState, states_of
from arena.pettingzoo.errors import EnvError
from arena.pettingzoo.state_copies import game_handles
from arena.pettingzoo.worker import IDLE, NEW_GAME, Slots
from arena.pettingzoo.worker_pool import WorkerPool
from arena.play import seats
from arena.play.decisions import decide
from arena.play.device_loop import Match, Played, Record
from arena.sampling import game_numbers
from arena.types import Decision, Judge, Key, Params, State
from games import OVER

_FAILURES = 16  # that a match bears, and a tenth of its games on top
_SEEDS = 2**31 - 1
_STRIDE = 7919  # from the seed of a voided game to the one that replaces it

_Choose = Callable[[np.int32, EnvState[np.ndarray]], Decision]
"""Moves [2, G, S] of both sides, by the number of the tick and positions [2, G, S, ...]."""


def play(
    pool: WorkerPool,
    match: Match,
    params_a: Params,
    params_b: Params,
    *,
    keys: Key,
    openings: EnvOpenings,
) -> Played:
    """Plays G matches of P pairs each; arguments and result are those of `Match.play`.

    A game that fails is void, and another takes its place, from another seed.

    Args:
      pool: the workers; whatever games they hold are dropped.
      match: what is played, and by whom.
      params_a: weights of the agents A [G, ...].
      params_b: weights of the agents B [G, ...].
      keys: PRNG keys [G].
      openings: [G, P].

    Raises:
      EnvError: too many games have failed, or an observation is one that is refused.
    """
    runner = _Runner(pool, match, keys, openings)
    choose = partial(_decide(match), params_a, params_b, keys)
    while runner.going:
        interrupt.check()
        for number in (0, 1):
            runner.tick(number, choose)
    record = jax.tree.map(lambda *x: np.stack(x), *runner.rows) if match.record else None
    scores: Any = seats.by_pair(runner.scores)
    moves: Any = runner.moves
    return Played(scores, record, moves)


@cache
def _decide(match: Match):
    """Jitted: both agents' moves in positions [2, G, S, ...]."""

    def choose(
        params_a: Params, params_b: Params, keys: jax.Array, time: jax.Array, states: State
    ) -> Decision:
        here = jax.vmap(lambda key: jax.random.fold_in(key, time))(keys)
        return decide(match.policies, (params_a, params_b), keys=here, states=states)

    return jax.jit(choose)


@cache
def _verdict(judge: Judge):
    """Jitted: verdicts [G·N] where bool[G·N], on positions, in games i32[G, N] under keys [G]."""

    def ask(wanted: jax.Array, states: State, keys: jax.Array, games: jax.Array) -> jax.Array:
        if not judge.by_game:
            return judge.verdicts_where(wanted, states)
        return judge.verdicts_in_games(wanted, states, game_numbers(keys, games).reshape(-1))

    return jax.jit(ask)


class _Runner:
    """All that changes during a match.

    Attributes:
      scores: f32[G, 2P], A's by the number of the game; 0 until it has ended.
      rows: the record, a row for every time that the agents chose moves.
      moves: i32[G, 2], how many moves A and B chose, those in games that failed included.
      pairs: P.
      going: whether a game is missing its score.
    """

    def __init__(self, pool: WorkerPool, match: Match, keys: Key, openings: EnvOpenings):
        self._pool, self._match, self._keys = pool, match, keys
        self._seeds = np.asarray(openings.seed).astype(np.int64)
        self._plies = np.asarray(openings.plies)
        self._groups, self.pairs = self._seeds.shape
        self._size = -(-match.slots // 2)  # of one side of one half
        slots = pool.allocate(self._groups * 2 * self._size)
        self._halves = [_Half(half, self._groups, 2 * self._size, self.pairs) for half in slots]
        self._queue = np.zeros((2, self._groups), int)  # the next opening, by who moves first
        self._again: list[list[int]] = [[] for _ in range(self._groups)]  # void games
        self._attempts = np.zeros((self._groups, 2 * self.pairs), int)
        self._time = 0
        self.scores = np.zeros((self._groups, 2 * self.pairs), np.float32)
        # Not by the scores: a judge's verdict may be anything.
        self._scored = np.zeros(self.scores.shape, bool)
        self.rows: list[Record] = []
        self.moves = np.zeros((self._groups, 2), np.int32)

    @property
    def going(self) -> bool:
        """Whether a game is missing its score."""
        return not self._scored.all()

    def tick(self, number: int, choose: _Choose) -> None:
        """Takes in what the workers have done to a half, and submits its next requests."""
        half = self._halves[number]
        self._pool.wait(number)
        self._pool.check_observations()
        half.slots.request[:] = IDLE
        self._void(half)
        self._finish(half)
        sides = half.sides()
        self._refill(half, sides)
        if (sides != seats.IDLE).any():
            self._move(number, sides, choose)
        self._pool.submit(number)

    def _move(self, number: int, sides: np.ndarray, choose: _Choose) -> None:
        """Has both agents choose moves in a half, requests these, and records them."""
        half, (index, valid) = self._halves[number], self._chosen(sides)
        groups = np.arange(self._groups)[None, :, None]
        states = half.states(groups, index)
        self._time += 1
        rows = np.broadcast_to(groups, index.shape)
        slots = rows * 2 * self._size + index
        handle = game_handles(number, len(half.slots.request), slots, valid)
        decision = choose(np.int32(self._time), states._replace(handle=handle))
        move = np.asarray(decision.move)
        self.moves += valid.sum(2, dtype=np.int32).T
        # A search may have found that an env fails; then nothing is left to be moved.
        valid &= half.grid(half.slots.mover)[groups, index] != FAILED
        half.grid(half.slots.request)[rows[valid], index[valid]] = move[valid]
        if self._match.record:
            none = seats.no_game(self.pairs)
            game = np.where(valid, half.game[groups, index], none).astype(np.int32)
            self.rows.append(Record(states, jax.tree.map(np.asarray, decision.aux), game))

    def _chosen(self, sides: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Up to S slots i64[2, G, S] in which A, and B, is to move, and bool[2, G, S], which do."""
        both = np.array([seats.A, seats.B])[:, None, None]
        index = np.argsort(sides != both, axis=2, kind="stable")[:, :, : self._size]
        return index, sides[np.arange(self._groups)[:, None], index] == both

    def _finish(self, half: "_Half") -> None:
        """Scores the games that have ended, and frees their slots."""
        ended = (half.grid(half.slots.mover) == OVER) & half.live
        if not ended.any():
            return
        states = states_of(half.slots)
        verdict = _verdict(self._match.judge)(ended.reshape(-1), states, self._keys, half.game)
        score = seats.score_of_a(np.asarray(verdict).reshape(ended.shape), half.seat_of_a())
        group, slot = np.nonzero(ended)
        self.scores[group, half.game[group, slot]] = score[group, slot]
        self._scored[group, half.game[group, slot]] = True
        half.game[ended] = seats.no_game(self.pairs)

    def _void(self, half: "_Half") -> None:
        """Takes failed games out of the record, and has others take their places."""
        failed, none = (
            (half.grid(half.slots.mover) == FAILED) & half.live,
            seats.no_game(self.pairs),
        )
        for group, slot in np.argwhere(failed).tolist():
            game = int(half.game[group, slot])
            for row in self.rows:
                numbers = row.game[:, group]
                numbers[numbers == game] = none
            self._again[group].append(game)
            half.game[group, slot] = none
            self._attempts[group, game] += 1
            self._pool.voided += 1
        if (voided := self._attempts.sum()) > _FAILURES + self.scores.size // 10:
            raise EnvError(f"{voided} games failed; the last: {self._pool.errors[-1]}")

    def _refill(self, half: "_Half", sides: np.ndarray) -> None:
        """Requests new games for free slots, until A and B will have S games each to move in.

        Games in which A is to move now are B's when their move is made, where seats alternate.
        """
        for group in range(self._groups):
            free = np.flatnonzero(~half.live[group]).tolist()
            for side in (seats.A, seats.B):
                coming = int(np.count_nonzero(sides[group] == 1 - side))
                games = self._take(group, side, min(self._size - coming, len(free)))
                at = seats.pair_of(games, pairs=self.pairs)
                for game, plies in zip(games.tolist(), self._plies[group, at], strict=True):
                    half.start(group, free.pop(0), game, self._seed(group, game), plies)

    def _take(self, group: int, side: int, count: int) -> np.ndarray:
        """Up to so many games in which a side moves first: void ones again, then the queue's."""
        void = np.array(self._again[group], int)
        again = void[seats.is_second(void, pairs=self.pairs) == side][: max(count, 0)]
        self._again[group] = void[~np.isin(void, again)].tolist()
        at = int(self._queue[side, group])
        fresh = np.arange(at, max(at, min(at + count - len(again), self.pairs)))
        self._queue[side, group] += len(fresh)
        numbers = seats.number(fresh, np.full_like(fresh, side), pairs=self.pairs)
        return np.concatenate([again, numbers])

    def _seed(self, group: int, game: int) -> int:
        pair = seats.pair_of(np.array(game), pairs=self.pairs)
        seed = self._seeds[group, pair] + _STRIDE * self._attempts[group, game]
        return int(seed % _SEEDS)


class _Half:
    """Slots [G, 2S] of the games in flight.

    Attributes:
      slots: the same, flat: [G·2S].
      game: i64[G, 2S], the number of the game in each, `seats.no_game` where there is none.
    """

    def __init__(self, slots: Slots, groups: int, size: int, pairs: int):
        self.slots, self._shape, self._pairs = slots, (groups, size), pairs
        self.game = np.full(self._shape, seats.no_game(pairs))

    @property
    def live(self) -> np.ndarray:
        """Which slots hold a game, bool[G, 2S]."""
        return self.game < seats.no_game(self._pairs)

    def grid(self, field: np.ndarray) -> np.ndarray:
        """A field of the slots by groups, [G, 2S, ...], in the same memory."""
        return field.reshape(*self._shape, *field.shape[1:])

    def seat_of_a(self) -> np.ndarray:
        """In each slot, i64[G, 2S]."""
        second = seats.is_second(self.game, pairs=self._pairs)
        return seats.seat_of_a(self.grid(self.slots.first), second)

    def sides(self) -> np.ndarray:
        """Which side is to move in each slot, i64[G, 2S]; `seats.IDLE` if it holds no game."""
        return seats.side_to_move(self.grid(self.slots.mover), self.seat_of_a(), self.live)

    def states(self, group: np.ndarray, index: np.ndarray) -> EnvState[np.ndarray]:
        """A copy of some positions."""
        return jax.tree.map(lambda field: self.grid(field)[group, index], states_of(self.slots))

    def start(self, group: int, slot: int, game: int, seed: int, plies: int) -> None:
        """Requests a new game."""
        self.game[group, slot] = game
        for field, value in (("request", NEW_GAME), ("seed", seed), ("plies", plies)):
            self.grid(getattr(self.slots, field))[group, slot] = value
