"""A native game and the env that it ports, played side by side."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena import extensions
from arena.pettingzoo.adapter import Seat, creator, form, parse
from arena.pettingzoo.fault import Fault
from games import CHANCE, OVER, Game

_LONGEST = 100_000  # moves; an env that outlasts the native game is found out long before
_COURSES = 4096  # of chance, that are followed at once

Moves = Callable[[Any, Any, int], int]
"""`moves(game, state, move)` is what the env calls a native move."""
Observations = Callable[[np.ndarray, np.ndarray], tuple[Any, Any]]
"""`observations(native, env)`: two arrays made of the mover's observations that must be equal.

The env's comes without the mask, and flattened if it is nested.
"""


@dataclass(frozen=True)
class Difference:
    """Where a native game and an env part.

    Attributes:
      what: mover, end, legal moves, observation or payoff.
      native: what the native game says.
      env: what the env says.
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
class Verdict:
    """What a number of games have shown.

    Attributes:
      games: played.
      plies: in all of them.
      differing: games in which there was a difference; each ends with it.
      difference: that after the fewest moves.
      unseen: why observations were not compared, if they were not.
      masked: the env tells legal moves; if it does not, they were not compared.
    """

    games: int = 0
    plies: int = 0
    differing: int = 0
    difference: Difference | None = None
    unseen: str = ""
    masked: bool = False

    def add(self, plies: int, found: Difference | None) -> None:
        """One more game."""
        self.games += 1
        self.plies += plies
        if found is None:
            return
        self.differing += 1
        if self.difference is None or found.ply < self.difference.ply:
            self.difference = found


