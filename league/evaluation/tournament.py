"""Tournaments among a run's snapshots, which survive a kill at any instant.

A tournament goes into the record before its first game, and so does every round, the matches of one
call of the device loop, as soon as it is known who meets. Its games go there once and whole. What a
round plays follows from the tournament, its number and who meets. So the same command goes on where
a kill cut it off, and ends with the same scores as if nothing had happened; and where a database is
shared, several processes play the rounds of one tournament at once, each round once.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import NamedTuple

import jax
import sqlalchemy as sql

from arena import interrupt
from arena.errors import UserError
from arena.evaluation import ratings
from arena.keys import fold
from arena.play import match
from arena.play.executor import LOCAL, Executor, Later
from arena.types import Agent, CachedPolicy, Judge, Params
from league.evaluation import leaderboard
from league.store.database import MatchResult, Results, insert
from league.store.run import Run
from league.store.schema import MATCHES, ROUNDS, TOURNAMENTS, next_id

_SCHEDULED = 8  # matches in one call of the device loop; then the ratings are fitted anew
_ROUND_ROBIN = 64  # the same where nothing has to be fitted
_SLOTS = 16
"""Games in flight per match and half on a CPU, where agents evaluate idle positions too: with
64 there were as many of these as of others. A `CachedPolicy` skips them."""
_PAUSE = 0.2
"""Seconds between two looks at rounds that others play."""


@dataclass(frozen=True)
class Plan:
    """What is asked for.

    Attributes:
      pairs: pairs of games in each match.
      games: play at least so many, where they say most about the ratings; None for a round robin,
        in which everybody meets everybody once.
    """

    pairs: int
    games: int | None


class Round(NamedTuple):
    """Matches of one call of the device loop.

    Attributes:
      number: of the first of them in the tournament, from 0.
      pairings: the ids of the snapshots that meet.
      played: whether their games are in the record.
    """

    number: int
    pairings: list[tuple[str, str]]
    played: bool


@dataclass
class Tournament:
    """A tournament under way: begun now, by another process, or cut off by a kill.

    Attributes:
      work: the run.
      results: its record.
      plan: what is asked for.
      judge: who says who won; the rules if None.
      executor: where the matches are played.

    Raises:
      UserError: the newest snapshot is only half saved.
    """

    work: Run
    results: Results
    plan: Plan
    judge: Judge | None = None
    executor: Executor = LOCAL
    _weights: dict[int, Params] = field(default_factory=dict)

    def __post_init__(self):
        self._ids = list(self.results.digests())
        saved = self.work.state.numbers()
        if saved and self._ids[-1] > saved[-1]:  # its matches would be forgotten with it
            raise UserError(
                f"run {self.work.name!r} was stopped while it saved snapshot {self._ids[-1]}: "
                "go on with arena train --resume first"
            )
        self._backend, self._run = self.results.backend, self.results.backend.run
        self._number, self.matches = self._backend.write(self._open)

    def _open(self, connection: sql.Connection) -> tuple[int, int]:
        """Number and matches of the newest of this plan, if it goes on, or of a new one."""
        asked = {**asdict(self.plan), "newest": self._ids[-1]}
        columns = TOURNAMENTS.c.id, TOURNAMENTS.c.matches, TOURNAMENTS.c.asked
        query = sql.select(*columns).where(TOURNAMENTS.c.run == self._run)
        for number, matches, other in connection.execute(query.order_by(TOURNAMENTS.c.id.desc())):
            if other == asked:
                if _done(self._rounds(connection, number)) < matches:
                    return number, matches
                break
        rated = sql.select(sql.func.count()).select_from(MATCHES)
        rated = rated.where(MATCHES.c.run == self._run, MATCHES.c.role == "rate")
        row = {"run": self._run, "id": next_id(TOURNAMENTS, self._run), "asked": asked}
        row |= {"before": rated.scalar_subquery(), "matches": self._size()}
        new = TOURNAMENTS.insert().values(row).returning(TOURNAMENTS.c.id, TOURNAMENTS.c.matches)
        number, matches = connection.execute(new).one()
        return number, matches

    def _rounds(self, connection: sql.Connection, tournament: int | None = None) -> list[Round]:
        """The rounds of a tournament that are known, in order."""
        number = self._number if tournament is None else tournament
        query = sql.select(ROUNDS.c.number, ROUNDS.c.pairings, ROUNDS.c.match)
        query = query.where(ROUNDS.c.run == self._run, ROUNDS.c.tournament == number)
        return [
            Round(first, [(a, b) for a, b in pairings], played is not None)
            for first, pairings, played in connection.execute(query.order_by(ROUNDS.c.number))
        ]

    def _size(self) -> int:
        """How many matches the plan takes."""
        if self.plan.games is None:
            return len(self._ids) * (len(self._ids) - 1) // 2
        return -(-self.plan.games // (2 * self.plan.pairs))

    @property
    def _groups(self) -> int:
        """Matches in one call of the device loop."""
        return min(self.matches, _SCHEDULED if self.plan.games is not None else _ROUND_ROBIN)

    @property
    def done(self) -> int:
        """Matches that are in the record."""
        return _done(self._backend.read(self._rounds))

    def play(self, callback: Callable[[int], None] = lambda done: None) -> None:
        """Plays what is left to play; `callback` gets the number of matches in the record."""
        while True:
            rounds = self._backend.read(self._rounds)
            callback(_done(rounds))
            if _done(rounds) >= self.matches:
                return
            waiting = [one.number for one in rounds if not one.played]
            known = sum(len(one.pairings) for one in rounds)
            ahead = len(waiting) < self._at_once and known < self.matches
            if ahead or not self._play_some(waiting, callback):
                self._plan(rounds)

    @property
    def _at_once(self) -> int:
        """Rounds that are begun before the first of them is waited for.

        Who meets in a round of a plan for ratings rests on the rounds before it.
        """
        return self.executor.ahead if self.plan.games is None else 0

    def _play_some(self, waiting: list[int], callback: Callable[[int], None]) -> bool:
        """Plays rounds that nobody else plays; whether there was one."""
        together = max(1, self._at_once)
        chunks = [waiting[at : at + together] for at in range(0, len(waiting), together)]
        return any(self._play(chunk, callback) for chunk in chunks)

    def _plan(self, rounds: list[Round]) -> None:
        """Adds a round while others are played elsewhere; waits if there is none left to add."""
        interrupt.check()
        known = sum(len(one.pairings) for one in rounds)
        if known >= self.matches:
            time.sleep(_PAUSE)
            return
        waiting = known - _done(rounds)
        chosen = self._choose(known, min(self._groups, self.matches - known), waiting)
        names = [[str(self._ids[place]) for place in pair] for pair in chosen]
        row = {"run": self._run, "tournament": self._number, "number": known, "pairings": names}

        def add(connection: sql.Connection) -> None:
            if all(one.number != known for one in self._rounds(connection)):
                connection.execute(ROUNDS.insert().values(row))

        self._backend.write(add)

    def _choose(self, known: int, count: int, waiting: int) -> list[tuple[int, int]]:
        """The next pairings, by places among the snapshots.

        Args:
          known: matches of rounds before.
          count: how many.
          waiting: matches of rounds before that are not in the record yet.
        """
        if self.plan.games is None:
            return list(combinations(range(len(self._ids)), 2))[known : known + count]
        names = [str(number) for number in self._ids]
        games = leaderboard.table(self.results.scores(*leaderboard.ROLES), names)
        fit = ratings.fit(games, len(names), first_move=True)
        # Those that others play are taken to be the choice before this one.
        return ratings.schedule(fit, waiting + count, 2 * self.plan.pairs)[waiting:]

    def _play(self, numbers: list[int], callback: Callable[[int], None]) -> bool:
        """Plays those rounds that nobody else does, and writes them down; whether it did one."""
        with contextlib.ExitStack() as stack:
            mine = [
                number
                for number in numbers
                if stack.enter_context(self._backend.claim(f"round {self._number} {number}"))
            ]
            if not mine:
                return False
            rounds = self._backend.read(self._rounds)
            begun = [
                (one.number, self._begin(one))
                for one in rounds
                if one.number in mine and not one.played
            ]
            for place, (number, finish) in enumerate(begun):
                if place:
                    callback(self.done)
                self._write(number, finish())
            return True

    def _write(self, number: int, results: list[MatchResult]) -> None:
        """Writes a round down, unless it is there."""

        def write(connection: sql.Connection) -> None:
            if any(one.number == number and one.played for one in self._rounds(connection)):
                return  # its claim was lost with the connection
            keys = [insert(connection, self._run, self._ids[-1], one) for one in results]
            own = sql.and_(
                ROUNDS.c.run == self._run,
                ROUNDS.c.tournament == self._number,
                ROUNDS.c.number == number,
            )
            connection.execute(ROUNDS.update().where(own).values(match=keys[0]))

        self._backend.write(write)

    def _begin(self, here: Round) -> Later[list[MatchResult]]:
        """Begins the matches of a round, which are one call of the device loop."""
        key = fold(jax.random.key(self.work.config.seed), "tournament", self._number, here.number)
        first, second = (
            [self._agent(int(side)) for side in sides] for sides in zip(*here.pairings, strict=True)
        )
        skips = jax.default_backend() != "cpu" or isinstance(first[0].policy, CachedPolicy)
        slots = self.plan.pairs if skips else _SLOTS
        finish = match.begin(
            first,
            second,
            self.work.game,
            key=key,
            pairs=self.plan.pairs,
            plies=self.work.config.measure.opening_plies,
            groups=self._groups,
            slots=slots,
            judge=self.judge,
            executor=self.executor,
        )
        return lambda: [
            MatchResult("rate", a.name, b.name, score)
            for a, b, score in zip(first, second, finish(), strict=True)
        ]

    def _agent(self, number: int) -> Agent:
        if number not in self._weights:
            self._weights[number] = self.work.weights(number)
        return Agent(str(number), self.work.eval_policy(0), self._weights[number])


def _done(rounds: list[Round]) -> int:
    """Matches of rounds that have been played."""
    return sum(len(one.pairings) for one in rounds if one.played)
