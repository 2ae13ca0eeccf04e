"""Rules, and nothing else: one file a game.

A file in this folder that defines a subclass of `Game` is a game; there is no list to edit.

Public are the contract (`Game`, with the movers `CHANCE` and `OVER`, the published numbers `Facts`
and `Fact`), positions as text where a game has them (`TextPositions`, `text_positions`), the names
of the games (`names`), a game by its name (`load`), and a game from any other class by the same
options (`make`). Each game's module and its class are public, too
(`games.hex.Hex`); files that begin with an underscore are what games share, and may change.
"""

import dataclasses
import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import TypeVar, get_type_hints

from games.core import CHANCE, OVER, Fact, Facts, Game, TextPositions, text_positions

__all__ = [
    "CHANCE",
    "OVER",
    "Fact",
    "Facts",
    "Game",
    "TextPositions",
    "load",
    "make",
    "names",
    "text_positions",
]

_GameT = TypeVar("_GameT", bound=Game)

_READABLE = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
"""The types of options that a name can give, and how an error message calls their values."""


@cache
def names() -> tuple[str, ...]:
    """The names of all games, sorted. Reads the folder only; imports no game."""
    return tuple(
        sorted(
            m.name
            for m in pkgutil.iter_modules(__path__)
            if m.name != "core" and not m.name.startswith("_")
        )
    )


@cache
def load(spec: str) -> Game:
    """The game that a name means; the same object each time.

    Args:
      spec: a name, and options if there are any: `connect_four`, `hex:size=9,swap=true`.

    Raises:
      ValueError: there is no such game, or it has no such option or value; in one line.
    """
    name, _, options = spec.partition(":")
    if name not in names():
        raise ValueError(f"no game is called {name!r}; there are: {', '.join(names())}")
    module = importlib.import_module(f"games.{name}")
    kind = next(
        v
        for v in vars(module).values()
        if isinstance(v, type) and issubclass(v, Game) and v.__module__ == module.__name__
    )
    return make(kind, name, options)


def make(kind: type[_GameT], name: str, options: str = "") -> _GameT:
    """A game of any class, with options as they are written in a game's name.

    Args:
      kind: a subclass of `Game`; if it is a dataclass, its fields are its options.
      name: what error messages call the game.
      options: `size=9,swap=true`, or empty. Values are read as the field's type, which must be
        bool, int, float or str; they cannot hold a comma.

    Raises:
      ValueError: there is no such option or value, or a field without a default is left out; in
        one line.
    """
    fields = _fields(kind)
    chosen = {}
    for part in filter(None, options.split(",")):
        key, _, text = part.partition("=")
        if key not in fields:
            known = ", ".join(fields) or "none"
            raise ValueError(f"{name} has no option {key!r}; its options: {known}")
        chosen[key] = _value(fields[key].type, name, key, text)
    missing = [key for key, field in fields.items() if field.needed and key not in chosen]
    if missing:
        raise ValueError(f"{name} needs a value for {', '.join(missing)}: {name}:{missing[0]}=…")
    return kind(**chosen)


@dataclasses.dataclass(frozen=True)
class _Field:
    """An option: the type of its values, and whether it has no default."""

    type: object
    needed: bool


def _fields(kind: type) -> Mapping[str, _Field]:
    """The options of a game class, by name; none if it is no dataclass."""
    if not dataclasses.is_dataclass(kind):
        return {}
    try:
        types = get_type_hints(kind)
    except NameError:  # postponed annotations of names that only a type checker imports
        types = {f.name: type(f.default) for f in dataclasses.fields(kind)}
    missing = dataclasses.MISSING
    return {
        f.name: _Field(types[f.name], f.default is missing and f.default_factory is missing)
        for f in dataclasses.fields(kind)
        if f.init
    }


def _value(kind: object, name: str, key: str, text: str) -> object:
    """The value of an option, read from its text."""
    try:
        if kind is bool:
            return {"true": True, "false": False}[text]
        if kind is int or kind is float or kind is str:
            return kind(text)
    except (KeyError, ValueError):
        raise ValueError(f"{name}: {key}={text!r} is not {_READABLE[kind]}") from None
    called = kind.__name__ if isinstance(kind, type) else kind
    raise ValueError(
        f"{name}: the option {key!r} is of type {called}; a name can give only "
        f"{', '.join(t.__name__ for t in _READABLE)}"
    )
