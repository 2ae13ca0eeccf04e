"""One PettingZoo env as a game of two seats: its spaces, and how games are played in it.

Worker processes run this; it must not load JAX.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import gymnasium
import numpy as np
import pettingzoo
from gymnasium import spaces
from pettingzoo.utils import BaseWrapper

from arena.pettingzoo.env_names import reason
from arena.pettingzoo.errors import BadObservation, EnvError

OVER, FAILED = -2, -3
"""`EnvAdapter.mover` when the game has ended (as in `games.core`), and when the env has failed."""

_MASK = "action_mask"
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class ObservationSpace:
    """What an agent observes, its action_mask left away.

    Attributes:
      space: as the env declares it.
      dicts: it comes in a dict, which may hold a mask.
      key: the only other entry of that dict, or "" if there are none or several.
    """

    space: gymnasium.Space
    dicts: bool
    key: str

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Of the observation as an array; what is no Box is a vector."""
        return self.space.shape if isinstance(self.space, spaces.Box) else self._flat_shape

    @property
    def _flat_shape(self) -> tuple[int]:
        return (spaces.flatdim(self.space),)

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest number that it declares; 0 and 1 for what is no Box."""
        if not isinstance(self.space, spaces.Box):
            return 0.0, 1.0
        return float(np.min(self.space.low)), float(np.max(self.space.high))

    @cached_property
    def dtype(self) -> np.dtype:
        """As small as the space allows, and one that every device has."""
        found = self.space.dtype if isinstance(self.space, spaces.Box) else None
        if found is None or found.kind not in "biu":
            return np.dtype(np.float32)
        return found if found.itemsize < 4 or found == np.int32 else np.dtype(np.int32)

    def split(self, value: Any) -> tuple[Any, Any]:
        """An observation without its mask, and the mask; None if it holds none."""
        if not (isinstance(value, dict) and self.dicts):
            return value, None
        rest = {key: part for key, part in value.items() if key != _MASK}
        return rest.get(self.key) if self.key else rest, value.get(_MASK)

    def array(self, value: Any) -> np.ndarray:
        """An observation without its mask as an array [...].

        Raises:
          BadObservation: it is not in its space's shape, or holds what is no finite float32.
        """
        try:
            if not isinstance(self.space, spaces.Box):
                value = spaces.flatten(self.space, value)
            array = np.asarray(value)
        except Exception as error:
            raise BadObservation(f"an observation is not in its space ({reason(error)})") from None
        if array.shape != self.shape:
            raise BadObservation(
                f"an observation has the shape {array.shape}, its space {self.shape}"
            )
        if array.dtype.kind not in "biuf":
            raise BadObservation(f"an observation holds {array.dtype}, not numbers")
        if array.dtype.kind == "f" and not (np.abs(array) <= _LARGEST).all():
            worst = array[~(np.abs(array) <= _LARGEST)].flat[0]
            raise BadObservation(f"an observation holds {worst:g}, which is no finite float32")
        return array


@dataclass(frozen=True)
class EnvSpaces:
    """Agents and spaces of an env.

    Attributes:
      agents: both agents, seat 0 first.
      num_actions: A, how many moves there are.
      first_actions: the number that each agent's move 0 bears.
      observations: of both agents, of one shape.
    """

    agents: tuple[Any, Any]
    num_actions: int
    first_actions: tuple[int, int]
    observations: tuple[ObservationSpace, ObservationSpace]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an observation."""
        return self.observations[0].shape

    @cached_property
    def dtype(self) -> np.dtype:
        """One that holds what either agent may observe."""
        both = [np.dtype(space.dtype) for space in self.observations]
        found = np.result_type(*both)
        if both[0] == both[1] or (found.kind in "biu" and found.itemsize <= 4 and found != "u4"):
            return found
        return np.dtype(np.float32)

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest number that either agent's observation may hold."""
        lows, highs = zip(*(space.bounds for space in self.observations), strict=True)
        return min(lows), max(highs)


