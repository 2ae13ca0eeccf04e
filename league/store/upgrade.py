"""Which version a record has, and how one of an earlier version gets the form of this one.

Versions are the revisions of alembic in `revisions/`, which is not imported before one is needed.
"""

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from arena.errors import UserError
from league.store.schema import META

NEWEST = "0003"
VERSION_TABLE = "arena_version"

_VERSION = sql.Table(
    VERSION_TABLE, sql.MetaData(), sql.Column("version_num", sql.String(32), primary_key=True)
)


def create(connection: sql.Connection) -> None:
    """Makes the tables of this version where there are none, or finishes making them."""
    META.create_all(connection)
    _VERSION.create(connection, checkfirst=True)
    connection.execute(_VERSION.delete())
    connection.execute(_VERSION.insert().values(version_num=NEWEST))


def version(connection: sql.Connection) -> str:
    """The version of a database that has been created."""
    return connection.execute(sql.select(_VERSION.c.version_num)).scalar_one()


def run(connection: sql.Connection, title: str) -> None:
    """Brings a record to this version, as a part of the caller's transaction.

    Args:
      connection: to a record of an earlier version.
      title: of the database, for messages.

    Raises:
      UserError: a row is none that a run writes.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "league.store:revisions")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except IntegrityError as error:
        raise UserError(f"{title} holds what no run writes: {error.orig}") from None
