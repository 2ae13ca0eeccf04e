"""Where the record of a run is, by its card. Imports no JAX."""

import json
from pathlib import Path
from typing import Any

from league.settings.json_object import JsonObject
from league.store.backend import Place, SharedDatabase

FILE = "league.db"
"""The record in a run's folder, unless its card names a shared database."""
_CARD = "run.json"


def entry(place: Place) -> JsonObject:
    """What a run card says of the record; nothing if it is in the run's folder."""
    if isinstance(place, Path):
        return {}
    return {"database": {"url": place.url, "run": place.run}}


def place(folder: Path, card: JsonObject) -> Place:
    """Where the record of a run is.

    Args:
      folder: of the run.
      card: its card.
    """
    found = card.get("database")
    if not isinstance(found, dict):
        return folder / FILE
    return SharedDatabase(str(found.get("url")), str(found.get("run")))


def find(folder: Path) -> Place | None:
    """Where the record of a run in a folder is; None if there is none, or no card tells it."""
    try:
        card: Any = json.loads((folder / _CARD).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        card = None
    found = place(folder, card if isinstance(card, dict) else {})
    return found if isinstance(found, SharedDatabase) or found.is_file() else None
