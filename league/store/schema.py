"""The tables of the record, and what their rows must be.

Every row carries the run that it belongs to. In a file of a run's own that is run 1; a shared
database holds many. Numbers of rows count within a run, since keys of randomness are made of some:
what a run plays does not depend on who else writes into the database.

Constraints keep out what no run writes. `integrity.py` finds what they cannot say, and rows that
were edited around them. A change of the tables is a revision in `revisions/versions`.
"""

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import SchemaItem

META = sql.MetaData()

_Text = sql.String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
"""Texts are ordered by their bytes in either database."""

ROLES = ("train", "exploit", "exploiter", "measure", "rate", "uniform", "mcts", "guest", "gate")
"""Of matches, as documented at the column `matches.role`."""


def _check(name: str, condition: str, postgresql: str = "") -> list[sql.CheckConstraint]:
    """A constraint; databases call it by its name where a row breaks it.

    Args:
      name: in words.
      condition: in SQL.
      postgresql: the same there, where columns hold nothing but their types.
    """
    if not postgresql:
        return [sql.CheckConstraint(condition, name=name)]
    return [
        sql.CheckConstraint(condition, name=name).ddl_if(dialect="sqlite"),
        sql.CheckConstraint(postgresql, name=name).ddl_if(dialect="postgresql"),
    ]


def _score(column: str) -> list[sql.CheckConstraint]:
    # The type as well: SQLite keeps a text among floats, and takes any text to be above numbers.
    between = f'"{column}" BETWEEN 0 AND 1'
    condition = f"typeof(\"{column}\") = 'real' AND {between}"
    return _check(f"the {column} score lies between 0 and 1", condition, between)


def _count(column: str, least: int = 0) -> list[sql.CheckConstraint]:
    from_least = f'"{column}" >= {least}'
    condition = f"typeof(\"{column}\") = 'integer' AND {from_least}"
    return _check(f"{column} is a whole number from {least} up", condition, from_least)


def _text(column: str) -> list[sql.CheckConstraint]:
    some = f"{column} != ''"
    return _check(f"{column} is a text", f"typeof({column}) = 'text' AND {some}", some)


def _object(column: str) -> list[sql.CheckConstraint]:
    name, is_object = f"{column} is a JSON object", f"json_typeof({column}) = 'object'"
    return _check(name, f"{column} LIKE '{{%}}'", is_object)


def _one_of(column: str, values: tuple[str, ...]) -> list[sql.CheckConstraint]:
    listed = ", ".join(f"'{value}'" for value in values)
    return _check(f"{column} is one of those that there are", f"{column} IN ({listed})")


def _run() -> sql.Column[int]:
    """The column that says whose row it is."""
    return sql.Column(
        "run", sql.ForeignKey("runs.id"), primary_key=True, comment="that the row belongs to"
    )


def _id() -> sql.Column[int]:
    """The number of a row among those of its run, see `next_id`."""
    return sql.Column(
        "id", sql.Integer, primary_key=True, autoincrement=False, comment="counts from 1 in a run"
    )


def _of(table: str, column: str) -> sql.ForeignKeyConstraint:
    """A column holds the number of a row of the same run in another table."""
    return sql.ForeignKeyConstraint(["run", column], [f"{table}.run", f"{table}.id"])


def _table(name: str, *parts: SchemaItem | list[sql.CheckConstraint]) -> sql.Table:
    flat = [item for part in parts for item in (part if isinstance(part, list) else [part])]
    return sql.Table(name, META, *flat)


RUNS = _table(
    "runs",
    sql.Column("id", sql.Integer, primary_key=True, comment="counts from 1"),
    sql.Column(
        "name",
        _Text,
        nullable=False,
        unique=True,
        comment="of the run; empty in a file of its own, which may get another one",
    ),
)


SNAPSHOTS = _table(
    "snapshots",
    _run(),
    sql.Column(
        "id",
        sql.Integer,
        primary_key=True,
        autoincrement=False,
        comment="generation that it came out of",
    ),
    sql.Column("digest", _Text, nullable=False, comment="SHA-256 of the parameters"),
    _count("id"),
    _text("digest"),
)


EXPLOITERS = _table(
    "exploiters",
    _run(),
    sql.Column("id", _Text, primary_key=True, comment="17e2: of generation 17, exploiter 2"),
    sql.Column("generation", sql.Integer, nullable=False, comment="after which it joined the pool"),
    sql.Column("number", sql.Integer, nullable=False, comment="of the exploiter, from 1"),
    sql.Column("role", _Text, nullable=False, comment="main exploiter or league exploiter"),
    sql.Column("parent", _Text, nullable=False, comment="the snapshot that it began as"),
    sql.Column("digest", _Text, nullable=False, comment="SHA-256 of the parameters"),
    _count("generation", 1),
    _count("number", 1),
    _check("id is the generation's and the exploiter's", "id = generation || 'e' || number"),
    _text("digest"),
)