def _same_number(game: Game, state: Any, move: int) -> int:
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
    """

    game: Game
    env: str
    moves: Moves = _same_number
    observations: Observations | None = None
    _seat: Seat = field(init=False)

    def __post_init__(self) -> None:
        try:
            env = creator(parse(self.env))()
            seat = Seat(env, form(env), _LONGEST)
        except Fault:
            raise
        except Exception as error:
            raise Fault(f"{self.env} cannot be made: {extensions.reason(error)}") from None
        object.__setattr__(self, "_seat", seat)

    def verify(self, games: int, seed: int, tell: Callable[[], None] = lambda: None) -> Verdict:
        """Plays random games on both sides, and compares them at every ply.

        What is compared: who moves, the legal moves, what the mover observes, whether the game is
        over, and at its end what each seat has got. Whoever begins in the env takes the seat that
        begins in the native game. What an env leaves to chance it does not tell; so the native game
        follows every course of chance that agrees with all that the env has shown.

        Args:
          games: how many.
          seed: of the moves and of the env.
          tell: hears of every game.

        Raises:
          ValueError: the env breaks PettingZoo's contract, or a mapping fails; in one line.
        """
        verdict = Verdict(unseen=self._unseen())
        for number in range(games):
            course = _Course(self, np.random.default_rng((seed, number)), not verdict.unseen)
            try:
                found = course.play()
            except Fault as fault:
                raise Fault(f"{self.env}: {fault} {course.said()}") from None
            verdict.add(len(course.actions), found and replace(found, game=number))
            tell()
        verdict.masked = self._seat.masked
        return verdict

    def _unseen(self) -> str:
        """Why observations cannot be compared, if they cannot."""
        ours = jax.eval_shape(lambda: self.game.observe(self.game.init(), jnp.int32(0))).shape
        theirs = self._seat.form.shape
        if self.observations is not None or ours == theirs:
            return ""
        return f"the native game's are {list(ours)}, the env's {list(theirs)}"


class _Sight(NamedTuple):
    """A position, and what the rules say of it.

    Attributes:
      state: the position.
      mover: seat 0, seat 1 or OVER.
      moves: the mover's legal moves, by what the env calls them.
      payoff: seat 0's.
      seen: what the mover observes.
    """

    state: Any
    mover: int
    moves: dict[int, int]
    payoff: float
    seen: np.ndarray


@cache
def _compiled(game: Game):
    """Jitted: step, and all that the rules say of a position."""

    def look(state: Any) -> tuple[jax.Array, ...]:
        mover = game.mover(state)
        chance = game.chance(state) if game.num_outcomes else jnp.zeros(0)
        seen = game.observe(state, jnp.maximum(mover, 0))
        return mover, game.legal(state), game.payoff(state), seen, chance

    return jax.jit(game.step), jax.jit(look)


class _Course:
    """One game on both sides."""

    def __init__(self, port: Port, rng: np.random.Generator, observed: bool):
        self._port, self._game, self._seat = port, port.game, port._seat
        self._step, self._look = _compiled(port.game)
        self._rng, self._observed, self._swap = rng, observed, False
        self._trace: list[tuple[Any, int]] = []  # positions, and the moves made in them
        self.actions: list[int] = []

    def play(self) -> Difference | None:
        """Plays to the end, or to the first difference."""
        self._seat.start(int(self._rng.integers(2**31)))
        sights = self._settled(self._game.init())
        movers = {sight.mover for sight in sights}
        # Whoever begins takes the same seat; where dice say who, agents are seats in their order.
        self._swap = len(movers) == 1 and movers != {self._seat.mover}
        while True:
            found = [(sight, self._compare(sight)) for sight in sights]
            sights = [sight for sight, different in found if different is None]
            if not sights:
                different = (different for _, different in found if different is not None)
                told = max(different, key=lambda one: _ORDER.index(one.what))
                return replace(told, moves=self._labels(), actions=tuple(self.actions))
            if sights[0].mover == OVER:
                return None
            sights = self._move(sights)

    def said(self) -> str:
        """The moves so far, for a message."""
        return f"after the moves {' '.join(self._labels())}" if self._trace else "at the start"

    def _labels(self) -> tuple[str, ...]:
        return tuple(self._game.label(state, move) for state, move in self._trace)

    def _move(self, sights: list[_Sight]) -> list[_Sight]:
        """A random move on both sides, and whatever chance may bring then."""
        moves = sights[0].moves
        action = list(moves)[self._rng.integers(len(moves))]
        self._trace.append((sights[0].state, moves[action]))
        self.actions.append(action)
        self._seat.move(action)
        after = [
            settled
            for sight in sights
            if action in sight.moves  # an env that tells no legal moves leaves that open
            for settled in self._settled(self._step(sight.state, np.int32(sight.moves[action])))
        ]
        if len(after) > _COURSES:
            raise ValueError(
                f"more than {_COURSES} courses of chance agree with the env: observations that "
                "can be compared would tell them apart"
            )
        return after

    def _settled(self, state: Any) -> list[_Sight]:
        """All that chance can make of a position."""
        mover, legal, payoff, seen, chance = (np.asarray(x) for x in self._look(state))
        if mover == CHANCE:
            outcomes = np.flatnonzero(chance > 0)
            return [s for o in outcomes for s in self._settled(self._step(state, np.int32(o)))]
        moves = self._named(state, np.flatnonzero(legal).tolist()) if mover != OVER else {}
        return [_Sight(state, int(mover), moves, float(payoff), seen)]

    def _named(self, state: Any, legal: list[int]) -> dict[int, int]:
        """Legal moves by what the env calls them."""
        names: dict[int, int] = {}
        for move in legal:
            try:
                action = int(self._port.moves(self._game, state, move))
            except Exception as error:
                label = self._game.label(state, move)
                raise ValueError(
                    f"mapping the move {label} raises {extensions.reason(error)}"
                ) from None
            if action in names:
                both = " and ".join(self._game.label(state, m) for m in (names[action], move))
                raise ValueError(f"the mapping makes one action, {action}, of {both}")
            names[action] = move
        return names

    def _compare(self, sight: _Sight) -> Difference | None:
        """The first thing in which a position differs from the env's."""
        seat = self._seat
        mover = 1 - seat.mover if self._swap and seat.mover != OVER else seat.mover
        if (sight.mover == OVER) != (mover == OVER):
            one, two = ("over" if who == OVER else "not over" for who in (sight.mover, mover))
            return Difference("end", one, two)
        if mover != sight.mover:
            return Difference("mover", f"seat {sight.mover}", f"seat {mover}")
        if mover == OVER:
            got = -seat.payoff if self._swap else seat.payoff
            same = abs(got - sight.payoff) <= 1e-6 * max(1.0, abs(got))
            if same:
                return None
            return Difference("payoff", f"{sight.payoff:g} for seat 0", f"{got:g} for seat 0")
        seen, legal = seat.look()
        return self._compare_moves(sight, legal) or self._compare_seen(sight, seen)

    def _compare_moves(self, sight: _Sight, legal: np.ndarray) -> Difference | None:
        theirs = set(np.flatnonzero(legal).tolist())
        missed = [m for action, m in sight.moves.items() if action not in theirs]
        extra = sorted(theirs - sight.moves.keys()) if self._seat.masked else []
        if not missed and not extra:
            return None
        return Difference(
            "legal moves",
            _listed([self._game.label(sight.state, move) for move in missed]),
            _listed([f"action {action}" for action in extra]),
        )

    def _compare_seen(self, sight: _Sight, seen: np.ndarray) -> Difference | None:
        if not self._observed:
            return None
        try:
            pair = (self._port.observations or _as_they_are)(sight.seen, seen)
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
