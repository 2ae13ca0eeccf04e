"""Matches of an imported game: the same rules as `arena.match`, with a loop on the host.

The games in flight lie in two halves. While the device chooses the moves of one, the workers make
those of the other, so that both always have something to do. What a slot plays next depends on the
games alone, never on who was quicker, so a match of a steady env can be repeated to the last bit.
"""

from collections.abc import Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import numpy as np

from arena.pettingzoo.adapter import FAILED
from arena.pettingzoo.as_game import Imported, Seen
from arena.pettingzoo.fault import Fault
from arena.pettingzoo.state_copies import place_of
from arena.pettingzoo.worker import NEW, WAIT, Slots
from arena.pettingzoo.worker_pool import Crew
from arena.play.decisions import decide
from arena.play.device_loop import Match, Played, Record
from arena.types import Position
from games import OVER

_A, _B, _IDLE = 0, 1, 2  # whom a slot waits for
_PATIENCE = 16  # failures that a match bears, and a tenth of its games on top
_SEEDS = 2**31 - 1
_STRIDE = 7919  # from the seed of a voided game to the one that replaces it


def play(
    crew: Crew, match: Match, params_a: Any, params_b: Any, keys: jax.Array, openings: Any
) -> Played:
    """As `Match.play`.

    A game that fails is void, and another takes its place, from another seed.

    Raises:
      Fault: too many games have failed.
    """
    table = _Table(crew, match, openings)
    choose = partial(_decide(match), params_a, params_b, keys)
    while table.going:
        for number in (0, 1):
            table.turn(number, choose)
    record = jax.tree.map(lambda *x: np.stack(x), *table.rows) if match.record else None
    scores: Any = table.scores.reshape(table.groups, 2, table.pairs).swapaxes(1, 2)
    return Played(scores, record)


@cache
def _decide(match: Match):
    """Asks both agents about positions [2, G, S, ...]."""

    def choose(params_a: Any, params_b: Any, keys: jax.Array, time: jax.Array, states: Any) -> Any:
        here = jax.vmap(lambda key: jax.random.fold_in(key, time))(keys)
        return decide(match.policies, (params_a, params_b), keys=here, states=states)

    return jax.jit(choose)


@cache
def _score(judge: Any):
    return jax.jit(judge.verdict)


