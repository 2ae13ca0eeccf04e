"""Whether an env keeps the contract, and what there is to know of it before the first game.

PettingZoo's own `api_test` looks at neither zero sums nor whose observation is whose, so random
games are played and watched. Worker processes run this; it must not load JAX.
"""

import contextlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pettingzoo
from gymnasium import spaces

from arena.pettingzoo.adapter import OVER, Form, Seat, creator, form, parse, reason
from arena.pettingzoo.fault import Fault

_GAMES, _PLIES = 100, 2000  # so many random games, or, from the fourth on, so many moves
_STARTS = 64  # resets that show whether cards are dealt
_REPLAYED, _LONG = 3, 60  # games, and their moves, that are played again


@dataclass(frozen=True)
class Facts:
    """What a check has found.

    Attributes:
      agents: names of both agents, seat 0 first.
      actions: A, how many moves there are.
      shape: of what an agent sees.
      dtype: in which observations are kept.
      low: bounds of the observation; infinite where there is none.
      high: the upper one.
      masked: the env says which moves are legal.
      seat: both agents see the same, so an observation has to be told whose it is.
      hidden: something is hidden from the seats, or left to chance.
      steady: the same seed and moves bring the same game.
      copies: a deep copy behaves like the original.
      plies: moves of the longest game seen.
      limit: moves after which a game counts as endless.
      payoff: the largest payoff seen; larger ones count as this.
      notes: what else a user should know, a line each.
    """

    agents: tuple[str, str]
    actions: int
    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    masked: bool
    seat: bool
    hidden: bool
    steady: bool
    copies: bool
    plies: int
    limit: int
    payoff: float
    notes: tuple[str, ...] = field(default=(), compare=False)


_OURS = {"seat": bool, "hidden": bool, "payoff": float, "plies": int, "timeout": float}
_LIMIT = 5000

Tell = Callable[[tuple[int, ...]], None]
"""Hears of every position that a check comes to, by the moves that lead there."""


def settings(name: str) -> dict[str, Any]:
    """The `arena.` options of a name; raises Fault for one that there is not."""
    ours = parse(name).ours
    for key, value in ours.items():
        if key not in _OURS:
            raise Fault(f"there is no option arena.{key}; there are: {', '.join(_OURS)}")
        kind = _OURS[key]
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise Fault(f"arena.{key}={value!r} is no {kind.__name__}")
        if kind is not bool and value <= 0:
            raise Fault(f"arena.{key} must be positive, not {value}")
    return ours


def inspect(name: str, tell: Tell = lambda moves: None) -> Facts:
    """Plays an env and says what it is like.

    Raises:
      Fault: it breaks the contract; says how, at which ply and after which moves.
    """
    ours = settings(name)
    make = creator(parse(name))
    try:
        env = make()
    except Fault:
        raise
    except Exception as error:
        raise Fault(f"making the env raises {reason(error)}") from None
    if not isinstance(env, pettingzoo.AECEnv):
        raise Fault(f"makes a {type(env).__name__}, not an AECEnv")
    shape = _guarded(lambda: form(env))
    watch = _Watch(Seat(env, shape, int(ours.get("plies", _LIMIT))), tell)
    for seed in range(_STARTS):
        watch.begin(seed)
    while watch.games < 4 or (watch.games < _GAMES and watch.plies < _PLIES):
        watch.play()
    steady = _steady(watch, make, shape)
    notes = [*watch.notes(), *_api(make)]
    if not steady:
        notes.append("the same seed and moves bring different games: runs cannot be repeated")
    return Facts(
        agents=(str(shape.agents[0]), str(shape.agents[1])),
        actions=shape.actions,
        shape=shape.shape,
        dtype=str(watch.dtype),
        **_bounds(shape),
        masked=watch.seat.masked,
        seat=ours.get("seat", watch.same),
        hidden=ours.get("hidden", watch.hidden),
        steady=steady,
        copies=steady and _copies(watch),
        plies=watch.longest,
        limit=int(ours.get("plies", _LIMIT)),
        payoff=float(ours.get("payoff", watch.payoff or 1.0)),
        notes=tuple(notes),
    )


def _guarded(call: Callable[[], Form]) -> Form:
    try:
        return call()
    except Fault:
        raise
    except Exception as error:
        raise Fault(f"before the first move: {reason(error)}") from None


def _bounds(shape: Form) -> dict[str, float]:
    space = shape.space
    if not isinstance(space, spaces.Box):
        return {"low": 0.0, "high": 1.0}
    return {"low": float(np.min(space.low)), "high": float(np.max(space.high))}


