"""The types that rooms share: agents, policies, judges, and the arrays that pass between them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np

from games import Game

if TYPE_CHECKING:
    from arena.play.device_loop import Match, Played

__all__ = [
    "Agent",
    "Array",
    "Cache",
    "CachedPolicy",
    "Decision",
    "DescribedGames",
    "DescribedPosition",
    "Forfeit",
    "GamesView",
    "HostAgent",
    "HostGame",
    "HostGames",
    "Judge",
    "Key",
    "ParametricJudge",
    "Params",
    "Policy",
    "Position",
    "Positions",
    "PyTree",
    "State",
    "TrainingMoment",
    "as_host_game",
    "stack",
]

PyTree: TypeAlias = Any
"""Arrays in a structure of their own: whatever `jax.tree` takes."""
State: TypeAlias = PyTree
"""Positions, a NamedTuple of arrays that each game defines, with leading axes for batches."""
Params: TypeAlias = PyTree
"""Weights of a network, each policy's in a structure of its own; () where there are none."""
Cache: TypeAlias = PyTree
"""What a `CachedPolicy` keeps between calls, a pytree of arrays."""
Array: TypeAlias = np.ndarray | jax.Array
"""An array on the host or on the device."""
Key: TypeAlias = jax.Array
"""A PRNG key, or an array of them, as `jax.random.key` makes them."""

Tree = TypeVar("Tree")
"""A pytree that comes back in the structure in which it was given."""


class Decision(NamedTuple):
    """What a policy returns for a batch of positions.

    Attributes:
      move: i32[B], a legal move each.
      aux: pytree [B, ...] that a recorded match keeps beside the position (a learner's targets),
        or () if there is nothing to keep.
    """

    move: jax.Array
    aux: PyTree = ()


Policy = Callable[[Params, Key, State], Decision]
"""`policy(params, keys, states) -> Decision`: how an agent moves, as a pure function.

params: pytree [G, ...], the weights of G agents stacked; keys: PRNG keys [G]; states: positions
[B, ...] with B = G·S, the first S of them the first agent's. A `Policy` is hashable, and equal
ones share a compiled program; so a new snapshot never means a new compilation.
"""


class CachedPolicy(ABC):
    """A `Policy` that can keep what it has computed in a cache, from one call to the next.

    It moves the same with a cache as without, but for rounding.
    """

    @abstractmethod
    def init_cache(self, params: Params) -> Cache:
        """The empty cache of agents with weights [G, ...]; it belongs to these weights."""

    @abstractmethod
    def with_cache(
        self, cache: Cache, params: Params, keys: Key, states: State
    ) -> tuple[Decision, Cache]:
        """As `__call__`, with the cache of these weights; the decision, and the cache after it."""

    @abstractmethod
    def __call__(self, params: Params, keys: Key, states: State) -> Decision:
        """As a `Policy`: weights [G, ...], keys [G], positions [B, ...]; without a cache."""


@dataclass(frozen=True)
class Agent:
    """A player that lives on the device.

    Attributes:
      name: as a user types it.
      policy: how it moves.
      params: its weights, without a leading axis; () if it has none.
    """

    name: str
    policy: Policy
    params: Params = ()


class Forfeit(Exception):
    """A player outside the device cannot go on, or broke the rules; the message is one line."""


class Position(NamedTuple):
    """A position for a player outside the device.

    Attributes:
      state: a pytree of numpy arrays, of one position.
      moves: all that led there from the game's start, outcomes of chance included; engines need it
        for repetitions.
      start: the position in which the game began, a pytree of numpy arrays; None if that is the
        game's initial one.
    """

    state: State
    moves: tuple[int, ...]
    start: State | None = None

    def moves_from_init(self, player: str) -> tuple[int, ...]:
        """All moves from the initial position, for a player that cannot set up another one.

        Raises:
          Forfeit: the game began in another position.
        """
        if self.start is not None:
            raise Forfeit(f"{player} cannot set up a position; it plays games from their start")
        return self.moves


