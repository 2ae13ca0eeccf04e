"""How strong agents from outside a run are, on the scale of its snapshots.

Such an agent plays matches against snapshots, which go into the record under a role of their own.
They decide nothing in the run, and the snapshots' own ratings do not rest on them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np

from arena.errors import UserError
from arena.evaluation import ratings
from arena.keys import fold
from arena.play import match
from arena.play.executor import LOCAL, Executor
from arena.types import Agent, HostAgent, Judge
from league.evaluation import leaderboard
from league.store.database import MatchResult, Results
from league.store.run import Run

ROLE = "guest"
"""Role of these matches: a snapshot's raw network against an agent from outside the run."""

_SLOTS = 16


@dataclass(frozen=True)
class ExternalRating:
    """The rating of an agent from outside.

    Attributes:
      name: as a user types it.
      elo: above the first snapshot.
      half_width: of its 95 % interval.
      games: that it has played here.
    """

    name: str
    elo: float
    half_width: float
    games: int


def fitted(results: Results) -> tuple[list[str], ratings.Ratings]:
    """All agents, snapshots first, and their ratings; guests included."""
    ids = [str(number) for number in results.digests()]
    if not ids:
        raise UserError("the run has no snapshot yet")
    games = results.scores(*leaderboard.ROLES, ROLE)
    names = ids + sorted({name for row in games for name in (row.a, row.b)} - set(ids))
    return names, ratings.fit(leaderboard.table(games, names), len(names), first_move=True)


def rated(results: Results, guests: list[str]) -> list[ExternalRating]:
    """The ratings of guests that have played."""
    names, fit = fitted(results)
    at = [names.index(guest) for guest in guests]
    return [
        ExternalRating(names[i], float(fit.elo[i]), float(fit.half_width[i]), int(fit.games[i]))
        for i in at
    ]


def play(
    work: Run,
    results: Results,
    guest: Agent | HostAgent,
    *,
    games: int,
    pairs: int,
    judge: Judge | None = None,
    callback: Callable[[int], None] = lambda games: None,
    executor: Executor = LOCAL,
) -> None:
    """Plays matches of a guest against snapshots; each goes into the record as soon as it is over.

    Args:
      work: the run.
      results: its record.
      guest: who plays the run's game.
      games: at least so many.
      pairs: pairs of games in each match.
      judge: who says who won; the rules if None.
      callback: called after every match with the number of its games.
      executor: where the matches are played.
    """
    for _ in range(-(-games // (2 * pairs))):
        number = _opponent(results, guest.name)
        snapshot = work.agent(number)
        key = fold(jax.random.key(work.config.seed), "guest", guest.name, results.count(ROLE))
        plies = work.config.measure.opening_plies
        [scores] = match.play(
            [snapshot],
            [guest],
            work.game,
            key=key,
            pairs=pairs,
            plies=plies,
            groups=1,
            slots=_SLOTS,
            judge=judge,
            executor=executor,
        )
        newest = max(results.digests())
        results.write(newest, [MatchResult(ROLE, snapshot.name, guest.name, scores)])
        callback(2 * pairs)


def _opponent(results: Results, guest: str) -> int:
    """The snapshot against which a game says most: a near equal that the guest has met little.

    The newest one is the first.
    """
    ids = list(results.digests())
    names, fit = fitted(results)
    if guest not in names:
        return ids[-1]
    mine = names.index(guest)
    expected = ratings.expected_score(fit, np.arange(len(ids)), np.full(len(ids), mine))
    worth = expected * (1 - expected) / (1 + fit.met[mine, : len(ids)])
    return ids[len(ids) - 1 - int(np.argmax(worth[::-1]))]
