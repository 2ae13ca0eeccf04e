"""Ratings from results, on the scale of Elo: what they say of two players predicts their score.

A player d Elo above another is expected to score 1 / (1 + 10^(-d / 400)) over both seats, a draw
counting half: Bradley and Terry's model of scores, at any share of draws. Ratings are those at
which every player is expected to score what it did (maximum quasi-likelihood; without draws,
maximum likelihood), so that of two players alone they are the Elo of their score, as
`arena.evaluation.score` has it. Where the rows say who moved first, what the first move is worth is
fitted beside them, on the same scale: between equals whoever moves first scores
1 / (1 + 10^(-g / 400)).

How sure ratings are follows from how much the scores of pairs of games on one opening were seen to
vary, draws and what the two games have in common included: arena.evaluation.dispersion.

What the data leave open, a weak prior settles, in virtual games:

* Every player shares about one virtual game, half of it won and half lost, with the opponents it
  met, in proportion to the games it played with each, each side moving first in half of it. This
  keeps a player who won everything finite. It stays between players who met, so it never drags a
  long ladder of snapshots together.
* Groups that never met, even through others, are compared as if each group's mean had drawn one
  game with a common phantom: equal means, with the large uncertainty this leaves. Differences
  within a group are untouched by it. The strength of the phantom is free, so which player is the
  anchor changes nothing but the zero of the scale.

For two players this adds 1/2 to wins and losses, which all but removes the bias of a log ratio of
counts (Anscombe 1956, "On estimating binomial response relations", Biometrika 43:461-464). A player
with N games moves by about one part in N.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from arena.evaluation import crosstable, dispersion, scale
from arena.evaluation.crosstable import CrossTable, Floats, Ints, Results
from arena.evaluation.scale import ELO
from arena.evaluation.score import Z95

_INFORMATION = 0.25
"""Fisher information of one decisive game between equals about their difference in log strength."""
_STEPS = 500
_LEAST_MET = 8
"""Of so many games, one is for the pair that has met least."""
_FAR = 30.0
"""Log strength beyond what the first move can be worth, at any number of games."""
_STRIDE = 8.0
"""The longest step towards a difference of log strengths."""
_WIDEST = 14.0
"""Of log nu, either way: of a million games of equals one is drawn, or one is not."""


@dataclass(frozen=True, eq=False)
class Ratings:
    """Ratings of n players and how sure they are.

    Attributes:
      elo: f64[n], Elo above the anchor, whose own is 0.
      first_move: Elo that the first move is worth; 0 if not fitted.
      draw: nu, the draw parameter: equal players draw with probability nu / (2 + nu).
      joint: f64[n+1, n+1], Elo², the covariance of all that was fitted: ratings relative to the
        anchor, and the first move; 0 for what was not.
      met: i64[n, n], games that each two have played, symmetric.
    """

    elo: Floats
    first_move: float
    draw: float
    joint: Floats
    met: Ints

    @property
    def games(self) -> Ints:
        """Games that each player has played, i64[n]."""
        return self.met.sum(1)

    @property
    def covariance(self) -> Floats:
        """Of the ratings relative to the anchor, Elo², f64[n, n]; the other errors included."""
        return self.joint[:-1, :-1]

    @property
    def half_width(self) -> Floats:
        """Half the 95 % interval of every rating relative to the anchor, Elo, f64[n]."""
        return Z95 * np.sqrt(np.diag(self.covariance))

    @property
    def first_move_half_width(self) -> float:
        """Half the 95 % interval of what the first move is worth, Elo; 0 if not fitted."""
        return float(Z95 * np.sqrt(self.joint[-1, -1]))

    def difference(self, a: int, b: int) -> tuple[float, float]:
        """How far a is above b and half its 95 % interval, both Elo.

        The interval comes from the full covariance: errors that a and b share cancel.

        Raises:
          ValueError: a or b is no player.
        """
        a, b = int(_players(self, a)), int(_players(self, b))
        c = self.covariance
        variance = max(c[a, a] + c[b, b] - 2 * c[a, b], 0.0)
        return float(self.elo[a] - self.elo[b]), float(Z95 * np.sqrt(variance))


class _Table(NamedTuple):
    """Who scored what against whom, virtual games included.

    Attributes:
      i, j: i64[R], the players; each two in one row, or in two.
      games, points: f64[R, 2], played and scored by i, moving first and moving second.
      prior: f64[n+1, n+1], curvature of the part of the prior that no virtual game expresses, in
        the n log strengths and the first move's.
    """

    i: Ints
    j: Ints
    games: Floats
    points: Floats
    prior: Floats


def fit(
    results: Results | CrossTable, n: int, *, anchor: int = 0, first_move: bool = False
) -> Ratings:
    """Ratings of n players from the games among them, by the model and prior of this module.

    Args:
      results: of games in pairs a `CrossTable`; of single games, which are taken to be
        independent, int[R, 5], rows (a, b, wins, draws, losses) from the view of a, with players
        numbered from 0. Two players may be in several rows, either way round; R may be 0.
      n: number of players.
      anchor: the player whose Elo is 0.
      first_move: fit what the first move is worth; in the games of a row of five a must have made
        it. It can be told from strength only if players met both ways round; else its interval is
        wide.

    Returns:
      Ratings relative to the anchor.

    Raises:
      ValueError: results that are not rows of five whole numbers, negative counts, a player
        against itself, a player or an anchor outside 0..n-1.
    """
    record = crosstable.of(results, n).summed()
    if not 0 <= anchor < n:
        raise ValueError(f"the anchor must be one of the players 0..{n - 1}, got {anchor}")
    table = _with_virtual_games(record, n)
    free = np.ones(n + 1, bool)
    free[anchor], free[n] = False, first_move
    at = _solve(table, free)
    nu = _drawishness(record, table, at)
    joint = ELO**2 * _covariance(record, table, at, nu, free)
    elo = ELO * at
    return Ratings(elo[:n], float(elo[n]), nu, joint, record.met(n))


def chances(ratings: Ratings, a: ArrayLike, b: ArrayLike, *, first: int = 0) -> Floats:
    """Probabilities that a wins, draws or loses against b.

    Args:
      ratings: from `fit`.
      a, b: int[...], players; the two broadcast.
      first: who moves first: 1 a, -1 b, 0 each in half of the games.

    Returns:
      f64[..., 3].

    Raises:
      ValueError: a or b holds what is no player.
    """
    if not first:
        return (chances(ratings, a, b, first=1) + chances(ratings, a, b, first=-1)) / 2
    odds = _seats(ratings, a, b).odds[..., 0 if first > 0 else 1]
    return np.stack(scale.outcomes(odds, ratings.draw), -1)


def expected_score(ratings: Ratings, a: ArrayLike, b: ArrayLike) -> Floats:
    """Expected score of a against b, a draw counting half, each moving first in half of the games.

    It is 1 / (1 + 10^(-d / 400)), with d the difference of their ratings.

    Args:
      ratings: from `fit`.
      a, b: int[...], players; the two broadcast.

    Returns:
      f64[...] in (0, 1).

    Raises:
      ValueError: a or b holds what is no player.
    """
    d = ratings.elo[_players(ratings, a)] - ratings.elo[_players(ratings, b)]
    return scale.expected(d / ELO)


def schedule(ratings: Ratings, rounds: int, games_per_round: int) -> list[tuple[int, int]]:
    """Which pairs to play next: those whose games are expected to say most about the ratings.

    Greedy A-optimal design: a game of i and j carries the information I about their difference, the
    squared slope of its expected score over the variance of its score; I = p(1 - p) where nothing
    is drawn. With g games the covariance C of the ratings becomes C - C u u' C t / (1 + t v), where
    t = g I, u is 1 at i and -1 at j, and v = u' C u (Sherman and Morrison 1950). Each round takes
    the pair that lowers the trace of C most, the expected squared error of all ratings about their
    mean, and goes on with the C that its games would leave. The choice does not depend on the
    anchor. Each player moves first in half of the games; ratings, first move and draw parameter are
    taken as they stand. (A. Jones's activelo has
    the same aim; Fedorov 1972, "Theory of Optimal Experiments", on greedy designs.)

    Of all games in the record, one in eight goes to the pair that has met least: no pair waits for
    ever, however sure the fit is of it, and where the model is wrong it will be found out.

    Args:
      ratings: from `fit`.
      rounds: pairs to pick; a pair may be picked more than once.
      games_per_round: games that each pick will play.

    Returns:
      `rounds` pairs (i, j), i < j, in order of choice. Ties go to the lowest numbers, so equal
      ratings give equal schedules.

    Raises:
      ValueError: fewer than two players, negative rounds, or fewer than one game a round.
    """
    n = len(ratings.elo)
    if n < 2:
        raise ValueError(f"a schedule needs at least two players, got {n}")
    if rounds < 0 or games_per_round < 1:
        raise ValueError(
            "a schedule needs rounds >= 0 and games_per_round >= 1, "
            f"got {rounds} and {games_per_round}"
        )
    i, j = np.triu_indices(n, 1)
    seats = _seats(ratings, i, j)
    slope = seats.by_difference.mean(-1)
    variance = scale.variance(*scale.outcomes(seats.odds, ratings.draw)).mean(-1)
    information = games_per_round / ELO**2 * slope**2 / variance
    centre = np.eye(n) - 1 / n
    covariance = centre @ ratings.covariance @ centre
    met = ratings.met[i, j]
    picks = []
    for _ in range(rounds):
        shrink = information / (1 + information * _between(covariance, i, j))
        gain = shrink * _between(covariance @ covariance, i, j)
        if met.sum() // games_per_round % _LEAST_MET == _LEAST_MET - 1:
            gain = np.where(met == met.min(), gain, -1)
        # Rounding must not decide between pairs that are equal by symmetry.
        best = int(np.argmax(gain >= gain.max() - 1e-9 * abs(gain.max())))
        picks.append((int(i[best]), int(j[best])))
        shift = covariance[i[best]] - covariance[j[best]]
        covariance -= np.outer(shift, shift) * shrink[best]
        met[best] += games_per_round
    return picks


def _between(matrix: Floats, i: Ints, j: Ints) -> Floats:
    """u' matrix u for each pair, f64[P], where u is 1 at i and -1 at j; matrix is symmetric."""
    diagonal = np.diag(matrix)
    return diagonal[i] + diagonal[j] - 2 * matrix[i, j]