class Positions(NamedTuple):
    """N positions, each with the moves that led there.

    Attributes:
      states: a pytree of numpy arrays [N, ...].
      moves: of each, all from the game's start, outcomes of chance included.
      starts: in which position each game began, as `Position.start`; None if all began in the
        game's initial one.
    """

    states: State
    moves: list[list[int]]
    starts: list[State] | None = None

    def tile(self, times: int) -> "Positions":
        """`times` copies one behind the other: position n once more at N + n, and so on."""
        states = jax.tree.map(lambda x: np.concatenate([x] * times), self.states)
        moves = [list(moves) for _ in range(times) for moves in self.moves]
        return Positions(states, moves, self.starts and self.starts * times)


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
        """Moves in several games at once: `choose` one by one, unless a subclass does better."""
        return [self.choose(game, position) for position in positions]

    def close(self) -> None:  # noqa: B027
        """Ends the processes that the player has started; no other call follows."""


class GamesView(Protocol):
    """What the rules say of N games.

    Attributes:
      mover: i32[N], seat 0, seat 1, CHANCE or OVER.
      legal: bool[N, A], unspecified unless a seat is to move.
    """

    @property
    def mover(self) -> np.ndarray: ...  # noqa: D102
    @property
    def legal(self) -> np.ndarray: ...  # noqa: D102


class HostGames(Protocol):
    """N games in progress outside a compiled loop.

    Attributes:
      view: what the rules say of them.
    """

    @property
    def view(self) -> GamesView: ...  # noqa: D102

    def step(self, rows: Sequence[int], moves: Sequence[int]) -> None:
        """Makes a move in each of the games numbered `rows`."""
        ...

    def position(self, n: int) -> Position:
        """One game as it stands."""
        ...


class DescribedPosition(Protocol):
    """How a program outside the device shows a position to people.

    Attributes:
      text: "" if it has none.
      picture: a PNG, empty if it has none.
      labels: names of the legal moves, by number; empty if it has none.
    """

    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def picture(self) -> bytes: ...  # noqa: D102
    @property
    def labels(self) -> Mapping[int, str]: ...  # noqa: D102


class DescribedGames(HostGames, Protocol):
    """Games in progress that can be shown to people."""

    def describe(self, n: int) -> DescribedPosition:
        """One game as it stands."""
        ...


class HostGame(Game):
    """A game whose rules are a program outside the device, such as an imported env.

    Its positions are what the seat to move sees. A search can step copies of them, if the game is
    `searchable`; games themselves begin and go on in the program alone.
    """

    on_device = False

    def init(self) -> State:
        """Raises ValueError: games begin in the program; see `openings` and `deal`."""
        raise ValueError(f"{type(self).__name__} begins outside the device")

    @abstractmethod
    def template(self) -> State:
        """Shapes and types of a position, a pytree of `jax.ShapeDtypeStruct`."""

    @abstractmethod
    def playout(self, key: Key, state: State) -> State:
        """The final position of a game that goes on from here with random moves."""

    @abstractmethod
    def openings(self, key: Key, shape: tuple[int, ...], plies: int) -> PyTree:
        """As `arena.play.openings.random_openings`, but a way to begin in place of a position."""

    @abstractmethod
    def play(
        self, match: "Match", params_a: Params, params_b: Params, *, keys: Key, openings: PyTree
    ) -> "Played":
        """As `arena.play.device_loop.Match.play`, of which `match` is one."""

    @abstractmethod
    def deal(self, key: Key, count: int, plies: int, times: int = 1) -> DescribedGames:
        """Games after up to `plies` random moves, for players outside the device.

        Returns:
          `count` games, and these `times` over: game n begins once more at count + n, and so on.
        """

    @property
    @abstractmethod
    def seats(self) -> tuple[str, str]:
        """What the program calls both seats."""

    @abstractmethod
    def draw_described(self, games: DescribedGames, n: int) -> str:
        """One game as it stands, as an SVG picture."""

    @property
    @abstractmethod
    def voided(self) -> int:
        """Games that the program failed to finish, since this process began."""


def as_host_game(game: Game) -> HostGame | None:
    """The game, if its rules are outside the device; None if they are compiled."""
    return None if game.on_device else cast(HostGame, game)


