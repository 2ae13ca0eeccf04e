"""Ratings from results: Bradley-Terry with draws, fitted by maximum likelihood.

The model is that of Davidson (1970), "On Extending the Bradley-Terry Model to Accommodate Ties in
Paired Comparison Experiments", JASA 65(329):317-328. With d the difference of two players' natural
log strengths and nu the draw parameter,

    win : draw : loss  =  exp(d/2) : nu : exp(-d/2).

Where the rows say who moved first, d may also hold gamma, what the first move is worth: Davidson
and Beaver (1977), "On Extending the Bradley-Terry Model to Incorporate Within-Pair Order Effects",
Biometrics 33(4):693-702. The likelihood is concave in (theta, gamma, log nu), so its one summit is
found by Newton's method.

What the data leave open, a weak prior settles, in virtual games:

* Every player shares about one virtual game, half of it won and half lost, with the opponents it
  met, in proportion to the games it played with each, each side moving first in half of it. This
  keeps a player who won everything finite. It stays between players who met, so it never drags a
  long ladder of snapshots together.
* All players together share half a virtual draw, spread in proportion to games. This keeps nu
  above zero.
* Groups that never met, even through others, are compared as if each group's mean had drawn one
  game with a common phantom: equal means, with the large uncertainty this leaves. Differences
  within a group are untouched by it. The strength of the phantom is free, so which player is the
  anchor changes nothing but the zero of the scale.

For two players this adds 1/2 to wins, draws and losses: the prior of Jeffreys, and the correction
that all but removes the bias of a log ratio of counts (Anscombe 1956, "On estimating binomial
response relations", Biometrika 43:461-464). A player with N games moves by about one part in N.

Games are taken to be independent. Where the pairs of games on one opening are negatively
correlated, as openings that favour a seat make them, the intervals err on the wide side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arena.evaluation.score import Z95

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Results = Sequence[Sequence[int]] | NDArray
"""Rows (a, b, wins, draws, losses) from the view of a, int[R, 5]; players number from 0."""

ELO = 400 / np.log(10)
"""Elo points in one unit of natural log strength."""

_INFORMATION = 0.25
"""Fisher information of one decisive game between equals about their difference in log strength."""
_STEPS = 500
_LEAST_MET = 8
"""Of so many games, one is for the pair that has met least."""


@dataclass(frozen=True, eq=False)
class Ratings:
    """Ratings of n players and how sure they are.

    Attributes:
      elo: f64[n], Elo above the anchor, whose own is 0.
      first_move: Elo that the first move is worth; 0 if not fitted.
      draw: nu, the draw parameter: equal players draw with probability nu / (2 + nu).
      joint: f64[n+2, n+2], Elo², the covariance of all that was fitted: ratings relative to the
        anchor, first move, log nu (taken for a log strength); 0 for what was not.
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
        return self.joint[:-2, :-2]

    @property
    def half_width(self) -> Floats:
        """Half the 95 % interval of every rating relative to the anchor, Elo, f64[n]."""
        return Z95 * np.sqrt(np.diag(self.covariance))

    @property
    def first_move_half_width(self) -> float:
        """Half the 95 % interval of what the first move is worth, Elo; 0 if not fitted."""
        return float(Z95 * np.sqrt(self.joint[-2, -2]))

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
    """Results by pair of players who met, virtual games included.

    Attributes:
      i, j: i64[P], the pairs, each once; if the first move is fitted, once for each who moved
        first, and i is that one.
      wins, draws, losses: f64[P], from the view of i.
      prior: f64[n+2, n+2], curvature of the part of the prior that no virtual game expresses,
        in the n log strengths, gamma and log nu.
    """

    i: Ints
    j: Ints
    wins: Floats
    draws: Floats
    losses: Floats
    prior: Floats


