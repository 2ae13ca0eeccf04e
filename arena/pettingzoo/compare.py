"""A native game and the env that it ports, played side by side."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from arena import extensions, interrupt
from arena.pettingzoo.adapter import EnvAdapter, read_spaces
from arena.pettingzoo.env_names import creator, parse
from arena.pettingzoo.errors import EnvError
from arena.types import State
from games import CHANCE, OVER, Game

_LONGEST = 100_000  # moves; an env that outlasts the native game is found out long before
_BRANCHES = 4096  # positions that chance may have led to, followed at once

Moves = Callable[[Any, State, int], int]
"""`moves(game, state, move)` is the env's number of a native move; the game is of its own class."""
Observations = Callable[[np.ndarray, np.ndarray], tuple[ArrayLike, ArrayLike]]
"""`observations(native, env)`: two arrays made of the mover's observations that must be equal.

The env's comes without the mask, and flattened if it is nested.
"""


@dataclass(frozen=True)
class Difference:
    """Where a native game and an env part.

    Attributes:
      what: mover, end, legal moves, observation or payoff.
      native: what the native game gives.
      env: what the env gives.
      game: the number of the game, from 0.
      moves: labels of the moves that lead there.
      actions: the env's numbers of the same moves.
    """

    what: str
    native: str
    env: str
    game: int = 0
    moves: tuple[str, ...] = ()
    actions: tuple[int, ...] = ()

    @property
    def ply(self) -> int:
        """How many moves lead there."""
        return len(self.actions)


@dataclass
class Comparison:
    """What a number of games have shown.

    Attributes:
      games: played.
      plies: in all of them.
      differing: games in which there was a difference; each ends with it.
      difference: that after the fewest moves.
      observations_skipped: why observations were not compared; empty if they were.
      masked: the env gives an action_mask; if not, legal moves were not compared.
    """

    games: int = 0
    plies: int = 0
    differing: int = 0
    difference: Difference | None = None
    observations_skipped: str = ""
    masked: bool = False

    def add(self, plies: int, found: Difference | None) -> None:
        """Adds a game."""
        self.games += 1
        self.plies += plies
        if found is None:
            return
        self.differing += 1
        if self.difference is None or found.ply < self.difference.ply:
            self.difference = found


def _same_number(game: Game, state: State, move: int) -> int:
    return move


