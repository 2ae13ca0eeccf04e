"""The rules that a name means.

connect_four, hex:size=9     a game of `games/`
./sticks.py:Sticks           a class of the user's own, or MODULE:CLASS, or an entry point
pettingzoo:./my_game.py      an env of PettingZoo's or Gymnasium's kind
open_spiel:mancala           a game of OpenSpiel
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import games
from arena import extensions
from arena.errors import UserError
from games import Game
from league.settings import user_games
from league.settings.json_object import JsonObject

if TYPE_CHECKING:
    from arena.pettingzoo.as_game import ImportedGame

PREFIXES = "pettingzoo:", "open_spiel:"
"""How the names of games begin that are played outside the device."""

_RENAMED = {
    "actions": "num_actions",
    "seat": "add_seat",
    "hidden": "hidden_or_chance",
    "steady": "reproducible",
    "copies": "copyable",
    "plies": "longest_game",
    "limit": "max_plies",
    "payoff": "max_payoff",
}
"""Keys of an env in run cards of version 0.1, and what they are called now."""


def load(name: str, env: Any = None) -> Game:
    """A game by name.

    Args:
      name: as a user types it.
      env: what a run card holds of an env, see `card`; without it an env is checked first, which
        takes seconds.

    Raises:
      ValueError: there is none, or it breaks the contract; in one line.
    """
    if name.startswith(PREFIXES):
        return _imported(name, env)
    return user_games.load(name) if user_games.is_one(name) else games.load(name)


def with_files(name: str, change: Callable[[str], str]) -> str:
    """A game's name with what `change` makes of the path in it, if it can be read then.

    Args:
      name: as a user types it.
      change: another path for a path.
    """
    prefix = next((prefix for prefix in PREFIXES if name.startswith(prefix)), "")
    mark = "?" if prefix else ","
    place, sign, options = name.removeprefix(prefix).partition(mark)
    changed = extensions.with_file(place, change)
    return name if mark in changed else prefix + changed + sign + options


def _imported(name: str, env: Any) -> "ImportedGame":
    # Here, so that native games do without PettingZoo.
    from arena.pettingzoo import as_game
    from arena.pettingzoo.spec import EnvSpec

    if env is None:
        return as_game.load(name)
    fields = {f.name for f in dataclasses.fields(EnvSpec)}
    spec = {"window": 1, **_renamed(env)} if isinstance(env, Mapping) else {}
    if set(spec) != fields:
        raise UserError(f"what is kept of {name} does not have the keys {sorted(fields)}")
    whole: JsonObject = {k: tuple(v) if isinstance(v, list) else v for k, v in spec.items()}
    return as_game.ImportedGame(name, EnvSpec(**whole))


def _renamed(env: Mapping[str, Any]) -> JsonObject:
    """An env's part of a run card with the keys of today."""
    if "steady" not in env:
        return dict(env)
    return {_RENAMED.get(key, key): value for key, value in env.items()}


def card(name: str, rules: Game | None = None) -> JsonObject:
    """What a run card says of a game: its name and version, and of an env what its check found.

    Args:
      name: as a user types it.
      rules: the game, where its name does not say where it is to be found.
    """
    game: Any = rules or load(name)
    found = {"game": name, "game_version": game.version}
    return found if game.on_device else {**found, "env": dataclasses.asdict(game.spec)}


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
