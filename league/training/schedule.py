"""Who plays whom in a generation's training games."""

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
      self_play: the opponent is the learner as it is now, and both sides are learnt.
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
        count, current = self.run.config.matches, str(generation - 1)
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
        pool = snapshot_ids.pool(generation, self.results.exploiters())
        place = {name: i for i, name in enumerate(pool)}
        met = [
            tally
            for tally in self.results.tallies("train", "measure", "exploiter")
            if tally.b in place and tally.a != tally.b
        ]

        def payoffs() -> np.ndarray:
            rows = [(place[t.a], place[t.b], t.wins, t.draws, t.losses) for t in met]
            return metagame.payoffs(rows, len(pool))

        matchmaker = matchmaking.find(self.run.config.matchmaker)
        weights = matchmaker(matchmaking.Pool(_losses(generation, pool, met), payoffs))
        count = round(self.run.config.matches * self.run.config.pool_share)
        return self._draw(generation, "matchmaking", pool, weights, count=count)

    def _league_exploiter_opponents(self, generation: int, learner: LeagueLearner) -> list[str]:
        """Snapshots for a league exploiter to meet: often those that it loses to."""
        pool = snapshot_ids.pool(generation, self.results.exploiters())
        started = self.history.started(learner, generation)
        own = [
            tally
            for tally in self.results.tallies("exploit")
            if tally.generation > started and tally.a == learner.snapshot_id(tally.generation)
        ]
        odds = _losses(generation, pool, own)
        known = matchmaking.Pool(odds, lambda: metagame.payoffs([], len(pool)))
        role = f"matchmaking {learner.suffix}"
        weights = matchmaking.pfsp(known)
        return self._draw(generation, role, pool, weights, count=self.run.config.matches)

    def _draw(
        self, generation: int, role: str, pool: list[str], weights: np.ndarray, *, count: int
    ) -> list[str]:
        """So many of the pool by their weights, nobody twice if there are enough."""
        enough = np.count_nonzero(weights) >= count
        rng = self.run.rng(generation, role)
        chosen = rng.choice(len(pool), count, replace=not enough, p=weights)
        return [pool[i] for i in sorted(chosen.tolist())]


def _losses(generation: int, pool: list[str], met: Iterable[Tally]) -> np.ndarray:
    """The estimated chance to lose to each of the pool, recent games weighing more than old."""
    place = {name: i for i, name in enumerate(pool)}
    scores, games = np.zeros(len(pool)), np.zeros(len(pool))
    for tally in met:
        weight = _FADE ** (generation - tally.generation)
        scores[place[tally.b]] += weight * tally.points
        games[place[tally.b]] += weight * tally.games
    return matchmaking.losses(scores, games)


def learns(learner: LeagueLearner, pairings: Sequence[Pairing]) -> np.ndarray:
    """Whose moves are a learner's to learn from: bool[2, G], side A and side B of each match."""
    own = np.array([pairing.learner == learner for pairing in pairings])
    self_play = np.array([pairing.self_play for pairing in pairings])
    return np.stack([own, own & self_play])


def match_results(
    number: int, pairings: Sequence[Pairing], scores: np.ndarray
) -> list[MatchResult]:
    """The training games' matches as they go into the record; scores f32[G, P, 2]."""
    return [
        MatchResult("exploit", pairing.learner.snapshot_id(number), pairing.opponent, score)
        if pairing.learner.number
        else MatchResult("train", str(number - 1), pairing.opponent, score)
        for pairing, score in zip(pairings, scores, strict=True)
    ]