class Judge(ABC):
    """Who says who won. Hashable; equal judges share a compiled program.

    A judge that takes an argument after its name (`flipped:0.1`) also has `from_text`, see
    `arena.judges.names`.

    Attributes:
      exact: a verdict is what the rules say, so that a search may prove values by it.
      any_position: it also judges positions in which the game goes on: who stands better.
      by_game: what it says of a position depends on the game in which it came about.
    """

    exact: bool = False
    any_position: bool = False
    by_game: bool = False

    @property
    def cut_after(self) -> int | None:
        """Moves after the opening after which a game is over, judged as it stands; None: never."""
        return None

    @property
    def evaluations(self) -> int:
        """Positions that networks evaluate for one verdict."""
        return 0

    @abstractmethod
    def verdict(self, finals: State) -> jax.Array:
        """Seat 0's payoff in final positions [B, ...], f32[B] in [-1, 1]: 1 for a full win."""

    def verdicts_where(self, wanted: jax.Array, states: State) -> jax.Array:
        """Verdicts f32[B] in those of the positions [B, ...] that are wanted, bool[B].

        Others are of no account, and the game may go on in them. A judge that is dear, or that
        other positions would confuse, leaves them out.
        """
        return self.verdict(states)

    def verdicts_in_games(self, wanted: jax.Array, states: State, games: jax.Array) -> jax.Array:
        """As `verdicts_where`, of positions in games u32[B], numbers that tell them apart.

        Called where these are known; they are of account to a judge that goes `by_game` alone.
        """
        return self.verdicts_where(wanted, states)

    @property
    def weighted(self) -> "ParametricJudge | None":
        """The judge, it or one that it asks, whose weights have to be bound; None if none has."""
        return None

    def seconds_spent(self) -> float | None:
        """Seconds that its code outside the device has taken so far; None if it has none."""
        return None

    def positions_judged(self) -> int:
        """Positions that its code outside the device has been given so far, in this process."""
        return 0

    def human_verdicts(self) -> int:
        """Verdicts of people that it rests on."""
        return 0

    @staticmethod
    def with_files(argument: str, change: Callable[[str], str], other: Callable[[str], str]) -> str:
        """What follows its name, with other paths, so that a run finds them from whatever folder.

        Args:
          argument: as a user types it.
          change: another path for a path.
          other: the same for the name of another judge.
        """
        return argument

    def identity(self) -> str:
        """What it is made of, so that a run does not go on with another; "" if its name says it."""
        return ""

    def check(self) -> None:  # noqa: B027 - compiled code cannot raise
        """Raises UserError, in one line, if a verdict since the last call was none."""


@dataclass(frozen=True)
class TrainingMoment:
    """Where a run stands when its judge is to have its weights.

    Attributes:
      generation: whose games are to be judged, from 1.
      current: the weights of the policy in training.
      snapshot: those of the policy after a generation, 0 being the first policy.
      keep: gives what its argument, a function, made for this generation the first time; it is kept
        with the run, so that a generation that is done over is judged as it was.
    """

    generation: int
    current: Params
    snapshot: Callable[[int], Params]
    keep: Callable[[Callable[[], Params]], Params]


class ParametricJudge(Judge):
    """A judge whose weights change while a run goes on.

    Its weights are an argument of the programs that it is compiled into, so that new ones compile
    nothing. Whoever calls such a program binds them while it is traced: `Match.play` does, by
    `arena.judge_weights`.
    """

    @property
    def weighted(self) -> "ParametricJudge":
        """Itself."""
        return self

    @abstractmethod
    def weights_for(self, moment: TrainingMoment) -> Params:
        """The weights by which a generation is judged, without a leading axis."""

    @abstractmethod
    def verdict_by(self, params: Params, finals: State) -> jax.Array:
        """As `verdict`, by weights without a leading axis."""

    def verdict(self, finals: State) -> jax.Array:
        """As `Judge.verdict`, by the weights that are bound."""
        from arena import judge_weights  # which knows this type

        return self.verdict_by(judge_weights.current(self), finals)


def stack(trees: Sequence[Tree]) -> Tree:
    """Pytrees of one structure, such as weights of G agents, as one with a leading axis G."""
    return jax.tree.map(lambda *x: jnp.stack(x), *trees)
