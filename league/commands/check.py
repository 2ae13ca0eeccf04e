"""Check whether a PettingZoo env can be played."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated, cast

import tyro

from agents.nn import networks
from arena.errors import UserError
from arena.pettingzoo.as_game import ImportedGame
from league.cli import console, names
from league.settings import game_names


@dataclass(frozen=True)
class Command:
    """Check whether an env can be played, and say what Arena makes of it.

    It is an AEC or a parallel env of PettingZoo, a turn-based env of Gymnasium, or a game of
    OpenSpiel.

    Plays it through PettingZoo's api_test, and through random games that hold it to the contract:
    two agents, discrete actions, rewards that sum to zero at every step, masks that are honoured,
    the same game from the same seed, copies that behave alike.

    What follows the question mark goes to the env, but for settings of Arena's own, as in
    pettingzoo:./my_game.py?size=9&arena.hidden=true. arena.seat=true or false: whether the seat is
    added to what networks get (by default if both agents observe the same). arena.hidden=true:
    something is hidden or left to chance, so that no tree search copies the env (by default if the
    check finds it; that it finds nothing is no proof). arena.payoff=X: the largest payoff (by
    default the largest that random games show). arena.plies=N: moves after which a game counts as
    endless (by default 5000). arena.timeout=X: seconds without an answer after which a process
    counts as hung (by default 60). arena.window=K: networks get what a seat observed at its last K
    turns (by default 1). arena.reward=mover or first: whose the reward of a Gymnasium env is, of
    who has just moved (by default) or of who begins. An env can declare them, too: metadata =
    {"arena": {"hidden": True}}.

    Attributes:
      env: pettingzoo:PACKAGE.MODULE[:FUNCTION][?option=value&option=value],
        pettingzoo:classic/connect_four-v3, pettingzoo:./my_game.py, or a game of OpenSpiel,
        open_spiel:mancala or "open_spiel:go(board_size=9)".
      json: print one JSON object.
    """

    env: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ENV")]
    json: bool = False


_HIDDEN = "hidden, or left to chance; arena.window=K shows networks a seat's last K observations"
_PERFECT = "perfect, or not disproved: else say arena.hidden=true"


def run(command: Command) -> None:
    """Prints what the check has found."""
    if not command.env.startswith(game_names.PREFIXES):
        prefixes = " or ".join(game_names.PREFIXES)
        raise UserError(f"{command.env!r} is no env: its name begins with {prefixes}")
    game = cast(ImportedGame, names.game(command.env))
    spec = game.spec
    if command.json:
        console.emit({"env": command.env, **dataclasses.asdict(spec)})
        return
    network = type(networks.suitable(game)).__name__.removesuffix("Config")
    seat = ", with the seat added" if spec.add_seat else ""
    window = f", the last {spec.window} at once" if spec.window > 1 else ""
    rows = {
        "agents": " and ".join(spec.agents),
        "actions": f"{spec.num_actions}, {'masked' if spec.masked else 'all of them always legal'}",
        "observation": f"{spec.dtype}{list(spec.shape)}{seat}{window}, for a {network}",
        "information": _HIDDEN if spec.hidden_or_chance else _PERFECT,
        "longest random game": f"{spec.longest_game} moves",
        "largest payoff": f"{spec.max_payoff:g}",
        "same game from the same seed": "yes" if spec.reproducible else "no",
        "copies behave alike": "yes" if spec.copyable else "no",
    }
    for key, value in rows.items():
        print(f"{key:29} {value}")
    for note in spec.notes:
        print(f"note: {note}")
