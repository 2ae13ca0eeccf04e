"""The record: every snapshot, match and pair of a run, in SQL.

A generation is written in one transaction, so the record never shows half of one. Ratings are
computed from it and never stored.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sql

from arena.errors import UserError
from arena.evaluation import crosstable
from league.settings.json_object import JsonObject
from league.store import integrity
from league.store.backend import Backend, Place, SharedDatabase
from league.store.embedded import EmbeddedDatabase
from league.store.schema import (
    CHAMPIONS,
    DIGESTS,
    EVENTS,
    EXPLOITERS,
    GATES,
    MATCHES,
    PAIRS,
    ROUNDS,
    SNAPSHOTS,
    TRIALS,
    next_id,
)


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
    """The record of one run; use as a context manager.

    Args:
      place: an SQLite file of its own, or a database that leagues share.
      create: make it if it is not there.
      frozen: read everything as it is now, where others write; files are read as they are.

    Attributes:
      backend: the database, for the parts of the record that have a file of their own.

    Raises:
      UserError: it is missing, does not answer, or is not one of ours.
    """

    def __init__(self, place: Place, create: bool = False, *, frozen: bool = False):
        self.backend = _open(place, create, frozen)

    def __enter__(self) -> "Results":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends its connections."""
        self.backend.close()

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
        run, played, joined = self.backend.run, list(matches), list(exploiters)

        def write(connection: sql.Connection) -> None:
            for match in played:
                insert(connection, run, generation, match)
            if snapshot is not None:
                row = {"run": run, "id": snapshot[0], "digest": snapshot[1]}
                connection.execute(SNAPSHOTS.insert().values(row))
            for exploiter in joined:
                connection.execute(EXPLOITERS.insert().values(run=run, **asdict(exploiter)))
            for name, sha in (digests or {}).items():
                row = {"run": run, "name": name, "generation": generation, "digest": sha}
                connection.execute(DIGESTS.insert().values(row))
            if figures is not None:
                row = {"run": run, "id": next_id(EVENTS, run), "generation": generation}
                connection.execute(EVENTS.insert().values(**row, kind="generation", body=figures))

        self.backend.write(write)

    def forget_after(self, generation: int) -> None:
        """Removes what later generations have written, since they are to be run again."""
        run = self.backend.run
        late = sql.select(MATCHES.c.id).where(MATCHES.c.run == run)
        late = late.where(MATCHES.c.generation > generation)
        # A gate that played with what is forgotten, or promoted it, is asked anew.
        gates = sql.union(
            sql.select(TRIALS.c.gate).where(TRIALS.c.run == run, TRIALS.c.match.in_(late)),
            sql.select(CHAMPIONS.c.gate).where(
                CHAMPIONS.c.run == run, CHAMPIONS.c.snapshot > generation
            ),
        )

        def forget(connection: sql.Connection) -> None:
            forgotten = list(connection.execute(gates).scalars())
            for table, condition in (
                (CHAMPIONS, CHAMPIONS.c.gate.in_(forgotten)),
                (TRIALS, TRIALS.c.gate.in_(forgotten)),
                (GATES, GATES.c.id.in_(forgotten)),
                (ROUNDS, ROUNDS.c.match.in_(late)),
                (PAIRS, PAIRS.c.match.in_(late)),
                (MATCHES, MATCHES.c.generation > generation),
                (SNAPSHOTS, SNAPSHOTS.c.id > generation),
                (EXPLOITERS, EXPLOITERS.c.generation > generation),
                (EVENTS, EVENTS.c.generation > generation),
                (DIGESTS, DIGESTS.c.generation > generation),
            ):
                connection.execute(table.delete().where(table.c.run == run, condition))

        self.backend.write(forget)

    def digests(self) -> dict[int, str]:
        """The snapshots there are: id to digest, oldest first."""
        query = sql.select(SNAPSHOTS.c.id, SNAPSHOTS.c.digest).order_by(SNAPSHOTS.c.id)
        return {row.id: row.digest for row in self._rows(query, SNAPSHOTS)}

    def file_digests(self) -> dict[str, str]:
        """SHA-256 of what resuming reads beside snapshots, by name, see `schema.DIGESTS`.

        Files of earlier versions have none.
        """
        query = sql.select(DIGESTS.c.name, DIGESTS.c.digest)
        return {row.name: row.digest for row in self._rows(query, DIGESTS)}

    def exploiters(self) -> list[Exploiter]:
        """The exploiters' snapshots in the pool, oldest first."""
        columns = (EXPLOITERS.c[field.name] for field in fields(Exploiter))
        query = sql.select(*columns).order_by(EXPLOITERS.c.generation, EXPLOITERS.c.number)
        return [Exploiter(*row) for row in self._rows(query, EXPLOITERS)]

    def _rows(self, query: "sql.Select[*tuple[Any, ...]]", table: sql.Table) -> Sequence[Any]:
        """What a query finds among the run's rows of a table."""
        query = query.where(table.c.run == self.backend.run)
        return self.backend.read(lambda connection: connection.execute(query).all())

    def version(self) -> tuple[int, ...]:
        """Changes whenever generations, matches, or verdicts of gates come or go."""
        found: list[int] = []
        for table, counted in (
            (EVENTS, EVENTS.c.id),
            (MATCHES, MATCHES.c.id),
            (GATES, GATES.c.verdict),
        ):
            newest = sql.func.coalesce(sql.func.max(table.c.id), 0)
            query = sql.select(newest, sql.func.count(counted))
            found += self._rows(query, table)[0]
        return tuple(found)

    def count(self, role: str) -> int:
        """How many matches of a role there are."""
        query = sql.select(sql.func.count()).select_from(MATCHES).where(MATCHES.c.role == role)
        return self._rows(query, MATCHES)[0][0]

    def tallies(self, *roles: str) -> list[Tally]:
        """Wins, draws and losses by agents and generation, in matches of these roles."""
        own = PAIRS.c.run == self.backend.run
        game = sql.union_all(
            sql.select(PAIRS.c.match, PAIRS.c.first.label("score")).where(own),
            sql.select(PAIRS.c.match, PAIRS.c.second.label("score")).where(own),
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
        return [Tally(*row) for row in self._rows(query, MATCHES)]

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
            .join(PAIRS, _pairs_of_match())
            .where(MATCHES.c.role.in_(roles), MATCHES.c.a != MATCHES.c.b)
            .group_by(*keys)
            .order_by(*keys)
        )
        if until is not None:
            query = query.where(MATCHES.c.generation <= until)
        rows = [tuple(row) for row in self._rows(query, MATCHES)]
        return [Scores(row[0], row[1], row[2:]) for row in rows]

    def pairs(self, a: str, b: str, *roles: str) -> np.ndarray:
        """All pairs of games of two agents, f64[P, 2]: a's scores, a moving first in the first."""
        query = (
            sql.select(MATCHES.c.a, PAIRS.c.first, PAIRS.c.second)
            .join(MATCHES, _pairs_of_match())
            .where(MATCHES.c.role.in_(roles), MATCHES.c.a.in_((a, b)), MATCHES.c.b.in_((a, b)))
            .where(MATCHES.c.a != MATCHES.c.b)
            .order_by(PAIRS.c.match, PAIRS.c.number)
        )
        rows = self._rows(query, MATCHES)
        found = [(x, y) if who == a else (1 - y, 1 - x) for who, x, y in rows]
        return np.array(found, np.float64).reshape(-1, 2)

    def events(self) -> list[JsonObject]:
        """The figures of every generation, in order."""
        query = sql.select(EVENTS.c.body).order_by(EVENTS.c.generation)
        return [row.body for row in self._rows(query, EVENTS)]

    def verify(self) -> None:
        """Reads all of it; raises UserError, in one line, at the first row that no run writes."""
        found = self.backend.read(partial(integrity.fault, run=self.backend.run))
        if found:
            raise UserError(f"{self.backend.title} holds what no run writes: {found}")


def insert(connection: sql.Connection, run: int, generation: int, match: MatchResult) -> int:
    """Adds one match of a run and its pairs to a transaction; its `matches.id`."""
    row = {"generation": generation, "role": match.role, "a": match.a, "b": match.b}
    new = MATCHES.insert().values(run=run, id=next_id(MATCHES, run), **row)
    key = connection.execute(new.returning(MATCHES.c.id)).scalar_one()
    scores = np.asarray(match.scores, float).tolist()
    pairs = [
        {"run": run, "match": key, "number": i, "first": x, "second": y}
        for i, (x, y) in enumerate(scores)
    ]
    connection.execute(PAIRS.insert(), pairs)
    return key


def _pairs_of_match() -> sql.ColumnElement[bool]:
    return sql.and_(PAIRS.c.run == MATCHES.c.run, PAIRS.c.match == MATCHES.c.id)


def _open(place: Place, create: bool, frozen: bool) -> Backend:
    if isinstance(place, SharedDatabase):
        from league.store.shared import PostgresDatabase

        return PostgresDatabase(place, create, frozen=frozen)
    return EmbeddedDatabase(place, create)
