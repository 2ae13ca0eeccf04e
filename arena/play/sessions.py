"""Many games in progress outside a compiled loop, as a `Session` is one."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena.chance import draw_outcome
from arena.types import Judge, Position, Positions, PyTree, State
from games import Game


def room_for(count: int, *, least: int = 1) -> int:
    """The size of a batch for `count` rows: a power of two, at least `least`, to compile rarely."""
    return max(least, 1 << (count - 1).bit_length())


def padded(rows: Sequence[int] | np.ndarray, room: int) -> np.ndarray:
    """At most `room` rows, filled up with the last one: i64[room]."""
    return np.array([*rows, *[rows[-1]] * (room - len(rows))])


def starts(game: Game, count: int) -> Positions:
    """The first position `count` times over, before chance has moved."""
    states = jax.tree.map(lambda x: np.repeat(np.asarray(x)[None], count, 0), game.init())
    return Positions(states, [[] for _ in range(count)])


class View(NamedTuple):
    """What the rules say of N positions.

    Attributes:
      mover: i32[N], seat 0, seat 1, CHANCE or OVER.
      legal: bool[N, A], unspecified unless a seat is to move.
      chance: f32[N, C], probabilities of the outcomes; unspecified unless chance is to move.
    """

    mover: np.ndarray
    legal: np.ndarray
    chance: np.ndarray


class Sessions:
    """N games in progress on the device, `room` of them in one call of a compiled function.

    Attributes:
      game: what is played.
      positions: of the games, N; changed in place.
      view: what the rules say of them; changed in place.

    Args:
      game: what is played.
      positions: from which the games go on.
      generators: of chance, one for each game.
      room: how many games go into one call.
    """

    def __init__(
        self,
        game: Game,
        positions: Positions,
        *,
        generators: Sequence[np.random.Generator],
        room: int,
    ):
        self.game, self.positions = game, positions
        self._generators, self._room = generators, room
        count = len(positions.moves)
        self.view = View(
            np.zeros(count, np.int32),
            np.zeros((count, game.num_actions), bool),
            np.zeros((count, game.num_outcomes), np.float32),
        )
        self.put(range(count), positions)

    def put(self, rows: Sequence[int], positions: Positions) -> None:
        """Puts positions, as many as rows, in the places of some of the games."""
        for at in range(0, len(rows), self._room):
            part = np.array(rows[at : at + self._room])
            index = padded(range(at, at + len(part)), self._room)
            self._write(part, jax.tree.map(lambda x, i=index: x[i], positions.states))
        for n, moves in zip(rows, positions.moves, strict=True):
            self.positions.moves[n] = moves

    def step(self, rows: Sequence[int], moves: Sequence[int]) -> None:
        """Makes a move, or an outcome of chance, in each of the games numbered `rows`."""
        for at in range(0, len(rows), self._room):
            part = np.array(rows[at : at + self._room])
            index = padded(part, self._room)
            made = padded(moves[at : at + self._room], self._room).astype(np.int32)
            states = jax.tree.map(lambda x, i=index: x[i], self.positions.states)
            self._write(part, _compiled(self.game).step(states, made))
        for n, move in zip(rows, moves, strict=True):
            self.positions.moves[n].append(move)

    def _write(self, rows: np.ndarray, states: State) -> None:
        """Writes positions [room, ...], the first of them into the games numbered `rows`."""

        def write(all: np.ndarray, some: jax.Array) -> None:
            all[rows] = np.asarray(some)[: len(rows)]

        jax.tree.map(write, self.positions.states, states)
        jax.tree.map(write, self.view, _compiled(self.game).look(states))

    def position(self, n: int) -> Position:
        """One game as it stands."""
        state = jax.tree.map(lambda x: x[n].copy(), self.positions.states)
        start = self.positions.starts[n] if self.positions.starts else None
        return Position(state, tuple(self.positions.moves[n]), start)

    def draw(self, n: int) -> int:
        """An outcome of chance, in a game in which it is to move."""
        return draw_outcome(self._generators[n], self.view.chance[n])


class _Compiled(NamedTuple):
    """Jitted, of a batch of positions: a move each, and what the rules say."""

    step: Callable[[State, np.ndarray], State]
    look: Callable[[State], View]


@cache
def _compiled(game: Game) -> _Compiled:
    def look(states: State) -> View:
        mover = jax.vmap(game.mover)(states)
        chance = jnp.zeros((len(mover), 0))
        if game.num_outcomes:
            chance = jax.vmap(game.chance)(states)
        found: Any = mover, jax.vmap(game.legal)(states), chance
        return View(*found)

    return _Compiled(jax.jit(jax.vmap(game.step)), jax.jit(look))


@cache
def _verdict(judge: Judge) -> Callable[[State, np.ndarray], jax.Array]:
    def ask(finals: State, games: jax.Array) -> jax.Array:
        if judge.by_game:
            return judge.verdicts_in_games(jnp.ones(len(games), bool), finals, games)
        return judge.verdict(finals)

    return jax.jit(ask)


def verdicts(judge: Judge, finals: Sequence[State], *, games: np.ndarray, room: int) -> np.ndarray:
    """What a judge gives seat 0 in N games that are over.

    Args:
      judge: who says who won.
      finals: their final positions, one pytree of numpy arrays each.
      games: numbers u32[N] that tell the games apart.
      room: how many of them go into one call of the judge.

    Returns:
      f32[N] in [-1, 1].
    """
    found = [np.zeros(0, np.float32)]
    for at in range(0, len(finals), room):
        index = padded(range(at, min(at + room, len(finals))), room)
        batch: PyTree = jax.tree.map(lambda *x: np.stack(x), *[finals[n] for n in index])
        found.append(np.asarray(_verdict(judge)(batch, games[index])))
    return np.concatenate(found)[: len(finals)]
