"""Results of many games, summed up by who met whom: what ratings and all tests of them start from.

The two games of a pair share an opening and hang together, so that pairs, not games, are the
independent draws. So sums of squares and products are kept beside the points: the spread of pairs
follows from them, at any number of games.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Results = Sequence[Sequence[int]] | NDArray
"""Rows (a, b, wins, draws, losses) from the view of a, int[R, 5]; players number from 0."""


@dataclass(frozen=True, eq=False)
class CrossTable:
    """Who scored what against whom, R rows; two players may meet in several, either way round.

    In columns of two, a moved first in the games of column 0, and second in those of column 1.

    Attributes:
      a, b: i64[R], the players.
      pairs: f64[R], pairs of games on one opening with seats swapped; 0 where the games of the row
        are single ones.
      games: f64[R, 2], that they played.
      wins, losses: f64[R, 2], games that gave a more than ½, and less.
      points: f64[R, 2], sums of a's scores, each in [0, 1].
      squares: f64[R, 2], sums of their squares.
      products: f64[R], sums over pairs of a's score in one game times that in the other.
    """

    a: Ints
    b: Ints
    pairs: Floats
    games: Floats
    wins: Floats
    losses: Floats
    points: Floats
    squares: Floats
    products: Floats

    def __len__(self) -> int:
        return len(self.a)

    def rows(self, index: NDArray) -> "CrossTable":
        """The rows at an index, or where a mask holds."""
        return CrossTable(*(column[index] for column in vars(self).values()))

    def among(self, n: int) -> "CrossTable":
        """The rows in which the first n players met each other."""
        return self.rows((self.a < n) & (self.b < n))

    def turned(self, turn: NDArray[np.bool_]) -> "CrossTable":
        """The same, with rows where `turn` holds, bool[R], from the view of b."""
        aside = turn[:, None]
        games = np.where(aside, self.games[:, ::-1], self.games)
        points = np.where(aside, (self.games - self.points)[:, ::-1], self.points)
        squares = self.games - 2 * self.points + self.squares
        return CrossTable(
            np.where(turn, self.b, self.a),
            np.where(turn, self.a, self.b),
            self.pairs,
            games,
            np.where(aside, self.losses[:, ::-1], self.wins),
            np.where(aside, self.wins[:, ::-1], self.losses),
            points,
            np.where(aside, squares[:, ::-1], self.squares),
            np.where(turn, self.pairs - self.points.sum(1) + self.products, self.products),
        )

    def summed(self) -> "CrossTable":
        """One row for each two players who met, a < b; two where only some games are in pairs."""
        table = self.rows(np.any(self.games, 1))
        table = table.turned(np.greater(table.a, table.b))
        keys = np.stack([table.a, table.b, (table.pairs > 0).astype(np.int64)], 1)
        keys, place = np.unique(keys, axis=0, return_inverse=True)

        def total(column: NDArray) -> NDArray:
            sums = np.zeros((len(keys), *column.shape[1:]))
            np.add.at(sums, place.reshape(-1), column)
            return sums

        sums = [total(column) for column in list(vars(table).values())[2:]]
        return CrossTable(keys[:, 0], keys[:, 1], *sums)

    def met(self, n: int) -> Ints:
        """Games that each two of n players have played, i64[n, n], symmetric."""
        met = np.zeros((n, n), np.int64)
        np.add.at(met, (self.a, self.b), self.games.sum(1).astype(np.int64))
        return met + met.T


def of_pairs(matches: Iterable[tuple[int, int, NDArray]]) -> CrossTable:
    """The table of matches that were played in pairs.

    Args:
      matches: (a, b, scores f64[P, 2]), a's scores in [0, 1] in both games of each pair, a moving
        first in the first.
    """
    return from_sums((a, b, *pair_sums(scores)) for a, b, scores in matches)


def pair_sums(scores: NDArray) -> tuple[float, ...]:
    """A match f64[P, 2] in ten sums: see `from_sums`."""
    scores = np.asarray(scores, np.float64).reshape(-1, 2)
    seats = [
        ((x > 0.5).sum(), (x < 0.5).sum(), x.sum(), (x * x).sum())
        for x in (scores[:, 0], scores[:, 1])
    ]
    sums = len(scores), *seats[0], *seats[1], scores.prod(1).sum()
    return tuple(float(x) for x in sums)


def from_sums(rows: Iterable[Sequence[float]]) -> CrossTable:
    """The table of rows (a, b, pairs, first…, second…, product): sums over pairs of games.

    Of the games in which a moved first, and then of the others, come a's wins, its losses, its
    points and their squares; the product is that of the two scores of a pair.
    """
    table = np.array(list(rows), np.float64).reshape(-1, 12)
    a, b = table[:, :2].astype(np.int64).T
    pairs, seats, products = table[:, 2], table[:, 3:11].reshape(-1, 2, 4), table[:, 11]
    wins, losses, points, squares = np.moveaxis(seats, 2, 0)
    games = np.stack([pairs, pairs], 1)
    return CrossTable(a, b, pairs, games, wins, losses, points, squares, products)


def of_games(results: Results, n: int) -> CrossTable:
    """The table of single games, which are taken to be independent.

    Args:
      results: int[R, 5], rows (a, b, wins, draws, losses) from the view of a, who moved first. R
        may be 0.
      n: number of players.

    Raises:
      ValueError: results that are not rows of five whole numbers, negative counts, a player
        against itself or outside 0..n-1.
    """
    rows = validated(results, n)
    wins, draws, losses = (np.stack([x, 0 * x], 1).astype(np.float64) for x in rows[:, 2:].T)
    none = np.zeros(len(rows))
    return CrossTable(
        rows[:, 0],
        rows[:, 1],
        none,
        wins + draws + losses,
        wins,
        losses,
        wins + draws / 2,
        wins + draws / 4,
        none,
    )


def of(results: "Results | CrossTable", n: int) -> CrossTable:
    """The table itself, or that of single games; `of_games` says what is refused."""
    if not isinstance(results, CrossTable):
        return of_games(results, n)
    if n < 1:
        raise ValueError(f"ratings need at least one player, got n={n}")
    names = np.stack([results.a, results.b])
    if ((names < 0) | (names >= n)).any():
        raise ValueError(f"the results name a player outside 0..{n - 1}")
    if (results.a == results.b).any():
        raise ValueError("the results let a player meet itself")
    return results


def validated(results: Results, n: int) -> Ints:
    """The results of n players as i64[R, 5]; raises ValueError with one clear line."""
    if n < 1:
        raise ValueError(f"ratings need at least one player, got n={n}")
    try:
        numbers = np.asarray(results, np.float64)
    except (TypeError, ValueError):
        raise ValueError("results must be rows of numbers (a, b, wins, draws, losses)") from None
    if numbers.size == 0:
        return np.zeros((0, 5), np.int64)
    if numbers.ndim != 2 or numbers.shape[1] != 5:
        raise ValueError(f"results must be of shape [R, 5], got {list(numbers.shape)}")
    # Up to 2**53 a float holds every whole number; the comparison is also false for nan.
    _refuse(
        ~((np.floor(numbers) == numbers) & (abs(numbers) <= 2**53)),
        numbers,
        "holds no whole number",
    )
    rows = numbers.astype(np.int64)
    players, counts = rows[:, :2], rows[:, 2:]
    _refuse((players < 0) | (players >= n), rows, f"names a player outside 0..{n - 1}")
    _refuse(players[:, :1] == players[:, 1:], rows, "lets a player meet itself")
    _refuse(counts < 0, rows, "has a negative count")
    return rows


def _refuse(bad: NDArray[np.bool_], rows: NDArray, why: str) -> None:
    """Raise ValueError naming the first row with anything bad in it, bool[R, ...]."""
    if bad.any():
        at = int(np.argmax(bad.any(1)))
        raise ValueError(f"row {at} of the results {why}: {rows[at].tolist()}")
