"""Every row carries its run, and tournaments keep their rounds.

Versions 1 and 2, which Arena 0.1 and its successors wrote, are files of one run each, without that
column; version 1 is without constraints and `digests`, too, and tables that came later may be
missing. Their rows become those of run 1.
"""

import json
from itertools import pairwise

import sqlalchemy as sql
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import SchemaItem

revision = "0003"
down_revision = None


def upgrade() -> None:
    """Makes the tables, and moves the rows of an earlier version into them."""
    connection = op.get_bind()
    there = set(sql.inspect(connection).get_table_names())
    earlier = [table for table in META.sorted_tables if table.name in there]
    for table in earlier:
        op.rename_table(table.name, f"old_{table.name}")
    META.create_all(connection)
    if not earlier:
        return
    connection.execute(RUNS.insert().values(id=1, name=""))
    for table in earlier:
        names = ", ".join(f'"{column.name}"' for column in table.columns if column.name != "run")
        op.execute(
            f"INSERT INTO {table.name} (run, {names}) SELECT 1, {names} FROM old_{table.name}"
        )
    for table in reversed(earlier):
        op.drop_table(f"old_{table.name}")
    _keep_rounds(connection)


def _keep_rounds(connection: sql.Connection) -> None:
    """What earlier tournaments have played: until now that followed from when they began."""
    rated = connection.exec_driver_sql(
        "SELECT id, a, b FROM matches WHERE role = 'rate' ORDER BY id"
    ).all()
    begun = connection.exec_driver_sql("SELECT id, before FROM tournaments ORDER BY id").all()
    for (tournament, first), (_, last) in pairwise([*begun, (0, len(rated))]):
        if played := rated[first:last]:
            pairings = json.dumps([[a, b] for _, a, b in played])
            connection.exec_driver_sql(
                "INSERT INTO rounds (run, tournament, number, pairings, match) "
                "VALUES (1, ?, 0, ?, ?)",
                (tournament, pairings, played[0][0]),
            )


# The tables as they are in this version.

META = sql.MetaData()
_Text = sql.String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
ROLES = ("train", "exploit", "exploiter", "measure", "rate", "uniform", "mcts", "guest", "gate")


def _check(name: str, condition: str, postgresql: str = "") -> list[sql.CheckConstraint]:
    if not postgresql:
        return [sql.CheckConstraint(condition, name=name)]
    return [
        sql.CheckConstraint(condition, name=name).ddl_if(dialect="sqlite"),
        sql.CheckConstraint(postgresql, name=name).ddl_if(dialect="postgresql"),
    ]


def _score(column: str) -> list[sql.CheckConstraint]:
    between = f'"{column}" BETWEEN 0 AND 1'
    condition = f'''typeof("{column}") = 'real' AND {between}'''
    return _check(f"the {column} score lies between 0 and 1", condition, between)


def _count(column: str, least: int = 0) -> list[sql.CheckConstraint]:
    from_least = f'"{column}" >= {least}'
    condition = f'''typeof("{column}") = 'integer' AND {from_least}'''
    return _check(f"{column} is a whole number from {least} up", condition, from_least)


def _text(column: str) -> list[sql.CheckConstraint]:
    some = f"{column} != ''"
    return _check(f"{column} is a text", f"typeof({column}) = 'text' AND {some}", some)


def _object(column: str) -> list[sql.CheckConstraint]:
    name, is_object = (f"{column} is a JSON object", f"json_typeof({column}) = 'object'")
    return _check(name, f"{column} LIKE '{{%}}'", is_object)


def _one_of(column: str, values: tuple[str, ...]) -> list[sql.CheckConstraint]:
    listed = ", ".join(f"'{value}'" for value in values)
    return _check(f"{column} is one of those that there are", f"{column} IN ({listed})")


def _run() -> sql.Column[int]:
    return sql.Column("run", sql.ForeignKey("runs.id"), primary_key=True)


def _id() -> sql.Column[int]:
    return sql.Column("id", sql.Integer, primary_key=True, autoincrement=False)


def _of(table: str, column: str) -> sql.ForeignKeyConstraint:
    return sql.ForeignKeyConstraint(["run", column], [f"{table}.run", f"{table}.id"])


