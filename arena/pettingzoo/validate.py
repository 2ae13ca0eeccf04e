"""Whether an env keeps the contract, and what it is like, found out by random games.

PettingZoo's own `api_test` looks at neither zero sums nor whose observation is whose. Worker
processes run this; it must not load JAX.
"""

import contextlib
import io
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pettingzoo
from gymnasium import spaces

from arena.pettingzoo import information, replays
from arena.pettingzoo.adapter import OVER, EnvAdapter, EnvSpaces, read_spaces
from arena.pettingzoo.env_names import Make, creator, parse, reason
from arena.pettingzoo.errors import EnvError
from arena.pettingzoo.spec import EnvSpec, is_board

_GAMES, _PLIES = 100, 2000  # so many random games, or, from the fourth on, so many moves
_STARTS = 64  # resets that show whether cards are dealt

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
    reproducible = replays.reproducible(found.adapter, make)
    if reproducible and replays.share_state(make, shapes):
        raise EnvError(
            "its envs share state: a game goes another way while one is played beside it "
            "(is it in a mutable default argument, a class attribute or a global variable?)"
        )
    notes = [*found.notes(), *_api_complaints(make)]
    if not reproducible:
        notes.append("the same seed and moves bring different games: runs cannot be repeated")
    hidden = settings.hidden
    if hidden is None:
        hidden = found.hidden_or_chance
        if reproducible and not hidden:
            with found.located():
                hidden = information.found_hidden(found.adapter, make, progress)
    return EnvSpec(
        agents=(str(shapes.agents[0]), str(shapes.agents[1])),
        num_actions=shapes.num_actions,
        shape=shapes.shape,
        dtype=str(found.dtype),
        low=found.bounds[0],
        high=found.bounds[1],
        masked=found.adapter.masked,
        add_seat=found.same if settings.seat is None else settings.seat,
        hidden_or_chance=hidden,
        reproducible=reproducible,
        copyable=reproducible and replays.copyable(found.adapter),
        longest_game=found.longest,
        max_plies=settings.plies,
        max_payoff=float(settings.payoff or found.payoff or 1.0),
        window=settings.window,
        notes=tuple(notes),
    )


def _read_spaces(env: pettingzoo.AECEnv) -> EnvSpaces:
    try:
        return read_spaces(env)
    except EnvError:
        raise
    except Exception as error:
        raise EnvError(f"before the first move: {reason(error)}") from None


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
        self._seen: list[tuple[float, float]] = [(np.inf, -np.inf)] * 2
        self._conflict = False
        self._successors: dict[tuple[int, int], int | float] = {}
        self._starts: dict[bytes, bytes] = {}
        self._first: set[int] = set()

    @property
    def hidden_or_chance(self) -> bool:
        """Like positions went on differently, or so many starts differ that cards seem dealt."""
        return self._conflict or len(self._starts) > 8

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest number of an observation: on a board also those just seen.

        On a board each number is something else. Elsewhere the bounds only give a scale.
        """
        low, high = self.adapter.spaces.bounds
        if not is_board(self.adapter.spaces.shape, str(self.dtype)):
            return low, high
        lows, highs = zip(*self._seen, strict=True)
        return float(min(low, *lows)), float(max(high, *highs))

    def notes(self) -> list[str]:
        """What a user should be aware of."""
        notes = []
        if len(self._first) > 1:
            notes.append("the first player varies with the seed")
        if self._starts and not self.payoff:
            notes.append("nobody has won any of the random games")
        for agent, space, (low, high) in zip(
            self.adapter.spaces.agents, self.adapter.spaces.observations, self._seen, strict=True
        ):
            least, most = space.bounds
            if isinstance(space.space, spaces.Box) and (low < least or high > most):
                notes.append(
                    f"{agent} observes {low:g} to {high:g}, its space is {least:g} to {most:g}"
                )
        return notes

    def start(self, seed: int) -> None:
        """Begins a game, and compares what both seats observe with other games' starts."""
        with self.located():
            self.adapter.start(seed)
        self._report()
        with self.located():
            one, two = (self.adapter.observe(seat).tobytes() for seat in (0, 1))
        self._first.add(self.adapter.mover)
        for mine, other in ((b"0" + one, two), (b"1" + two, one)):
            self._conflict |= self._starts.setdefault(mine, other) != other

    def play(self) -> None:
        """One random game."""
        rng = np.random.default_rng(self.games)
        adapter, before = self.adapter, None
        with self.located():
            adapter.start(self.games)
            self._report()
            self.games += 1
            while adapter.mover != OVER:
                seen, legal = adapter.observe_mover()
                self._measure(seen)
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

    def _measure(self, seen: np.ndarray) -> None:
        """Notes how large the mover's numbers are, and whether the dtype holds them."""
        with np.errstate(invalid="ignore"):
            held = np.array_equal(seen.astype(self.dtype), seen)
        if not held:
            self.dtype = np.dtype(np.float32)
        low, high = self._seen[self.adapter.mover]
        if seen.size:
            low, high = min(low, float(seen.min())), max(high, float(seen.max()))
        self._seen[self.adapter.mover] = low, high

    def _compare_seats(self, seen: np.ndarray) -> None:
        """Whether the other agent observes the same."""
        if self.same and self.plies % 3 == 0:
            self.same = np.array_equal(seen, self.adapter.observe(1 - self.adapter.mover))

    def _report(self) -> None:
        self._progress(tuple(self.adapter.moves))

    @contextlib.contextmanager
    def located(self):
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