def _seats(ratings: Ratings, a: ArrayLike, b: ArrayLike) -> scale.Seats:
    """What a is expected to score against b, moving first and moving second."""
    d = ratings.elo[_players(ratings, a)] - ratings.elo[_players(ratings, b)]
    return scale.by_seat(np.asarray(d / ELO), ratings.first_move / ELO)


def _players(ratings: Ratings, index: ArrayLike) -> Ints:
    """The index as an array, checked: numpy would read a negative one from the end."""
    players, n = np.asarray(index), len(ratings.elo)
    if not np.issubdtype(players.dtype, np.integer) or np.any((players < 0) | (players >= n)):
        raise ValueError(f"players must be whole numbers 0..{n - 1}, got {index}")
    return players.astype(np.int64)


def groups(n: int, i: Ints, j: Ints) -> Ints:
    """The lowest number, i64[n], among all whom games i-j connect each of n players with."""
    group = np.arange(n)
    while (group[i] != group[j]).any():
        lower = np.minimum(group[i], group[j])
        np.minimum.at(group, i, lower)
        np.minimum.at(group, j, lower)
    return group


def _with_virtual_games(record: CrossTable, n: int) -> _Table:
    """The record and the prior."""
    i, j = record.a, record.b
    games = record.games.sum(1)
    played = _scatter(games, i, n) + _scatter(games, j, n)
    virtual = (games / played[i] + games / played[j])[:, None] / 4
    prior = np.zeros((n + 1, n + 1))
    prior[:n, :n] = _between_groups(n, i, j)
    if not len(i):  # nothing speaks of the first move
        prior[n, n] = _INFORMATION
    return _Table(i, j, record.games + virtual, record.points + virtual / 2, prior)