def _table(name: str, *parts: SchemaItem | list[sql.CheckConstraint]) -> sql.Table:
    flat = [item for part in parts for item in (part if isinstance(part, list) else [part])]
    return sql.Table(name, META, *flat)


RUNS = _table(
    "runs",
    sql.Column("id", sql.Integer, primary_key=True),
    sql.Column("name", _Text, nullable=False, unique=True),
)
_table(
    "snapshots",
    _run(),
    sql.Column("id", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("digest", _Text, nullable=False),
    _count("id"),
    _text("digest"),
)
_table(
    "exploiters",
    _run(),
    sql.Column("id", _Text, primary_key=True),
    sql.Column("generation", sql.Integer, nullable=False),
    sql.Column("number", sql.Integer, nullable=False),
    sql.Column("role", _Text, nullable=False),
    sql.Column("parent", _Text, nullable=False),
    sql.Column("digest", _Text, nullable=False),
    _count("generation", 1),
    _count("number", 1),
    _check("id is the generation's and the exploiter's", "id = generation || 'e' || number"),
    _text("digest"),
)
_table(
    "matches",
    _run(),
    _id(),
    sql.Column("generation", sql.Integer, nullable=False),
    sql.Column("role", _Text, nullable=False),
    sql.Column("a", _Text, nullable=False),
    sql.Column("b", _Text, nullable=False),
    _count("generation"),
    _one_of("role", ROLES),
    _text("a"),
    _text("b"),
)
_table(
    "pairs",
    _run(),
    sql.Column("match", sql.Integer, primary_key=True),
    sql.Column("number", sql.Integer, primary_key=True),
    _of("matches", "match"),
    sql.Column("first", sql.Float, nullable=False),
    sql.Column("second", sql.Float, nullable=False),
    _count("number"),
    _score("first"),
    _score("second"),
)
_table(
    "events",
    _run(),
    _id(),
    sql.Column("generation", sql.Integer, nullable=False),
    sql.Column("kind", _Text, nullable=False),
    sql.Column("body", sql.JSON, nullable=False),
    _count("generation"),
    _text("kind"),
    _object("body"),
)
_table(
    "gates",
    _run(),
    _id(),
    sql.Column("question", sql.JSON, nullable=False),
    sql.Column("verdict", _Text),
    sql.Column("body", sql.JSON),
    _object("question"),
    _one_of("verdict", ("promoted", "refused")),
    _object("body"),
    _check("a verdict rests on something", "(verdict IS NULL) = (body IS NULL)"),
)
_table(
    "trials",
    _run(),
    sql.Column("gate", sql.Integer, primary_key=True),
    sql.Column("stage", _Text, primary_key=True),
    sql.Column("number", sql.Integer, primary_key=True),
    sql.Column("match", sql.Integer, nullable=False),
    sql.Column("passes", sql.Integer, nullable=False),
    _of("gates", "gate"),
    _of("matches", "match"),
    _one_of("stage", ("select", "test", "veto")),
    _count("number"),
    _count("passes"),
)
_table(
    "champions",
    _run(),
    _id(),
    sql.Column("snapshot", sql.Integer, nullable=False),
    sql.Column("gate", sql.Integer, nullable=False),
    _of("snapshots", "snapshot"),
    _of("gates", "gate"),
)
_table(
    "tournaments",
    _run(),
    _id(),
    sql.Column("asked", sql.JSON, nullable=False),
    sql.Column("before", sql.Integer, nullable=False),
    sql.Column("matches", sql.Integer, nullable=False),
    _object("asked"),
    _count("before"),
    _count("matches"),
)
_table(
    "rounds",
    _run(),
    sql.Column("tournament", sql.Integer, primary_key=True),
    sql.Column("number", sql.Integer, primary_key=True),
    sql.Column("pairings", sql.JSON, nullable=False),
    sql.Column("match", sql.Integer),
    _of("tournaments", "tournament"),
    _of("matches", "match"),
    _count("number"),
)
_table(
    "digests",
    _run(),
    sql.Column("name", _Text, primary_key=True),
    sql.Column("generation", sql.Integer, nullable=False),
    sql.Column("digest", _Text, nullable=False),
    _text("name"),
    _count("generation"),
    _text("digest"),
)
