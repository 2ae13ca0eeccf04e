"""What a match needs: an agent that chooses moves, and a classifier that says who won."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from games import CHANCE, Game


class Decision(NamedTuple):
    """What an agent answers for a batch of positions.

    Attributes:
      move: i32[B], a legal move each.
      note: pytree [B, ...] that a recorded match keeps beside the position (a learner's targets),
        or () if there is nothing to note.
    """

    move: jax.Array
    note: Any = ()


Act = Callable[[Any, jax.Array, Any], Decision]
"""`act(params, keys, states) -> Decision`: how an agent moves, as a pure function.

params: pytree [G, ...], the weights of G agents stacked; keys: PRNG keys [G]; states: positions
[B, ...] with B = G·S, the first S of them the first agent's. An `Act` is hashable, and equal ones
share a compiled program; so a new snapshot never means a new compilation.
"""


class Remembering(ABC):
    """An `Act` that can use again what it has found out about earlier positions.

    It moves the same with or without a memory, but for rounding.
    """

    @abstractmethod
    def memory(self, params: Any) -> Any:
        """What agents with these weights [G, ...] know before they are asked, a pytree."""

    @abstractmethod
    def recall(
        self, memory: Any, params: Any, keys: jax.Array, states: Any
    ) -> tuple[Decision, Any]:
        """Moves as an `Act`, and the memory after that."""

    @abstractmethod
    def __call__(self, params: Any, keys: jax.Array, states: Any) -> Decision:
        """Moves without any memory of earlier positions."""


@dataclass(frozen=True)
class Agent:
    """A player that lives on the device.

    Attributes:
      name: as a user types it.
      act: how it moves.
      params: pytree of its weights, without a leading axis; () if it has none.
    """

    name: str
    act: Act
    params: Any = ()


class Forfeit(Exception):
    """A player outside the device cannot go on, or broke the rules; the message is one line."""


class Position(NamedTuple):
    """What a player outside the device is asked about.

    Attributes:
      state: the position, a pytree of numpy arrays.
      moves: all that led there from the game's start, outcomes of chance included; engines want it
        for repetitions.
    """

    state: Any
    moves: tuple[int, ...]


class HostAgent(ABC):
    """A player outside the device: a person, an engine process, a Python function.

    Attributes:
      name: as a user types it.
    """

    name: str

    @abstractmethod
    def choose(self, game: Game, position: Position) -> int:
        """A legal move; raises Forfeit if the player has none to give."""

    def choose_all(self, game: Game, positions: Sequence[Position]) -> list[int]:
        """Moves in several games at once: one by one, unless the player knows better."""
        return [self.choose(game, position) for position in positions]

    def close(self) -> None:  # noqa: B027
        """Ends the processes that the player has started; it is not asked again."""


class HostGame(Game):
    """A game whose rules are a program outside the device, such as an imported env.

    Its positions are what the seat to move sees, and `init` gives shapes only.

    Attributes:
      usual_plies: of the longest game that a check has seen; `max_plies` may be far above it.
      copies: games can be copied, so that `step` and `playout` work on positions that are asked
        about, while they are: enough for a search, far slower than rules on the device.
    """

    usual_plies: int
    copies: bool

    @abstractmethod
    def playout(self, key: jax.Array, state: Any) -> Any:
        """How a game ends that goes on from here at random."""

    @abstractmethod
    def openings(self, key: jax.Array, shape: tuple[int, ...], plies: int) -> Any:
        """As `arena.match.openings`, but a way to begin instead of a position."""

    @abstractmethod
    def play(self, match: Any, params_a: Any, params_b: Any, keys: jax.Array, openings: Any) -> Any:
        """As `arena.match.Match.play`, of which `match` is one."""

    @abstractmethod
    def deal(self, key: jax.Array, count: int, plies: int, times: int = 1) -> Any:
        """Games for `arena.host`, after up to so many random moves, each so many times over."""

    @property
    @abstractmethod
    def voided(self) -> int:
        """Games that the program failed to finish, since this process began."""


class Classifier(ABC):
    """The judge: the one door through which anything learns who won."""

    @abstractmethod
    def score(self, finals: Any) -> jax.Array:
        """Seat 0's payoff in final positions [B, ...], f32[B] in [-1, 1]: 1 for a full win."""


@dataclass(frozen=True)
class Rules(Classifier):
    """The infallible judge: the rules of the game."""

    game: Game

    def score(self, finals: Any) -> jax.Array:
        """The payoffs that the rules give, as shares of the largest, f32[B]."""
        return jax.vmap(self.game.payoff)(finals) / self.game.max_payoff


def uniform_move(key: jax.Array, legal: jax.Array) -> jax.Array:
    """A legal move each, all equally likely: bool[B, A] to i32[B]."""
    return choose(jax.random.uniform(key, legal.shape[:-1]), legal)


def choose(draw: jax.Array, legal: jax.Array) -> jax.Array:
    """The legal move at a point of the unit interval: f32[...] and bool[..., A] to i32[...]."""
    words = _pack(legal)
    counts = [jax.lax.population_count(word).astype(jnp.int32) for word in words]
    count = sum(counts[1:], counts[0])
    nth = jnp.floor(draw * count.astype(jnp.float32)).astype(jnp.int32)
    nth = jnp.minimum(nth, count - 1)  # a product may round up to count
    # The word in which it lies, then the bit.
    word, at, before, seen = words[0], jnp.zeros_like(nth), jnp.zeros_like(nth), counts[0]
    for k in range(1, len(words)):
        beyond = nth >= seen
        word, at, before = (
            jnp.where(beyond, new, old)
            for new, old in ((words[k], word), (32 * k, at), (seen, before))
        )
        seen = seen + counts[k]
    return at + _nth_bit(word, nth - before)


def _pack(flags: jax.Array) -> list[jax.Array]:
    """Bits 0 to 31, 32 to 63, … of bool[..., A] as u32[...] each."""
    words = []
    # Word by word: padding to whole words would keep XLA from vectorising what made the flags.
    for at in range(0, flags.shape[-1], 32):
        part = flags[..., at : at + 32].astype(jnp.uint32)
        bits = jnp.arange(part.shape[-1], dtype=jnp.uint32)
        words.append((part << bits).sum(-1, dtype=jnp.uint32))
    return words


def _nth_bit(word: jax.Array, nth: jax.Array) -> jax.Array:
    """Where in u32[...] the set bit number i32[...] is, counted from 0 at the low end."""
    at = jnp.zeros_like(nth)
    for width in (16, 8, 4, 2, 1):
        low = word & jnp.uint32((1 << width) - 1)
        count = jax.lax.population_count(low).astype(jnp.int32)
        beyond = nth >= count
        word = jnp.where(beyond, word >> width, low)
        nth = jnp.where(beyond, nth - count, nth)
        at = jnp.where(beyond, at + width, at)
    return at


def settle(game: Game, key: jax.Array, state: Any) -> Any:
    """Lets chance make all its moves, until a seat is to move or the game is over.

    The numbers that decide them are hashes of the key and a counter, far cheaper than JAX's own.
    """
    if not game.num_outcomes:
        return state
    words = jax.random.key_data(key)

    def draw(carry):
        count, state = carry
        bits = count
        for word in words:
            bits = mix(bits ^ word)
        return count + 1, game.step(state, outcome(unit(bits), game.chance(state)))

    going = jnp.uint32(0), state
    return jax.lax.while_loop(lambda c: game.mover(c[1]) == CHANCE, draw, going)[1]


def mix(bits: jax.Array) -> jax.Array:
    """A hash of u32[...], one to one: lowbias32 of nullprogram.com/blog/2018/07/31."""
    bits = (bits ^ bits >> 16) * jnp.uint32(0x7FEB352D)
    bits = (bits ^ bits >> 15) * jnp.uint32(0x846CA68B)
    return bits ^ bits >> 16


def unit(bits: jax.Array) -> jax.Array:
    """Random bits u32[...] as a point of the unit interval, f32[...], below 1."""
    return (bits >> 8).astype(jnp.float32) * jnp.float32(2**-24)


def outcome(draw: jax.Array, chances: jax.Array) -> jax.Array:
    """The outcome at a point of the unit interval: f32[] and f32[C] to i32[].

    One uniform number does; `jax.random.categorical` takes one for each outcome. Added up one by
    one, which fuses with what makes the chances; a cumulative sum along the last axis does not.
    """
    ends = list(accumulate(chances))
    # Scaled, so that no draw lies beyond the last end if the chances add up to a bit less than 1.
    point = draw * ends[-1]
    return sum((point >= end).astype(jnp.int32) for end in ends[:-1]) + jnp.int32(0)


def stack(params: list[Any]) -> Any:
    """Weights of several agents on a new leading axis [G, ...]."""
    return jax.tree.map(lambda *x: jnp.stack(x), *params)