def _between_groups(n: int, i: Ints, j: Ints) -> Floats:
    """Curvature f64[n, n] of the prior that ties together groups no games i-j connect.

    The means of the groups are equal at the solution, so that only the curvature of their drawn
    games there matters, and a quadratic form with this curvature is exact.
    """
    group = groups(n, i, j)
    member = group == np.unique(group)[:, None]
    mean = member / member.sum(1, keepdims=True)
    # The phantom's strength is free: its best value is the mean of the groups' means.
    apart = mean - mean.mean(0)
    return _INFORMATION * apart.T @ apart


def _solve(table: _Table, free: NDArray[np.bool_]) -> Floats:
    """Log strengths, and what the first move is worth, at which nobody has a surplus, f64[n+1].

    What is not free, bool[n+1], stays 0.
    """
    strengths = free.copy()
    strengths[-1] = False
    at = _strengths(table, strengths, np.zeros(len(free)))
    if not free[-1]:
        return at
    even = np.array_equal(*table.games.T)  # then strengths do not depend on the first move

    def strengths_at(worth: float) -> Floats:
        start = np.append(at[:-1], worth)
        return start if even else _strengths(table, strengths, start)

    def left(worth: float) -> float:
        return float(_surplus(table, strengths_at(worth))[-1])

    if not (sign := np.sign(left(0.0))):
        return at
    near, far = 0.0, float(sign)
    while np.sign(left(far)) == sign and abs(far) < _FAR:
        near, far = far, 2 * far
    if np.sign(left(far)) == sign:  # so one-sided that no worth is too much
        return strengths_at(far)
    return strengths_at(optimize.root_scalar(left, bracket=(near, far), xtol=1e-12).root)


