"""Who plays whom in a generation's training games.

Whoever plays, and whom they meet, is settled by what there is after the generation whose weights
play, `Config.played_by`: with a lag the games may have been played long before those of the
generation between are in the record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from arena.evaluation import metagame
from league.settings import matchmaking
from league.settings.league_learners import MAIN_EXPLOITER, LeagueLearner
from league.store import snapshot_ids
from league.store.database import MatchResult, Results, Tally
from league.store.run import Run
from league.training.exploiters import ExploiterHistory

_FADE = 0.8
"""A game of the generation before weighs so much less in the estimate of who beats whom."""


class Pairing(NamedTuple):
    """One match of a generation's training games.

    Attributes:
      learner: who learns, on side A.
      opponent: id of the snapshot on side B.
      self_play: the opponent is the learner as it plays, and both sides are learnt.
    """

    learner: LeagueLearner
    opponent: str
    self_play: bool


@dataclass(frozen=True)
class Schedule:
    """Draws opponents from the pool.

    Attributes:
      run: the run.
      results: its record.
      history: of its exploiters.
    """

    run: Run
    results: Results
    history: ExploiterHistory

    def pairings(self, generation: int) -> list[Pairing]:
        """Who meets whom in a generation; every learner has as many matches."""
        main, *exploiters = self.run.learners
        count, current = self.run.config.matches, str(self.run.config.played_by(generation))
        opponents = self.main_opponents(generation)
        found = [Pairing(main, opponent, False) for opponent in opponents]
        found += [Pairing(main, current, True)] * (count - len(opponents))
        for learner in exploiters:
            if learner.role == MAIN_EXPLOITER:
                found += [Pairing(learner, current, False)] * count
            else:
                opponents = self._league_exploiter_opponents(generation, learner)
                found += [Pairing(learner, opponent, False) for opponent in opponents]
        return found

    def main_opponents(self, generation: int) -> list[str]:
        """Snapshots for the main agent to meet, drawn by the matchmaker."""
        newest = self.run.config.played_by(generation)
        pool = self._pool(newest)
        place = {name: i for i, name in enumerate(pool)}
        met = [
            tally
            for tally in self.results.tallies("train", "measure", "exploiter")
            if tally.generation <= newest and tally.b in place and tally.a != tally.b
        ]

        def payoffs() -> np.ndarray:
            rows = [(place[t.a], place[t.b], t.wins, t.draws, t.losses) for t in met]
            return metagame.payoffs(rows, len(pool))

        matchmaker = matchmaking.find(self.run.config.matchmaker)
        weights = matchmaker(matchmaking.Pool(_losses(newest, pool, met), payoffs))
        count = round(self.run.config.matches * self.run.config.pool_share)
        return self._draw(generation, "matchmaking", pool, weights, count=count)

    def _league_exploiter_opponents(self, generation: int, learner: LeagueLearner) -> list[str]:
        """Snapshots for a league exploiter to meet: often those that it loses to."""
        played_by = self.run.config.played_by
        newest = played_by(generation)
        pool = self._pool(newest)
        started = self.history.started(learner, newest + 1)
        own = [
            tally
            for tally in self.results.tallies("exploit")
            if played_by(tally.generation) >= started
            and tally.generation <= newest
            and tally.a == learner.snapshot_id(tally.generation)
        ]
        odds = _losses(newest, pool, own)
        known = matchmaking.Pool(odds, lambda: metagame.payoffs([], len(pool)))
        role = f"matchmaking {learner.suffix}"
        weights = matchmaking.pfsp(known)
        return self._draw(generation, role, pool, weights, count=self.run.config.matches)

    def _pool(self, newest: int) -> list[str]:
        """Ids of the pool after a generation."""
        joined = [one for one in self.results.exploiters() if one.generation <= newest]
        return snapshot_ids.pool(newest + 1, joined)

    def _draw(
        self, generation: int, role: str, pool: list[str], weights: np.ndarray, *, count: int
    ) -> list[str]:
        """So many of the pool by their weights, nobody twice if there are enough."""
        enough = np.count_nonzero(weights) >= count
        rng = self.run.rng(generation, role)
        chosen = rng.choice(len(pool), count, replace=not enough, p=weights)
        return [pool[i] for i in sorted(chosen.tolist())]


def _losses(newest: int, pool: list[str], met: Iterable[Tally]) -> np.ndarray:
    """The estimated chance to lose to each of the pool, recent games weighing more than old."""
    place = {name: i for i, name in enumerate(pool)}
    scores, games = np.zeros(len(pool)), np.zeros(len(pool))
    for tally in met:
        weight = _FADE ** (newest + 1 - tally.generation)
        scores[place[tally.b]] += weight * tally.points
        games[place[tally.b]] += weight * tally.games
    return matchmaking.losses(scores, games)


def learns(learner: LeagueLearner, pairings: Sequence[Pairing]) -> np.ndarray:
    """Whose moves are a learner's to learn from: bool[2, G], side A and side B of each match."""
    own = np.array([pairing.learner == learner for pairing in pairings])
    self_play = np.array([pairing.self_play for pairing in pairings])
    return np.stack([own, own & self_play])


def match_results(
    number: int, pairings: Sequence[Pairing], scores: np.ndarray, *, player: int
) -> list[MatchResult]:
    """The training games' matches as they go into the record.

    Args:
      number: of the generation.
      pairings: of G matches.
      scores: f32[G, P, 2].
      player: the snapshot after which the games began, see `Config.played_by`.
    """
    return [
        MatchResult("exploit", pairing.learner.snapshot_id(number), pairing.opponent, score)
        if pairing.learner.number
        else MatchResult("train", str(player), pairing.opponent, score)
        for pairing, score in zip(pairings, scores, strict=True)
    ]
