"""Whether an env keeps the contract, and what it is like, found out by random games.

PettingZoo's own `api_test` looks at neither zero sums nor whose observation is whose. Worker
processes run this; it must not load JAX.
"""

import contextlib
import io
import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pettingzoo
from gymnasium import spaces

from arena.pettingzoo.adapter import OVER, EnvAdapter, EnvSpaces, read_spaces
from arena.pettingzoo.env_names import Make, creator, parse, reason
from arena.pettingzoo.errors import EnvError
from arena.pettingzoo.spec import EnvSpec

_GAMES, _PLIES = 100, 2000  # so many random games, or, from the fourth on, so many moves
_STARTS = 64  # resets that show whether cards are dealt
_REPLAYED, _LONG = 3, 60  # games, and their moves, that are played again

Progress = Callable[[tuple[int, ...]], None]
"""Called with the moves that lead to a position, at every position that a check comes to."""


def check_env(name: str, *, progress: Progress = lambda moves: None) -> EnvSpec:
    """Plays random games in an env, in this process.

    Args:
      name: as a user types it.
      progress: called at every position, so that somebody else can say where the env hung.

    Raises:
      EnvError: it breaks the contract; the line says how, at which ply and after which moves.
    """
    parsed = parse(name)
    make = creator(parsed)
    try:
        env = make()
    except EnvError:
        raise
    except Exception as error:
        raise EnvError(f"making the env raises {reason(error)}") from None
    if not isinstance(env, pettingzoo.AECEnv):
        raise EnvError(f"makes a {type(env).__name__}, not an AECEnv")
    settings = parsed.settings_of(env)
    shapes = _read_spaces(env)
    found = _RandomGames(EnvAdapter(env, shapes, settings.plies), progress)
    for seed in range(_STARTS):
        found.start(seed)
    while found.games < 4 or (found.games < _GAMES and found.plies < _PLIES):
        found.play()
    reproducible = _reproducible(found.adapter, make, shapes)
    notes = [*found.notes(), *_api_complaints(make)]
    if not reproducible:
        notes.append("the same seed and moves bring different games: runs cannot be repeated")
    low, high = _bounds(shapes)
    hidden = found.hidden_or_chance if settings.hidden is None else settings.hidden
    return EnvSpec(
        agents=(str(shapes.agents[0]), str(shapes.agents[1])),
        num_actions=shapes.num_actions,
        shape=shapes.shape,
        dtype=str(found.dtype),
        low=low,
        high=high,
        masked=found.adapter.masked,
        add_seat=found.same if settings.seat is None else settings.seat,
        hidden_or_chance=hidden,
        reproducible=reproducible,
        copyable=reproducible and _copyable(found.adapter),
        longest_game=found.longest,
        max_plies=settings.plies,
        max_payoff=float(settings.payoff or found.payoff or 1.0),
        notes=tuple(notes),
    )


def _read_spaces(env: pettingzoo.AECEnv) -> EnvSpaces:
    try:
        return read_spaces(env)
    except EnvError:
        raise
    except Exception as error:
        raise EnvError(f"before the first move: {reason(error)}") from None


def _bounds(shapes: EnvSpaces) -> tuple[float, float]:
    """The lowest and the highest number that an observation may hold."""
    space = shapes.observation
    if not isinstance(space, spaces.Box):
        return 0.0, 1.0
    return float(np.min(space.low)), float(np.max(space.high))


