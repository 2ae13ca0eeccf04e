"""Games of any kind, one a line, as JSON objects.

{"format": 1, "game": "hex:size=5", "version": 1, "date": "2026-01-31T10:20:30Z",
 "players": [{"name": "run:16", "digest": "9f…"}, {"name": "mcts:100", "digest": ""}],
 "seed": 7, "start": "", "moves": ["c3", "b4"], "outcomes": [], "result": 1.0,
 "termination": "", "notes": [{"value": 0.2, "visits": 31}, null], "tags": {"generation": 16}}

A reader takes `game` and `moves`; all else may be missing. Keys that it does not know are ignored.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from arena.play.records.saved import MoveNote, Player, SavedGame

FORMAT = 1


def as_json(kept: SavedGame) -> dict[str, object]:
    """A game as the object of its line."""
    return {
        "format": FORMAT,
        "game": kept.game,
        "version": kept.version,
        "date": kept.date,
        "players": [player._asdict() for player in kept.players],
        "seed": kept.seed,
        "start": kept.start,
        "moves": kept.moves,
        "outcomes": kept.outcomes,
        "result": kept.result,
        "termination": kept.termination,
        "notes": [note and note._asdict() for note in kept.notes],
        "tags": dict(kept.tags),
    }


def write(kept: SavedGame) -> str:
    """The line of a game, with its end."""
    found = as_json(kept)
    return json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def read(line: bytes) -> SavedGame:
    """The game of a line; its moves are not looked at.

    Raises:
      ValueError: it is none; in one line.
    """
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("no JSON, or cut off") from None
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    if found.get("format", FORMAT) != FORMAT:
        raise ValueError(f"format {found['format']!r:.20} is not {FORMAT}")
    try:
        return _read(found)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        what = str(error) if type(error) is ValueError else "a field is missing or of another type"
        raise ValueError(f"no game: {what}") from None


def _read(found: Mapping[str, Any]) -> SavedGame:
    notes = tuple(_note(note) for note in found.get("notes") or ())
    return SavedGame(
        game=_text(found["game"]),
        version=int(found.get("version", 1)),
        players=_players(found.get("players")),
        start=_text(found.get("start") or ""),
        seed=None if found.get("seed") is None else int(found["seed"]),
        moves=tuple(map(_text, _list(found["moves"]))),
        outcomes=tuple(map(int, _list(found.get("outcomes") or []))),
        result=_result(found.get("result")),
        termination=_text(found.get("termination") or ""),
        date=_text(found.get("date") or ""),
        notes=notes,
        tags=dict(found.get("tags") or {}),
    )


def _players(found: Sequence[Mapping[str, Any]] | None) -> tuple[Player, Player]:
    if not found:
        return Player("?"), Player("?")
    one, two = (Player(_text(p["name"]), _text(p.get("digest") or "")) for p in found)
    return one, two


def _note(found: Mapping[str, Any] | None) -> MoveNote | None:
    if found is None:
        return None
    visits = found.get("visits")
    return MoveNote(_finite(found["value"]), None if visits is None else int(visits))


def _result(found: Any) -> float | None:
    if found is None:
        return None
    result = _finite(found)
    if abs(result) > 1:
        raise ValueError(f"the result {result:g} does not lie in [-1, 1]")
    return result


def _finite(found: Any) -> float:
    number = float(found)
    if not math.isfinite(number):
        raise ValueError("a number is not finite")
    return number


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise ValueError(f"{found!r:.40} is no text")
    return found


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise ValueError(f"{found!r:.40} is no list")
    return found
