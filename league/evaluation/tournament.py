"""Tournaments among a run's snapshots, which survive a kill at any instant.

A tournament goes into the record before its first game, and what a call of the device loop has
played goes there whole or not at all. What comes next follows from the record alone, so the same
command goes on where a kill cut it off, and ends with the same scores as if nothing had happened.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import combinations

import jax
import sqlalchemy as sql

from arena.errors import UserError
from arena.evaluation import ratings
from arena.keys import fold
from arena.play import match
from arena.types import Agent, CachedPolicy, Judge, Params
from league.evaluation import leaderboard
from league.store.database import MatchResult, Results
from league.store.run import Run
from league.store.schema import MATCHES, TOURNAMENTS

_SCHEDULED = 8  # matches in one call of the device loop; then the ratings are fitted anew
_ROUND_ROBIN = 64  # the same where nothing has to be fitted
_SLOTS = 16
"""Games in flight per match and half on a CPU, where agents evaluate idle positions too: with
64 there were as many of these as of others. A `CachedPolicy` skips them."""


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


@dataclass
class Tournament:
    """A tournament under way: begun now, or cut off by a kill.

    Attributes:
      work: the run.
      results: its record.
      plan: what is asked for.
      judge: who says who won; the rules if None.

    Raises:
      UserError: the newest snapshot is only half saved.
    """

    work: Run
    results: Results
    plan: Plan
    judge: Judge | None = None
    _weights: dict[int, Params] = field(default_factory=dict)

    def __post_init__(self):
        self._ids = list(self.results.digests())
        saved = self.work.state.numbers()
        if saved and self._ids[-1] > saved[-1]:  # its matches would be forgotten with it
            raise UserError(
                f"run {self.work.name!r} was stopped while it saved snapshot {self._ids[-1]}: "
                "go on with arena train --resume first"
            )
        self._number, self._before, self.matches = self._open()

    def _open(self) -> tuple[int, int, int]:
        """Number, matches of the record before it, and matches to play."""
        asked = {**asdict(self.plan), "newest": self._ids[-1]}
        rated = sql.select(sql.func.count()).where(MATCHES.c.role == "rate").scalar_subquery()
        with self.results.engine.begin() as connection:
            last = connection.execute(
                sql.select(TOURNAMENTS, rated.label("rated")).order_by(TOURNAMENTS.c.id.desc())
            ).first()
            if last and last.asked == asked and last.rated < last.before + last.matches:
                return last.id, last.before, last.matches
            row = {"asked": asked, "before": rated, "matches": self._size()}
            columns = TOURNAMENTS.c.id, TOURNAMENTS.c.before, TOURNAMENTS.c.matches
            made = connection.execute(TOURNAMENTS.insert().values(row).returning(*columns)).one()
            return made.id, made.before, made.matches

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
        return self.results.count("rate") - self._before

    def play(self, callback: Callable[[int], None] = lambda done: None) -> None:
        """Plays what is left to play; `callback` gets the number of matches in the record."""
        while (done := self.done) < self.matches:
            chosen = self._choose(done, min(self._groups, self.matches - done))
            self.results.write(self._ids[-1], self._round(done, chosen))
            callback(done + len(chosen))

    def _choose(self, done: int, count: int) -> list[tuple[int, int]]:
        """The next pairings, by places among the snapshots."""
        if self.plan.games is None:
            return list(combinations(range(len(self._ids)), 2))[done : done + count]
        names = [str(number) for number in self._ids]
        games = leaderboard.table(self.results.scores(*leaderboard.ROLES), names)
        fit = ratings.fit(games, len(names), first_move=True)
        return ratings.schedule(fit, count, 2 * self.plan.pairs)

    def _round(self, done: int, chosen: list[tuple[int, int]]) -> list[MatchResult]:
        """Plays some matches in one call of the device loop."""
        key = fold(jax.random.key(self.work.config.seed), "tournament", self._number, done)
        first, second = (
            [self._agent(side) for side in sides] for sides in zip(*chosen, strict=True)
        )
        skips = jax.default_backend() != "cpu" or isinstance(first[0].policy, CachedPolicy)
        slots = self.plan.pairs if skips else _SLOTS
        scores = match.play(
            first,
            second,
            self.work.game,
            key=key,
            pairs=self.plan.pairs,
            plies=self.work.config.measure.opening_plies,
            groups=self._groups,
            slots=slots,
            judge=self.judge,
        )
        return [
            MatchResult("rate", a.name, b.name, score)
            for a, b, score in zip(first, second, scores, strict=True)
        ]

    def _agent(self, place: int) -> Agent:
        number = self._ids[place]
        if number not in self._weights:
            self._weights[number] = self.work.weights(number)
        return Agent(str(number), self.work.eval_policy(0), self._weights[number])
