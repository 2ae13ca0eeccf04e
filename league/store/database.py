"""The record: every snapshot, match and pair of a run, in SQL.

A generation is written in one transaction, so the record never shows half of one. Ratings are
computed from it and never stored.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sql
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError, OperationalError

from arena.errors import UserError
from arena.evaluation import crosstable
from league.settings.json_object import JsonObject
from league.store import integrity, upgrade
from league.store.schema import (
    _META,
    CHAMPIONS,
    DIGESTS,
    EVENTS,
    EXPLOITERS,
    GATES,
    MATCHES,
    PAIRS,
    SNAPSHOTS,
    TRIALS,
)

_APPLICATION = 0x41524E41  # "ARNA", marks the file as ours (sqlite.org/pragma: application_id)


@dataclass(frozen=True)
class Exploiter:
    """An exploiter's snapshot, which is in the pool.

    Attributes:
      id: as a user types it, 17e2.
      generation: after which it joined.
      number: of the exploiter, from 1.
      role: main exploiter or league exploiter.
      parent: the snapshot that it began as.
      digest: of its weights.
    """

    id: str
    generation: int
    number: int
    role: str
    parent: str
    digest: str


class Scores(NamedTuple):
    """The games of two agents, summed up: `arena.evaluation.crosstable.from_sums` takes them."""

    a: str
    b: str
    sums: tuple[float, ...]


@dataclass(frozen=True)
class MatchResult:
    """One match as it goes into the record.

    Attributes:
      role: as documented at the column `matches.role`.
      a: the first agent.
      b: the second agent.
      scores: f32[P, 2], a's score in both games of each pair, a moving first in the first.
    """

    role: str
    a: str
    b: str
    scores: np.ndarray

    def summed(self) -> Scores:
        """The games, summed up."""
        return Scores(self.a, self.b, crosstable.pair_sums(self.scores))


@dataclass(frozen=True)
class Tally:
    """All games of two agents in one role, from a's view.

    Attributes:
      a: the first agent.
      b: the second agent.
      generation: in which they played.
      wins: games in which a got more than b, and so on.
      draws: games.
      losses: games.
      points: a's score: a full win is 1, a draw ½, and a small win in a game for stakes between.
    """

    a: str
    b: str
    generation: int
    wins: int
    draws: int
    losses: int
    points: float

    @property
    def games(self) -> int:
        """Games played."""
        return self.wins + self.draws + self.losses


class Results:
    """The database of one run; use as a context manager.

    Args:
      path: its SQLite file.
      create: make it if it is not there.

    Raises:
      UserError: the file is missing, or is not one of ours.
    """

    def __init__(self, path: Path, create: bool = False):
        if not create and not path.is_file():
            raise UserError(f"{path} is missing")
        self._path = path
        self._engine = sql.create_engine(sql.URL.create("sqlite", database=str(path)))
        event.listen(self._engine, "connect", _configure)
        event.listen(self._engine, "handle_error", self._explain)
        try:
            self._check(create)
        except UserError:
            self._engine.dispose()
            raise

    def __enter__(self) -> "Results":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
                connection.exec_driver_sql(f"PRAGMA application_id = {_APPLICATION}")
                application = _APPLICATION
            if application != _APPLICATION:
                raise UserError(f"{self._path} is not a results file of Arena")
            if create and version == 0:
                ask("PRAGMA journal_mode = WAL")
                _META.create_all(connection)
                connection.commit()
                connection.exec_driver_sql(f"PRAGMA user_version = {upgrade.VERSION}")
            elif version == upgrade.FIRST:
                upgrade.run(connection, self._path)
            elif version != upgrade.VERSION:
                raise UserError(f"{self._path} is not a results file of this version of Arena")

    def _explain(self, context: sql.ExceptionContext) -> None:
        """A damaged file, or a full disk, becomes one line."""
        if type(context.sqlalchemy_exception) in (DatabaseError, OperationalError):
            reason = context.original_exception
            raise UserError(f"{self._path} cannot be read or written: {reason}") from None

    def write(
        self,
        generation: int,
        matches: Iterable[MatchResult],
        snapshot: tuple[int, str] | None = None,
        figures: JsonObject | None = None,
        exploiters: Iterable[Exploiter] = (),
        digests: Mapping[str, str] | None = None,
    ) -> None:
        """Adds what a generation brought, all or nothing.

        Args:
          generation: its number.
          matches: the matches played.
          snapshot: id and digest of the new snapshot.
          figures: its losses, rates and seconds.
          exploiters: those that join the pool.
          digests: of files, by the names that `file_digests` gives them.
        """
        with self._engine.begin() as connection:
            for match in matches:
                insert(connection, generation, match)
            if snapshot is not None:
                connection.execute(SNAPSHOTS.insert().values(id=snapshot[0], digest=snapshot[1]))
            for exploiter in exploiters:
                connection.execute(EXPLOITERS.insert().values(asdict(exploiter)))
            for name, sha in (digests or {}).items():
                row = {"name": name, "generation": generation, "digest": sha}
                connection.execute(DIGESTS.insert().values(row))
            if figures is not None:
                connection.execute(
                    EVENTS.insert().values(generation=generation, kind="generation", body=figures)
                )

    @property
    def engine(self) -> sql.Engine:
        """For the parts of the record that have a file of their own."""
        return self._engine

    def forget_after(self, generation: int) -> None:
        """Removes what later generations have written, since they are to be run again."""
        late = sql.select(MATCHES.c.id).where(MATCHES.c.generation > generation)
        # A gate that played with what is forgotten, or promoted it, is asked anew.
        gates = sql.union(
            sql.select(TRIALS.c.gate).where(TRIALS.c.match.in_(late)),
            sql.select(CHAMPIONS.c.gate).where(CHAMPIONS.c.snapshot > generation),
        )
        with self._engine.begin() as connection:
            forgotten = list(connection.execute(gates).scalars())
            for table, column in ((CHAMPIONS, CHAMPIONS.c.gate), (TRIALS, TRIALS.c.gate)):
                connection.execute(table.delete().where(column.in_(forgotten)))
            connection.execute(GATES.delete().where(GATES.c.id.in_(forgotten)))
            connection.execute(PAIRS.delete().where(PAIRS.c.match.in_(late)))
            connection.execute(MATCHES.delete().where(MATCHES.c.generation > generation))
            connection.execute(SNAPSHOTS.delete().where(SNAPSHOTS.c.id > generation))
            connection.execute(EXPLOITERS.delete().where(EXPLOITERS.c.generation > generation))
            connection.execute(EVENTS.delete().where(EVENTS.c.generation > generation))
            connection.execute(DIGESTS.delete().where(DIGESTS.c.generation > generation))

    def digests(self) -> dict[int, str]:
        """The snapshots there are: id to digest, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(sql.select(SNAPSHOTS).order_by(SNAPSHOTS.c.id))
            return {row.id: row.digest for row in rows}

    def file_digests(self) -> dict[str, str]:
        """SHA-256 of what resuming reads beside snapshots, by name, see `schema.DIGESTS`.

        Files of earlier versions have none.
        """
        with self._engine.connect() as connection:
            return {row.name: row.digest for row in connection.execute(sql.select(DIGESTS))}

    def exploiters(self) -> list[Exploiter]:
        """The exploiters' snapshots in the pool, oldest first."""
        query = sql.select(EXPLOITERS).order_by(EXPLOITERS.c.generation, EXPLOITERS.c.number)
        with self._engine.connect() as connection:
            return [Exploiter(*row) for row in connection.execute(query)]

    def count(self, role: str) -> int:
        """How many matches of a role there are."""
        query = sql.select(sql.func.count()).select_from(MATCHES).where(MATCHES.c.role == role)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def tallies(self, *roles: str) -> list[Tally]:
        """Wins, draws and losses by agents and generation, in matches of these roles."""
        game = sql.union_all(
            sql.select(PAIRS.c.match, PAIRS.c.first.label("score")),
            sql.select(PAIRS.c.match, PAIRS.c.second.label("score")),
        ).subquery()

        def count(condition: sql.ColumnElement[bool]) -> Any:
            return sql.func.sum(sql.case((condition, 1), else_=0))

        keys = (MATCHES.c.a, MATCHES.c.b, MATCHES.c.generation)
        score = game.c.score
        counts = count(score > 0.5), count(score == 0.5), count(score < 0.5)
        query = (
            sql.select(*keys, *counts, sql.func.sum(score))
            .join(game, game.c.match == MATCHES.c.id)
            .where(MATCHES.c.role.in_(roles))
            .group_by(*keys)
            .order_by(sql.func.min(MATCHES.c.id))
        )
        with self._engine.connect() as connection:
            return [Tally(*row) for row in connection.execute(query)]

    def scores(self, *roles: str, until: int | None = None) -> list[Scores]:
        """The games of each two agents in matches of these roles, summed up.

        Args:
          roles: of the matches.
          until: only those played up to this generation; all by default.
        """
        first, second = PAIRS.c.first, PAIRS.c.second

        def count(condition: sql.ColumnElement[bool]) -> Any:
            return sql.func.sum(sql.case((condition, 1), else_=0))

        def seat(score: sql.ColumnElement[float]) -> list[Any]:
            total = sql.func.sum
            return [count(score > 0.5), count(score < 0.5), total(score), total(score * score)]

        keys = MATCHES.c.a, MATCHES.c.b
        sums = sql.func.count(), *seat(first), *seat(second), sql.func.sum(first * second)
        query = (
            sql.select(*keys, *sums)
            .join(PAIRS, PAIRS.c.match == MATCHES.c.id)
            .where(MATCHES.c.role.in_(roles), MATCHES.c.a != MATCHES.c.b)
            .group_by(*keys)
            .order_by(*keys)
        )
        if until is not None:
            query = query.where(MATCHES.c.generation <= until)
        with self._engine.connect() as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        return [Scores(row[0], row[1], row[2:]) for row in rows]

    def pairs(self, a: str, b: str, *roles: str) -> np.ndarray:
        """All pairs of games of two agents, f64[P, 2]: a's scores, a moving first in the first."""
        query = (
            sql.select(MATCHES.c.a, PAIRS.c.first, PAIRS.c.second)
            .join(MATCHES, PAIRS.c.match == MATCHES.c.id)
            .where(MATCHES.c.role.in_(roles), MATCHES.c.a.in_((a, b)), MATCHES.c.b.in_((a, b)))
            .where(MATCHES.c.a != MATCHES.c.b)
            .order_by(PAIRS.c.match, PAIRS.c.number)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        found = [(x, y) if who == a else (1 - y, 1 - x) for who, x, y in rows]
        return np.array(found, np.float64).reshape(-1, 2)

    def events(self) -> list[JsonObject]:
        """The figures of every generation, in order."""
        query = sql.select(EVENTS.c.body).order_by(EVENTS.c.generation)
        with self._engine.connect() as connection:
            return [row.body for row in connection.execute(query)]

    def verify(self) -> None:
        """Reads all of it; raises UserError, in one line, at the first row that no run writes."""
        with self._engine.connect() as connection:
            found = integrity.fault(connection)
        if found:
            raise UserError(f"{self._path} holds what no run writes: {found}")


def insert(connection: sql.Connection, generation: int, match: MatchResult) -> int:
    """Adds one match and its pairs to a transaction; its `matches.id`."""
    row = {"generation": generation, "role": match.role, "a": match.a, "b": match.b}
    key = connection.execute(MATCHES.insert().values(row).returning(MATCHES.c.id)).scalar_one()
    scores = np.asarray(match.scores, float).tolist()
    pairs = [
        {"match": key, "number": i, "first": x, "second": y} for i, (x, y) in enumerate(scores)
    ]
    connection.execute(PAIRS.insert(), pairs)
    return key


def _configure(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
