"""The tables of a run's record, and what their rows must be.

Constraints keep out what no run writes. `integrity.py` finds what they cannot say, and rows that
were edited around them.
"""

import sqlalchemy as sql

_META = sql.MetaData()

ROLES = ("train", "exploit", "exploiter", "measure", "rate", "uniform", "mcts", "guest", "gate")
"""Of matches, as documented at the column `matches.role`."""


def _check(name: str, condition: str) -> sql.CheckConstraint:
    """A constraint; SQLite calls it by its name where a row breaks it."""
    return sql.CheckConstraint(condition, name=name)


def _score(column: str) -> sql.CheckConstraint:
    # The type as well: a column of floats keeps a text as it is, and any text is above all numbers.
    condition = f'typeof("{column}") = \'real\' AND "{column}" BETWEEN 0 AND 1'
    return _check(f"the {column} score lies between 0 and 1", condition)


def _count(column: str, least: int = 0) -> sql.CheckConstraint:
    condition = f'typeof("{column}") = \'integer\' AND "{column}" >= {least}'
    return _check(f"{column} is a whole number from {least} up", condition)


def _text(column: str) -> sql.CheckConstraint:
    condition = f"typeof({column}) = 'text' AND {column} != ''"
    return _check(f"{column} is a text", condition)


def _object(column: str) -> sql.CheckConstraint:
    return _check(f"{column} is a JSON object", f"{column} LIKE '{{%}}'")


def _one_of(column: str, values: tuple[str, ...]) -> sql.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return _check(f"{column} is one of those that there are", f"{column} IN ({listed})")


SNAPSHOTS = sql.Table(
    "snapshots",
    _META,
    sql.Column("id", sql.Integer, primary_key=True, comment="generation that it came out of"),
    sql.Column("digest", sql.String, nullable=False, comment="SHA-256 of the parameters"),
    _count("id"),
    _text("digest"),
)


EXPLOITERS = sql.Table(
    "exploiters",
    _META,
    sql.Column("id", sql.String, primary_key=True, comment="17e2: of generation 17, exploiter 2"),
    sql.Column("generation", sql.Integer, nullable=False, comment="after which it joined the pool"),
    sql.Column("number", sql.Integer, nullable=False, comment="of the exploiter, from 1"),
    sql.Column("role", sql.String, nullable=False, comment="main exploiter or league exploiter"),
    sql.Column("parent", sql.String, nullable=False, comment="the snapshot that it began as"),
    sql.Column("digest", sql.String, nullable=False, comment="SHA-256 of the parameters"),
    _count("generation", 1),
    _count("number", 1),
    _check("id is the generation's and the exploiter's", "id = generation || 'e' || number"),
    _text("digest"),
)


MATCHES = sql.Table(
    "matches",
    _META,
    sql.Column("id", sql.Integer, primary_key=True, comment="counts from 1"),
    sql.Column("generation", sql.Integer, nullable=False, comment="when it was played"),
    sql.Column(
        "role",
        sql.String,
        nullable=False,
        comment="train: fed to the main agent's learner; exploit: fed to an exploiter's, whose "
        "name is that of the generation it plays in; exploiter: measures one that joins; "
        "measure, rate: raw networks of two snapshots, in the run and by `arena rate`; "
        "uniform, mcts: a snapshot against a fixed opponent; guest: the same, by "
        "`arena rate --guests`; gate: on openings that are held out, see trials",
    ),
    sql.Column("a", sql.String, nullable=False, comment="first agent: a snapshot's id"),
    sql.Column("b", sql.String, nullable=False, comment="second agent: an id, uniform, mcts:100"),
    _count("generation"),
    _one_of("role", ROLES),
    _text("a"),
    _text("b"),
)


PAIRS = sql.Table(
    "pairs",
    _META,
    sql.Column("match", sql.ForeignKey("matches.id"), primary_key=True, comment="matches.id"),
    sql.Column("number", sql.Integer, primary_key=True, comment="counts from 0"),
    sql.Column(
        "first", sql.Float, nullable=False, comment="a's score (1, 0.5, 0) where a moves first"
    ),
    sql.Column("second", sql.Float, nullable=False, comment="a's score where b moves first"),
    _count("number"),
    _score("first"),
    _score("second"),
)


EVENTS = sql.Table(
    "events",
    _META,
    sql.Column("id", sql.Integer, primary_key=True, comment="counts from 1"),
    sql.Column("generation", sql.Integer, nullable=False, comment="when it happened"),
    sql.Column("kind", sql.String, nullable=False, comment="generation: figures of a whole one"),
    sql.Column("body", sql.JSON, nullable=False, comment="its figures: losses, rates, seconds"),
    _count("generation"),
    _text("kind"),
    _object("body"),
)


GATES = sql.Table(
    "gates",
    _META,
    sql.Column("id", sql.Integer, primary_key=True, comment="counts from 1"),
    sql.Column(
        "question",
        sql.JSON,
        nullable=False,
        comment="candidates, reigning champion, opponents and their digests, test, openings",
    ),
    sql.Column("verdict", sql.String, comment="promoted or refused; null until it is known"),
    sql.Column("body", sql.JSON, comment="what the verdict rests on; null until it is known"),
    _object("question"),
    _one_of("verdict", ("promoted", "refused")),
    _object("body"),
    _check("a verdict rests on something", "(verdict IS NULL) = (body IS NULL)"),
)


TRIALS = sql.Table(
    "trials",
    _META,
    sql.Column("gate", sql.ForeignKey("gates.id"), primary_key=True, comment="gates.id"),
    sql.Column("stage", sql.String, primary_key=True, comment="select, test or veto"),
    sql.Column("number", sql.Integer, primary_key=True, comment="in its stage, from 0"),
    sql.Column("match", sql.ForeignKey("matches.id"), nullable=False, comment="matches.id"),
    sql.Column("passes", sql.Integer, nullable=False, comment="positions that networks evaluated"),
    _one_of("stage", ("select", "test", "veto")),
    _count("number"),
    _count("passes"),
)


CHAMPIONS = sql.Table(
    "champions",
    _META,
    sql.Column("id", sql.Integer, primary_key=True, comment="counts from 1"),
    sql.Column("snapshot", sql.ForeignKey("snapshots.id"), nullable=False, comment="snapshots.id"),
    sql.Column("gate", sql.ForeignKey("gates.id"), nullable=False, comment="that promoted it"),
)


TOURNAMENTS = sql.Table(
    "tournaments",
    _META,
    sql.Column("id", sql.Integer, primary_key=True, comment="counts from 1"),
    sql.Column(
        "asked", sql.JSON, nullable=False, comment="games, pairs a match, the newest snapshot"
    ),
    sql.Column("before", sql.Integer, nullable=False, comment="matches of role rate when it began"),
    sql.Column("matches", sql.Integer, nullable=False, comment="that it takes, all of role rate"),
    _object("asked"),
    _count("before"),
    _count("matches"),
)


DIGESTS = sql.Table(
    "digests",
    _META,
    sql.Column(
        "name",
        sql.String,
        primary_key=True,
        comment="data/3e1 or state/3, below the run's folder; run.json, of what stays as it is",
    ),
    sql.Column("generation", sql.Integer, nullable=False, comment="that wrote it"),
    sql.Column("digest", sql.String, nullable=False, comment="SHA-256 of its content"),
    _text("name"),
    _count("generation"),
    _text("digest"),
)
