"""Where the files are that a run card names, from whatever folder the run is opened.

A card keeps names as they were typed, `program:./mine.py`, and the folder in which that was: its
path, and how it lies from the run's folder. So the files are found from anywhere, and also when the
run was moved along with them.

typed_in      folder, the path; from_run, the same relative to the run's folder
"""

import os
from collections.abc import Callable
from pathlib import Path

from agents import judges
from arena import extensions
from league.settings import game_names, matchmaking
from league.settings.json_object import JsonObject

_KEY = "typed_in"

Change = Callable[[str], str]
_WITH_FILES: dict[str, Callable[[str, Change], str]] = {
    "game": game_names.with_files,
    "learner": extensions.with_file,
    "network": extensions.with_file,
    "judge": judges.with_files,
    "matchmaker": matchmaking.with_files,
}
"""Names on a card that may hold paths."""


def entry(folder: Path) -> JsonObject:
    """What a run card says of the folder in which its names were typed: the current one.

    Args:
      folder: of the run.
    """
    here = Path.cwd()
    from_run = os.path.relpath(here.resolve(), folder.resolve())
    return {_KEY: {"folder": str(here), "from_run": from_run}}


def settled(part: str, name: str) -> str:
    """A name that is typed now, with absolute paths.

    Args:
      part: `game`, `learner`, `network`, `judge` or `matchmaker`.
      name: of it.
    """
    return _WITH_FILES[part](name, lambda path: str(Path(path).resolve()))


def located(card: JsonObject, folder: Path, *, absolute: bool = False) -> JsonObject:
    """A card whose names mean from here what they meant where they were typed.

    Args:
      card: of a run.
      folder: of the run.
      absolute: all paths are to be so; else those that are right from here stay as they are.
    """

    def there(part: str, name: str) -> str:
        found = _WITH_FILES[part](name, lambda path: find(path, card, folder))
        return settled(part, found) if absolute else found

    names = {part: there(part, card[part]) for part in _WITH_FILES if part in card}
    config = card["config"]
    if isinstance(config.get("matchmaker"), str):
        config = {**config, "matchmaker": there("matchmaker", config["matchmaker"])}
    return {**card, **names, "config": config}


def find(path: str, card: JsonObject, folder: Path) -> str:
    """Where a file or folder is that a card names; where it was, if it is nowhere.

    Args:
      path: as the card has it.
      card: of a run.
      folder: of the run.
    """
    kept = card.get(_KEY)
    kept = kept if isinstance(kept, dict) else {}
    was = Path(str(kept.get("folder", Path.cwd())))
    now = folder.resolve() / str(kept.get("from_run", Path("..", "..")))
    places = [was / path]
    if places[0].is_relative_to(was):
        places.append(now / places[0].relative_to(was))
    if kept and not Path(path).is_absolute():
        places.reverse()  # of two copies, the one that was moved along with the run
    found = next((place for place in places if place.exists()), places[0])
    return path if found.resolve() == Path(path).resolve() else str(found.resolve())