class _RandomGames:
    """Random games, and what they show.

    Attributes:
      adapter: the env.
      games: played.
      plies: in all of them.
      longest: plies of the longest.
      payoff: the largest.
      same: both agents have observed the same in every position.
      dtype: that holds all observations seen.
    """

    def __init__(self, adapter: EnvAdapter, progress: Progress):
        self.adapter, self._progress = adapter, progress
        self.games = self.plies = self.longest = 0
        self.payoff, self.same, self.dtype = 0.0, True, adapter.spaces.dtype
        self._conflict = False
        self._successors: dict[tuple[int, int], int | float] = {}
        self._starts: dict[bytes, bytes] = {}
        self._first: set[int] = set()

    @property
    def hidden_or_chance(self) -> bool:
        """Like positions went on differently, or so many starts differ that cards seem dealt."""
        return self._conflict or len(self._starts) > 8

    def notes(self) -> list[str]:
        """What a user should be aware of."""
        notes = []
        if len(self._first) > 1:
            notes.append("the first player varies with the seed")
        if self._starts and not self.payoff:
            notes.append("nobody has won any of the random games")
        return notes

    def start(self, seed: int) -> None:
        """Begins a game, and compares what both seats observe with other games' starts."""
        with self._located():
            self.adapter.start(seed)
        self._report()
        with self._located():
            one, two = (self.adapter.observe(seat).tobytes() for seat in (0, 1))
        self._first.add(self.adapter.mover)
        for mine, other in ((b"0" + one, two), (b"1" + two, one)):
            self._conflict |= self._starts.setdefault(mine, other) != other

    def play(self) -> None:
        """One random game."""
        rng = np.random.default_rng(self.games)
        adapter, before = self.adapter, None
        with self._located():
            adapter.start(self.games)
            self._report()
            self.games += 1
            while adapter.mover != OVER:
                seen, legal = adapter.observe_mover()
                self._compare_seats(seen)
                key = hash((adapter.mover, seen.tobytes(), legal.tobytes()))
                self._add_successor(before, key)
                move = int(rng.choice(np.flatnonzero(legal)))
                adapter.step(move)
                self._report()
                self.plies += 1
                before = key, move
        self._add_successor(before, adapter.payoff)
        self.longest = max(self.longest, len(adapter.moves))
        self.payoff = max(self.payoff, abs(adapter.payoff))

    def _add_successor(self, before: tuple[int, int] | None, after: int | float) -> None:
        """Notes what followed a position and a move, and whether it was something else before."""
        if before is not None:
            self._conflict |= self._successors.setdefault(before, after) != after

    def _compare_seats(self, seen: np.ndarray) -> None:
        """Whether the other agent observes the same, and whether the dtype holds it."""
        if self.same and self.plies % 3 == 0:
            self.same = np.array_equal(seen, self.adapter.observe(1 - self.adapter.mover))
        if not np.array_equal(seen.astype(self.dtype), seen):
            self.dtype = np.dtype(np.float32)

    def _report(self) -> None:
        self._progress(tuple(self.adapter.moves))

    @contextlib.contextmanager
    def _located(self):
        """Adds to an error where in the game it was."""
        try:
            yield
        except EnvError as error:
            raise EnvError(f"{error} {where(self.adapter.moves)}") from None
        except Exception as error:
            raise EnvError(f"{reason(error)} {where(self.adapter.moves)}") from None


def where(moves: Sequence[int]) -> str:
    """A place in a game, by the moves that lead there."""
    if not moves:
        return "at the start"
    listed = " ".join(map(str, moves[-12:]))
    return f"at ply {len(moves)}, after the moves {'… ' if len(moves) > 12 else ''}{listed}"


class _Snapshot(NamedTuple):
    """All that can be seen of a position; observation and moves are empty after the end."""

    mover: int
    payoff: float
    observation: bytes = b""
    legal: bytes = b""


def _snapshot(adapter: EnvAdapter) -> _Snapshot:
    if adapter.mover == OVER:
        return _Snapshot(adapter.mover, adapter.payoff)
    seen, legal = adapter.observe_mover()
    return _Snapshot(adapter.mover, adapter.payoff, seen.tobytes(), legal.tobytes())


def _replay(adapter: EnvAdapter, seed: int, moves: list[int]) -> list[_Snapshot]:
    """The positions of a game, its start included."""
    adapter.start(seed)
    return [_snapshot(adapter), *_follow(adapter, moves)]


def _follow(adapter: EnvAdapter, moves: list[int]) -> list[_Snapshot]:
    """The positions after each of these moves."""
    snapshots = []
    for move in moves:
        adapter.step(move)
        snapshots.append(_snapshot(adapter))
    return snapshots


def _random_game(adapter: EnvAdapter, seed: int) -> list[int]:
    rng = np.random.default_rng(seed)
    adapter.start(seed)
    while adapter.mover != OVER and len(adapter.moves) < _LONG:
        adapter.step(int(rng.choice(np.flatnonzero(adapter.legal()))))
    return list(adapter.moves)


def _reproducible(adapter: EnvAdapter, make: Make, shapes: EnvSpaces) -> bool:
    """Whether games come again, in the same env and in a new one."""
    fresh = EnvAdapter(make(), shapes, 10**9)
    try:
        for seed in range(_REPLAYED):
            moves = _random_game(adapter, seed)
            first = _replay(adapter, seed, moves)
            if not first == _replay(adapter, seed, moves) == _replay(fresh, seed, moves):
                return False
    except EnvError:  # a move that was legal is not any more
        return False
    return True


def _copyable(adapter: EnvAdapter) -> bool:
    """Whether a deep copy taken in the middle goes on like the original, each for itself."""
    try:
        for seed in range(_REPLAYED):
            moves = _random_game(adapter, seed)
            half = len(moves) // 2
            whole = _replay(adapter, seed, moves)
            _replay(adapter, seed, moves[:half])
            twin, rest = adapter.clone(), moves[half:]
            if not whole[half + 1 :] == _follow(twin, rest) == _follow(adapter, rest):
                return False
    except Exception:
        return False
    return True


def _api_complaints(make: Make) -> list[str]:
    """What PettingZoo's own test says against the env."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pettingzoo.test import api_test  # loads pytest where it is installed

        try:
            api_test(make(), num_cycles=1000)
        except Exception as error:
            return [f"PettingZoo's api_test objects: {reason(error)[:300]}"]
    return []
