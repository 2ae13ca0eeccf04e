"""List the games."""

import dataclasses
from dataclasses import dataclass

import jax

import games
from games import Game
from league.cli import console


@dataclass(frozen=True)
class Command:
    """List the games.

    Attributes:
      json: print one JSON object.
    """

    json: bool = False


def run(command: Command) -> None:
    """Prints every game in the folder `games/`."""
    found = [_describe(name) for name in games.names()]
    if command.json:
        console.emit({"games": found})
        return
    console.table(
        "Games",
        ["name", "actions", "state bytes", "longest game", "information", "options"],
        [
            [
                str(g["name"]),
                str(g["actions"]),
                str(g["state_bytes"]),
                f"{g['max_plies']} plies",
                "perfect" if g["perfect_information"] else "hidden",
                str(g["options"]),
            ]
            for g in found
        ],
    )


def _describe(name: str) -> dict[str, object]:
    """The size of a game's moves, positions and games, at its default options."""
    game = games.load(name)
    leaves = jax.tree.leaves(jax.eval_shape(game.init))
    return {
        "name": name,
        "actions": game.num_actions,
        "outcomes": game.num_outcomes,
        "max_plies": game.max_plies,
        "state_bytes": sum(leaf.size * leaf.dtype.itemsize for leaf in leaves),
        "perfect_information": game.perfect_information,
        "options": _options(game),
    }


def _options(game: Game) -> str:
    """As a user would type them, at their defaults."""
    values = {f.name: getattr(game, f.name) for f in dataclasses.fields(game)}  # pyright: ignore[reportArgumentType]
    texts = {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in values.items()}
    return ",".join(f"{k}={v}" for k, v in texts.items())
