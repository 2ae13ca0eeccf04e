"""The record in a PostgreSQL database that leagues share.

Everything lies in the schema `arena`. A run's rows are written by one transaction at a time, which
locks its row in `runs`; work that one process is to do is claimed by advisory locks, which a
process that dies gives up (postgresql.org/docs/15/explicit-locking.html).

Who changes a run is patient with a database that is gone for a while, and asks it again; who only
looks is told at once.
"""

import atexit
import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import sqlalchemy as sql
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from arena import interrupt
from arena.errors import UserError
from league.store import upgrade
from league.store.backend import Backend, SharedDatabase
from league.store.schema import RUNS, SNAPSHOTS

PATIENCE = 300.0
"""Seconds that a database may be gone from who changes a run."""
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
_TOLD = 1.0
"""Seconds after which it is said that the database is gone."""
_DRIVER = "postgresql+psycopg"
_SCHEMA = "arena"
_VERSION_TABLE = {"name": f"{_SCHEMA}.{upgrade.VERSION_TABLE}"}
_CONNECT = {
    "options": " ".join(
        f"-c {setting}"
        for setting in (
            f"search_path={_SCHEMA}",
            # Who is cut off keeps no lock: the server finds it out.
            "tcp_keepalives_idle=30",
            "idle_in_transaction_session_timeout=120000",
        )
    ),
    "application_name": "arena",
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
_PASSING = ("08", "57P", "40001", "40P01")
"""States of errors that another try may not meet: connections, shutdowns, conflicts
(postgresql.org/docs/15/errcodes-appendix.html)."""

_log = logging.getLogger("arena.store")
_engines: dict[str, sql.Engine] = {}
_held: dict[SharedDatabase, "_Lock"] = {}
"""The runs that this process changes."""

T = TypeVar("T")


def parse(text: str) -> str:
    """The URL of a database, as a run card keeps it.

    Args:
      text: `postgresql+psycopg://USER@HOST/NAME`, or the same without `+psycopg`.

    Raises:
      UserError: it is none, holds a password, or its driver is not installed.
    """
    try:
        url = sql.make_url(text)
    except ArgumentError:
        url = None
    if url is None or url.drivername not in (_DRIVER, "postgresql"):
        raise UserError(f"a database is {_DRIVER}://USER@HOST/NAME, not {text!r:.200}")
    if url.password is not None:
        raise UserError(
            "leave the password out of the database's URL: ~/.pgpass or PGPASSWORD tell it"
        )
    url = url.set(drivername=_DRIVER).render_as_string()
    _engine(url)
    return url


def _engine(url: str) -> sql.Engine:
    """The connections of this process to a database."""
    try:
        if url not in _engines:
            _engines[url] = sql.create_engine(
                url, connect_args=_CONNECT, pool_pre_ping=True, max_overflow=20
            )
        return _engines[url]
    except ImportError:
        raise UserError(
            "a shared database needs psycopg: pip install 'arena-selfplay[cluster]'"
        ) from None


def disconnect() -> None:
    """Ends all connections of this process; they are made again where they are needed."""
    for engine in _engines.values():
        engine.dispose()


atexit.register(disconnect)


def begin(place: SharedDatabase) -> None:
    """Takes a name for a run that is to be made, and makes the tables if there are none.

    Raises:
      UserError: a run of that name is there, or the database cannot be used.
    """
    backend = PostgresDatabase(place, create=True)
    if backend.read(lambda c: c.execute(_of_run(backend.run)).first()):
        raise UserError(f"{backend.title} has a run {place.run!r} already: give another --name")


def is_taken(place: SharedDatabase) -> bool:
    """Whether there is such a run with a snapshot."""
    try:
        backend = PostgresDatabase(place)
    except NoSuchRun:
        return False
    return backend.read(lambda c: c.execute(_of_run(backend.run)).first()) is not None


def _of_run(run: int) -> sql.Select[tuple[int]]:
    return sql.select(SNAPSHOTS.c.id).where(SNAPSHOTS.c.run == run).limit(1)


class NoSuchRun(UserError):
    """The database has no run of that name."""


class PostgresDatabase(Backend):
    """A run's record in a shared database.

    Args:
      place: the database, and the run in it.
      create: make tables and run if they are not there.
      frozen: read everything as it is now, whatever is written meanwhile; nothing is written.

    Raises:
      UserError: the database does not answer, or is not one of ours.
      NoSuchRun: it has no such run.
    """

    def __init__(self, place: SharedDatabase, create: bool = False, *, frozen: bool = False):
        self.title = f"the database {place.url}"
        self._place, self._engine = place, _engine(place.url)
        self._snapshot: sql.Connection | None = None
        self.run = self._retried(lambda: self._open(create))
        if frozen:
            self._snapshot = self._engine.connect().execution_options(
                isolation_level="REPEATABLE READ"
            )

    def read(self, work: Callable[[sql.Connection], T]) -> T:
        """As `Backend.read`."""
        if (snapshot := self._snapshot) is not None:
            return retried(lambda: work(snapshot), self.title, 0.0)

        def once() -> T:
            with self._engine.connect() as connection:
                return work(connection)

        return self._retried(once)

    def write(self, work: Callable[[sql.Connection], T]) -> T:
        """As `Backend.write`."""
        asked: list[tuple[str, T]] = []

        def once() -> T:
            # Where the answer to a COMMIT was lost, the server knows whether it was carried out.
            if asked and self._was_committed(asked[-1][0]):
                return asked[-1][1]
            asked.clear()
            with self._engine.connect() as connection:
                own = sql.select(RUNS.c.id).where(RUNS.c.id == self.run)
                connection.execute(own.with_for_update()).one()
                found = work(connection)
                number = connection.scalar(sql.text("SELECT pg_current_xact_id()::text"))
                asked.append((str(number), found))
                connection.commit()
                return found

        if (lock := _held.get(self._place)) is not None:
            self._retried(lock.check)
        return self._retried(once)

    @contextmanager
    def claim(self, name: str) -> Iterator[bool]:
        """As `Backend.claim`."""
        lock = _Lock(self._place, f"{self._place.run}\n{name}", alone=True)
        taken = self._retried(lock.take)
        try:
            yield taken
        finally:
            lock.release()

    def close(self) -> None:
        """Ends the connection that sees one moment, if it has one; others are kept."""
        if self._snapshot is not None:
            self._snapshot.close()

    def _open(self, create: bool) -> int:
        """Checks the tables; the number of the run."""
        with self._engine.connect() as connection:
            there = connection.scalar(sql.text("SELECT to_regclass(:name)"), _VERSION_TABLE)
            if create or (there is not None and upgrade.version(connection) < upgrade.NEWEST):
                self._make(connection, there is None)
            elif there is None:
                raise NoSuchRun(f"{self.title} has no runs of Arena")
            if upgrade.version(connection) != upgrade.NEWEST:
                raise UserError(f"{self.title} is of another version of Arena")
            if create:
                self._make_run(connection)
            query = sql.select(RUNS.c.id).where(RUNS.c.name == self._place.run)
            run = connection.scalar(query)
            connection.commit()
        if run is None:
            raise NoSuchRun(f"{self.title} has no run {self._place.run!r}")
        return run

    def _make(self, connection: sql.Connection, new: bool) -> None:
        """Makes the tables, or gives them the form of this version; one process at a time."""
        connection.execute(sql.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _key("tables")})
        there = connection.scalar(sql.text("SELECT to_regclass(:name)"), _VERSION_TABLE)
        if there is None and new:
            connection.execute(sql.text(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}"))
            upgrade.create(connection)
        elif upgrade.version(connection) < upgrade.NEWEST:
            upgrade.run(connection, self.title)
        connection.commit()

    def _make_run(self, connection: sql.Connection) -> None:
        query = sql.select(RUNS.c.id).where(RUNS.c.name == self._place.run)
        if connection.scalar(query) is None:
            from sqlalchemy.dialects.postgresql import insert

            row = insert(RUNS).values(name=self._place.run)
            connection.execute(row.on_conflict_do_nothing())

    def _was_committed(self, transaction: str) -> bool:
        with self._engine.connect() as connection:
            query = sql.text("SELECT pg_xact_status(CAST(:number AS xid8))")
            while (status := connection.scalar(query, {"number": transaction})) == "in progress":
                connection.rollback()
                _wait(_PAUSES[0])
        return status == "committed"

    def _retried(self, work: Callable[[], T]) -> T:
        """What `work` gives; while the database is gone, it is tried again.

        Raises:
          UserError: it stays away, or refuses.
        """
        return retried(work, self.title, PATIENCE if self._place in _held else 0.0)


def retried(work: Callable[[], T], title: str, patience: float) -> T:
    """What `work` gives; while a database is gone, it is tried again.

    Args:
      work: may be called again.
      title: of the database.
      patience: seconds that it may be gone.

    Raises:
      UserError: it stays away, or refuses.
    """
    began, tries, told = time.monotonic(), 0, False
    while True:
        try:
            found = work()
        except IntegrityError:
            raise  # a fault of ours
        except (DBAPIError, PoolTimeout) as error:
            gone = time.monotonic() - began
            if not _may_pass(error):
                raise UserError(f"{title} cannot be read or written: {_line(error)}") from None
            if gone >= patience:
                raise UserError(f"{title} does not answer: {_line(error)}") from None
            if gone >= _TOLD and not told:
                told = True
                _log.warning(
                    "%s does not answer (%s); tried again for %.0f s", title, _line(error), patience
                )
            _wait(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1
        else:
            if told:
                _log.warning("%s answers again, after %.0f s", title, time.monotonic() - began)
            return found


def _wait(seconds: float) -> None:
    interrupt.check()
    time.sleep(seconds)


def _may_pass(error: DBAPIError | PoolTimeout) -> bool:
    """Whether another try may succeed."""
    if isinstance(error, PoolTimeout) or error.connection_invalidated:
        return True
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return state is None or state.startswith(_PASSING)


def _line(error: Exception) -> str:
    """What an error says, in one line."""
    said = str(getattr(error, "orig", error)).strip().partition("\n")[0]
    return said or type(error).__name__


@contextmanager
def locked(place: SharedDatabase, *, alone: bool) -> Iterator[None]:
    """Keeps other processes, on any machine, from changing a run.

    Args:
      place: of its record.
      alone: keep all others out; else only those who want to be alone.

    Raises:
      UserError: another process is in the way.
    """
    lock = _Lock(place, place.run, alone=alone)
    if not retried(lock.take, f"the database {place.url}", 0.0):
        lock.release()
        raise UserError(f"run {place.run!r} is in use by another process")
    _held[place] = lock
    try:
        yield
    finally:
        del _held[place]
        lock.release()


class _Lock:
    """An advisory lock, held by a connection of its own."""

    def __init__(self, place: SharedDatabase, name: str, *, alone: bool):
        self._engine, self._run, self._key = _engine(place.url), place.run, _key(name)
        self._take = f"pg_try_advisory_lock{'' if alone else '_shared'}"
        self._connection: sql.Connection | None = None

    def take(self) -> bool:
        """Tries to get it."""
        self.release()
        connection = self._connection = self._engine.connect()
        connection.execution_options(isolation_level="AUTOCOMMIT")
        return bool(connection.scalar(sql.text(f"SELECT {self._take}(:key)"), {"key": self._key}))

    def check(self) -> None:
        """Gets it again if the connection was lost.

        Raises:
          UserError: another process was faster.
        """
        if not self._is_connected() and not self.take():
            raise UserError(f"run {self._run!r} is in use by another process")

    def _is_connected(self) -> bool:
        if self._connection is None:
            return False
        try:
            return self._connection.scalar(sql.text("SELECT 1")) == 1
        except DBAPIError:
            return False

    def release(self) -> None:
        """Gives it up, with the connection."""
        if self._connection is not None:
            with suppress(DBAPIError):
                self._connection.invalidate()
                self._connection.close()
            self._connection = None


def _key(name: str) -> int:
    """The number of an advisory lock."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