def _strengths(table: _Table, free: NDArray[np.bool_], start: Floats) -> Floats:
    """The log strengths at which nobody has a surplus, the rest of start f64[n+1] unchanged.

    The surplus is the gradient of a concave function, whose summit Newton's steps find: expected
    scores only rise with strength. A step that leads far down its other side is halved.
    """
    at = start
    for _ in range(_STEPS):
        surplus, slope = _surplus(table, at), _slope(table, at)
        step = np.zeros(len(free))
        step[free] = np.linalg.solve(slope[np.ix_(free, free)], surplus[free])
        step /= max(abs(step[table.i] - step[table.j]).max(initial=0) / _STRIDE, 1)
        rise = float(surplus @ step)
        # The squared length of the step in standard errors. Rounding in sums over all games
        # bounds it from below; Newton's last step has squared what error was left.
        if rise <= 1e-16 * (1 + table.games.sum()):
            return at + step
        while _surplus(table, at + step) @ step < -rise / 2:
            step /= 2
            rise /= 2
        at = at + step
    raise RuntimeError(f"the ratings did not converge in {_STEPS} Newton steps")


def _surplus(table: _Table, at: Floats) -> Floats:
    """What each player scored beyond what is expected; last, what was scored by moving first."""
    i, j, n = table.i, table.j, len(at) - 1
    beyond = table.points - table.games * scale.by_seat(at[i] - at[j], at[n]).score
    surplus = -table.prior @ at
    surplus[:n] += _scatter(beyond.sum(1), i, n) - _scatter(beyond.sum(1), j, n)
    surplus[n] += beyond[:, 0].sum() - beyond[:, 1].sum()
    return surplus


