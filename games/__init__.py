"""Rules, and nothing else: one file a game.

A file in this folder that defines a `Game` subclass is a game; there is no list to edit.
"""

import dataclasses
import importlib
import pkgutil
from functools import cache
from typing import Any

from games.core import CHANCE, OVER, Fact, Facts, Game

__all__ = ["CHANCE", "OVER", "Fact", "Facts", "Game", "load", "names"]


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
    """The game that a name such as `connect_four` or `hex:size=9` means.

    Raises:
      ValueError: no such game, or an option it does not have.
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
    return kind(**_options(kind, name, options))


def _options(kind: Any, name: str, text: str) -> dict[str, object]:
    fields = {f.name: type(f.default) for f in dataclasses.fields(kind)}
    chosen = {}
    for part in filter(None, text.split(",")):
        key, _, value = part.partition("=")
        if key not in fields:
            known = ", ".join(fields) or "none"
            raise ValueError(f"{name} has no option {key!r}; its options: {known}")
        chosen[key] = _value(fields[key], name, key, value)
    return chosen


def _value(kind: type, name: str, key: str, text: str) -> object:
    try:
        return {"true": True, "false": False}[text] if kind is bool else kind(text)
    except (KeyError, ValueError):
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}[kind]
        raise ValueError(f"{name}: {key}={text!r} is not {wanted}") from None
