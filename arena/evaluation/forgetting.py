"""Does a generation still beat its past? The forgetting matrix, and alarms in plain words.

An agent may gain on the newest generations and forget how to beat older ones, which a single number
does not show. So each generation's score against each of its ancestors is laid out, with the
interval that its games allow, and an alarm is raised only where chance is no likely cause: among
forty ancestors who are its equals, one is still to be expected.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.evaluation import crosstable
from arena.evaluation.crosstable import CrossTable, Results
from arena.evaluation.ratings import Ratings
from arena.evaluation.score import Z95

Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Forgetting:
    """Scores of n generations, oldest first, against their ancestors.

    Where i is later than j, [i, j] is about i against j; elsewhere, and where these never met,
    scores are NaN.

    Attributes:
      score: f64[n, n], points per game, a draw being half of one.
      half_width: f64[n, n], of the 95 % interval of the score.
      games: i64[n, n], games played; 0 where i is not later than j.
    """

    score: Floats
    half_width: Floats
    games: NDArray[np.int64]


@dataclass(frozen=True)
class Alarm:
    """Something in a run that a person should look at.

    Attributes:
      kind: `ancestor` (a generation loses to one before it), `jump` (the rating falls far from one
        generation to the next) or `step` (it rises so far that it is measured only roughly).
      generation: which one it is about.
      ancestor: the earlier one.
      message: one line.
    """

    kind: str
    generation: int
    ancestor: int
    message: str

    @property
    def level(self) -> str:
        """`alarm` where something may have gone wrong, `note` where progress is hard to measure."""
        return "note" if self.kind == "step" else "alarm"


def matrix(results: Results | CrossTable, n: int) -> Forgetting:
    """The forgetting matrix of n generations.

    The errors are those of arena.evaluation.score: from the spread of pairs, one pair won and one
    lost being added in the error alone, so that not even a clean sweep is called certain. Single
    games stand for pairs where the results are rows of counts.

    Args:
      results: as for `arena.evaluation.ratings.fit`, with generations numbered from 0.
      n: number of generations.

    Raises:
      ValueError: rows of another shape, or a generation outside 0..n-1.
    """
    table = crosstable.of(results, n)
    table = table.turned(table.a < table.b)
    totals = table.games.sum(1), table.points.sum(1), _clusters(table), _squares(table)
    games, points, clusters, squares = (_square(table, column, n) for column in totals)
    mean = points / np.where(games > 0, games, np.nan)
    # The sum of the scores of clusters, and of their squares: one more is won, one lost.
    variance = (squares + 1 - (mean * clusters + 1) ** 2 / (clusters + 2)) / (clusters + 1)
    half = Z95 * np.sqrt(variance / np.where(games > 0, clusters, np.nan))
    return Forgetting(mean, half, games.astype(np.int64))


def _square(table: CrossTable, column: Floats, n: int) -> Floats:
    """Sums f64[n, n] of a column by who met whom."""
    sums = np.zeros((n, n))
    np.add.at(sums, (table.a, table.b), column)
    return sums


def _clusters(table: CrossTable) -> Floats:
    """Pairs of games, or single games, of each row."""
    return np.where(table.pairs > 0, table.pairs, table.games.sum(1))


def _squares(table: CrossTable) -> Floats:
    """Sums of the squared scores of each row's clusters; a pair's score is the mean of two."""
    squares = table.squares.sum(1)
    return np.where(table.pairs > 0, (squares + 2 * table.products) / 4, squares)


def ancestor_alarms(forgetting: Forgetting, generation: int | None = None) -> list[Alarm]:
    """The ancestors to whom a generation loses, its whole interval below one half, oldest first.

    Args:
      forgetting: from `matrix`.
      generation: the last if not given.
    """
    n = len(forgetting.score)
    generation = n - 1 if generation is None else generation
    score, half = forgetting.score[generation], forgetting.half_width[generation]
    return [
        Alarm(
            "ancestor",
            generation,
            int(ancestor),
            f"generation {generation} loses to its ancestor {ancestor}: {100 * score[ancestor]:.1f}"
            f" ± {100 * half[ancestor]:.1f} % over {forgetting.games[generation, ancestor]} games",
        )
        for ancestor in np.flatnonzero(score + half < 0.5)
    ]


def jump_alarms(ratings: Ratings, planned: float) -> list[Alarm]:
    """Neighbouring generations whose ratings differ by more than was planned, oldest first.

    A fall is an alarm. A rise is progress, and a note says only that it is measured roughly.

    Args:
      ratings: of all generations, oldest first.
      planned: the largest step, up or down, that needs no explanation, Elo.

    Raises:
      ValueError: planned is not a positive number.
    """
    if not planned > 0:
        raise ValueError(f"the planned step must be positive, got {planned}")
    found = []
    for after in range(1, len(ratings.elo)):
        step, half = ratings.difference(after, after - 1)
        size = f"generation {after} is {abs(step):.0f} ± {half:.0f} Elo"
        if step > planned:
            message = (
                f"{size} above the one before it: scores so lopsided measure a step roughly, "
                f"those of steps up to {planned:g} well (arena rate plays more matches)"
            )
            found.append(Alarm("step", after, after - 1, message))
        elif step < -planned:
            message = f"{size} below the one before it: what was learned may have been lost"
            found.append(Alarm("jump", after, after - 1, message))
    return found