def fit(results: Results, n: int, *, anchor: int = 0, first_move: bool = False) -> Ratings:
    """Ratings of n players from the games among them, the model and prior of this module.

    Args:
      results: int[R, 5], rows (a, b, wins, draws, losses) from the view of a, with players
        numbered from 0. A pair may occur in several rows and either way round; R may be 0.
      n: number of players.
      anchor: the player whose Elo is 0.
      first_move: fit what the first move is worth; in the games of a row a must have made it. It
        can be told from strength only if players met both ways round; else its interval is wide.

    Returns:
      Ratings relative to the anchor. The covariance is the inverse of the curvature of the
      penalised log likelihood at its summit.

    Raises:
      ValueError: results that are not rows of five whole numbers, negative counts, a player
        against itself, a player or an anchor outside 0..n-1.
    """
    rows = validated(results, n)
    if not 0 <= anchor < n:
        raise ValueError(f"the anchor must be one of the players 0..{n - 1}, got {anchor}")
    table = _tabulate(rows, n, first_move)
    free = np.ones(n + 2, bool)
    free[anchor], free[n] = False, first_move
    summit = _climb(table, free)
    _, curvature = _slope(table, summit)
    joint = np.zeros((n + 2, n + 2))
    joint[np.ix_(free, free)] = np.linalg.inv(curvature[np.ix_(free, free)])
    joint = ELO**2 * (joint + joint.T) / 2
    met = np.zeros((n, n), np.int64)
    np.add.at(met, (rows[:, 0], rows[:, 1]), rows[:, 2:].sum(1))
    elo = ELO * summit
    return Ratings(elo[:n], float(elo[n]), float(np.exp(summit[n + 1])), joint, met + met.T)


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
    d = ratings.elo[_players(ratings, a)] - ratings.elo[_players(ratings, b)]
    d = (d + first * ratings.first_move) / ELO
    return np.stack(_davidson(d, np.log(ratings.draw)), -1)


def expected_score(ratings: Ratings, a: ArrayLike, b: ArrayLike) -> Floats:
    """Expected score of a against b, a draw counting half, each moving first in half of the games.

    Args:
      ratings: from `fit`.
      a, b: int[...], players; the two broadcast.

    Returns:
      f64[...] in (0, 1).

    Raises:
      ValueError: a or b holds what is no player.
    """
    win, draw, _ = np.moveaxis(chances(ratings, a, b), -1, 0)
    return win + draw / 2


