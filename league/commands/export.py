"""Write a snapshot into one small file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from arena.errors import UserError
from league.cli import console, names
from league.store import pretrained


@dataclass(frozen=True)
class Command:
    """Write a snapshot's network into one small file; in `league/nets` it is `pretrained:GAME`.

    Attributes:
      snapshot: RUN or RUN:ID.
      out: the file; GAME.npz by default. One that is there is replaced, and nothing else.
      json: print one JSON object.
    """

    snapshot: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN[:ID]")]
    out: str = ""
    json: bool = False


def run(command: Command) -> None:
    """Writes the file and says how large it is."""
    where, number, simulations = names.snapshot(command.snapshot)
    if simulations:
        raise UserError("a network is written without search: leave simulations away")
    path = Path(command.out or pretrained.file(where.card["game"]))
    pretrained.write(where, number, path)
    where.close()
    size = path.stat().st_size
    if command.json:
        console.emit({"snapshot": f"{where.name}:{number}", "file": str(path), "bytes": size})
    else:
        print(f"{path}: {size / 1e6:.2f} MB")
