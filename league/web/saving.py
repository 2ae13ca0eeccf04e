"""A game as a file to keep."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from arena.errors import UserError
from arena.play.records import Player, append_games, check_writable, saved
from league.web import service
from league.web.query import Query
from league.web.site import Site

FORMATS = {
    "pgn": "application/x-chess-pgn",
    "sgf": "application/x-go-sgf",
    "jsonl": "application/jsonl",
}


@dataclass(frozen=True)
class File:
    """A file to download.

    Attributes:
      name: of it.
      kind: its media type.
      content: of it.
    """

    name: str
    kind: str
    content: bytes


def record(site: Site, query: Query, ending: str) -> File:
    """The record of a game.

    Raises:
      UserError: there is no such format, or it does not take the game; or the game is one of chance
        or hidden information and goes on, as its record tells what the visitor must not know.
    """
    if ending not in FORMATS:
        raise UserError(f"records are {', '.join(FORMATS)}, not {ending!r:.20}")
    found = service.of(site)
    line = found.lines.open(query)
    secret = line.hidden or bool(line.game.num_outcomes) or not line.game.on_device
    if secret and query.deal and not line.session.over:
        raise UserError("the record of a game of chance is to be had when the game is over")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"game.{ending}"
        try:
            check_writable(path, line.game)
        except UserError as error:
            raise UserError(str(error).replace(f"{path}: ", "")) from None
        names = [query.agent or "?", query.agent or "?"]
        if query.agent:
            names[query.seat] = "visitor"
        resigned = -1.0 if query.seat == 0 else 1.0
        kept = saved(
            line.session.record,
            query.game,
            [Player(name) for name in names],
            result=resigned if query.resigned else None,
            termination="resigned" if query.resigned else "left unfinished",
        )
        append_games(path, [kept], load=found.lines.game)
        content = path.read_bytes()
    name = "".join(c if c.isalnum() else "-" for c in query.game)
    return File(f"{name}.{ending}", FORMATS[ending], content)
