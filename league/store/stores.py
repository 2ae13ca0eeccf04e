"""Where the weights and data of a run lie, by its card: in its folder, or in a store.

A store is a folder elsewhere, say on NFS, or the URL of an object store; each run lies in it below
its name.
"""

from pathlib import Path

from arena.errors import UserError
from league.settings.json_object import JsonObject
from league.store import objects, places

_KEY = "store"


def of_card(folder: Path, card: JsonObject) -> Path | str:
    """The place of a run's weights and data: a folder, or a URL.

    Args:
      folder: of the run.
      card: its card.
    """
    text = card.get(_KEY)
    if text is None:
        return folder
    if objects.is_url(str(text)):
        return str(text)
    return Path(places.find(str(text), card, folder))


def settled(text: str) -> str:
    """A store as run cards name it.

    Args:
      text: a path or a URL.

    Raises:
      UserError: it is no folder, and no URL of an object store.
    """
    if objects.is_url(text):
        return objects.check_url(text)
    place = Path(text).absolute()
    if place.exists() and not place.is_dir():
        raise UserError(f"{text} is there, and is no folder: it cannot be a store")
    return str(place)


def entry(store: str, name: str) -> JsonObject:
    """What a run card says of it.

    Args:
      store: as `settled` gives it; empty for the run's own folder.
      name: of the run.
    """
    return {_KEY: f"{store}/{name}"} if store else {}


def check_empty(place: Path | str) -> None:
    """Raises UserError if a run has left snapshots at a place that a new one is to use."""
    files = objects.files(place)
    if files.names("snapshots"):
        raise UserError(f"{files.title('snapshots')} holds those of a run already: another --name")
