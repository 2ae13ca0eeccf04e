"""The game contract: what every file in this folder promises.

A game is a bundle of pure functions of ONE position. Batch them with `jax.vmap`, compile them
with `jax.jit`. The state holds only what the rules need; whatever follows from it (observation,
legal moves, payoff) is computed when asked for.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import jax

CHANCE = -1
"""`mover` of a position in which chance moves."""
OVER = -2
"""`mover` of a position in which the game has ended."""

State = Any
"""A NamedTuple of small arrays (a pytree); each game defines its own."""


@dataclass(frozen=True)
class Fact:
    """A number published elsewhere that the rules must reproduce.

    Attributes:
      value: the number or numbers.
      source: the page or paper that gives them.
    """

    value: Any
    source: str


@dataclass(frozen=True)
class Facts:
    """What is known of a game from outside; the tests hold the rules against every fact given.

    Attributes:
      perft: int per depth 0, 1, …: sequences of that many legal moves from the start.
      positions: int per ply 0, 1, …: distinct positions reachable in exactly that many plies.
      orbits: int per ply 0, 1, …: the same, positions that are symmetric to each other as one.
      games: int: all different games from the start to an end.
      value: float: payoff of seat 0 under perfect play.
      uniform_exploitability: float: what a best response gains against uniformly random play, the
        mean of both seats (NashConv / 2).
      information_sets: int: the situations, both seats' together, that a seat to move can tell from
        each other.
    """

    perft: Fact | None = None
    positions: Fact | None = None
    orbits: Fact | None = None
    games: Fact | None = None
    value: Fact | None = None
    uniform_exploitability: Fact | None = None
    information_sets: Fact | None = None


class Game(ABC):
    """The rules of one two-player zero-sum game.

    A subclass is a frozen dataclass; its fields are the options a user may give in the name
    (`hex:size=9`), and its `__post_init__` raises ValueError, with one clear line, for a value it
    cannot play with. Two equal games share their compiled programs.

    Attributes, of the class or set by `__post_init__` where they depend on an option:
      num_actions: A, the number of moves there are, legal or not.
      num_outcomes: C, the number of chance outcomes; 0 where nothing is left to chance.
      max_plies: no game is longer than this, chance moves included.
      max_payoff: no payoff is larger than this.
      perfect_information: both seats see everything.
      facts: published numbers that prove the rules.
      version: changes with rules, moves or observation; a snapshot of another version is refused.
      on_device: the functions below can be compiled. Otherwise the rules are a program outside, and
        `init` raises ValueError: `arena.types.HostGame` says how such games are begun.
    """

    num_actions: int
    num_outcomes: int = 0
    max_plies: int
    max_payoff: float = 1.0
    perfect_information: bool = True
    facts: Facts
    version: int = 1
    on_device: bool = True

    @property
    def searchable(self) -> bool:
        """Whether a tree search can step its positions, and sees all that there is to see."""
        return self.perfect_information

    @property
    def typical_plies(self) -> int:
        """How long a game usually is; work is sized by it. `max_plies` if nothing else is known."""
        return self.max_plies

    @abstractmethod
    def init(self) -> State:
        """The position at the start."""

    def template(self) -> State:
        """Shapes and types of a position, a pytree of `jax.ShapeDtypeStruct`."""
        return jax.eval_shape(self.init)

    @abstractmethod
    def mover(self, state: State) -> jax.Array:
        """Who moves, i32[]: seat 0, seat 1, CHANCE or OVER."""

    @abstractmethod
    def legal(self, state: State) -> jax.Array:
        """Which moves the mover has, bool[A]; unspecified unless a seat is to move."""

    @abstractmethod
    def step(self, state: State, move: jax.Array) -> State:
        """The position after a legal move (or chance outcome) i32[]; unspecified for others."""

    @abstractmethod
    def payoff(self, state: State) -> jax.Array:
        """What seat 0 gets, f32[], and seat 1 the negative; 0 until the game is over."""

    @abstractmethod
    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """What seat i32[] may know, f32[...], drawn from its own side: own pieces come first.

        In a game of hidden information this, with the seat's own moves so far, is its information
        set: it tells all that the seat has been told, and nothing else.
        """

    @abstractmethod
    def show(self, state: State) -> str:
        """The position as text for a terminal."""

    @abstractmethod
    def draw(self, state: State) -> str:
        """The position as an SVG picture."""

    @abstractmethod
    def label(self, state: State, move: int) -> str:
        """A move as players write it."""

    @abstractmethod
    def parse(self, state: State, text: str) -> int:
        """A move from what a player typed; raises ValueError with one clear line if it is none."""

    def view(self, state: State, seat: int) -> str:
        """What one seat sees of the position, as text: in a game of hidden information, less."""
        if not self.perfect_information:
            raise NotImplementedError(f"{type(self).__name__} does not say what a seat sees")
        return self.show(state)

    def chance(self, state: State) -> jax.Array:
        """Probabilities of the outcomes at a chance node, f32[C]; unspecified elsewhere."""
        raise ValueError(f"{type(self).__name__} has no chance moves")

    def symmetries(self, observation: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """All board symmetries of an observation and a policy over moves.

        Args:
          observation: f32[...] as `observe` gives it.
          policy: f32[A].

        Returns:
          f32[S, ...] and f32[S, A], the identity first.
        """
        return observation[None], policy[None]

    def ownership(self, state: State, seat: jax.Array) -> jax.Array:
        """Who owns each cell in the end, as seat i32[] sees it: more to learn from than a payoff.

        Optional. D. Wu, "Accelerating self-play learning in Go" (arXiv:1902.10565), section 4.1.

        Args:
          state: a position in which the game is over; unspecified for others.
          seat: from whose side.

        Returns:
          f32[H, W], on the cells of the observation's planes: 1 for its own, -1 for the other's, 0
          for nobody's. `symmetries` turns it like one more of these planes.

        Raises:
          ValueError: in this game nobody owns cells.
        """
        raise ValueError(f"{type(self).__name__} does not say who owns its cells")