def _as_they_are(native: np.ndarray, env: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return native, env


@dataclass(frozen=True)
class Port:
    """A native game and the env that it ports.

    Attributes:
      game: the native one.
      env: as a user types it, `pettingzoo:…`.
      moves: see `Moves`; by default both number their moves alike.
      observations: see `Observations`; by default they are compared as they are, if their shapes
        agree.

    Raises:
      EnvError: the env cannot be made.
    """

    game: Game
    env: str
    moves: Moves | None = None
    observations: Observations | None = None
    _adapter: EnvAdapter = field(init=False)

    def __post_init__(self) -> None:
        try:
            env = creator(parse(self.env))()
            adapter = EnvAdapter(env, read_spaces(env), _LONGEST)
        except EnvError:
            raise
        except Exception as error:
            raise EnvError(f"{self.env} cannot be made: {extensions.reason(error)}") from None
        object.__setattr__(self, "_adapter", adapter)

    @property
    def first_seat(self) -> int:
        """The env's seat that began the last game."""
        return self._adapter.first

    def verify(
        self, games: int, seed: int, *, progress: Callable[[], None] = lambda: None
    ) -> Comparison:
        """Plays random games on both sides, and compares them at every ply.

        What is compared: who moves, the legal moves, what the mover observes, whether the game is
        over, and at its end what each seat has got. Whoever begins in the env takes the seat that
        begins in the native game. An env does not show what it leaves to chance; so the native game
        follows every outcome of chance that agrees with all that the env has shown.

        Args:
          games: how many.
          seed: of the moves and of the env.
          progress: called after every game.

        Raises:
          ValueError: the env breaks PettingZoo's contract, or a mapping fails; in one line.
        """
        comparison = Comparison(observations_skipped=self._unlike_shapes())
        observed = not comparison.observations_skipped
        for number in range(games):
            interrupt.check()
            game = _Game(self, np.random.default_rng((seed, number)), observed)
            try:
                found = game.play()
            except EnvError as error:
                raise EnvError(f"{self.env}: {error} {game.where()}") from None
            comparison.add(len(game.actions), found and replace(found, game=number))
            progress()
        comparison.masked = self._adapter.masked
        return comparison

    def _unlike_shapes(self) -> str:
        """Why observations cannot be compared; empty if they can be."""
        ours = jax.eval_shape(lambda: self.game.observe(self.game.init(), jnp.int32(0))).shape
        theirs = self._adapter.spaces.shape
        if self.observations is not None or ours == theirs:
            return ""
        return f"the native game's are {list(ours)}, the env's {list(theirs)}"


class _Look(NamedTuple):
    """What the rules say of a position; arrays of JAX or numpy."""

    mover: jax.Array | np.ndarray  # i32[]
    legal: jax.Array | np.ndarray  # bool[A]
    payoff: jax.Array | np.ndarray  # f32[]
    observation: jax.Array | np.ndarray  # f32[...], the mover's
    chance: jax.Array | np.ndarray  # f32[C]


class _Branch(NamedTuple):
    """A position in which chance is not to move, that the native game may be in.

    Attributes:
      state: the position.
      mover: seat 0, seat 1 or OVER.
      moves: the mover's legal moves, by the env's numbers of them.
      payoff: seat 0's.
      observation: the mover's.
    """

    state: State
    mover: int
    moves: dict[int, int]
    payoff: float
    observation: np.ndarray


@cache
def _compiled(game: Game) -> tuple[Callable[..., State], Callable[[State], _Look]]:
    """Jitted: step, and all that the rules say of a position."""

    def look(state: State) -> _Look:
        mover = game.mover(state)
        chance = game.chance(state) if game.num_outcomes else jnp.zeros(0)
        seen = game.observe(state, jnp.maximum(mover, 0))
        return _Look(mover, game.legal(state), game.payoff(state), seen, chance)

    return jax.jit(game.step), jax.jit(look)


class _Game:
    """One game on both sides.

    Attributes:
      actions: the env's numbers of the moves so far.
    """

    def __init__(self, port: Port, rng: np.random.Generator, observed: bool):
        self._port, self._game, self._adapter = port, port.game, port._adapter
        self._step, self._look = _compiled(port.game)
        self._rng, self._observed, self._swap = rng, observed, False
        self._trace: list[tuple[State, int]] = []  # positions, and the moves made in them
        self.actions: list[int] = []

    def play(self) -> Difference | None:
        """Plays to the end, or to the first difference."""
        self._adapter.start(int(self._rng.integers(2**31)))
        branches = self._resolved(self._game.init())
        movers = {branch.mover for branch in branches}
        # Whoever begins takes the same seat; where dice say who, agents are seats in their order.
        self._swap = len(movers) == 1 and movers != {self._adapter.mover}
        while True:
            found = [(branch, self._compare(branch)) for branch in branches]
            branches = [branch for branch, different in found if different is None]
            if not branches:
                return self._closest(different for _, different in found if different is not None)
            if branches[0].mover == OVER:
                return None
            branches = self._move(branches)

    def where(self) -> str:
        """The moves so far, for a message."""
        return f"after the moves {' '.join(self._labels())}" if self._trace else "at the start"

    def _labels(self) -> tuple[str, ...]:
        return tuple(self._game.label(state, move) for state, move in self._trace)

    def _closest(self, differences: Iterable[Difference]) -> Difference:
        """The difference of the branch that agrees with the env in the most respects."""
        found = max(differences, key=lambda one: _ORDER.index(one.what))
        return replace(found, moves=self._labels(), actions=tuple(self.actions))

    def _move(self, branches: list[_Branch]) -> list[_Branch]:
        """A random move on both sides, and whatever chance may bring then."""
        moves = branches[0].moves
        action = list(moves)[self._rng.integers(len(moves))]
        self._trace.append((branches[0].state, moves[action]))
        self.actions.append(action)
        self._adapter.step(action)
        after = [
            resolved
            for branch in branches
            if action in branch.moves  # an env without a mask leaves that open
            for resolved in self._resolved(self._step(branch.state, np.int32(branch.moves[action])))
        ]
        if len(after) > _BRANCHES:
            raise ValueError(
                f"more than {_BRANCHES} courses of chance agree with the env: observations that "
                "can be compared would tell them apart"
            )
        return after

    def _resolved(self, state: State) -> list[_Branch]:
        """All positions that chance can make of one."""
        look = _Look(*(np.asarray(x) for x in self._look(state)))
        if look.mover == CHANCE:
            outcomes = np.flatnonzero(look.chance > 0)
            return [b for o in outcomes for b in self._resolved(self._step(state, np.int32(o)))]
        legal = np.flatnonzero(look.legal).tolist() if look.mover != OVER else []
        moves = self._numbered(state, legal)
        seen = np.asarray(look.observation)
        return [_Branch(state, int(look.mover), moves, float(look.payoff), seen)]

    def _numbered(self, state: State, legal: list[int]) -> dict[int, int]:
        """Legal moves by the env's numbers of them."""
        numbers: dict[int, int] = {}
        for move in legal:
            try:
                action = int((self._port.moves or _same_number)(self._game, state, move))
            except Exception as error:
                label = self._game.label(state, move)
                raise ValueError(
                    f"mapping the move {label} raises {extensions.reason(error)}"
                ) from None
            if action in numbers:
                both = " and ".join(self._game.label(state, m) for m in (numbers[action], move))
                raise ValueError(f"the mapping makes one action, {action}, of {both}")
            numbers[action] = move
        return numbers

    def _compare(self, branch: _Branch) -> Difference | None:
        """The first thing in which a position differs from the env's."""
        env = self._adapter
        mover = 1 - env.mover if self._swap and env.mover != OVER else env.mover
        if (branch.mover == OVER) != (mover == OVER):
            one, two = ("over" if who == OVER else "not over" for who in (branch.mover, mover))
            return Difference("end", one, two)
        if mover != branch.mover:
            return Difference("mover", f"seat {branch.mover}", f"seat {mover}")
        if mover == OVER:
            got = -env.payoff if self._swap else env.payoff
            same = abs(got - branch.payoff) <= 1e-6 * max(1.0, abs(got))
            if same:
                return None
            return Difference("payoff", f"{branch.payoff:g} for seat 0", f"{got:g} for seat 0")
        seen, legal = env.observe_mover()
        return self._compare_moves(branch, legal) or self._compare_observations(branch, seen)

    def _compare_moves(self, branch: _Branch, legal: np.ndarray) -> Difference | None:
        theirs = set(np.flatnonzero(legal).tolist())
        missed = [m for action, m in branch.moves.items() if action not in theirs]
        extra = sorted(theirs - branch.moves.keys()) if self._adapter.masked else []
        if not missed and not extra:
            return None
        return Difference(
            "legal moves",
            _listed([self._game.label(branch.state, move) for move in missed]),
            _listed([f"action {action}" for action in extra]),
        )

    def _compare_observations(self, branch: _Branch, seen: np.ndarray) -> Difference | None:
        if not self._observed:
            return None
        try:
            pair = (self._port.observations or _as_they_are)(branch.observation, seen)
            ours, theirs = (np.asarray(part, np.float64) for part in pair)
        except Exception as error:
            raise ValueError(f"mapping observations raises {extensions.reason(error)}") from None
        if ours.shape != theirs.shape:
            return Difference("observation", f"shape {ours.shape}", f"shape {theirs.shape}")
        unlike = np.argwhere(~np.isclose(ours, theirs, rtol=0, atol=1e-6))
        if not len(unlike):
            return None
        at = tuple(unlike[0].tolist())
        count = f" ({len(unlike)} of {ours.size} numbers differ)"
        return Difference(
            "observation", f"{ours[at]:g} at {list(at)}{count}", f"{theirs[at]:g} there"
        )


_ORDER = ("end", "mover", "legal moves", "observation", "payoff")  # as they are compared


def _listed(moves: list[str]) -> str:
    """Moves that one side alone has; a few of them."""
    if not moves:
        return "no other"
    more = f" and {len(moves) - 8} more" if len(moves) > 8 else ""
    return f"{', '.join(moves[:8])}{more}, only here"
