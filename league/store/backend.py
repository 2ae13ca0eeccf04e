"""Where a record lies: in a file of the run's own, or in a database that leagues share."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sql

T = TypeVar("T")


@dataclass(frozen=True)
class SharedDatabase:
    """A run's record in a database that several leagues share.

    Attributes:
      url: of the database, as SQLAlchemy reads it, without a password.
      run: the name of the run there.
    """

    url: str
    run: str


Place = Path | SharedDatabase
"""Of a record: a file, or a shared database."""


class Backend(ABC):
    """The database of a record.

    Attributes:
      title: for messages.
      run: the number of the run, which all of its rows carry.
    """

    title: str
    run: int

    @abstractmethod
    def read(self, work: Callable[[sql.Connection], T]) -> T:
        """What `work` reads, as it is at one moment.

        Raises:
          UserError: the database cannot be read.
        """

    @abstractmethod
    def write(self, work: Callable[[sql.Connection], T]) -> T:
        """Calls `work` in a transaction: all that it writes is kept once, or nothing is.

        It has the run to itself, and may be called again where its transaction was lost.

        Raises:
          UserError: the database cannot be written.
        """

    @abstractmethod
    def claim(self, name: str) -> AbstractContextManager[bool]:
        """Around work that one process is to do: whether this one may.

        Args:
          name: of the work, in this run. Whoever dies gives it up.
        """

    @abstractmethod
    def close(self) -> None:
        """Ends its connections."""
