"""PettingZoo, both ways: native games as envs, and envs as games.

`aec(game)` is a native game as an AEC env; `from arena.pettingzoo import connect_four_v0` is a
module as PettingZoo's own are, with `env()` and `raw_env()`, for every name of `games.names()`.
"""

# Worker processes that step imported envs load this file, so that it must not load JAX.
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.pettingzoo.as_env import Env
    from games import Game

_VERSION = "_v0"


def aec(game: "Game", render_mode: str | None = None) -> "Env":
    """A native game as an AEC env, without PettingZoo's wrappers.

    Args:
      game: its rules.
      render_mode: ansi, rgb_array, human or None; see `as_env.Env`.

    Raises:
      ValueError: there is no such render mode.
    """
    from arena.pettingzoo import as_env

    return as_env.Env(game, render_mode)


def __getattr__(name: str) -> ModuleType:
    # Python calls this for submodules that are yet to be imported, too: let them pass.
    if name.endswith(_VERSION):
        import games
        from arena.pettingzoo import as_env

        if (game := name.removesuffix(_VERSION)) in games.names():
            return as_env.module(game)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    import games

    return sorted([*globals(), *(name + _VERSION for name in games.names())])
