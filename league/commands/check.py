"""Check whether a PettingZoo env can be played."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

import tyro

from agents.nn import networks
from arena.errors import UserError
from league.cli import console, names
from league.settings import game_names


@dataclass(frozen=True)
class Command:
    """Check whether a PettingZoo env can be played, and say what Arena makes of it.

    Plays it through PettingZoo's api_test, and through random games that hold it to the contract:
    two agents, discrete actions, rewards that sum to zero at every step, masks that are honoured,
    the same game from the same seed, copies that behave alike.

    Attributes:
      env: pettingzoo:PACKAGE.MODULE[:FUNCTION][?option=value], pettingzoo:classic/connect_four-v3,
        or pettingzoo:./my_game.py.
      json: print one JSON object.
    """

    env: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ENV")]
    json: bool = False


def run(command: Command) -> None:
    """Prints what the check has found."""
    if not command.env.startswith(game_names.PREFIX):
        raise UserError(f"{command.env!r} is no env: its name begins with {game_names.PREFIX}")
    game: Any = names.game(command.env)
    known = game.known
    if command.json:
        console.emit({"env": command.env, **dataclasses.asdict(known)})
        return
    network = type(networks.suitable(game)).__name__.removesuffix("Config")
    whose = ", with the seat added" if known.seat else ""
    rows = {
        "agents": " and ".join(known.agents),
        "actions": f"{known.actions}, {'masked' if known.masked else 'all of them always legal'}",
        "observation": f"{known.dtype}{list(known.shape)}{whose}, for a {network}",
        "information": "hidden, or left to chance" if known.hidden else "perfect",
        "longest random game": f"{known.plies} moves",
        "largest payoff": f"{known.payoff:g}",
        "same game from the same seed": "yes" if known.steady else "no",
        "copies behave alike": "yes" if known.copies else "no",
    }
    for key, value in rows.items():
        print(f"{key:29} {value}")
    for note in known.notes:
        print(f"note: {note}")
