"""Games with players outside the device: people, engines, and device agents they meet.

The loop runs here and keeps every game's moves, which engines want to know. It goes tick by tick:
the games that wait for A are put to A together, and at the same time those that wait for B to B.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena.judges.rules import Rules
from arena.types import Agent, Forfeit, HostAgent, Judge, Position, as_host_game, stack
from games import CHANCE, OVER, Game


class Games(NamedTuple):
    """Positions of N games.

    Attributes:
      states: numpy arrays [N, ...].
      moves: all that led to each from the start, outcomes of chance included.
    """

    states: Any
    moves: list[list[int]]

    def fork(self, times: int) -> "Games":
        """Copies of the games, each so many times over."""
        states = jax.tree.map(lambda x: np.repeat(x, times, 0), self.states)
        return Games(states, [list(moves) for moves in self.moves for _ in range(times)])


class Host(HostAgent):
    """A device agent, asked by the host."""

    def __init__(self, agent: Agent, key: jax.Array):
        self.name = agent.name
        self._act, self._params = jax.jit(agent.policy), stack([agent.params])
        self._key, self._asked, self._room = key, 0, 1

    def choose(self, game: Game, position: Position) -> int:
        """The agent's move."""
        return self.choose_all(game, [position])[0]

    def choose_all(self, game: Game, positions: Sequence[Position]) -> list[int]:
        """The agent's moves, in one batch."""
        self._asked += 1
        self._room = _room(self._room, len(positions))
        index = _filled(range(len(positions)), self._room)
        states = jax.tree.map(lambda *x: np.stack(x), *[positions[i].state for i in index])
        key = jax.random.fold_in(self._key, self._asked)
        moves = self._act(self._params, key[None], states).move
        return np.asarray(moves)[: len(positions)].tolist()


def hosted(agent: Agent | HostAgent, key: jax.Array) -> HostAgent:
    """The agent as the host asks it; the key is for one that lives on the device."""
    return Host(agent, key) if isinstance(agent, Agent) else agent


def _room(room: int, count: int) -> int:
    """Room for so many: never less than before and twice as much at a time, to compile rarely."""
    return max(room, 1 << (count - 1).bit_length())


def _filled(rows: Sequence[int] | np.ndarray, room: int) -> np.ndarray:
    """Rows [room], the last one repeated."""
    return np.array([*rows, *[rows[-1]] * (room - len(rows))])


def play(
    game: Game,
    seats: tuple[HostAgent, HostAgent],
    key: jax.Array,
    watch: Callable[[Any, int], None] = lambda state, move: None,
) -> tuple[Any, float]:
    """Plays one game from its start.

    Args:
      game: what is played.
      seats: who sits in seat 0 and in seat 1.
      key: PRNG key, of what is left to chance.
      watch: hears of every move of a seat, with the position before it.

    Returns:
      the final position, and what the rules give seat 0.

    Raises:
      Forfeit: a player cannot go on, or made an illegal move.
    """
    outside = as_host_game(game)
    table = outside.deal(key, 1, 0) if outside else _Table(game, _start(game, 1), key, 1)
    while (seat := int(table.view.mover[0])) != OVER:
        if seat == CHANCE:
            table.step([0], [table.outcome(0)])
            continue
        before = table.position(0).state
        move = _ask(seats[seat], table, [0])
        watch(before, move[0])
        table.step([0], move)
    return table.position(0).state, float(table.view.payoff[0])


def pairs(
    a: Agent | HostAgent,
    b: Agent | HostAgent,
    game: Game,
    key: jax.Array,
    count: int,
    plies: int,
    slots: int,
    starts: Games | None = None,
    *,
    judge: Judge | None = None,
) -> np.ndarray:
    """Plays pairs of games: every opening twice, with the seats swapped.

    Args:
      a: one player.
      b: the other one.
      game: what they play.
      key: PRNG key, of openings, of what is left to chance, and of device agents.
      count: P, the pairs.
      plies: openings are up to so many random moves long.
      slots: games in flight.
      starts: the openings [P], a seat to move in each, if they are settled already.
      judge: who says who won in a game that is compiled; the rules if None.

    Returns:
      A's scores f32[P, 2]; A makes the first move after the opening in the first game of a pair.

    Raises:
      Forfeit: a player cannot go on, or made an illegal move.
    """
    room = _room(1, min(slots, 2 * count))
    if outside := as_host_game(game):
        table = outside.deal(key, count, plies, 2)
    else:
        starts = starts or openings(game, count, plies, jax.random.fold_in(key, 0), room)
        table = _Table(game, starts.fork(2), jax.random.fold_in(key, 1), room, judge)
    seat_of_a = table.view.mover ^ (np.arange(2 * count) % 2)
    players = hosted(a, jax.random.fold_in(key, 2)), hosted(b, jax.random.fold_in(key, 3))
    waiting, flying = list(range(2 * count)), []
    with ThreadPoolExecutor(2) as pool:
        while waiting or flying:
            free = slots - len(flying)
            flying, waiting = flying + waiting[:free], waiting[free:]
            _tick(table, players, seat_of_a, flying, pool)
            flying = [n for n in flying if table.view.mover[n] != OVER]
    payoff = table.view.payoff * np.where(seat_of_a == 0, 1, -1)
    return (0.5 + 0.5 * payoff).astype(np.float32).reshape(count, 2)


def _tick(
    table: "_Table",
    players: tuple[HostAgent, HostAgent],
    seat_of_a: np.ndarray,
    flying: list[int],
    pool: ThreadPoolExecutor,
) -> None:
    """One move, or outcome of chance, in every game in flight."""
    mover = table.view.mover
    rows = [n for n in flying if mover[n] == CHANCE]
    moves = [table.outcome(n) for n in rows]
    turns = [
        [n for n in flying if mover[n] >= 0 and (mover[n] == seat_of_a[n]) == (side == 0)]
        for side in (0, 1)
    ]
    asked = [pool.submit(_ask, who, table, mine) for who, mine in zip(players, turns, strict=True)]
    moves += [move for one in asked for move in one.result()]
    table.step(rows + turns[0] + turns[1], moves)


