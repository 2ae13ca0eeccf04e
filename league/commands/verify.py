"""Play a native game side by side with the env that it ports."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import tyro

from arena import extensions
from arena.errors import UserError, check_positive, check_seed
from arena.pettingzoo import compare
from league.cli import console, device, names
from league.cli.progress import Progress
from league.settings import game_names


@dataclass(frozen=True)
class Command:
    """Play random games of a native game and of a PettingZoo env side by side.

    At every ply who moves, the legal moves, what the mover observes, the end and the payoffs are
    compared. Ends with exit code 0 if all games agree, and with 1 if one does not: then it names
    what differs after the fewest moves.

    Attributes:
      native: the native game; see `arena games`.
      env: the env that it ports, pettingzoo:PACKAGE.MODULE or pettingzoo:./FILE.py.
      games: how many games to play.
      moves: FILE.py[:FUNCTION], `moves(game, state, move)` is the env's number of a native move; by
        default both sides number their moves alike.
      observations: FILE.py[:FUNCTION], `observations(native, env)` gives two arrays that must be
        equal; by default observations are compared as they are if their shapes agree.
      seed: of the games.
      json: print one JSON object.
    """

    native: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="GAME")]
    env: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ENV")]
    games: int = 100
    moves: str = ""
    observations: str = ""
    seed: int = 0
    json: bool = False

    def __post_init__(self):
        check_positive(self, "games")
        check_seed(self.seed)
        outside = game_names.PREFIXES
        if self.native.startswith(outside) or not self.env.startswith(outside):
            raise UserError("verify takes a native game, then the env that it ports, pettingzoo:…")


def run(command: Command) -> int:
    """Plays the games and says whether they agree; the exit code, 1 if they do not."""
    device.prepare()
    native = names.game(command.native)
    moves = _function(command.moves, "moves")
    observations = _function(command.observations, "observations")
    try:
        port = compare.Port(native, command.env, moves, observations)
        with Progress("games side by side", command.games) as progress:
            comparison = port.verify(command.games, command.seed, progress=progress.advance)
    except ValueError as error:
        raise UserError(str(error)) from None
    if command.json:
        console.emit(
            {"native": command.native, "env": command.env, **dataclasses.asdict(comparison)}
        )
    else:
        print("\n".join(_lines(command, comparison)))
    return 1 if comparison.differing else 0


def _function(spec: str, default: str) -> Callable | None:
    """A function in a user's file; None for no name."""
    if not spec:
        return None
    found = extensions.load(spec, default)
    if not callable(found):
        raise UserError(f"{spec} holds {found!r:.50}, which is no function")
    return found


def _lines(command: Command, comparison: compare.Comparison) -> list[str]:
    """What was found, for people."""
    lines = []
    found = comparison.difference
    if found is None:
        lines.append(
            f"{command.native} agrees with {command.env}: {comparison.games} games, "
            f"{comparison.plies} plies"
        )
    else:
        lines += [
            f"{command.native} differs from {command.env} in {comparison.differing} of "
            f"{comparison.games} games; soonest in game {found.game}:",
            f"ply {found.ply}, {found.what}: {command.native}: {found.native}; env: {found.env}",
            f"moves: {' '.join(found.moves) or 'none'}",
            f"the env's numbers of them: {' '.join(map(str, found.actions)) or 'none'}",
        ]
    if comparison.observations_skipped:
        why = comparison.observations_skipped
        lines.append(f"observations were not compared: {why} (see --observations)")
    if not comparison.masked:
        lines.append("legal moves were not compared: the env has no action_mask")
    return lines
