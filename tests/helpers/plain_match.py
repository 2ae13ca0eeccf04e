"""Matches in plain Python, a move at a time, between agents that draw no random numbers."""

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import games
from arena.types import Decision
from games import OVER, Game

# --- a game in which the seats do not alternate -------------------------------------------------


class Heap(NamedTuple):
    left: jax.Array  # i32[], coins on the heap
    seat: jax.Array  # i32[], who is to move, or who moved last


@dataclass(frozen=True)
class EvenKeepsTheTurn(Game):
    """Take one to five of 23 coins; who takes an even number moves again; the last coin wins."""

    num_actions = 5
    max_plies = 23
    facts = games.Facts()

    def init(self) -> Heap:
        return Heap(jnp.int32(23), jnp.int32(0))

    def mover(self, state: Heap) -> jax.Array:
        return jnp.where(state.left == 0, OVER, state.seat)

    def legal(self, state: Heap) -> jax.Array:
        return jnp.arange(1, 6) <= state.left

    def step(self, state: Heap, move: jax.Array) -> Heap:
        left = state.left - move - 1
        stays = (move % 2 == 1) | (left == 0)
        return Heap(left, jnp.where(stays, state.seat, 1 - state.seat))

    def payoff(self, state: Heap) -> jax.Array:
        return jnp.where(state.left == 0, 1.0 - 2.0 * state.seat.astype(jnp.float32), 0.0)

    def observe(self, state: Heap, seat: jax.Array) -> jax.Array:
        return state.left.astype(jnp.float32)[None]

    def show(self, state: Heap) -> str:
        return str(state)

    draw = show

    def label(self, state: Heap, move: int) -> str:
        return str(move + 1)

    def parse(self, state: Heap, text: str) -> int:
        return int(text) - 1


# --- agents ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ranked:
    """Plays the legal move of the highest rank; its weights are the ranks f32[A].

    The ranks move on by one place with every stone. It notes its move as a one-hot policy.
    """

    game: Game

    def __call__(self, params: Any, keys: jax.Array, states: Any) -> Decision:
        stones = jax.vmap(lambda s: self.game.observe(s, jnp.int32(0)).sum())(states)
        place = jnp.arange(self.game.num_actions) + stones.astype(jnp.int32)[:, None]
        ranks = jnp.repeat(params, len(stones) // keys.shape[0], 0)
        ranks = jnp.take_along_axis(ranks, place % self.game.num_actions, 1)
        ranks = jnp.where(jax.vmap(self.game.legal)(states), ranks, -1.0)
        move = jnp.argmax(ranks, -1).astype(jnp.int32)
        return Decision(move, jax.nn.one_hot(move, self.game.num_actions))


@dataclass(frozen=True)
class FirstLegal:
    """Plays the first legal move, whatever its weights."""

    game: Game

    def __call__(self, params: Any, keys: jax.Array, states: Any) -> Decision:
        move = jnp.argmax(jax.vmap(self.game.legal)(states), -1).astype(jnp.int32)
        return Decision(move, jax.nn.one_hot(move, self.game.num_actions))


def ranks(game: Game, groups: int, seed: int) -> np.ndarray:
    """Weights of `groups` different agents."""
    rows = np.tile(np.arange(game.num_actions, dtype=np.float32), (groups, 1))
    return np.random.default_rng(seed).permuted(rows, axis=1)


# --- matches -----------------------------------------------------------------------------------


class Side(NamedTuple):
    policy: Any
    weights: np.ndarray


class Slow(NamedTuple):
    """A game: its positions, the last one over; its moves; what agent A scored."""

    states: list[Any]
    moves: list[int]
    score: float


@cache
def _rules(game: Game):
    def look(state: Any) -> tuple[jax.Array, ...]:
        stones = game.observe(state, jnp.int32(0)).sum()
        return game.mover(state), game.legal(state), game.payoff(state), stones

    return jax.jit(look), jax.jit(game.step)


def _slow_move(side: Side, legal: np.ndarray, stones: int) -> int:
    moves = np.flatnonzero(legal).tolist()
    if isinstance(side.policy, FirstLegal):
        return moves[0]
    return max(moves, key=lambda move: side.weights[(move + stones) % len(legal)])


def slow(game: Game, a: Side, b: Side, opening: Any, a_begins: bool) -> Slow:
    look, step = _rules(game)
    states, moves = [opening], []
    seat = int(look(opening)[0])
    a_seat = seat if a_begins else 1 - seat
    while True:
        mover, legal, payoff, stones = (np.asarray(x) for x in look(states[-1]))
        if mover == OVER:
            won = payoff if a_seat == 0 else -payoff
            return Slow(states, moves, {1.0: 1.0, 0.0: 0.5, -1.0: 0.0}[float(won)])
        moves.append(_slow_move(a if mover == a_seat else b, legal, int(stones)))
        states.append(step(states[-1], np.int32(moves[-1])))
