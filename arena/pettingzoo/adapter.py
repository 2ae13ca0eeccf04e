"""One PettingZoo env as a game of two seats: what its name means, and how it is played.

Worker processes run this; it must not load JAX.
"""

import ast
import copy
import importlib
import importlib.util
import os
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import gymnasium
import numpy as np
import pettingzoo
from gymnasium import spaces
from pettingzoo.utils import AgentSelector, BaseWrapper, parallel_to_aec

from arena.pettingzoo.fault import Fault

OVER, FAILED = -2, -3
"""What `Seat.mover` is when the game has ended (as in `games.core`), and when the env failed."""

PREFIX = "pettingzoo:"
_OURS = "arena."
_MASK = "action_mask"
_CREATORS = ("env", "raw_env", "parallel_env")


@dataclass(frozen=True)
class Name:
    """What a user typed: `pettingzoo:TARGET[?option=value&arena.option=value]`.

    Attributes:
      target: PACKAGE.MODULE[:FUNCTION], NAMESPACE/NAME-vN, or FILE.py[:FUNCTION].
      options: the env's own, as keyword arguments.
      ours: those that begin with `arena.`, without it.
    """

    target: str
    options: dict[str, Any]
    ours: dict[str, Any]


def parse(name: str) -> Name:
    """Takes a name apart; raises Fault if it is none."""
    target, _, query = name.removeprefix(PREFIX).partition("?")
    if not target:
        raise Fault(f"{name!r} names no env: pettingzoo:PACKAGE.MODULE, or pettingzoo:./FILE.py")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise Fault(f"{name!r}: options are written ?option=value&option=value") from None
    values = {key: _value(text) for key, text in pairs}
    return Name(
        target,
        {k: v for k, v in values.items() if not k.startswith(_OURS)},
        {k.removeprefix(_OURS): v for k, v in values.items() if k.startswith(_OURS)},
    )


def _value(text: str) -> Any:
    """A number, a truth value, None, or the text itself."""
    try:
        return {"true": True, "false": False, "none": None}[text.lower()]
    except KeyError:
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def creator(name: Name) -> Callable[[], pettingzoo.AECEnv]:
    """What makes an env.

    Raises:
      Fault: there is no such package, file, function or env, or it does not load.
    """
    _as_before()
    target, options = name.target, name.options
    path, _, function = target.partition(":")
    if path.endswith(".py"):
        make = _function(_file(Path(path)), function, target)
    elif "/" in target:
        return lambda: pettingzoo.make("aec", target, **options)
    else:
        make = _function(_module(path), function, target)

    def build() -> pettingzoo.AECEnv:
        env = make(**options)
        return parallel_to_aec(env) if isinstance(env, pettingzoo.ParallelEnv) else env

    return build


class _Selector(types.ModuleType):
    """PettingZoo's module `agent_selector`, callable as the class of that name once was."""

    __call__ = staticmethod(AgentSelector)


def _as_before() -> None:
    """Lets envs run that were written when the class AgentSelector was called agent_selector."""
    sys.modules[AgentSelector.__module__].__class__ = _Selector


def _module(path: str) -> types.ModuleType:
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as `python -m` has it; a console script has not
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name and (path == error.name or path.startswith(f"{error.name}.")):
            raise Fault(f"there is no module {path!r}: is its package installed?") from None
        raise Fault(f"{path} does not load: {reason(error)}") from None
    except Exception as error:
        raise Fault(f"{path} does not load: {reason(error)}") from None