def _slope(table: _Table, at: Floats) -> Floats:
    """The negated derivative of the surplus, f64[n+1, n+1]."""
    i, j, n = table.i, table.j, len(at) - 1
    seats = scale.by_seat(at[i] - at[j], at[n])
    by_d, by_first = table.games * seats.by_difference, table.games * seats.by_first_move
    slope = table.prior + _laplacian(by_d.sum(1), i, j, n)
    across = by_d[:, 0] - by_d[:, 1]
    slope[n, :n] += _scatter(across, i, n) - _scatter(across, j, n)
    slope[:n, n] += _scatter(by_first.sum(1), i, n) - _scatter(by_first.sum(1), j, n)
    slope[n, n] += by_first[:, 0].sum() - by_first[:, 1].sum()
    # Sums over a thousand million games may leave no slope but rounding.
    slope[np.diag_indices(n + 1)] *= 1 + 1e-13
    return slope


def _covariance(
    record: CrossTable, table: _Table, at: Floats, nu: float, free: NDArray[np.bool_]
) -> Floats:
    """Of log strengths and the first move's worth, f64[n+1, n+1]; 0 for what is not free.

    The surplus of every player has a variance, which the inverse of its derivative carries to the
    parameters: the sandwich of Huber (1967) and of Liang and Zeger (1986), "Longitudinal data
    analysis using generalized linear models", Biometrika 73:13-22, with pairs of games as clusters.
    """
    i, j, n = table.i, table.j, len(at) - 1
    seats = scale.by_seat(at[i] - at[j], at[n])
    variance = scale.variance(*scale.outcomes(seats.odds, nu))
    slope = _slope(table, at)
    inverse = np.zeros_like(slope)
    inverse[np.ix_(free, free)] = np.linalg.inv(slope[np.ix_(free, free)])
    by_d, by_first = record.games * seats.by_difference, record.games * seats.by_first_move
    strength = by_d.sum(1) * _between(inverse[:n, :n], i, j)
    first = (by_first[:, 0] - by_first[:, 1]) * inverse[n, n]
    spread = dispersion.estimate(record, variance, seats, (strength, first))

    own = table.games * variance
    meat = table.prior + _laplacian(own.sum(1) * spread.total, i, j, n)
    across = (own[:, 0] - own[:, 1]) * np.sqrt(spread.total * spread.split)
    border = _scatter(across, i, n) - _scatter(across, j, n)
    meat[n, :n] += border
    meat[:n, n] += border
    meat[n, n] += own.sum(1) @ spread.split
    return inverse @ meat @ inverse.T


def _drawishness(record: CrossTable, table: _Table, at: Floats) -> float:
    """nu, with which the pool draws as often as it did; half a draw is added to all games.

    A game for stakes is a draw in part: 4 s (1 - s) at a score s.
    """
    if not len(record):
        return 1.0  # then win, draw and loss are equally likely
    odds = scale.by_seat(at[table.i] - at[table.j], at[-1]).odds
    games = table.games.sum()
    seen = (4 * (record.points - record.squares).sum() + 0.5) / (games + 0.5)

    def beyond(log_nu: float) -> float:
        _, draw, _ = scale.outcomes(odds, np.exp(log_nu))
        return float((table.games * draw).sum() / games - seen)

    if beyond(_WIDEST) <= 0:  # what players score leaves no room for so many
        return float(np.exp(_WIDEST))
    if beyond(-_WIDEST) >= 0:
        return float(np.exp(-_WIDEST))
    return float(np.exp(optimize.root_scalar(beyond, bracket=(-_WIDEST, _WIDEST)).root))


def _laplacian(weight: Floats, i: Ints, j: Ints, n: int) -> Floats:
    """The sum f64[n+1, n+1] of weight u u', where u is 1 at i and -1 at j; the last row is 0."""
    found = np.zeros((n + 1, n + 1))
    np.add.at(found, (i, j), -weight)
    np.add.at(found, (j, i), -weight)
    found[np.arange(n), np.arange(n)] += _scatter(weight, i, n) + _scatter(weight, j, n)
    return found


def _scatter(values: Floats, index: Ints, n: int) -> Floats:
    """Sums f64[n] of the values that share an index."""
    return np.bincount(index, values, n).astype(np.float64)
