"""What games are called on pages; importing the games themselves would load JAX."""

import pkgutil
from functools import cache
from importlib.util import find_spec

_SGF = ("go", "othello", "gomoku", "hex", "backgammon")


@cache
def native() -> tuple[str, ...]:
    """The names of the games of Arena, as `games.names` gives them."""
    spec = find_spec("games")
    places = spec.submodule_search_locations if spec else None
    found = {module.name for module in pkgutil.iter_modules(list(places or ()))}
    return tuple(sorted(name for name in found if name != "core" and not name.startswith("_")))


def title(name: str) -> str:
    """A game's name as a heading: Connect four; that of an env as it is."""
    kind, _, options = name.partition(":")
    if kind not in native():
        return name
    text = kind.replace("_", " ").capitalize().replace("Liars", "Liar's")
    return f"{text} ({options})" if options else text


def formats(name: str) -> tuple[str, ...]:
    """The formats of records that a game has."""
    kind = name.partition(":")[0]
    own = "pgn" if kind == "chess" else "sgf" if kind in _SGF else ""
    return (own, "jsonl") if own else ("jsonl",)
