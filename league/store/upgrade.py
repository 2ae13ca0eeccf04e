"""Brings a record of an earlier version to the form of this one, all or nothing.

Version 1 of the database, which Arena 0.1 wrote, has the same tables without constraints and
without `digests`, and those that came later may be missing.
"""

from pathlib import Path

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from arena.errors import UserError
from league.store.schema import _META

VERSION = 2
FIRST = 1


def run(connection: sql.Connection, path: Path) -> None:
    """Copies all rows into tables of today's form, in one transaction.

    Args:
      connection: to a database of version `FIRST`.
      path: of its file.

    Raises:
      UserError: a row is none that a run writes; then nothing is changed.
    """
    connection.rollback()  # what has been read so far
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    if connection.exec_driver_sql("PRAGMA user_version").scalar_one() == VERSION:
        connection.rollback()  # another process was faster
        return
    there = sql.inspect(connection).get_table_names()
    tables = [table for table in _META.sorted_tables if table.name in there]
    for table in tables:
        connection.exec_driver_sql(f"ALTER TABLE {table.name} RENAME TO old_{table.name}")
    _META.create_all(connection)
    try:
        for table in tables:
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            connection.exec_driver_sql(
                f"INSERT INTO {table.name} ({names}) SELECT {names} FROM old_{table.name}"
            )
    except IntegrityError as error:
        connection.rollback()
        raise UserError(f"{path} holds what no run writes: {error.orig}") from None
    for table in reversed(tables):
        connection.exec_driver_sql(f"DROP TABLE old_{table.name}")
    connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
    connection.commit()
