"""Positions and games that a visitor pastes or uploads."""

import re
import tempfile
from pathlib import Path

from arena.errors import UserError
from arena.play.records import SavedGame, Skipped, read_games
from games import TextPositions
from league.web import service
from league.web.query import Query
from league.web.site import Site

_MOST_GAMES = 10_000


def load(site: Site, game: str, *, name: str, content: bytes, number: int) -> Query:
    """The address of what was pasted or uploaded, as far as it can be told what it is.

    Args:
      site: whose.
      game: its name, "" if the text tells.
      name: of the file, "" if it was pasted.
      content: a record (PGN, SGF, JSONL), a position (FEN), or moves.
      number: which of the games in a record, from 1 on.

    Raises:
      UserError: it is none of these, or no such game.
    """
    text = content.decode("utf-8", "replace").strip()
    ending = _ending(name, text, chess=game.partition(":")[0] in ("", "chess"))
    if ending:
        return _record(site, game, content, ending, number)
    lines = service.of(site).lines
    game = game or "chess"
    rules = lines.game(game)
    if isinstance(rules, TextPositions):
        try:
            rules.from_text(text)
        except ValueError as error:
            if "/" in text:
                raise UserError(str(error)) from None
        else:
            return Query(game, start=text)
    moves = tuple(part for part in re.split(r"[\s,]+", text) if not re.fullmatch(r"\d+\.+", part))
    found = Query(game, moves=moves)
    if rules.num_outcomes:
        found = lines.begin(found)
    lines.open(found)
    return found


def _ending(name: str, text: str, *, chess: bool) -> str:
    """The kind of a record, by its file's name or how it begins; "" if it is none."""
    ending = Path(name).suffix.lower()
    if ending in (".pgn", ".sgf", ".jsonl"):
        return ending
    if text.startswith("{"):
        return ".jsonl"
    if re.match(r"\(\s*;", text):
        return ".sgf"
    return ".pgn" if chess and re.match(r"\[\w+ \"|1\. ?[a-hKQRBNO]", text) else ""


def _record(site: Site, game: str, content: bytes, ending: str, number: int) -> Query:
    lines = service.of(site).lines
    rules, skipped = lines.game(game) if game else None, Skipped()
    with tempfile.NamedTemporaryFile(suffix=ending) as file:
        file.write(content)
        file.flush()
        found = read_games(file.name, game=rules, load=lines.game, skipped=skipped)
        count = 0
        for one in found:
            count += 1
            if count == number:
                return _address(site, game, one)
            if count >= _MOST_GAMES:
                break
    why = skipped.describe() or "nothing that can be read"
    raise UserError(f"there is no game {number} in it; {count} can be read; {why}")


def _address(site: Site, game: str, kept: SavedGame) -> Query:
    found = Query(kept.game or game, start=kept.start, outcomes=kept.outcomes)
    lines = service.of(site).lines
    if lines.game(found.game).num_outcomes and not found.outcomes:
        found = lines.begin(found)
    line = lines.open(found)
    for label in kept.moves:
        line.push(line.session.parse(label))
    return lines.address(found, line)