def _ask(who: HostAgent, table: "_Table", rows: list[int]) -> list[int]:
    """A player's moves, which are legal."""
    if not rows:
        return []
    moves = who.choose_all(table.game, [table.position(n) for n in rows])
    for n, move in zip(rows, moves, strict=True):
        if not (0 <= move < table.game.num_actions and table.view.legal[n, move]):
            raise Forfeit(f"{who.name} chose move {move}, which is not legal")
    return moves


class _View(NamedTuple):
    """What the rules say of N positions: f32 payoffs are shares of the largest for seat 0."""

    mover: np.ndarray  # i32[N]
    legal: np.ndarray  # bool[N, A]
    chance: np.ndarray  # f32[N, C]
    payoff: np.ndarray  # f32[N]


@cache
def _compiled(game: Game, judge: Judge) -> tuple[Any, Any]:
    """Jitted, of a batch: step, and what the rules say, payoffs by the judge."""

    def look(states: Any) -> Any:
        mover = jax.vmap(game.mover)(states)
        chance = jnp.zeros((len(mover), 0))
        if game.num_outcomes:
            chance = jax.vmap(game.chance)(states)
        told: Any = mover, jax.vmap(game.legal)(states), chance, judge.verdict(states)
        return _View(*told)

    return jax.jit(jax.vmap(game.step)), jax.jit(look)


class _Table:
    """N games side by side, `room` of them in one call of a compiled function.

    Attributes:
      game: what is played.
      games: how they stand.
      view: what the rules say.
      chance: a generator of random numbers for each game.
    """

    def __init__(
        self, game: Game, games: Games, key: jax.Array, room: int, judge: Judge | None = None
    ):
        self.game, self.games, self._room = game, games, room
        self._judge = judge or Rules(game)
        count = len(games.moves)
        self.view = _View(
            np.zeros(count, np.int32),
            np.zeros((count, game.num_actions), bool),
            np.zeros((count, game.num_outcomes), np.float32),
            np.zeros(count, np.float32),
        )
        # Of numpy, since a single draw of JAX's takes as long as a whole batch of them.
        words = np.asarray(jax.random.key_data(jax.random.split(key, count)))
        self.chance = [np.random.default_rng(word) for word in words]
        self.put(range(count), games)

    def put(self, rows: Sequence[int], games: Games) -> None:
        """Puts positions into some of the games."""
        for at in range(0, len(rows), self._room):
            part = np.array(rows[at : at + self._room])
            index = _filled(range(at, at + len(part)), self._room)
            states = jax.tree.map(lambda x, i=index: x[i], games.states)
            self._write(part, states)
        for n, moves in zip(rows, games.moves, strict=True):
            self.games.moves[n] = moves

    def step(self, rows: Sequence[int], moves: Sequence[int]) -> None:
        """Makes a move, or an outcome of chance, in some of the games."""
        for at in range(0, len(rows), self._room):
            part = np.array(rows[at : at + self._room])
            index = _filled(part, self._room)
            made = _filled(moves[at : at + self._room], self._room).astype(np.int32)
            states = jax.tree.map(lambda x, i=index: x[i], self.games.states)
            self._write(part, _compiled(self.game, self._judge)[0](states, made))
        for n, move in zip(rows, moves, strict=True):
            self.games.moves[n].append(move)

    def _write(self, rows: np.ndarray, states: Any) -> None:
        def write(all: np.ndarray, some: jax.Array) -> None:
            all[rows] = np.asarray(some)[: len(rows)]

        jax.tree.map(write, self.games.states, states)
        jax.tree.map(write, self.view, _compiled(self.game, self._judge)[1](states))

    def position(self, n: int) -> Position:
        """One game as it stands."""
        state = jax.tree.map(lambda x: x[n].copy(), self.games.states)
        return Position(state, tuple(self.games.moves[n]))

    def outcome(self, n: int) -> int:
        """What chance brings in a game in which it is to move."""
        chances = self.view.chance[n].astype(np.float64)
        return int(self.chance[n].choice(len(chances), p=chances / chances.sum()))


def _start(game: Game, count: int) -> Games:
    states = jax.tree.map(lambda x: np.repeat(np.asarray(x)[None], count, 0), game.init())
    return Games(states, [[] for _ in range(count)])


def openings(game: Game, count: int, plies: int, key: jax.Array, room: int) -> Games:
    """`count` games after 0 to `plies` random moves, a seat to move in each.

    The number of moves is uniform, but a walk that ends too soon is drawn anew, length and all.
    `room` is how many games go into one call of a compiled function.
    """
    table = _Table(game, _start(game, count), key, room)
    left = [int(chance.integers(plies + 1)) for chance in table.chance]
    while True:
        ended = np.flatnonzero(table.view.mover == OVER).tolist()
        if ended:
            table.put(ended, _start(game, len(ended)))
        for n in ended:
            left[n] = int(table.chance[n].integers(plies + 1))
        rolled = np.flatnonzero(table.view.mover == CHANCE).tolist()
        moved = [n for n in range(count) if table.view.mover[n] >= 0 and left[n]]
        if not rolled + moved:
            return table.games
        moves = [int(table.chance[n].choice(np.flatnonzero(table.view.legal[n]))) for n in moved]
        table.step(rolled + moved, [table.outcome(n) for n in rolled] + moves)
        for n in moved:
            left[n] -= 1
