"""The types that rooms share: agents, policies, judges."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp

from games import Game


class Decision(NamedTuple):
    """What an agent answers for a batch of positions.

    Attributes:
      move: i32[B], a legal move each.
      aux: pytree [B, ...] that a recorded match keeps beside the position (a learner's targets),
        or () if there is nothing to aux.
    """

    move: jax.Array
    aux: Any = ()


Policy = Callable[[Any, jax.Array, Any], Decision]
"""`policy(params, keys, states) -> Decision`: how an agent moves, as a pure function.

params: pytree [G, ...], the weights of G agents stacked; keys: PRNG keys [G]; states: positions
[B, ...] with B = G·S, the first S of them the first agent's. A `Policy` is hashable, and equal
ones share a compiled program; so a new snapshot never means a new compilation.
"""


class CachedPolicy(ABC):
    """A `Policy` with a cache, so that nothing is evaluated twice.

    It moves the same with or without a cache, but for rounding.
    """

    @abstractmethod
    def init_cache(self, params: Any) -> Any:
        """An empty cache for agents with these weights [G, ...], a pytree."""

    @abstractmethod
    def with_cache(
        self, cache: Any, params: Any, keys: jax.Array, states: Any
    ) -> tuple[Decision, Any]:
        """Moves as a `Policy`, and the cache after that."""

    @abstractmethod
    def __call__(self, params: Any, keys: jax.Array, states: Any) -> Decision:
        """Moves without a cache from earlier positions."""


@dataclass(frozen=True)
class Agent:
    """A player that lives on the device.

    Attributes:
      name: as a user types it.
      policy: how it moves.
      params: pytree of its weights, without a leading axis; () if it has none.
    """

    name: str
    policy: Policy
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

    Its positions are what the seat to move sees. They can be stepped while a search asks about
    them, if the game is `searchable`; games themselves begin and go on in the program alone.
    """

    on_device = False

    def init(self) -> Any:
        """Raises ValueError: games begin in the program; see `openings` and `deal`."""
        raise ValueError(f"{type(self).__name__} begins outside the device")

    @abstractmethod
    def template(self) -> Any:
        """Shapes and types of a position, a pytree of `jax.ShapeDtypeStruct`."""

    @abstractmethod
    def playout(self, key: jax.Array, state: Any) -> Any:
        """The final position of a game that goes on from here with random moves."""

    @abstractmethod
    def openings(self, key: jax.Array, shape: tuple[int, ...], plies: int) -> Any:
        """As `arena.play.openings.random_openings`, but a way to begin in place of a position."""

    @abstractmethod
    def play(self, match: Any, params_a: Any, params_b: Any, keys: jax.Array, openings: Any) -> Any:
        """As `arena.play.device_loop.Match.play`, of which `match` is one."""

    @abstractmethod
    def deal(self, key: jax.Array, count: int, plies: int, times: int = 1) -> Any:
        """Games for `arena.play.host_loop`, after up to `plies` random moves, each `times` over."""

    @property
    @abstractmethod
    def voided(self) -> int:
        """Games that the program failed to finish, since this process began."""


def as_host_game(game: Game) -> HostGame | None:
    """The game, if its rules are outside the device; None if they are compiled."""
    return None if game.on_device else cast(HostGame, game)


class Judge(ABC):
    """Who says who won. Hashable; equal judges share a compiled program.

    Attributes:
      exact: a verdict is what the rules say, so that a search may prove values by it.
    """

    exact: bool = False

    @abstractmethod
    def verdict(self, finals: Any) -> jax.Array:
        """Seat 0's payoff in final positions [B, ...], f32[B] in [-1, 1]: 1 for a full win."""


def stack(params: list[Any]) -> Any:
    """Weights of several agents on a new leading axis [G, ...]."""
    return jax.tree.map(lambda *x: jnp.stack(x), *params)
