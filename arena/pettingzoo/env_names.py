"""What the name of an env means: `pettingzoo:TARGET[?option=value&arena.setting=value]`.

Or `open_spiel:NAME(options)[?arena.setting=value]`, a game of OpenSpiel.

Worker processes load this; it must not load JAX.
"""

import ast
import dataclasses
import importlib
import importlib.util
import os
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pettingzoo
from pettingzoo.utils import AgentSelector, parallel_to_aec

from arena import extensions
from arena.errors import LARGEST
from arena.pettingzoo import open_spiel, turn_based
from arena.pettingzoo.errors import EnvError

PREFIX = "pettingzoo:"
_SETTINGS = "arena."
_WINDOW = 64
_CREATORS = ("env", "raw_env", "parallel_env")

Make = Callable[[], pettingzoo.AECEnv]
"""Makes a new env."""


@dataclass(frozen=True)
class EnvSettings:
    """How Arena is to treat an env: the `arena.` options of its name.

    Attributes:
      seat: add the seat to what networks get; None: if both agents observe the same.
      hidden: something is hidden or left to chance, so that no tree search copies the env; None: if
        the check finds it.
      payoff: the largest payoff, larger ones are cut to it; None: the largest of random games.
      plies: moves after which a game counts as endless.
      timeout: seconds without an answer after which a worker process counts as hung.
      window: observations of a seat, at its own last turns, that networks get at once; for envs
        whose single observation is not all that a seat has been shown.
      reward: whose the reward of a Gym env is: `mover` for who has just moved, `first` for who
        begins.
    """

    seat: bool | None = None
    hidden: bool | None = None
    payoff: float | None = None
    plies: int = 5000
    timeout: float = 60.0
    window: int = 1
    reward: str = "mover"


_TYPES = {
    "seat": bool, "hidden": bool, "payoff": float, "plies": int, "timeout": float, "window": int,
    "reward": str,
}  # fmt: skip


@dataclass(frozen=True)
class EnvName:
    """A name, taken apart.

    Attributes:
      target: PACKAGE.MODULE[:FUNCTION], NAMESPACE/NAME-vN, FILE.py[:FUNCTION], or a game of
        OpenSpiel with its prefix.
      options: the env's own, as keyword arguments.
      given: the settings of Arena's that are in the name.
    """

    target: str
    options: dict[str, Any]
    given: dict[str, Any]

    @property
    def settings(self) -> EnvSettings:
        """Arena's settings, as the name gives them."""
        return EnvSettings(**self.given)

    def settings_of(self, env: pettingzoo.AECEnv) -> EnvSettings:
        """The same; what the name does not give is as the env's `metadata["arena"]` declares.

        Raises:
          EnvError: it declares what is no setting.
        """
        declared = env.unwrapped.metadata.get("arena", {})
        return _settings({**declared, **self.given})


def parse(name: str) -> EnvName:
    """Takes a name apart; raises EnvError if it is none, or has a setting that there is not."""
    target, _, query = name.removeprefix(PREFIX).partition("?")
    if not target:
        raise EnvError(f"{name!r} names no env: pettingzoo:PACKAGE.MODULE, or pettingzoo:./FILE.py")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise EnvError(f"{name!r}: options are written ?option=value&option=value") from None
    values = {key: _value(text) for key, text in pairs}
    settings = {k.removeprefix(_SETTINGS): v for k, v in values.items() if k.startswith(_SETTINGS)}
    options = {k: v for k, v in values.items() if not k.startswith(_SETTINGS)}
    _settings(settings)
    return EnvName(target, options, settings)


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


def _settings(values: dict[str, Any]) -> EnvSettings:
    """Arena's settings, checked."""
    known = [field.name for field in dataclasses.fields(EnvSettings)]
    for key, value in values.items():
        if key not in known:
            raise EnvError(f"there is no option arena.{key}; there are: {', '.join(known)}")
        kind = _TYPES[key]
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise EnvError(f"arena.{key}={value!r} is no {kind.__name__}")
        if kind in (int, float) and not 0 < value <= LARGEST:
            raise EnvError(f"arena.{key} must be positive, and at most {LARGEST:,}, not {value}")
        if key == "window" and value > _WINDOW:
            raise EnvError(f"arena.window is at most {_WINDOW}, not {value}")
    return EnvSettings(**values)


def creator(name: EnvName) -> Make:
    """What makes an env.

    Raises:
      EnvError: there is no such package, file, function or env, or it does not load.
    """
    _restore_old_name()
    target, options = name.target, name.options
    if target.startswith(open_spiel.PREFIX):
        return partial(open_spiel.SpielEnv, target.removeprefix(open_spiel.PREFIX), **options)
    path, function = extensions.split(target)
    if path.endswith(".py"):
        make = _function(_file(Path(path)), function, target)
    elif "/" in target:
        return lambda: pettingzoo.make("aec", target, **options)
    else:
        make = _function(_module(path), function, target)

    def build() -> pettingzoo.AECEnv:
        env = make(**options)
        if isinstance(env, pettingzoo.ParallelEnv):
            return parallel_to_aec(env)
        if not isinstance(env, pettingzoo.AECEnv) and turn_based.is_one(env):
            return turn_based.TurnBased(env, reward=name.settings.reward)
        return env

    return build


class _Selector(types.ModuleType):
    """PettingZoo's module `agent_selector`, callable as the class of that name once was."""

    __call__ = staticmethod(AgentSelector)


def _restore_old_name() -> None:
    """Lets envs run that were written when the class AgentSelector was called agent_selector."""
    sys.modules[AgentSelector.__module__].__class__ = _Selector


def _module(path: str) -> types.ModuleType:
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as `python -m` has it; a console script has not
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name and (path == error.name or path.startswith(f"{error.name}.")):
            raise EnvError(f"there is no module {path!r}: is its package installed?") from None
        raise EnvError(f"{path} does not load: {reason(error)}") from None
    except Exception as error:
        raise EnvError(f"{path} does not load: {reason(error)}") from None


def _file(path: Path) -> types.ModuleType:
    if not path.is_file():
        raise EnvError(f"there is no file {path}")
    sys.path.insert(0, str(path.resolve().parent))
    found = importlib.util.spec_from_file_location(path.stem, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    # Under its own name, which pickles of its envs' parts refer to.
    sys.modules[path.stem] = module
    try:
        found.loader.exec_module(module)
    except Exception as error:
        raise EnvError(f"{path} does not load: {reason(error)}") from None
    return module


def _function(module: types.ModuleType, function: str, target: str) -> Callable[..., Any]:
    wanted = (function,) if function else _CREATORS
    for name in wanted:
        if callable(getattr(module, name, None)):
            return getattr(module, name)
    there = sorted(k for k, v in vars(module).items() if callable(v) and not k.startswith("_"))
    raise EnvError(
        f"{target}: no function {' or '.join(wanted)}; there are: {', '.join(there[:12]) or 'none'}"
    )


def reason(error: BaseException) -> str:
    """An error as one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
