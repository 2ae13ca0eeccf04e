"""The champions of a run, and the gates that made them, in its record.

A gate is written down before its first game, and every trial whole or not at all, under a key of
its own: a gate that was killed goes on with the trials that are there, and none counts twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sql

from league.gate.decision import Play, Trial
from league.store.database import MatchResult, Results, insert
from league.store.schema import CHAMPIONS, GATES, MATCHES, PAIRS, TRIALS


@dataclass(frozen=True)
class Asked:
    """One gate.

    Attributes:
      id: its number.
      question: candidates, champion, judges, rule and openings.
      verdict: promoted or refused; None until it is known.
      body: what the verdict rests on; None until it is known.
    """

    id: int
    question: dict[str, Any]
    verdict: str | None
    body: dict[str, Any] | None


class Lineage:
    """The part of a run's record that belongs to the gate."""

    def __init__(self, results: Results):
        self._engine = results.engine

    def champions(self) -> list[int]:
        """Snapshots that were promoted, the reigning champion last."""
        query = sql.select(CHAMPIONS.c.snapshot).order_by(CHAMPIONS.c.id)
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def gates(self) -> list[Asked]:
        """All gates, oldest first."""
        with self._engine.connect() as connection:
            return [
                Asked(*row) for row in connection.execute(sql.select(GATES).order_by(GATES.c.id))
            ]

    def ask(self, question: dict[str, Any]) -> Asked:
        """The gate that this question was put to before, answered or not; else a new one."""
        for gate in self.gates():
            if gate.question == question:
                return gate
        with self._engine.begin() as connection:
            made = connection.execute(
                GATES.insert().values(question=question).returning(GATES.c.id)
            ).scalar_one()
        return Asked(made, question, None, None)

    def kept(
        self, gate: int, generation: int, play: Callable[[Trial], tuple[np.ndarray, int]]
    ) -> Play:
        """Plays trials of a gate, or finds them in the record if they were played before.

        Args:
          gate: its number.
          generation: the newest, under which its games are written down.
          play: gives scores f32[P, 2] and forward passes.
        """

        def ask(trial: Trial) -> np.ndarray:
            known = self.scores(gate, trial)
            if known is not None:
                return known
            scores, passes = play(trial)
            if len(scores):
                self.record(gate, trial, generation, scores, passes)
            return scores

        return ask

    def scores(self, gate: int, trial: Trial) -> np.ndarray | None:
        """The scores f64[P, 2] of a trial that has been played, None if it has not."""
        query = (
            sql.select(PAIRS.c.first, PAIRS.c.second)
            .join(TRIALS, TRIALS.c.match == PAIRS.c.match)
            .join(MATCHES, MATCHES.c.id == PAIRS.c.match)
            .where(TRIALS.c.gate == gate)
            .where(TRIALS.c.stage == trial.stage, TRIALS.c.number == trial.number)
            .where(MATCHES.c.a == trial.a, MATCHES.c.b == trial.b)
            .order_by(PAIRS.c.number)
        )
        with self._engine.connect() as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        return np.array(rows) if rows else None

    def record(
        self, gate: int, trial: Trial, generation: int, scores: np.ndarray, passes: int
    ) -> None:
        """Writes a trial that was played, its games and all; never twice."""
        with self._engine.begin() as connection:
            match = MatchResult("gate", trial.a, trial.b, scores)
            key = insert(connection, generation, match)
            row = {"gate": gate, "stage": trial.stage, "number": trial.number}
            connection.execute(TRIALS.insert().values(**row, match=key, passes=passes))

    def passes(self) -> int:
        """Positions that networks evaluated in all trials, and to be asked about exact values."""
        exams = [gate.body["exam"] for gate in self.gates() if gate.body and gate.body.get("exam")]
        with self._engine.connect() as connection:
            games = connection.execute(sql.select(sql.func.sum(TRIALS.c.passes))).scalar_one() or 0
        return games + sum(exam["passes"] for exam in exams)

    def answer(self, gate: int, body: dict[str, Any], champion: int | None) -> None:
        """Writes the verdict, and the new champion if there is one."""
        verdict = "refused" if champion is None else "promoted"
        with self._engine.begin() as connection:
            connection.execute(
                GATES.update().where(GATES.c.id == gate).values(verdict=verdict, body=body)
            )
            if champion is not None:
                connection.execute(CHAMPIONS.insert().values(snapshot=champion, gate=gate))
