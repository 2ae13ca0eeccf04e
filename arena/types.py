"""The types that rooms share: agents, policies, judges."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from games import Game


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
        """As `arena.device_loop.Match.play`, of which `match` is one."""

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


def stack(params: list[Any]) -> Any:
    """Weights of several agents on a new leading axis [G, ...]."""
    return jax.tree.map(lambda *x: jnp.stack(x), *params)
