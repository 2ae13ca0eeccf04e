"""Play a native game side by side with the env that it ports."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import tyro

from arena import extensions
from arena.errors import UserError
from arena.pettingzoo import compare
from league.cli import console, device, names
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
      moves: FILE.py[:FUNCTION], `moves(game, state, move)` is what the env calls a native move; by
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
        if self.games <= 0:
            raise UserError(f"games must be positive, not {self.games}")
        if not 0 <= self.seed < 2**32:
            raise UserError(f"seed must lie between 0 and 2³² - 1, not {self.seed}")
        if self.native.startswith(game_names.PREFIX) or not self.env.startswith(game_names.PREFIX):
            raise UserError("verify takes a native game, then the env that it ports, pettingzoo:…")


def run(command: Command) -> None:
    """Plays the games and says whether they agree."""
    device.prepare()
    native = names.game(command.native)
    options: dict[str, Any] = {"observations": _function(command.observations, "observations")}
    if command.moves:
        options["moves"] = _function(command.moves, "moves")
    try:
        port = compare.Port(native, command.env, **options)
        with console.bar() as bar:
            task = bar.add_task("side by side", total=command.games, note="")
            verdict = port.verify(command.games, command.seed, lambda: bar.advance(task))
    except ValueError as error:
        raise UserError(str(error)) from None
    if command.json:
        console.emit({"native": command.native, "env": command.env, **dataclasses.asdict(verdict)})
    else:
        print("\n".join(_told(command, verdict)))
    if verdict.differing:
        raise SystemExit(1)


def _function(spec: str, default: str) -> Callable[..., Any] | None:
    """A function in a user's file; None for no name."""
    if not spec:
        return None
    try:
        found = extensions.load(spec, default)
    except ValueError as error:
        raise UserError(str(error)) from None
    if not callable(found):
        raise UserError(f"{spec} holds {found!r:.50}, which is no function")
    return found


def _told(command: Command, verdict: compare.Verdict) -> list[str]:
    """The verdict, for people."""
    lines = []
    found = verdict.difference
    if found is None:
        lines.append(
            f"{command.native} agrees with {command.env}: {verdict.games} games, "
            f"{verdict.plies} plies"
        )
    else:
        lines += [
            f"{command.native} differs from {command.env} in {verdict.differing} of "
            f"{verdict.games} games; soonest in game {found.game}:",
            f"ply {found.ply}, {found.what}: {command.native}: {found.native}; env: {found.env}",
            f"moves: {' '.join(found.moves) or 'none'}",
            f"the env's numbers of them: {' '.join(map(str, found.actions)) or 'none'}",
        ]
    if verdict.unseen:
        lines.append(f"observations were not compared: {verdict.unseen} (see --observations)")
    if not verdict.masked:
        lines.append("legal moves were not compared: the env has no action_mask")
    return lines