def _file(path: Path) -> types.ModuleType:
    if not path.is_file():
        raise Fault(f"there is no file {path}")
    sys.path.insert(0, str(path.resolve().parent))
    found = importlib.util.spec_from_file_location(path.stem, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[path.stem] = module
    try:
        found.loader.exec_module(module)
    except Exception as error:
        raise Fault(f"{path} does not load: {reason(error)}") from None
    return module


def _function(module: types.ModuleType, function: str, target: str) -> Callable[..., Any]:
    wanted = (function,) if function else _CREATORS
    for name in wanted:
        if callable(getattr(module, name, None)):
            return getattr(module, name)
    known = sorted(k for k, v in vars(module).items() if callable(v) and not k.startswith("_"))
    raise Fault(
        f"{target}: no function {' or '.join(wanted)}; there are: {', '.join(known[:12]) or 'none'}"
    )


def reason(error: BaseException) -> str:
    """An error as one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@dataclass(frozen=True)
class Form:
    """What does not change from position to position.

    Attributes:
      agents: both agents, seat 0 first.
      actions: A, how many moves there are.
      starts: the number that each agent's move 0 bears.
      space: of what an agent sees, the mask left away.
      dicts: an agent sees a dict, where a mask may stand.
      key: the only other entry of that dict, or "" if there are none or several.
    """

    agents: tuple[Any, Any]
    actions: int
    starts: tuple[int, int]
    space: gymnasium.Space
    dicts: bool
    key: str

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Of the observation as an array; what is no Box is a vector."""
        if isinstance(self.space, spaces.Box):
            return self.space.shape
        return (spaces.flatdim(self.space),)

    @cached_property
    def dtype(self) -> np.dtype:
        """As small as the space allows, and one that every device has."""
        found = self.space.dtype if isinstance(self.space, spaces.Box) else None
        if found is None or found.kind not in "biu":
            return np.dtype(np.float32)
        return found if found.itemsize < 4 or found == np.int32 else np.dtype(np.int32)

    def array(self, value: Any) -> np.ndarray:
        """An observation as an array; raises Fault if it is not in its space."""
        try:
            if not isinstance(self.space, spaces.Box):
                value = spaces.flatten(self.space, value)
            array = np.asarray(value)
        except Exception as error:
            raise Fault(f"an observation is not in its space ({reason(error)})") from None
        if array.shape != self.shape:
            raise Fault(f"an observation has the shape {array.shape}, its space {self.shape}")
        if array.dtype.kind not in "biuf":
            raise Fault(f"an observation holds {array.dtype}, not numbers")
        return array


def form(env: pettingzoo.AECEnv) -> Form:
    """Agents and spaces; raises Fault unless two agents choose among as many discrete moves."""
    env.reset(seed=0)
    agents = tuple(getattr(env, "possible_agents", None) or env.agents)
    if len(agents) != 2:
        raise Fault(f"{len(agents)} agents; a game of Arena has two")
    moves: list[Any] = [env.action_space(agent) for agent in agents]
    for agent, space in zip(agents, moves, strict=True):
        if not isinstance(space, spaces.Discrete):
            raise Fault(f"the actions of {agent} are {space}; a game of Arena has discrete ones")
    if moves[0].n != moves[1].n:
        raise Fault(f"{agents[0]} has {moves[0].n} actions and {agents[1]} {moves[1].n}")
    starts = int(moves[0].start), int(moves[1].start)
    seen = [env.observation_space(agent) for agent in agents]
    forms = [Form(agents, int(moves[0].n), starts, *_unmasked(space)) for space in seen]
    if forms[0].shape != forms[1].shape:
        raise Fault(
            f"{agents[0]} sees {forms[0].shape} and {agents[1]} {forms[1].shape}: "
            "one network plays both seats"
        )
    return forms[0]


def _unmasked(space: gymnasium.Space) -> tuple[gymnasium.Space, bool, str]:
    """A space without the mask, whether it is a Dict, and the key if only one entry is left."""
    if not isinstance(space, spaces.Dict):
        return space, False, ""
    rest = {key: part for key, part in space.spaces.items() if key != _MASK}
    if len(rest) == 1:
        key = next(iter(rest))
        return rest[key], True, key
    return spaces.Dict(rest), True, ""


class Seat:
    """An env in which one game after the other is played; a Fault says what it does wrong.

    Attributes:
      mover: the seat to move, or OVER.
      first: the seat that made, or makes, the first move after the opening.
      payoff: what seat 0 has got so far.
      moves: made in this game, the opening's included.
      masked: the env has said which moves are legal.
    """

    def __init__(self, env: pettingzoo.AECEnv, form: Form, limit: int):
        self.env, self.form, self._limit = env, form, limit
        self._agents = {agent: seat for seat, agent in enumerate(form.agents)}
        self.mover, self.first, self.payoff = OVER, 0, 0.0
        self.moves: list[int] = []
        self.masked, self._told = False, env

    def start(self, seed: int) -> None:
        """Begins a game."""
        self.moves, self.payoff = [], 0.0
        self._do("reset", lambda: self.env.reset(seed=seed))
        self._told = _innermost(self.env)
        self._find_mover()
        self.first = self.mover
        if self.mover == OVER:
            raise Fault("the game is over before the first move")

    def open(self, seed: int, plies: int) -> None:
        """Begins a game with 0 to `plies` random moves; one that ends so soon is drawn anew."""
        rng = np.random.default_rng(seed)
        while True:
            self.start(seed)
            for _ in range(rng.integers(plies + 1)):
                if self.mover != OVER:
                    self.move(int(rng.choice(np.flatnonzero(self.legal()))))
            if self.mover != OVER:
                self.first = self.mover
                return

    def finish(self, seed: int) -> None:
        """Plays on at random until the game is over."""
        rng = np.random.default_rng(seed)
        while self.mover != OVER:
            self.move(int(rng.choice(np.flatnonzero(self.legal()))))

    def move(self, move: int) -> None:
        """Makes a move of the seat to move."""
        self.moves.append(move)
        if len(self.moves) > self._limit:
            raise Fault(f"no end after {self._limit} moves (arena.plies=N allows more)")
        start = self.form.starts[self.mover]
        self._do("step", lambda: self.env.step(start + move))
        self._pay()
        self._find_mover()

    def _pay(self) -> None:
        """Rewards of the last step alone: what `last()` adds up may count one of them twice."""
        rewards, (first, second) = self._told.rewards, self.form.agents
        one, two = float(rewards.get(first, 0.0)), float(rewards.get(second, 0.0))
        if not abs(one + two) <= 1e-6 * max(1.0, abs(one)):
            told = f"rewards of {one:g} and {two:g} do not sum to zero"
            if (one, two)[self.mover] < 0 == (one, two)[1 - self.mover]:  # as wrappers punish it
                what = "its mask allows it" if self.masked else "it gives no action_mask"
                told += f" (is the last move illegal? {what})"
            raise Fault(told)
        self.payoff += one

    def _find_mover(self) -> None:
        """Lets ended agents leave, until one that plays is selected or none is left."""
        told = self._told
        while not all(self._ended(agent) for agent in told.agents):
            selected = told.agent_selection
            if selected not in self._agents:
                raise Fault(f"agent {selected!r} moves, which is not among {self.form.agents}")
            if not self._ended(selected):
                self.mover = self._agents[selected]
                return
            self._do("step", lambda: self.env.step(None))
        self.mover = OVER

    def _ended(self, agent: Any) -> bool:
        return bool(self._told.terminations[agent] or self._told.truncations[agent])

    def _do(self, what: str, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:
            raise Fault(f"{what} raises {reason(error)}") from error

    def legal(self) -> np.ndarray:
        """Which moves the mover has, bool[A]."""
        return self.look()[1]

    def look(self) -> tuple[np.ndarray, np.ndarray]:
        """What the mover sees, [...] as its space has it, and its moves bool[A]."""
        agent = self.form.agents[self.mover]
        seen, mask = self._observe(agent)
        if mask is None:
            mask = self._told.infos.get(agent, {}).get(_MASK)
        if mask is None:
            return seen, np.ones(self.form.actions, bool)
        self.masked, mask = True, np.asarray(mask)
        if mask.shape != (self.form.actions,):
            raise Fault(
                f"the action_mask has the shape {mask.shape}, but there are {self.form.actions} "
                "actions"
            )
        legal = mask.astype(bool)
        if not legal.any():
            raise Fault(f"{agent} is to move and has no legal move")
        return seen, legal

    def _observe(self, agent: Any) -> tuple[np.ndarray, Any]:
        """What an agent sees, and the mask if it stands in there."""
        try:
            value = self.env.observe(agent)
        except Exception as error:
            raise Fault(f"observe raises {reason(error)}") from error
        mask = None
        if isinstance(value, dict) and self.form.dicts:
            mask = value.get(_MASK)
            value = {key: part for key, part in value.items() if key != _MASK}
            value = value.get(self.form.key) if self.form.key else value
        return self.form.array(value), mask

    def view(self, seat: int) -> np.ndarray:
        """What a seat sees, whether it is to move or not."""
        return self._observe(self.form.agents[seat])[0]

    def clone(self) -> "Seat":
        """The same game once more, to go its own way.

        Raises whatever the env's parts raise if they cannot be copied.
        """
        twin = copy.copy(self)
        twin.env, twin.moves = _clone(self.env, {}), list(self.moves)
        twin._told = _innermost(twin.env)
        return twin


_TOLD = ("agents", "agent_selection", "rewards", "terminations", "truncations", "infos")


def _innermost(env: Any) -> Any:
    """The wrapper, or env, that holds what an env tells; asking through the others is slow."""
    while isinstance(env, BaseWrapper) and not any(
        name in vars(env) or hasattr(type(env), name) for name in _TOLD
    ):
        env = env.env
    return env


def _clone(env: Any, memo: dict[int, Any]) -> Any:
    """A deep copy, attribute by attribute: gymnasium's EzPickle would make a new env instead."""
    twin = memo[id(env)] = object.__new__(type(env))
    for key, value in vars(env).items():
        part = _clone(value, memo) if isinstance(value, _ENVS) else copy.deepcopy(value, memo)
        twin.__dict__[key] = part
    return twin


_ENVS = (pettingzoo.AECEnv, pettingzoo.ParallelEnv)
