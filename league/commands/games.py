"""List the games."""

from dataclasses import dataclass

import jax

import games
from league import console


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
        ["name", "actions", "state bytes", "longest game", "information"],
        [
            [
                str(g["name"]),
                str(g["actions"]),
                str(g["state_bytes"]),
                f"{g['max_plies']} plies",
                "perfect" if g["perfect_information"] else "hidden",
            ]
            for g in found
        ],
    )


def _describe(name: str) -> dict[str, object]:
    game = games.load(name)
    leaves = jax.tree.leaves(jax.eval_shape(game.init))
    return {
        "name": name,
        "actions": game.num_actions,
        "outcomes": game.num_outcomes,
        "max_plies": game.max_plies,
        "state_bytes": sum(leaf.size * leaf.dtype.itemsize for leaf in leaves),
        "perfect_information": game.perfect_information,
    }
