"""The leaderboard of a run's snapshots: ratings, whether they are enough, what was forgotten.

All of it is computed from the games between raw networks that measured the run, never stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from arena.errors import UserError
from arena.evaluation import crosstable, forgetting, metagame, ratings, score, transitivity
from arena.evaluation.crosstable import CrossTable
from arena.evaluation.forgetting import Alarm, Forgetting
from league.store.database import MatchResult, Results, Scores

ROLES = ("measure", "rate")
"""Roles of the matches that ratings come from."""

_SAMPLES = 199
_MANY = 64  # players, beyond which fits take long and are simulated less often


@dataclass(frozen=True, eq=False)
class Meta:
    """The meta-game of a pool in which one number an agent does not say who beats whom.

    Attributes:
      melo: the ratings of mElo_2, anchored as the Elo beside it, f64[n].
      nash: probability in the equilibrium of the largest entropy (Nash averaging), f64[n].
      alpha_rank: stationary probability of an infinitely selective evolution (α-Rank), f64[n].
    """

    melo: np.ndarray
    nash: np.ndarray
    alpha_rank: np.ndarray


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """What the games of n agents say.

    Attributes:
      names: of the agents, snapshots first, oldest first.
      snapshots: how many of them are snapshots.
      ratings: theirs, the first move being fitted, relative to the anchor.
      fit: whether the model of the ratings describes the games.
      verdict: whether the pool is transitive.
      meta: what to read beside Elo; None if the pool is transitive as far as the games tell.
      forgetting: every snapshot against every earlier one.
      alarms: what a person should look at in the newest snapshot, and every jump of the rating.
      neighbours: each snapshot against the one before it: place of the later one, and score.
      top: the two best rated snapshots, and the score of the first against the second; None if
        they have not met.
    """

    names: list[str]
    snapshots: int
    ratings: ratings.Ratings
    fit: transitivity.FitTest
    verdict: transitivity.Verdict
    meta: Meta | None
    forgetting: Forgetting
    alarms: list[Alarm]
    neighbours: list[tuple[int, score.Score]]
    top: tuple[int, int, score.Score] | None


def fitted(results: Results, *, anchor: str = "") -> tuple[list[str], CrossTable, ratings.Ratings]:
    """Names of the agents, their games, and the ratings.

    Args:
      results: of the run.
      anchor: whose Elo is 0: a snapshot's id, or `uniform`, which is then rated too; the first
        snapshot if empty.

    Raises:
      UserError: there is no snapshot, or the anchor is not among the agents.
    """
    ids = [str(number) for number in results.digests()]
    if not ids:
        raise UserError("the run has no snapshot yet")
    outside = [anchor] if anchor == "uniform" else []
    games = results.scores(*ROLES, *outside)
    known = {name for row in games for name in (row.a, row.b)}
    names = ids + sorted(known - set(ids))
    anchor = anchor or ids[0]
    if anchor not in names:
        raise UserError(f"the anchor {anchor!r} is not among those rated: {', '.join(names)}")
    played = table(games, names)
    fit = ratings.fit(played, len(names), anchor=names.index(anchor), first_move=True)
    return names, played, fit


def table(games: Iterable[Scores], names: list[str]) -> CrossTable:
    """Who scored what against whom, by places among the names; games of others are left out."""
    place = {name: i for i, name in enumerate(names)}
    return crosstable.from_sums(
        (place[a], place[b], *sums) for a, b, sums in games if a in place and b in place
    )


def compute(results: Results, planned: float, *, anchor: str = "") -> Leaderboard:
    """The whole leaderboard from the games in the record.

    Args:
      results: of the run.
      planned: Elo that a snapshot may differ from the one before it without an alarm.
      anchor: as for `fitted`; errors are those of `fitted` too.
    """
    names, rows, fit = fitted(results, anchor=anchor)
    n, count = len(names), len(results.digests())
    samples = _SAMPLES if n <= _MANY else _SAMPLES // 4
    verdict = transitivity.verdict(rows, n, first_move=True, samples=samples)
    # No proof of a circle is needed: that numbers do not explain the games is reason enough.
    doubtful = not verdict.transitive or verdict.curl.p < verdict.level
    return Leaderboard(
        names,
        count,
        fit,
        transitivity.fit_test(rows, n, first_move=True, samples=samples),
        verdict,
        _meta(rows, fit) if doubtful else None,
        forgetting.matrix(rows.among(count), count),
        alarms(rows, count, planned),
        _neighbours(results, names[:count]),
        _top(results, names[:count], fit.elo),
    )


def alarms(rows: CrossTable, count: int, planned: float) -> list[Alarm]:
    """What a person should look at.

    Args:
      rows: who scored what against whom; snapshots are players 0 to count - 1.
      count: snapshots.
      planned: Elo that a snapshot may differ from the one before it.

    Returns:
      the ancestors that the newest snapshot loses to, then all jumps of the rating.
    """
    games = rows.among(count)
    fit = ratings.fit(games, count, first_move=True)
    found = forgetting.ancestor_alarms(forgetting.matrix(games, count))
    return found + forgetting.jump_alarms(fit, planned)


def newest_alarms(
    results: Results, matches: Iterable[MatchResult], newest: int, planned: float
) -> list[str]:
    """Alarms about the newest snapshot, in words.

    Args:
      results: of the run, up to the snapshot before.
      matches: of the newest snapshot, which are not in the record yet.
      newest: its id.
      planned: as for `alarms`.
    """
    games = results.scores("measure")
    games += [match.summed() for match in matches if match.role == "measure"]
    found = alarms(table(games, [str(i) for i in range(newest + 1)]), newest + 1, planned)
    grave = [alarm for alarm in found if alarm.level == "alarm"]
    return [alarm.message for alarm in grave if alarm.generation == newest]


def _meta(rows: CrossTable, fit: ratings.Ratings) -> Meta:
    payoffs = metagame.payoffs(rows, len(fit.elo))
    melo = metagame.melo(payoffs, min(1, len(payoffs) // 2)).elo
    anchor = int(np.argmin(fit.half_width))
    return Meta(melo - melo[anchor], metagame.nash(payoffs).mixture, metagame.alpha_rank(payoffs))


def _neighbours(results: Results, names: list[str]) -> list[tuple[int, score.Score]]:
    found = []
    for later in range(1, len(names)):
        pairs = results.pairs(names[later], names[later - 1], *ROLES)
        if len(pairs):
            found.append((later, score.of(pairs)))
    return found


def _top(
    results: Results, names: list[str], elo: np.ndarray
) -> tuple[int, int, score.Score] | None:
    if len(names) < 2:
        return None
    first, second = (int(i) for i in np.argsort(-elo[: len(names)], kind="stable")[:2])
    pairs = results.pairs(names[first], names[second], *ROLES)
    return (first, second, score.of(pairs)) if len(pairs) else None
