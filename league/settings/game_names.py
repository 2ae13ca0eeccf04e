"""The rules that a name means: a game of `games/`, or an env of PettingZoo's kind."""

import dataclasses
from typing import Any, cast

import games
from arena import extensions
from games import Game

PREFIX = "pettingzoo:"


def load(name: str, known: Any = None) -> Game:
    """A game by name.

    Args:
      name: as a user types it.
      known: what `card` gave for it; without it an env is checked first, which takes seconds.

    Raises:
      ValueError: there is none, or the env breaks the contract; in one line.
    """
    if not name.startswith(PREFIX):
        return games.load(name)
    from arena.pettingzoo import as_game  # here, so that native games do without PettingZoo
    from arena.pettingzoo.validate import Facts

    if known is None:
        return as_game.load(name)
    fields = {f.name for f in dataclasses.fields(Facts)}
    if not isinstance(known, dict) or set(known) != fields:
        raise ValueError(f"what is known of {name} does not have the keys {sorted(fields)}")
    whole: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in known.items()}
    return as_game.Imported(name, Facts(**whole))


def card(name: str, rules: Game | None = None) -> dict[str, Any]:
    """What a run card says of a game: its name and version, and of an env what its check found.

    Args:
      name: as a user types it.
      rules: the game, where its name does not say where it is to be found.
    """
    game: Any = rules or load(name)
    found = {"game": name, "game_version": game.version}
    return found if game.on_device else {**found, "env": dataclasses.asdict(game.known)}


def name_of(game: Game) -> str:
    """The name by which `load` finds a game again, options and all, if its class lies in a module.

    Args:
      game: of `games/`, of an env, or of any module.
    """
    if not game.on_device:
        return str(getattr(game, "name", type(game).__name__))
    kind = type(game)
    fields = dataclasses.fields(cast(Any, kind))
    values = {f.name: getattr(game, f.name) for f in fields if getattr(game, f.name) != f.default}
    texts = {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in values.items()}
    options = ",".join(f"{key}={text}" for key, text in texts.items())
    room, _, file = kind.__module__.partition(".")
    if room == "games" and file in games.names():
        return f"{file}:{options}" if options else file
    name = extensions.spec_of(kind)
    return f"{name},{options}" if options else name
