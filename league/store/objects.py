"""Files of a run: in a folder, or as objects in a store such as S3.

An object is written by one request and a file beside its place first, so either is there whole or
not at all, and who reads never meets half of one.
"""

import io
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from arena import interrupt
from arena.errors import UserError
from league.store.files import half_written, replacing

SCHEMES = ("s3", "gs")
"""Of object stores, by the schemes of their URLs: their writes are whole or not at all."""
PATIENCE = 300.0
"""Seconds that a store which has answered before may be gone."""
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)

T = TypeVar("T")


class Files(ABC):
    """The files of a run, by names such as `data/3.npz`."""

    @abstractmethod
    def title(self, name: str) -> str:
        """A file's place, for messages."""

    @abstractmethod
    def reading(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A file to read.

        Raises:
          FileNotFoundError: it is not there.
          UserError: the store does not answer, or refuses.
        """

    @abstractmethod
    def writing(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A file to write, which gets to its place whole, or not at all.

        Raises:
          UserError: it cannot be written.
        """

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """What lies in a folder, without the folder's name; a folder in it counts as well.

        A file that is not there whole is not among them: it is being written, or was when its
        writer was killed.
        """

    @abstractmethod
    def delete(self, name: str) -> None:
        """Removes a file, if it is there."""

    def tidy(self, folder: str) -> None:  # noqa: B027 - only folders are left empty
        """Removes a folder that nothing lies in."""

    def exists(self, name: str) -> bool:
        """Whether a file is there."""
        folder, _, file = name.rpartition("/")
        return file in self.names(folder)


class FolderFiles(Files):
    """Files in a folder.

    Args:
      folder: which one.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def title(self, name: str) -> str:
        """As `Files.title`."""
        return str(self.folder / name)

    @contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO]:
        """As `Files.reading`."""
        with open(self.folder / name, "rb") as file:
            yield file

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """As `Files.writing`."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        with replacing(path) as file:
            yield file

    def names(self, folder: str) -> list[str]:
        """As `Files.names`."""
        place = self.folder / folder
        if not place.is_dir():
            return []
        return sorted(path.name for path in place.iterdir() if not half_written(path))

    def delete(self, name: str) -> None:
        """As `Files.delete`."""
        (self.folder / name).unlink(missing_ok=True)

    def tidy(self, folder: str) -> None:
        """As `Files.tidy`."""
        place = self.folder / folder
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()


class ObjectFiles(Files):
    """Objects in a store.

    Args:
      url: what their names begin with, without a slash at its end.

    Raises:
      UserError: its driver is not installed.
    """

    def __init__(self, url: str):
        self._url = url
        self._store = _connect(url)
        self._reached = False

    def title(self, name: str) -> str:
        """As `Files.title`."""
        return f"{self._url}/{name}"

    @contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO]:
        """As `Files.reading`."""
        yield io.BytesIO(self._asked(name, lambda place: self._store.cat_file(place)))

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """As `Files.writing`."""
        file = io.BytesIO()
        yield file
        try:
            self._asked(name, lambda place: self._store.pipe_file(place, file.getvalue()))
        except FileNotFoundError as error:  # no such bucket
            raise UserError(f"{self.title(name)}: the store refuses: {_line(error)}") from None

    def names(self, folder: str) -> list[str]:
        """As `Files.names`."""

        def listed(place: str) -> list[str]:
            self._store.invalidate_cache()
            return self._store.ls(place.rstrip("/"), detail=False)

        try:
            found = self._asked(folder, listed)
        except FileNotFoundError:
            return []
        return sorted(path.rstrip("/").rpartition("/")[2] for path in found)

    def delete(self, name: str) -> None:
        """As `Files.delete`."""
        try:
            self._asked(name, lambda place: self._store.rm_file(place))
        except FileNotFoundError:
            return

    def _asked(self, name: str, work: Callable[[str], T]) -> T:
        """What the store answers; one that has answered before is asked again for some time."""
        place, began, tries = self.title(name), time.monotonic(), 0
        while True:
            try:
                found = work(place)
            except FileNotFoundError:
                self._reached = True
                raise
            except (PermissionError, ValueError) as error:
                raise UserError(f"{place}: the store refuses: {_line(error)}") from None
            except Exception as error:  # drivers raise many kinds
                if not self._reached or time.monotonic() - began >= PATIENCE:
                    raise UserError(f"{place}: the store does not answer: {_line(error)}") from None
                interrupt.check()
                time.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
                tries += 1
            else:
                self._reached = True
                return found


def is_url(text: str) -> bool:
    """Whether a store's name is a URL rather than a path."""
    return "://" in text


def check_url(url: str) -> str:
    """A store's URL as a run card keeps it.

    Raises:
      UserError: it is of no store that writes whole objects, or its driver is not installed.
    """
    scheme, _, place = url.partition("://")
    if scheme not in SCHEMES or not place.strip("/"):
        raise UserError(f"a store is a folder, or s3://BUCKET/… or gs://BUCKET/…, not {url!r:.200}")
    _connect(url)
    return url.rstrip("/")


def files(place: Path | str) -> Files:
    """The files in a folder, or at a URL."""
    return FolderFiles(place) if isinstance(place, Path) else ObjectFiles(place)


def _connect(url: str) -> Any:
    """The file system of a URL; its driver finds keys and regions as its other users do."""
    scheme = url.partition("://")[0]
    try:
        import fsspec

        return fsspec.filesystem(scheme, use_listings_cache=False)
    except ImportError:
        raise UserError(
            f"a store at {scheme}:// needs its driver: pip install 'arena-selfplay[cluster]'"
        ) from None


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
