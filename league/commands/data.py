"""Data: other people's games as a dataset, and what a generation's dataset holds."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from arena.errors import UserError, whole_number
from league.cli import console, device, names
from league.evaluation import dataset_games, selection
from league.evaluation.position_kinds import PositionKind
from league.evaluation.selection import Selection
from league.report import selection_page
from league.settings import game_names
from league.settings.json_object import JsonObject
from league.store import imported_games
from league.store.run import Run
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

    How often D' makes each move beside the policy M that made it, in frequent positions and where a
    move wins or the other seat threatens to; results, lengths and a few games; and how well the
    difference predicts the change of log-probabilities after 1, 2, 4 and 8 generations, as a
    cosine. The same is written as a page, runs/NAME/data-GENERATION.html.

    Attributes:
      dataset: RUN:GENERATION.
      games: a PGN, SGF or JSONL file to which a few of its games are added, for arena replay.
      json: print one JSON object.
    """

    dataset: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN:GENERATION")]
    games: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
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
    if command.games:
        source = f"{name}:{generation}"
        lines = found.games
        dataset_games.write(command.games, work.game, lines, name=work.card["game"], source=source)
    written = _page(work, generation, found)
    if command.json:
        console.emit({**_as_json(work, found), "page": written})
        return
    print(f"{name}, generation {generation}; seat 0 moves in {found.seats[0]:.0%}")
    for title, text in selection_page.numbers(found):
        print(f"{title}: {text}")
    for kind in found.kinds:
        print(f"{kind.positions} positions in which {kind.name}: {_skill(kind)}")
    for opening in found.opening:
        print(f"\n{opening.text}\n{opening.rows} of the positions looked at; share by M → by D':")
        moves = (f"{label} {old:.1%} → {new:.1%}" for label, old, new in opening.moves)
        print("  " + ", ".join(moves))
    for line in found.games:
        print("game: " + " ".join(dataset_games.record(work.game, line).labels))
    if found.cosines:
        ahead = ", ".join(f"{k}: {value:.2f}" for k, value in found.cosines.items())
        print(f"\ncosine of D' - M and the change of log-probabilities, by generations: {ahead}")
    if written:
        console.stderr.print(f"page: {written}")


def _page(work: Run, generation: int, found: Selection) -> str | None:
    """Writes the page and gives its path; None, and a line on stderr, where that cannot be."""
    try:
        return selection_page.write(work, generation, found)
    except OSError as error:
        console.stderr.print(f"no page is written: {error.filename}: {error.strerror}")
        return None


def _skill(kind: PositionKind) -> str:
    """How often M and D' do what a kind of position asks for."""
    if not kind.positions:
        return "none"
    told = f"{kind.skill} {kind.before:.1%} by M → {kind.wanted:.1%} by D', " if kind.skill else ""
    return f"{told}KL {kind.divergence:.3f}"


def _as_json(work: Run, found: Selection) -> JsonObject:
    """A dataset for programs: without pictures, games by their labels, and null for no number."""
    body = asdict(found)
    body["opening"] = [opening[:-1] for opening in found.opening]
    body["games"] = [dataset_games.record(work.game, line).labels for line in found.games]
    body["kinds"] = [
        {key: None if value != value else value for key, value in kind.items()}
        for kind in body["kinds"]
    ]
    return body
