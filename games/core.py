"""The contract that every game keeps.

A game is a set of pure functions of ONE position. Batch them with `jax.vmap`, compile them with
`jax.jit`. The state holds only what the rules need; whatever follows from it (observation, legal
moves, payoff) is computed on demand.

Shapes: A is `num_actions`, C is `num_outcomes`, S the number of symmetries. A seat is 0 or 1.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar, cast, runtime_checkable

import jax
import numpy as np

from games import _svg

CHANCE = -1
"""`mover` of a position in which chance moves."""
OVER = -2
"""`mover` of a position in which the game has ended."""

StateT = TypeVar("StateT")
"""A game's positions: a NamedTuple of small arrays (a pytree); each game defines its own."""


@dataclass(frozen=True)
class Fact:
    """A published number that the rules must reproduce.

    Attributes:
      value: the number or numbers.
      source: the page or paper that gives them.
    """

    value: Any
    source: str


@dataclass(frozen=True)
class Facts:
    """Published numbers about a game; the tests compute each from the rules.

    Attributes:
      perft: int per depth 0, 1, …: sequences of that many legal moves from the start.
      positions: int per ply 0, 1, …: distinct positions reachable in exactly that many plies.
      orbits: int per ply 0, 1, …: the same, with symmetric positions counted once.
      games: int: distinct games from the start to an end.
      value: float: payoff of seat 0 under perfect play.
      uniform_exploitability: float: gain of a best response against uniformly random play, the
        mean of both seats (NashConv / 2).
      information_sets: int: information sets of both seats together.
    """

    perft: Fact | None = None
    positions: Fact | None = None
    orbits: Fact | None = None
    games: Fact | None = None
    value: Fact | None = None
    uniform_exploitability: Fact | None = None
    information_sets: Fact | None = None


