"""The champions of a run, and the gates that made them, in its record.

A gate is written down before its first game, and every match whole or not at all, under a key of
its own: a gate that was killed goes on with the matches that are there, and none counts twice.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sql

from arena.errors import UserError
from league.evaluation import compute_ledger
from league.gate.match import GateMatch, PlayMatch
from league.gate.rule import Question
from league.gate.verdict import Verdict
from league.settings.json_object import JsonObject
from league.store.database import MatchResult, Results, insert
from league.store.schema import CHAMPIONS, GATES, MATCHES, PAIRS, TRIALS, next_id


@dataclass(frozen=True)
class GateRecord:
    """One gate.

    Attributes:
      id: its number.
      question: what it decides.
      verdict: None until it is decided.
    """

    id: int
    question: Question
    verdict: Verdict | None


class Lineage:
    """The part of a run's record that belongs to the gate."""

    def __init__(self, results: Results):
        self._backend, self._run = results.backend, results.backend.run

    def champions(self) -> list[int]:
        """Snapshots that were promoted, the reigning champion last."""
        query = sql.select(CHAMPIONS.c.snapshot).where(CHAMPIONS.c.run == self._run)
        query = query.order_by(CHAMPIONS.c.id)
        return self._backend.read(lambda c: list(c.execute(query).scalars()))

    def gates(self) -> list[GateRecord]:
        """All gates, oldest first."""
        return self._backend.read(self._gates)

    def _gates(self, connection: sql.Connection) -> list[GateRecord]:
        columns = GATES.c.id, GATES.c.question, GATES.c.verdict, GATES.c.body
        query = sql.select(*columns).where(GATES.c.run == self._run).order_by(GATES.c.id)
        return [_read(*row) for row in connection.execute(query)]

    def open(self, question: Question) -> GateRecord:
        """The gate of an equal question, decided or not; a new one if there is none."""

        def open_once(connection: sql.Connection) -> GateRecord:
            for gate in self._gates(connection):
                if gate.question == question:
                    return gate
            row = {"run": self._run, "id": next_id(GATES, self._run)}
            new = GATES.insert().values(**row, question=question.to_json())
            made = connection.execute(new.returning(GATES.c.id)).scalar_one()
            return GateRecord(made, question, None)

        return self._backend.write(open_once)

    def recorded(
        self, gate: int, generation: int, play: Callable[[GateMatch], tuple[np.ndarray, int]]
    ) -> PlayMatch:
        """Plays matches of a gate, or finds them in the record if they were played before.

        Args:
          gate: its number.
          generation: the newest, under which its games are written down.
          play: gives scores f32[P, 2] and forward passes.
        """

        def play_once(match: GateMatch) -> np.ndarray:
            known = self.scores(gate, match)
            if known is not None:
                return known
            scores, passes = play(match)
            if len(scores):
                self.record(gate, match, generation=generation, scores=scores, passes=passes)
            return scores

        return play_once

    def scores(self, gate: int, match: GateMatch) -> np.ndarray | None:
        """The scores f64[P, 2] of a match that has been played, None if it has not."""
        query = (
            sql.select(PAIRS.c.first, PAIRS.c.second)
            .join(TRIALS, sql.and_(TRIALS.c.run == PAIRS.c.run, TRIALS.c.match == PAIRS.c.match))
            .join(MATCHES, sql.and_(MATCHES.c.run == PAIRS.c.run, MATCHES.c.id == PAIRS.c.match))
            .where(PAIRS.c.run == self._run, TRIALS.c.gate == gate)
            .where(TRIALS.c.stage == match.stage.value, TRIALS.c.number == match.number)
            .where(MATCHES.c.a == match.a, MATCHES.c.b == match.b)
            .order_by(PAIRS.c.number)
        )
        rows = self._backend.read(lambda c: [tuple(row) for row in c.execute(query)])
        return np.array(rows) if rows else None

    def record(
        self, gate: int, match: GateMatch, *, generation: int, scores: np.ndarray, passes: int
    ) -> None:
        """Writes a match that was played, its games and all; never twice."""
        result = MatchResult("gate", match.a, match.b, scores)
        row = {"run": self._run, "gate": gate, "stage": match.stage.value, "number": match.number}

        def write(connection: sql.Connection) -> None:
            key = insert(connection, self._run, generation, result)
            connection.execute(TRIALS.insert().values(**row, match=key, passes=passes))

        self._backend.write(write)

    def passes(self) -> int:
        """Positions that networks evaluated in all matches, and for comparisons of accuracy."""
        verdicts = [gate.verdict for gate in self.gates() if gate.verdict]
        compared = sum(one.accuracy.passes for one in verdicts if one.accuracy)
        query = sql.select(sql.func.sum(TRIALS.c.passes)).where(TRIALS.c.run == self._run)
        games = self._backend.read(lambda c: c.execute(query).scalar_one()) or 0
        return games + compared

    def close(self, gate: int, verdict: Verdict) -> None:
        """Writes the verdict, and the new champion if there is one."""
        decided = "promoted" if verdict.promoted else "refused"
        row = {"verdict": decided, "body": verdict.to_json()}
        own = sql.and_(GATES.c.run == self._run, GATES.c.id == gate)

        def write(connection: sql.Connection) -> None:
            connection.execute(GATES.update().where(own).values(row))
            if verdict.promoted:
                promotion = {"snapshot": int(verdict.candidate), "gate": gate}
                key = {"run": self._run, "id": next_id(CHAMPIONS, self._run)}
                connection.execute(CHAMPIONS.insert().values(**key, **promotion))

        self._backend.write(write)


def _read(number: int, question: JsonObject, verdict: str, body: JsonObject | None) -> GateRecord:
    """A gate from its row; raises UserError if the row holds something else."""
    try:
        decided = Verdict.from_json(body, verdict == "promoted") if body else None
        return GateRecord(number, Question.from_json(question), decided)
    except (AttributeError, LookupError, TypeError, ValueError):
        raise UserError(f"gate {number} of the record is none that a run writes") from None


def passes_spent(results: Results) -> dict[str, int]:
    """Forward passes of a run so far, its gates included: `type_1` and `type_2`."""
    found = [event.get("passes", {}) for event in results.events()]
    total = {kind: sum(one.get(kind, 0) for one in found) for kind in compute_ledger.nothing()}
    return {**total, "type_2": total["type_2"] + Lineage(results).passes()}