class _Table:
    """All that changes during a match.

    Attributes:
      scores: f32[G, 2P], A's.
      rows: the record, a row for every time that the agents were asked.
      pairs: P.
    """

    def __init__(self, crew: Crew, match: Match, openings: Any):
        self._crew, self._match = crew, match
        self._seeds = np.asarray(openings.seed).astype(np.int64)
        self._plies = np.asarray(openings.plies)
        self.groups, self.pairs = self._seeds.shape
        self.size = -(-match.slots // 2)  # of one side of one half
        slots = crew.sit(self.groups * 2 * self.size)
        self._halves = [_Half(half, self.groups, 2 * self.size, self.pairs) for half in slots]
        self._queue = np.zeros((2, self.groups), int)
        self._again: list[list[int]] = [[] for _ in range(self.groups)]
        self._attempts = np.zeros((self.groups, 2 * self.pairs), int)
        self._time = 0
        self.scores = np.full((self.groups, 2 * self.pairs), np.nan, np.float32)
        self.rows: list[Record] = []

    @property
    def going(self) -> bool:
        """Whether a game is missing its score."""
        return bool(np.isnan(self.scores).any())

    def turn(self, number: int, choose: Any) -> None:
        """Takes in what the workers have done to a half, and sends them its next orders."""
        half = self._halves[number]
        self._crew.wait(number)
        half.slots.order[:] = WAIT
        self._void(half)
        self._finish(half)
        waits = half.waits()
        chosen = self._chosen(waits)
        self._refill(half, waits)
        if chosen is not None:
            index, asked = chosen
            groups = np.arange(self.groups)[None, :, None]
            states = half.seen(groups, index)
            self._time += 1
            rows = np.broadcast_to(groups, index.shape)
            slots = rows * 2 * self.size + index
            place = place_of(number, len(half.slots.order), slots, asked)
            decision = choose(np.int32(self._time), states._replace(place=place))
            move = np.asarray(decision.move)
            # A search may have found that an env fails; then nothing is left to be moved.
            asked &= half.grid(half.slots.mover)[groups, index] != FAILED
            order = half.grid(half.slots.order)
            order[rows[asked], index[asked]] = move[asked]
            if self._match.record:
                game = np.where(asked, half.game[groups, index], 2 * self.pairs).astype(np.int32)
                self.rows.append(Record(states, jax.tree.map(np.asarray, decision.aux), game))
        self._crew.go(number)

    def _chosen(self, waits: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Up to S slots i64[2, G, S] that wait for A, and for B, and bool[2, G, S], which do."""
        if (waits == _IDLE).all():
            return None
        sides = np.array([_A, _B])[:, None, None]
        index = np.argsort(waits != sides, axis=2, kind="stable")[:, :, : self.size]
        return index, waits[np.arange(self.groups)[:, None], index] == sides

    def _finish(self, half: "_Half") -> None:
        """Scores the games that have ended, and frees their slots."""
        ended = (half.grid(half.slots.mover) == OVER) & half.live
        if not ended.any():
            return
        payoff = np.asarray(_score(self._match.judge)(half.all())).reshape(ended.shape)
        score = 0.5 + 0.5 * np.where(half.seat_of_a() == 0, payoff, -payoff)
        group, slot = np.nonzero(ended)
        self.scores[group, half.game[group, slot]] = score[group, slot]
        half.game[ended] = 2 * self.pairs

    def _void(self, half: "_Half") -> None:
        """Takes failed games out of the record, and has others take their places."""
        failed = (half.grid(half.slots.mover) == FAILED) & half.live
        for group, slot in np.argwhere(failed).tolist():
            game = int(half.game[group, slot])
            for row in self.rows:
                numbers = row.game[:, group]
                numbers[numbers == game] = 2 * self.pairs
            self._again[group].append(game)
            half.game[group, slot] = 2 * self.pairs
            self._attempts[group, game] += 1
            self._crew.voided += 1
        if (voided := self._attempts.sum()) > _PATIENCE + self.scores.size // 10:
            raise Fault(f"{voided} games failed; the last: {self._crew.failed[-1]}")

    def _refill(self, half: "_Half", waits: np.ndarray) -> None:
        """Orders new games for free slots, until A and B will have S games each to move in.

        Games that now wait for A are B's when their move is made, where seats alternate.
        """
        for group in range(self.groups):
            free = np.flatnonzero(~half.live[group]).tolist()
            for side in (_A, _B):
                coming = int(np.count_nonzero(waits[group] == 1 - side))
                for game in self._take(group, side, min(self.size - coming, len(free))):
                    pair = group, game % self.pairs
                    half.deal(group, free.pop(0), game, self._seed(group, game), self._plies[pair])

    def _take(self, group: int, side: int, count: int) -> list[int]:
        """Up to so many games in which a side moves first: void ones again, then the queue's."""
        again = [game for game in self._again[group] if game // self.pairs == side][: max(count, 0)]
        for game in again:
            self._again[group].remove(game)
        at = int(self._queue[side, group])
        fresh = range(at, min(at + max(count, 0) - len(again), self.pairs))
        self._queue[side, group] += len(fresh)
        return again + [pair + side * self.pairs for pair in fresh]

    def _seed(self, group: int, game: int) -> int:
        seed = self._seeds[group, game % self.pairs] + _STRIDE * self._attempts[group, game]
        return int(seed % _SEEDS)


def _seen(slots: Slots) -> Seen:
    """What slots show, in the same memory."""
    fields: Any = slots.mover, slots.legal, slots.observation, slots.payoff
    return Seen(*fields)


class _Half:
    """Slots [G, 2S], and the number of the game in each, 2P where there is none."""

    def __init__(self, slots: Slots, groups: int, size: int, pairs: int):
        self.slots, self._shape, self._pairs = slots, (groups, size), pairs
        self.game = np.full(self._shape, 2 * pairs)

    @property
    def live(self) -> np.ndarray:
        """Which slots hold a game, bool[G, 2S]."""
        return self.game < 2 * self._pairs

    def grid(self, field: np.ndarray) -> np.ndarray:
        """A field by groups, in the same memory."""
        return field.reshape(*self._shape, *field.shape[1:])

    def seat_of_a(self) -> np.ndarray:
        """A makes the first move after the opening in the first game of a pair."""
        return self.grid(self.slots.first) ^ (self.game // self._pairs)

    def waits(self) -> np.ndarray:
        """Whom each slot waits for."""
        side = np.where(self.grid(self.slots.mover) == self.seat_of_a(), _A, _B)
        return np.where(self.live, side, _IDLE)

    def all(self) -> Seen:
        """All positions, [G·2S, ...]."""
        return _seen(self.slots)

    def seen(self, group: np.ndarray, index: np.ndarray) -> Seen:
        """A copy of some positions."""
        return jax.tree.map(lambda field: self.grid(field)[group, index], self.all())

    def deal(self, group: int, slot: int, game: int, seed: int, plies: int) -> None:
        """Orders a new game."""
        self.game[group, slot] = game
        for field, value in (("order", NEW), ("seed", seed), ("plies", plies)):
            self.grid(getattr(self.slots, field))[group, slot] = value


class View(NamedTuple):
    """What can be seen of N games.

    Attributes:
      mover: i32[N].
      legal: bool[N, A].
      payoff: f32[N], seat 0's, as a share of the largest.
    """

    mover: np.ndarray
    legal: np.ndarray
    payoff: np.ndarray


class Games:
    """Games one move at a time, for players outside the device; what fails raises Fault.

    Attributes:
      game: what is played.
      view: what can be seen of all of them.
    """

    def __init__(self, game: Imported, crew: Crew, seeds: np.ndarray, plies: int):
        self.game, self._crew, self._slots = game, crew, crew.sit(len(seeds))[0]
        self._moves: list[list[int]] = [[] for _ in seeds]
        self._slots.seed[:], self._slots.plies[:] = seeds, plies
        self._obey(slice(None), NEW)

    def _obey(self, rows: Any, orders: Any) -> None:
        self._check()
        self._slots.order[:] = WAIT
        self._slots.order[rows] = orders
        self._crew.go(0)
        self._crew.wait(0)
        self._check()
        slots, most = self._slots, self.game.max_payoff
        payoff = slots.payoff.clip(-most, most) / np.float32(most)
        self.view = View(slots.mover.copy(), slots.legal.copy(), payoff)

    def _check(self) -> None:
        if (self._slots.mover == FAILED).any():
            raise Fault(self._crew.failed[-1])

    def step(self, rows: Sequence[int], moves: Sequence[int]) -> None:
        """Makes a move in some of the games."""
        self._obey(list(rows), list(moves))
        for n, move in zip(rows, moves, strict=True):
            self._moves[n].append(move)

    def position(self, n: int) -> Position:
        """One game as it stands, and its moves since the opening."""
        state = jax.tree.map(lambda field: field[n].copy(), _seen(self._slots))
        place: Any = place_of(0, len(self._moves), np.array(n), np.array(True))
        return Position(state._replace(place=place), tuple(self._moves[n]))
