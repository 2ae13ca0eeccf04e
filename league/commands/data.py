"""Data: other people's games as a dataset, and what a generation's dataset holds."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from arena.errors import UserError, whole_number
from league.cli import console, device, names
from league.evaluation import selection
from league.settings import game_names
from league.store import imported_games
from league.training import games_in


@dataclass(frozen=True)
class Import:
    """Turn files of games, PGN, SGF or JSONL, into a dataset for `arena train GAME --from FILE`.

    Games that are broken, or of another kind, or there a second time, are counted and left out.
    Ratings of the players are kept.

    Attributes:
      game: what must have been played; see `arena games`.
      files: of games.
      out: the dataset to write.
      json: print one JSON object.
    """

    game: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="GAME")]
    files: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="FILE")]
    out: Annotated[Path, tyro.conf.arg(metavar="FILE")]
    json: bool = False


@dataclass(frozen=True)
class Show:
    """What the dataset of a generation holds, and where it moves the policy.

    How often D' makes each move beside the policy M that made it; and how well the difference
    predicts the change of log-probabilities after 1, 2, 4 and 8 generations, as a cosine.

    Attributes:
      dataset: RUN:GENERATION.
      json: print one JSON object.
    """

    dataset: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN:GENERATION")]
    json: bool = False


Command = (
    Annotated[Import, tyro.conf.subcommand("import")]
    | Annotated[Show, tyro.conf.subcommand("show")]
)


def run(command: Import | Show) -> None:
    """Imports or shows."""
    device.prepare()
    if isinstance(command, Import):
        _import(command)
    else:
        _show(command)


def _import(command: Import) -> None:
    game = names.game(command.game)
    if not game.on_device:
        raise UserError("games of an env cannot be imported")
    if not command.files:
        raise UserError("name at least one file of games")
    if not command.out.parent.is_dir():
        raise UserError(f"{command.out} cannot be written: there is no such folder")
    found = games_in.read(command.files, game, game_names.load, command.game)
    imported_games.write(command.out, found.games, game)
    rated = np.isfinite(found.games.rating).all(1)
    facts = {
        "file": str(command.out),
        "games": len(found.games.length),
        "moves": len(found.games.move),
        "rated_games": int(rated.sum()),
        "repeated": found.repeated,
        "skipped": found.skipped,
    }
    if command.json:
        console.emit(facts)
        return
    for line in found.skipped:
        console.stderr.print(line)
    print(
        f"{command.out}: {facts['moves']:,} moves of {facts['games']:,} games of {command.game}, "
        f"{facts['rated_games']:,} of them between rated players"
        + f"; {found.repeated:,} were there twice"
        * bool(found.repeated)
    )


def _show(command: Show) -> None:
    name, _, number = command.dataset.partition(":")
    work = names.run(name)
    generation = whole_number(number, 1)
    if generation is None:
        raise UserError(f"{command.dataset!r}: RUN:GENERATION, from 1")
    found = selection.of_generation(work, generation)
    if command.json:
        console.emit(asdict(found))
        return
    mean, deviation = found.outcome
    print(
        f"{name}, generation {generation}: {found.positions:,} positions, "
        f"{found.distinct:,} different; seat 0 moves in {found.seats[0]:.0%}"
    )
    print(f"value targets: {mean:+.3f} ± {deviation:.3f} (standard deviation)")
    print(f"KL(D' ‖ M): {found.divergence:.3f} nats a move")
    for picture, count, moves in found.opening:
        print(f"\n{picture}\n{count} of the positions looked at; share by M → by D':")
        print("  " + ", ".join(f"{label} {old:.1%} → {new:.1%}" for label, old, new in moves))
    if found.cosines:
        ahead = ", ".join(f"{k}: {value:.2f}" for k, value in found.cosines.items())
        print(f"\ncosine of D' - M and the change of log-probabilities, by generations: {ahead}")