def read_spaces(env: pettingzoo.AECEnv) -> EnvSpaces:
    """Agents and spaces of an env, which is reset.

    Raises:
      EnvError: there are not two agents that choose among as many discrete moves.
    """
    env.reset(seed=0)
    agents = tuple(getattr(env, "possible_agents", None) or env.agents)
    if len(agents) != 2:
        raise EnvError(f"{len(agents)} agents; a game of Arena has two")
    moves: list[Any] = [env.action_space(agent) for agent in agents]
    for agent, space in zip(agents, moves, strict=True):
        if not isinstance(space, spaces.Discrete):
            raise EnvError(f"the actions of {agent} are {space}; a game of Arena has discrete ones")
    if moves[0].n != moves[1].n:
        raise EnvError(f"{agents[0]} has {moves[0].n} actions and {agents[1]} {moves[1].n}")
    first = int(moves[0].start), int(moves[1].start)
    one, two = (_without_mask(env.observation_space(agent)) for agent in agents)
    if one.shape != two.shape:
        raise EnvError(
            f"{agents[0]} sees {one.shape} and {agents[1]} {two.shape}: "
            "one network plays both seats"
        )
    return EnvSpaces(agents, int(moves[0].n), first, (one, two))


def _without_mask(space: gymnasium.Space) -> ObservationSpace:
    if not isinstance(space, spaces.Dict):
        return ObservationSpace(space, False, "")
    rest = {key: part for key, part in space.spaces.items() if key != _MASK}
    if len(rest) == 1:
        key = next(iter(rest))
        return ObservationSpace(rest[key], True, key)
    return ObservationSpace(spaces.Dict(rest), True, "")


