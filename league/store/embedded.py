"""The record in a file of the run's own: SQLite, with nothing to set up."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sql
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError, OperationalError

from arena.errors import UserError
from league.store import upgrade
from league.store.backend import Backend
from league.store.schema import RUNS

APPLICATION = 0x41524E41
"""ARNA, which marks the file as ours (sqlite.org/pragma: application_id)."""

_RUN = 1
_VERSION = int(upgrade.NEWEST)

T = TypeVar("T")


class EmbeddedDatabase(Backend):
    """A record in an SQLite file.

    Args:
      path: of the file.
      create: make it if it is not there.

    Raises:
      UserError: the file is missing, or is not one of ours.
    """

    run = _RUN

    def __init__(self, path: Path, create: bool = False):
        if not create and not path.is_file():
            raise UserError(f"{path} is missing")
        self.title = str(path)
        self._engine = sql.create_engine(sql.URL.create("sqlite", database=str(path)))
        event.listen(self._engine, "connect", _configure)
        event.listen(self._engine, "handle_error", self._explain)
        try:
            self._check(create)
        except UserError:
            self._engine.dispose()
            raise

    def read(self, work: Callable[[sql.Connection], T]) -> T:
        """As `Backend.read`."""
        with self._engine.connect() as connection:
            return work(connection)

    def write(self, work: Callable[[sql.Connection], T]) -> T:
        """As `Backend.write`."""
        with self._engine.connect() as connection:
            # What is read in it must hold until it is over: SQLite would begin with a write.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            found = work(connection)
            connection.commit()
            return found

    @contextmanager
    def claim(self, name: str) -> Iterator[bool]:
        """As `Backend.claim`; the run is locked, so there is nobody else."""
        yield True

    def close(self) -> None:
        """Ends its connections."""
        self._engine.dispose()

    def _check(self, create: bool) -> None:
        """Makes the tables, or finishes making them; the version comes last and vouches for them.

        A foreign file is not even touched: write-ahead logging is set once, in files of ours.
        """
        with self._engine.connect() as connection:

            def ask(query: str) -> int:
                return connection.exec_driver_sql(query).scalar_one()

            application, version = ask("PRAGMA application_id"), ask("PRAGMA user_version")
            if create and application == 0 and ask("SELECT count(*) FROM sqlite_master") == 0:
                connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
                application = APPLICATION
            if application != APPLICATION:
                raise UserError(f"{self.title} is not a results file of Arena")
            if create and version == 0:
                ask("PRAGMA journal_mode = WAL")
                upgrade.create(connection)
                if connection.execute(sql.select(RUNS)).first() is None:
                    connection.execute(RUNS.insert().values(id=_RUN, name=""))
                connection.commit()
                connection.exec_driver_sql(f"PRAGMA user_version = {_VERSION}")
            elif 0 < version < _VERSION:
                self._upgrade(connection)
            elif version != _VERSION:
                raise UserError(f"{self.title} is not a results file of this version of Arena")

    def _upgrade(self, connection: sql.Connection) -> None:
        """Brings the file to this version, in one transaction."""
        connection.rollback()  # what has been read so far
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        if version < _VERSION:  # or another process was faster
            upgrade.run(connection, self.title)
            connection.exec_driver_sql(f"PRAGMA user_version = {_VERSION}")
        connection.commit()

    def _explain(self, context: sql.ExceptionContext) -> None:
        """A damaged file, or a full disk, becomes one line."""
        if type(context.sqlalchemy_exception) in (DatabaseError, OperationalError):
            reason = context.original_exception
            raise UserError(f"{self.title} cannot be read or written: {reason}") from None


def _configure(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