class Game(ABC, Generic[StateT]):
    """The rules of one two-player zero-sum game.

    A subclass is a frozen dataclass; its fields are the options that a name gives (`hex:size=9`),
    and its `__post_init__` raises ValueError, with a message of one line, for values that are not
    allowed. Equal games share their compiled programs.

    Attributes, of the class, or set by `__post_init__` where they depend on an option:
      num_actions: A, the number of moves, legal or not.
      num_outcomes: C, the number of chance outcomes; 0 in a game without chance.
      max_plies: upper bound on the length of a game in plies, chance moves included.
      typical_plies: mean length of uniformly random games in plies, chance moves included; work is
        sized by it. `max_plies` unless the game gives it.
      max_payoff: upper bound on the absolute payoff.
      perfect_information: whether `observe` shows both seats the whole position.
      facts: published numbers that the tests compare with the rules.
      version: a positive integer; raise it when rules, move numbers or observations change. A
        snapshot trained on another version is refused.
      on_device: whether the functions below can be compiled by JAX. Otherwise the rules run in a
        program outside, and `init` raises ValueError; see `arena.types.HostGame`.
      searchable: whether a tree search may step positions: true for games of perfect information.
    """

    num_actions: int
    num_outcomes: int = 0
    max_plies: int
    # A plain attribute to its readers and to subclasses, yet one whose default another one gives.
    typical_plies: int = cast(int, cached_property(lambda self: self.max_plies))
    max_payoff: float = 1.0
    perfect_information: bool = True
    facts: Facts
    version: int = 1
    on_device: bool = True

    @property
    def searchable(self) -> bool:
        """Whether a tree search can step positions and observes the whole of them."""
        return self.perfect_information

    @abstractmethod
    def init(self) -> StateT:
        """The initial position."""

    def template(self) -> Any:
        """Shapes and dtypes of a position, a pytree of `jax.ShapeDtypeStruct`."""
        return jax.eval_shape(self.init)

    @abstractmethod
    def mover(self, state: StateT) -> jax.Array:
        """Who moves, i32[]: seat 0, seat 1, `CHANCE` or `OVER`."""

    @abstractmethod
    def legal(self, state: StateT) -> jax.Array:
        """The legal moves, bool[A]; at least one. Unspecified unless a seat is to move."""

    @abstractmethod
    def step(self, state: StateT, move: jax.Array) -> StateT:
        """The position after a legal move, or a chance outcome, i32[]; unspecified for others."""

    @abstractmethod
    def payoff(self, state: StateT) -> jax.Array:
        """Payoff of seat 0, f32[]; that of seat 1 is its negative. 0 unless the game is over."""

    @abstractmethod
    def observe(self, state: StateT, seat: jax.Array) -> jax.Array:
        """The observation of a seat i32[], f32[...], from its own side: own pieces come first.

        In a game of hidden information an observation, with the seat's own moves so far, is its
        information set: it contains all that the seat has been shown, and nothing else.
        """

    @abstractmethod
    def show(self, state: StateT) -> str:
        """The position as text for a terminal."""

    @abstractmethod
    def draw(self, state: StateT) -> str:
        """The position as an SVG picture, seen from seat 0's side.

        Cells that `clicks` names are groups `<g class="cell" data-cell="e4">`; `games._svg` has
        what the games of this folder build them with, and the classes by which pages style them.
        """

    @abstractmethod
    def label(self, state: StateT, move: int) -> str:
        """A legal move in the game's usual notation."""

    @abstractmethod
    def parse(self, state: StateT, text: str) -> int:
        """The legal move that a text means, the inverse of `label`.

        Raises:
          ValueError: the text is no legal move; the message is one line.
        """

    def view(self, state: StateT, seat: int) -> str:
        """The position as text, as far as a seat sees it; its own side is below where players sit
        at two sides of the board.

        Raises:
          NotImplementedError: the game has hidden information and does not define this.
        """
        if not self.perfect_information:
            raise NotImplementedError(f"{type(self).__name__} does not say what a seat sees")
        return self.show(state)

    def draw_view(self, state: StateT, seat: int) -> str:
        """The position as an SVG picture, as far as a seat sees it, with cells as in `draw`; its
        own side is below where players sit at two sides of the board.

        Unless the game overrides this it is `draw`, or of hidden information the text of `view`.
        """
        return self.draw(state) if self.perfect_information else _svg.text(self.view(state, seat))

    def clicks(self, state: StateT, move: int) -> tuple[str, ...]:
        """The cells of the pictures to click, in order, for a legal move.

        Where a move places something that is one cell, where it moves something two. A last element
        that begins with `=`, as in `("e7", "e8", "=q")`, is no cell but a choice that is left. In
        one position no two moves have the same clicks, nor is one the beginning of another, but for
        moves without any. Those are chosen by their label: passes, bets, and all moves of a game
        that does not define this.
        """
        return ()

    def chance(self, state: StateT) -> jax.Array:
        """Probabilities of the outcomes at a chance node, f32[C]; unspecified elsewhere.

        Raises:
          ValueError: the game has no chance moves.
        """
        raise ValueError(f"{type(self).__name__} has no chance moves")

    def symmetries(self, observation: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The images of an observation and a policy under all symmetries of the board.

        Args:
          observation: f32[...] as `observe` gives it.
          policy: f32[A].

        Returns:
          f32[S, ...] and f32[S, A], the identity first. S is 1 unless the game overrides this.
        """
        return observation[None], policy[None]

    def move_planes(self) -> np.ndarray | None:
        """Where on the board each move lies, i64[A]: `plane * H * W + cell`, or -1 for nowhere.

        Optional, for observations f32[H, W, C] of a board. The cell is one of the observation of
        who moves, on which the move places something, or where it ends or begins: always the same
        of these, so that what it shows changes with the move. Planes tell apart the moves of one
        cell, as directions do. A network can then learn all cells at once, by the same weights.
        """
        return None

    def ownership(self, state: StateT, seat: jax.Array) -> jax.Array:
        """The owner of each cell at the end of the game: an auxiliary target for a network.

        Optional. D. Wu, "Accelerating self-play learning in Go" (arXiv:1902.10565), section 4.1.

        Args:
          state: a position in which the game is over; unspecified for others.
          seat: i32[], the seat from whose side it is given.

        Returns:
          f32[H, W], on the cells of the observation's planes: 1 for the seat's own, -1 for the
          other's, 0 for neither's. `symmetries` transforms it as one more plane.

        Raises:
          ValueError: the game does not define owners of cells.
        """
        raise ValueError(f"{type(self).__name__} does not say who owns its cells")


@runtime_checkable
class TextPositions(Protocol[StateT]):
    """A game whose positions can be written as text, so that a game can begin in any of them.

    Optional: a game has this capability if its class has these members.

    Attributes:
      position_format: what players call such a text, `FEN`.
    """

    @property
    def position_format(self) -> str: ...  # noqa: D102

    def from_text(self, text: str) -> StateT:
        """The position that a text gives; what was before it is not known.

        Raises:
          ValueError: it is no such text, or no position that a game can reach; in one line.
        """
        ...

    def to_text(self, state: StateT) -> str:
        """The position as text, the inverse of `from_text`."""
        ...


def text_positions(game: Game[StateT]) -> TextPositions[StateT]:
    """The game, as one whose positions can be written as text.

    Raises:
      ValueError: it has no such texts; in one line.
    """
    if isinstance(game, TextPositions):
        return game
    raise ValueError(
        f"positions of {type(game).__name__} have no text; its games begin with moves instead"
    )