class EnvAdapter:
    """An env in which one game after the other is played.

    Whatever the env does wrong raises EnvError.

    Attributes:
      env: what is stepped.
      spaces: its agents and spaces.
      mover: the seat to move, or OVER.
      first: the seat that made, or makes, the first move after the opening.
      payoff: seat 0's rewards so far, added up.
      moves: made in this game, the opening's included.
      masked: the env has given an action_mask.

    Args:
      env: as it was made.
      spaces: what `read_spaces` gives for such an env.
      max_plies: moves after which a game counts as endless.
      window: K, observations that `windowed` gives.
    """

    def __init__(
        self, env: pettingzoo.AECEnv, spaces: EnvSpaces, max_plies: int, *, window: int = 1
    ):
        self.env, self.spaces, self._max_plies = env, spaces, max_plies
        self._window = window
        self._past: tuple[list[np.ndarray], ...] = ([], [])
        self._seats = {agent: seat for seat, agent in enumerate(spaces.agents)}
        self.mover, self.first, self.payoff = OVER, 0, 0.0
        self.moves: list[int] = []
        self.masked, self._inner = False, env

    def start(self, seed: int) -> None:
        """Begins a game."""
        self.moves, self.payoff = [], 0.0
        self._past = ([], [])
        self._call("reset", lambda: self.env.reset(seed=seed))
        self._inner = _innermost(self.env)
        self._find_mover()
        self.first = self.mover
        if self.mover == OVER:
            raise EnvError("the game is over before the first move")

    def start_from_opening(self, seed: int, plies: int) -> None:
        """Begins a game with 0 to `plies` random moves; one that ends so soon is drawn anew."""
        rng = np.random.default_rng(seed)
        while True:
            self.start(seed)
            for _ in range(rng.integers(plies + 1)):
                if self.mover != OVER:
                    self.step(int(rng.choice(np.flatnonzero(self.legal()))))
            if self.mover != OVER:
                self.first = self.mover
                return

    def play_out(self, seed: int) -> None:
        """Plays on at random until the game is over."""
        rng = np.random.default_rng(seed)
        while self.mover != OVER:
            self.step(int(rng.choice(np.flatnonzero(self.legal()))))

    def step(self, move: int) -> None:
        """Makes a move of the seat to move, counted from 0."""
        self.moves.append(move)
        if len(self.moves) > self._max_plies:
            raise EnvError(f"no end after {self._max_plies} moves (arena.plies=N allows more)")
        if self._window > 1:
            past = self._past[self.mover]
            past.append(self.observe(self.mover).copy())
            del past[: -self._window + 1]
        first = self.spaces.first_actions[self.mover]
        self._call("step", lambda: self.env.step(first + move))
        self._add_rewards()
        self._find_mover()

    def _add_rewards(self) -> None:
        """Rewards of the last step alone: what `last()` adds up may count one of them twice."""
        rewards, (first, second) = self._inner.rewards, self.spaces.agents
        one, two = float(rewards.get(first, 0.0)), float(rewards.get(second, 0.0))
        if not abs(one + two) <= 1e-6 * max(1.0, abs(one)):
            line = f"rewards of {one:g} and {two:g} do not sum to zero"
            if (one, two)[self.mover] < 0 == (one, two)[1 - self.mover]:  # as wrappers punish it
                what = "its mask allows it" if self.masked else "it gives no action_mask"
                line += f" (is the last move illegal? {what})"
            raise EnvError(line)
        self.payoff += one

    def _find_mover(self) -> None:
        """Steps ended agents with None, until one that plays is selected or none is left."""
        inner = self._inner
        while not all(self._ended(agent) for agent in inner.agents):
            selected = inner.agent_selection
            if selected not in self._seats:
                raise EnvError(f"agent {selected!r} moves, which is not among {self.spaces.agents}")
            if not self._ended(selected):
                self.mover = self._seats[selected]
                return
            self._call("step", lambda: self.env.step(None))
        self.mover = OVER

    def _ended(self, agent: Any) -> bool:
        return bool(self._inner.terminations[agent] or self._inner.truncations[agent])

    def _call(self, what: str, call: Callable[[], None]) -> None:
        try:
            call()
        except EnvError:
            raise
        except Exception as error:
            raise EnvError(f"{what} raises {reason(error)}") from error

    def legal(self) -> np.ndarray:
        """The mover's legal moves, bool[A]."""
        return self.observe_mover()[1]

    def observe_mover(self) -> tuple[np.ndarray, np.ndarray]:
        """The mover's observation, [...] as its space has it, and its legal moves bool[A]."""
        agent = self.spaces.agents[self.mover]
        seen, mask = self._observe(self.mover)
        if mask is None:
            mask = self._inner.infos.get(agent, {}).get(_MASK)
        if mask is None:
            return seen, np.ones(self.spaces.num_actions, bool)
        self.masked, mask = True, np.asarray(mask)
        if mask.shape != (self.spaces.num_actions,):
            raise EnvError(
                f"the action_mask has the shape {mask.shape}, but there are "
                f"{self.spaces.num_actions} actions"
            )
        legal = mask.astype(bool)
        if not legal.any():
            raise EnvError(f"{agent} is to move and has no legal move")
        return seen, legal

    def windowed(self, seen: np.ndarray) -> np.ndarray:
        """The mover's observation [...] behind those at its turns before, [K, ...].

        Where it has had fewer turns, the first of them is repeated; if K is 1, `seen` itself.
        """
        if self._window == 1:
            return seen
        shown = [*self._past[self.mover], seen]
        return np.stack([shown[0]] * (self._window - len(shown)) + shown)

    def observe(self, seat: int) -> np.ndarray:
        """A seat's observation [...], whether it is to move or not."""
        return self._observe(seat)[0]

    def _observe(self, seat: int) -> tuple[np.ndarray, Any]:
        """A seat's observation, and the mask if the observation holds it."""
        agent, space = self.spaces.agents[seat], self.spaces.observations[seat]
        try:
            value = self.env.observe(agent)
        except Exception as error:
            raise EnvError(f"observe raises {reason(error)}") from error
        value, mask = space.split(value)
        try:
            return space.array(value), mask
        except BadObservation as error:
            raise BadObservation(f"{agent}: {error}") from None

    def clone(self) -> "EnvAdapter":
        """The same game once more; neither changes with the other.

        Raises whatever the env's parts raise if they cannot be copied.
        """
        twin = copy.copy(self)
        twin.env, twin.moves = _clone(self.env, {}), list(self.moves)
        twin._past = tuple(list(past) for past in self._past)
        twin._inner = _innermost(twin.env)
        return twin


_STATE = ("agents", "agent_selection", "rewards", "terminations", "truncations", "infos")


def _innermost(env: Any) -> Any:
    """The wrapper, or env, that holds an env's state; reading it through the others is slow."""
    while isinstance(env, BaseWrapper) and not any(
        name in vars(env) or hasattr(type(env), name) for name in _STATE
    ):
        env = env.env
    return env


def _clone(env: Any, memo: dict[int, Any]) -> Any:
    """A deep copy, attribute by attribute: gymnasium's EzPickle would make a new env instead."""
    if hasattr(type(env), "__deepcopy__"):  # it knows better
        return copy.deepcopy(env, memo)
    twin = memo[id(env)] = object.__new__(type(env))
    for key, value in vars(env).items():
        part = _clone(value, memo) if isinstance(value, _ENVS) else copy.deepcopy(value, memo)
        twin.__dict__[key] = part
    return twin


_ENVS = (pettingzoo.AECEnv, pettingzoo.ParallelEnv, gymnasium.Env)
