"""What the tables of a record hold, in either kind of database."""

import sqlalchemy as sql

from league.store.backend import Place
from league.store.database import Results
from league.store.schema import META


def rows(place: Place) -> dict[str, list[tuple]]:
    """All rows of a run in the record, by table, in order, without the run's number."""

    def read(connection: sql.Connection) -> dict[str, list[tuple]]:
        found = {}
        for table in META.sorted_tables:
            if table.name != "runs":
                columns = [column for column in table.columns if column.name != "run"]
                query = sql.select(*columns).where(table.c.run == results.backend.run)
                query = query.order_by(*table.primary_key)
                found[table.name] = [tuple(row) for row in connection.execute(query)]
        return found

    with Results(place) as results:
        return results.backend.read(read)