MATCHES = _table(
    "matches",
    _run(),
    _id(),
    sql.Column("generation", sql.Integer, nullable=False, comment="when it was played"),
    sql.Column(
        "role",
        _Text,
        nullable=False,
        comment="train: fed to the main agent's learner; exploit: fed to an exploiter's, whose "
        "name is that of the generation it plays in; exploiter: measures one that joins; "
        "measure, rate: raw networks of two snapshots, in the run and by `arena rate`; "
        "uniform, mcts: a snapshot against a fixed opponent; guest: the same, by "
        "`arena rate --guests`; gate: on openings that are held out, see trials",
    ),
    sql.Column("a", _Text, nullable=False, comment="first agent: a snapshot's id"),
    sql.Column("b", _Text, nullable=False, comment="second agent: an id, uniform, mcts:100"),
    _count("generation"),
    _one_of("role", ROLES),
    _text("a"),
    _text("b"),
)


PAIRS = _table(
    "pairs",
    _run(),
    sql.Column("match", sql.Integer, primary_key=True, comment="matches.id"),
    sql.Column("number", sql.Integer, primary_key=True, comment="counts from 0"),
    _of("matches", "match"),
    sql.Column(
        "first", sql.Float, nullable=False, comment="a's score (1, 0.5, 0) where a moves first"
    ),
    sql.Column("second", sql.Float, nullable=False, comment="a's score where b moves first"),
    _count("number"),
    _score("first"),
    _score("second"),
)


EVENTS = _table(
    "events",
    _run(),
    _id(),
    sql.Column("generation", sql.Integer, nullable=False, comment="when it happened"),
    sql.Column("kind", _Text, nullable=False, comment="generation: figures of a whole one"),
    sql.Column("body", sql.JSON, nullable=False, comment="its figures: losses, rates, seconds"),
    _count("generation"),
    _text("kind"),
    _object("body"),
)


GATES = _table(
    "gates",
    _run(),
    _id(),
    sql.Column(
        "question",
        sql.JSON,
        nullable=False,
        comment="candidates, reigning champion, opponents and their digests, test, openings",
    ),
    sql.Column("verdict", _Text, comment="promoted or refused; null until it is known"),
    sql.Column("body", sql.JSON, comment="what the verdict rests on; null until it is known"),
    _object("question"),
    _one_of("verdict", ("promoted", "refused")),
    _object("body"),
    _check("a verdict rests on something", "(verdict IS NULL) = (body IS NULL)"),
)


TRIALS = _table(
    "trials",
    _run(),
    sql.Column("gate", sql.Integer, primary_key=True, comment="gates.id"),
    sql.Column("stage", _Text, primary_key=True, comment="select, test or veto"),
    sql.Column("number", sql.Integer, primary_key=True, comment="in its stage, from 0"),
    sql.Column("match", sql.Integer, nullable=False, comment="matches.id"),
    sql.Column("passes", sql.Integer, nullable=False, comment="positions that networks evaluated"),
    _of("gates", "gate"),
    _of("matches", "match"),
    _one_of("stage", ("select", "test", "veto")),
    _count("number"),
    _count("passes"),
)


CHAMPIONS = _table(
    "champions",
    _run(),
    _id(),
    sql.Column("snapshot", sql.Integer, nullable=False, comment="snapshots.id"),
    sql.Column(
        "gate", sql.Integer, nullable=False, comment="gates.id, of the one that promoted it"
    ),
    _of("snapshots", "snapshot"),
    _of("gates", "gate"),
)


TOURNAMENTS = _table(
    "tournaments",
    _run(),
    _id(),
    sql.Column(
        "asked", sql.JSON, nullable=False, comment="games, pairs a match, the newest snapshot"
    ),
    sql.Column("before", sql.Integer, nullable=False, comment="matches of role rate when it began"),
    sql.Column("matches", sql.Integer, nullable=False, comment="that it takes, all of role rate"),
    _object("asked"),
    _count("before"),
    _count("matches"),
)


ROUNDS = _table(
    "rounds",
    _run(),
    sql.Column("tournament", sql.Integer, primary_key=True, comment="tournaments.id"),
    sql.Column(
        "number",
        sql.Integer,
        primary_key=True,
        comment="of its first match in the tournament, from 0",
    ),
    sql.Column("pairings", sql.JSON, nullable=False, comment="ids of snapshots, two a match"),
    sql.Column(
        "match", sql.Integer, comment="matches.id of its first match; null until it has been played"
    ),
    _of("tournaments", "tournament"),
    _of("matches", "match"),
    _count("number"),
)


DIGESTS = _table(
    "digests",
    _run(),
    sql.Column(
        "name",
        _Text,
        primary_key=True,
        comment="data/3e1 or state/3, below the run's folder; run.json, of what stays as it is",
    ),
    sql.Column("generation", sql.Integer, nullable=False, comment="that wrote it"),
    sql.Column("digest", _Text, nullable=False, comment="SHA-256 of its content"),
    _text("name"),
    _count("generation"),
    _text("digest"),
)


def next_id(table: sql.Table, run: int) -> sql.ScalarSelect[int]:
    """The number of a run's next row in a table; whoever writes has the run to itself."""
    newest = sql.select(sql.func.coalesce(sql.func.max(table.c.id), 0) + 1)
    return newest.where(table.c.run == run).scalar_subquery()