class _Watch:
    """Random games, and what they show.

    Attributes:
      seat: the env.
      games: played.
      plies: in all of them.
      longest: plies of the longest.
      payoff: the largest.
      same: both agents have seen the same in every position.
      dtype: that holds all observations seen.
    """

    def __init__(self, seat: Seat, tell: Tell):
        self.seat, self._tell = seat, tell
        self.games = self.plies = self.longest = 0
        self.payoff, self.same, self.dtype = 0.0, True, seat.form.dtype
        self._conflict = False
        self._known: dict[Any, Any] = {}
        self._starts: dict[bytes, bytes] = {}
        self._first: set[int] = set()

    @property
    def hidden(self) -> bool:
        """Like positions went on differently, or so many starts differ that cards seem dealt."""
        return self._conflict or len(self._starts) > 8

    def notes(self) -> list[str]:
        """What a user should know."""
        notes = []
        if len(self._first) > 1:
            notes.append("the first player varies with the seed")
        if self._starts and not self.payoff:
            notes.append("nobody has won any of the random games")
        return notes

    def begin(self, seed: int) -> None:
        """Looks at the start of a game."""
        self._step(lambda: self.seat.start(seed))
        one, two = (self._here(lambda s=s: self.seat.view(s)).tobytes() for s in (0, 1))
        self._first.add(self.seat.mover)
        for mine, other in ((b"0" + one, two), (b"1" + two, one)):
            self._conflict |= self._starts.setdefault(mine, other) != other

    def play(self) -> None:
        """One random game."""
        rng = np.random.default_rng(self.games)
        self._step(lambda: self.seat.start(self.games))
        self.games += 1
        seat, before = self.seat, None
        while seat.mover != OVER:
            seen, legal = self._here(seat.look)
            self._look(seen)
            key = self._key(seen, legal)
            self._follows(before, key)
            move = int(rng.choice(np.flatnonzero(legal)))
            self._step(lambda m=move: seat.move(m))
            self.plies += 1
            before = key, move
        self._follows(before, seat.payoff)
        self.longest = max(self.longest, len(seat.moves))
        self.payoff = max(self.payoff, abs(seat.payoff))

    def _key(self, seen: np.ndarray, legal: np.ndarray) -> int:
        return hash((self.seat.mover, seen.tobytes(), legal.tobytes()))

    def _follows(self, before: Any, after: Any) -> None:
        """Notes what followed a position and a move, and whether it was something else before."""
        if before is not None:
            self._conflict |= self._known.setdefault(before, after) != after

    def _look(self, seen: np.ndarray) -> None:
        """Whether the other agent sees the same, and whether the dtype holds what is seen."""
        if self.same and self.plies % 3 == 0:
            other = self._here(lambda: self.seat.view(1 - self.seat.mover))
            self.same = np.array_equal(seen, other)
        if not np.array_equal(seen.astype(self.dtype), seen):
            self.dtype = np.dtype(np.float32)

    def _step(self, call: Callable[[], None]) -> None:
        self._here(call)
        self._tell(tuple(self.seat.moves))

    def _here(self, call: Callable[[], Any]) -> Any:
        """Says where it was, if something is wrong."""
        try:
            return call()
        except Fault as fault:
            raise Fault(f"{fault} {where(self.seat.moves)}") from None
        except Exception as error:
            raise Fault(f"{reason(error)} {where(self.seat.moves)}") from None


def where(moves: list[int] | tuple[int, ...]) -> str:
    """A place in a game, by the moves that lead there."""
    if not moves:
        return "at the start"
    listed = " ".join(map(str, moves[-12:]))
    return f"at ply {len(moves)}, after the moves {'… ' if len(moves) > 12 else ''}{listed}"


def _course(seat: Seat, seed: int, moves: list[int]) -> list[Any]:
    """All that can be seen of a game."""
    seat.start(seed)
    return [_glance(seat), *_follow(seat, moves)]


def _follow(seat: Seat, moves: list[int]) -> list[Any]:
    told = []
    for move in moves:
        seat.move(move)
        told.append(_glance(seat))
    return told


def _glance(seat: Seat) -> Any:
    if seat.mover == OVER:
        return seat.mover, seat.payoff
    seen, legal = seat.look()
    return seat.mover, seat.payoff, seen.tobytes(), legal.tobytes()


def _random_game(seat: Seat, seed: int) -> list[int]:
    rng = np.random.default_rng(seed)
    seat.start(seed)
    while seat.mover != OVER and len(seat.moves) < _LONG:
        seat.move(int(rng.choice(np.flatnonzero(seat.legal()))))
    return list(seat.moves)


def _steady(watch: _Watch, make: Callable[[], pettingzoo.AECEnv], shape: Form) -> bool:
    """Whether games come again, in the same env and in a new one."""
    fresh = Seat(make(), shape, 10**9)
    try:
        for seed in range(_REPLAYED):
            moves = _random_game(watch.seat, seed)
            first = _course(watch.seat, seed, moves)
            if not first == _course(watch.seat, seed, moves) == _course(fresh, seed, moves):
                return False
    except Fault:  # a move that was legal is not any more
        return False
    return True


def _copies(watch: _Watch) -> bool:
    """Whether a deep copy taken in the middle goes on like the original, each for itself."""
    seat = watch.seat
    try:
        for seed in range(_REPLAYED):
            moves = _random_game(seat, seed)
            half = len(moves) // 2
            whole = _course(seat, seed, moves)
            _course(seat, seed, moves[:half])
            twin = seat.clone()
            if not whole[half + 1 :] == _follow(twin, moves[half:]) == _follow(seat, moves[half:]):
                return False
    except Exception:
        return False
    return True


def _api(make: Callable[[], pettingzoo.AECEnv]) -> list[str]:
    """What PettingZoo's own test says against the env."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pettingzoo.test import api_test  # loads pytest where it is installed

        try:
            api_test(make(), num_cycles=1000)
        except Exception as error:
            return [f"PettingZoo's api_test objects: {reason(error)[:300]}"]
    return []