def schedule(ratings: Ratings, rounds: int, games_per_round: int) -> list[tuple[int, int]]:
    """Which pairs to play next: those whose games are expected to say most about the ratings.

    Greedy A-optimal design: a game of i and j carries the Fisher information I about their
    difference, I = p(1 - p) where nothing is drawn. With g games the covariance C of the ratings
    becomes C - C u u' C t / (1 + t v), where t = g I, u is 1 at i and -1 at j, and v = u' C u
    (Sherman and Morrison 1950). Each round takes the pair that lowers the trace of C most, the
    expected squared error of all ratings about their mean, and goes on with the C that its games
    would leave. The choice does not depend on the anchor. Each player moves first in half of the
    games; ratings, first move and draw parameter are taken as they stand. (A. Jones's activelo has
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
    seats = [np.moveaxis(chances(ratings, i, j, first=first), -1, 0) for first in (1, -1)]
    information = games_per_round / ELO**2 * sum(_information(w, lost) for w, _, lost in seats) / 2
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


def _players(ratings: Ratings, index: ArrayLike) -> Ints:
    """The index as an array, checked: numpy would read a negative one from the end."""
    players, n = np.asarray(index), len(ratings.elo)
    if not np.issubdtype(players.dtype, np.integer) or np.any((players < 0) | (players >= n)):
        raise ValueError(f"players must be whole numbers 0..{n - 1}, got {index}")
    return players.astype(np.int64)


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


def _tabulate(rows: Ints, n: int, first_move: bool) -> _Table:
    """Results i64[R, 5] summed by pair, and the prior."""
    wins, draws, losses = np.zeros((3, n, n))
    for counts, column in zip((wins, draws, losses), rows[:, 2:].T, strict=True):
        np.add.at(counts, (rows[:, 0], rows[:, 1]), column)
    if not first_move:
        wins, losses = np.triu(wins + losses.T), np.triu(losses + wins.T)
        draws = np.triu(draws + draws.T)
    met = wins + draws + losses
    played = (met + met.T).sum(1)
    spread = (met + met.T) / 2 if first_move else met
    i, j = np.nonzero(spread)
    games = spread[i, j]
    half = (games / played[i] + games / played[j]) / 4
    draw = games / max(met.sum(), 1) / 2
    prior = np.zeros((n + 2, n + 2))
    prior[:n, :n] = _between_groups(n, i, j)
    # Without any game nothing speaks of the first move, nor of draws: then win, draw and loss are
    # equally likely.
    if not len(games):
        prior[n, n], prior[n + 1, n + 1] = _INFORMATION, 1
    return _Table(i, j, wins[i, j] + half, draws[i, j] + draw, losses[i, j] + half, prior)


def _between_groups(n: int, i: Ints, j: Ints) -> Floats:
    """Curvature f64[n, n] of the prior that ties together groups no games i-j connect.

    The means of the groups are equal at the summit, so that only the curvature of their drawn
    games there matters, and a quadratic form with this curvature is exact.
    """
    group = np.arange(n)
    while (group[i] != group[j]).any():
        lower = np.minimum(group[i], group[j])
        np.minimum.at(group, i, lower)
        np.minimum.at(group, j, lower)
    member = group == np.unique(group)[:, None]
    mean = member / member.sum(1, keepdims=True)
    # The phantom's strength is free: its best value is the mean of the groups' means.
    apart = mean - mean.mean(0)
    return _INFORMATION * apart.T @ apart


def _climb(table: _Table, free: NDArray[np.bool_]) -> Floats:
    """Log strengths, gamma and log nu at the summit of the penalised likelihood, f64[n+2].

    What is not free, bool[n+2], stays 0.

    Newton steps, damped as Bach (2010), "Self-concordant analysis for logistic regression",
    EJS 4:384-414, proves sufficient: where a step changes the log odds of no game by more than
    R, curvature along it grows at most like exp(R t), so that t = log(1 + R) / R always climbs.
    This needs no likelihood values, whose differences drown in rounding when counts are large.
    """
    at = np.zeros(len(free))
    games = (table.wins + table.draws + table.losses).sum()
    if games:
        decisive = games - table.draws.sum()
        at[-1] = np.log(2 * table.draws.sum() / decisive)
    for _ in range(_STEPS):
        gradient, curvature = _slope(table, at)
        step = np.zeros(len(free))
        step[free] = np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
        d = abs(step[table.i] - step[table.j] + step[-2]).max(initial=0)
        reach = max(d, d / 2 + abs(step[-1]))
        at += step * (np.log1p(reach) / reach if reach > 0 else 1)
        # The squared length of the step in standard errors. Rounding in sums over all games
        # bounds it from below; Newton's last step has squared what error was left.
        if gradient @ step <= 1e-16 * (1 + games):
            return at
    raise RuntimeError(f"the ratings did not converge in {_STEPS} Newton steps")


def _slope(table: _Table, at: Floats) -> tuple[Floats, Floats]:
    """Gradient f64[n+2] of the penalised log likelihood and its negated Hessian f64[n+2, n+2]."""
    i, j, n = table.i, table.j, len(at) - 2
    games = table.wins + table.draws + table.losses
    win, draw, loss = _davidson(at[i] - at[j] + at[n], at[n + 1])
    surplus = (table.wins - table.losses - games * (win - loss)) / 2
    gradient = -table.prior @ at
    gradient[:n] += _scatter(surplus, i, n) - _scatter(surplus, j, n)
    gradient[n] += surplus.sum()
    gradient[n + 1] += (table.draws - games * draw).sum()

    own = games * _information(win, loss)
    mixed = games * draw * (loss - win) / 2
    curvature = table.prior.copy()
    curvature[i, j] -= own
    curvature[j, i] -= own
    curvature[np.arange(n), np.arange(n)] += _scatter(own, i, n) + _scatter(own, j, n)
    for column, values in ((n, own), (n + 1, mixed)):
        border = np.append(_scatter(values, i, n) - _scatter(values, j, n), values.sum())
        curvature[: n + 1, column] += border
        curvature[column, :n] += border[:n]
    curvature[n + 1, n] += mixed.sum()
    curvature[n + 1, n + 1] += (games * draw * (1 - draw)).sum()
    return gradient, curvature


def _scatter(values: Floats, index: Ints, n: int) -> Floats:
    """Sums f64[n] of the values that share an index."""
    return np.bincount(index, values, n).astype(np.float64)


def _davidson(d: Floats, log_nu: float) -> tuple[Floats, Floats, Floats]:
    """Probabilities of win, draw and loss at a difference d f64[...] of log strengths."""
    top = np.maximum(abs(d) / 2, log_nu)
    win, draw, loss = np.exp(d / 2 - top), np.exp(log_nu - top), np.exp(-d / 2 - top)
    total = win + draw + loss
    return win / total, draw / total, loss / total


def _information(win: Floats, loss: Floats) -> Floats:
    """Fisher information f64[...] of one game about the difference of log strengths."""
    return (win + loss - (win - loss) ** 2) / 4
