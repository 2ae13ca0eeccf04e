"""Does a generation still beat its past? The forgetting matrix, and alarms in plain words.

An agent may gain on the newest generations and forget how to beat older ones, which a single number
does not show. So each generation's score against each of its ancestors is laid out, with the
interval that its games allow, and an alarm is raised only where chance is no likely cause: among
forty ancestors who are its equals, one is still to be expected.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
      kind: `ancestor` (a generation loses to one before it) or `jump` (of the rating, between
        neighbours).
      generation: which one it is about.
      ancestor: the earlier one.
      message: one line.
    """

    kind: str
    generation: int
    ancestor: int
    message: str


def matrix(results: Sequence[Sequence[int]] | NDArray, n: int) -> Forgetting:
    """The forgetting matrix of n generations.

    Games are taken to be independent. One game won and one lost are added in the error alone, as in
    arena.evaluation.score, so that not even a clean sweep is called certain.

    Args:
      results: int[R, 5], rows (a, b, wins, draws, losses) from the view of a, with generations
        numbered from 0. A pair may occur in several rows and either way round.
      n: number of generations.

    Raises:
      ValueError: rows of another shape, or a generation outside 0..n-1.
    """
    rows = np.asarray(results, np.int64)
    rows = rows.reshape(-1, 5) if rows.size == 0 else rows
    if rows.ndim != 2 or rows.shape[1] != 5:
        raise ValueError(f"results must be of shape [R, 5], got {list(rows.shape)}")
    a, b, wins, draws, losses = rows.T
    if ((rows[:, :2] < 0) | (rows[:, :2] >= n)).any():
        raise ValueError(f"results name a generation outside 0..{n - 1}")
    later, earlier = np.maximum(a, b), np.minimum(a, b)
    won, drawn, lost = (np.zeros((n, n), np.int64) for _ in range(3))
    np.add.at(won, (later, earlier), np.where(a > b, wins, losses))
    np.add.at(drawn, (later, earlier), draws)
    np.add.at(lost, (later, earlier), np.where(a > b, losses, wins))
    for counts in (won, drawn, lost):
        np.fill_diagonal(counts, 0)
    games = won + drawn + lost
    played = np.where(games > 0, games, np.nan)
    score = (won + drawn / 2) / played
    # The sum of the squares of all scores, and the square of their sum: one more is won, one lost.
    squares, square = won + 1 + drawn / 4, (won + 1 + drawn / 2) ** 2
    variance = (squares - square / (played + 2)) / (played + 1)
    return Forgetting(score, Z95 * np.sqrt(variance / played), games)


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

    Args:
      ratings: of all generations, oldest first.
      planned: the largest step, up or down, that needs no explanation, Elo.

    Raises:
      ValueError: planned is not a positive number.
    """
    if not planned > 0:
        raise ValueError(f"the planned step must be positive, got {planned}")
    alarms = []
    for after in range(1, len(ratings.elo)):
        step, half = ratings.difference(after, after - 1)
        if abs(step) > planned:
            message = (
                f"generation {after} is {abs(step):.0f} ± {half:.0f} Elo "
                f"{'above' if step > 0 else 'below'} the one before it; "
                f"steps of {planned:g} were planned"
            )
            alarms.append(Alarm("jump", after, after - 1, message))
    return alarms
