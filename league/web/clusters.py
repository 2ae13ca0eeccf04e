"""The actors that play for a run, as its page shows them."""

import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from league.cluster import figures
from league.cluster import shown as words
from league.settings.json_object import JsonObject
from league.store import stores
from league.store.objects import files, is_url

_REST = 5.0
"""Seconds between two questions to a store that is not a folder."""


def shown(found: Path, card: JsonObject) -> Mapping[str, Any] | None:
    """Of a run that a command is at: lines of text and a table; None if no cluster plays for it.

    Args:
      found: the run's folder.
      card: its card.
    """
    place = stores.of_card(found, card)
    now = int(time.monotonic() / _REST) if is_url(str(place)) else time.monotonic_ns()
    told = _read(place, now)
    if told is None or not words.is_going_on(told, locked=True):
        return None
    return {"lines": words.lines(told), "columns": words.COLUMNS, "rows": words.rows(told)}


@lru_cache(maxsize=8)
def _read(place: Path | str, now: int) -> JsonObject | None:
    del now  # by it the cache ages
    return figures.read(files(place))
