"""Is one number per agent enough? Tests of the model behind ratings, and of transitivity.

Ratings say that whoever beats a, who beats b, beats b by still more. Three questions to the results
of a pool, from the mildest to the gravest:

* `fit_test`: does the model of arena.evaluation.ratings describe the scores, of both seats?
* `curl`: do the differences between agents add up? What two agents score against each other gives
  a flow on the graph of who met; what ratings can express of a flow is its gradient, and what goes
  round in circles is left over. That is the Hodge decomposition of Jiang, Lim, Yao and Ye (2011),
  "Statistical ranking and combinatorial Hodge theory", Mathematical Programming 127:203-244, here
  with the weights of the errors: the working log odds at the ratings, each two agents weighed by
  the precision of their score, so that the energy of the rest is Pearson's chi-square. A rest may
  also mean that scores become higher faster or slower than the scale of Elo has it: differences
  that do not add up are no proof of a circle.
* `cycle`: is there a circle, a beats b beats c beats a? It takes a proof for each of its pairs and
  assumes no model.

What the two games of a pair have in common is accounted for where a `CrossTable` tells it, but by
`cycle`: there games count as independent, and games from the same openings by agents that hardly
vary are fewer than they look; then its p is too small.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from arena.evaluation import crosstable, dispersion, scale
from arena.evaluation.crosstable import CrossTable, Floats, Ints, Results
from arena.evaluation.cycles import sign_test, surest_cycle
from arena.evaluation.ratings import Ratings, fit, groups
from arena.evaluation.scale import ELO
from arena.evaluation.score import Z95

_SPARSE = 2.5
"""Variance of points (that of ten decisive games of equals) that chi-square takes."""
_ENOUGH = 20  # simulations at least as far off as the results, after which p is known


@dataclass(frozen=True)
class FitTest:
    """How far scores are from the best that ratings can say of them.

    Attributes:
      chi_square: of the scores of each two players, and where the first move is fitted of each
        seat, about those expected, in squared standard errors.
      dof: degrees of freedom: one for each two players who met, or two where the first move is
        fitted; less one a player but one in each group that met, less one for the first move.
      p: probability of as much if the fitted model were true.
      simulated: p comes from simulations, some score being of too few games.
    """

    chi_square: float
    dof: int
    p: float
    simulated: bool


@dataclass(frozen=True)
class Curl:
    """What goes round in circles in the scores.

    Attributes:
      energy: of the flow that is no gradient, in squared standard errors.
      dof: independent circles of players that met; the energy to expect if there is no such flow.
      p: probability of as much energy if there is none.
      simulated: p comes from simulations, some score being of too few games.
      elo: size of the flow, root mean square over all who met weighed by precision, chance removed.
      share: of the energy of all differences, chance removed, in [0, 1]; 0 if nothing differs.
      half_width: half the 95 % interval of the share, to first order.
    """

    energy: float
    dof: int
    p: float
    simulated: bool
    elo: float
    share: float
    half_width: float


@dataclass(frozen=True)
class Cycle:
    """Agents each of whom seems to beat the next, and the last the first.

    Attributes:
      players: the circle; the first is the lowest number.
      p: an upper bound for the probability that chance makes any such circle look as proven.
    """

    players: tuple[int, ...]
    p: float


@dataclass(frozen=True)
class Verdict:
    """Whether a pool is transitive.

    Attributes:
      cycle: the best proven circle, however badly; None if there is none.
      curl: what goes round in circles.
      level: p below which something counts as proven.
    """

    cycle: Cycle | None
    curl: Curl
    level: float

    @property
    def transitive(self) -> bool:
        """No circle is proven."""
        return self.cycle is None or self.cycle.p >= self.level

    def describe(self, names: Sequence[str]) -> str:
        """The verdict in one line.

        Args:
          names: of the players.
        """
        if self.cycle is not None and not self.transitive:
            circle = (*self.cycle.players, self.cycle.players[0])
            return (
                f"not transitive: {' > '.join(names[k] for k in circle)} ({_p_value(self.cycle.p)})"
            )
        if self.curl.dof == 0:
            return "undecided: no agents met in a circle"
        if self.curl.p < self.level:
            return (
                "no circle is proven, but one number per agent does not explain these games "
                f"({_p_value(self.curl.p)})"
            )
        return f"transitive as far as these games tell ({_p_value(self.curl.p)})"


class _Flow(NamedTuple):
    """Scores beyond what the ratings expect, of S independent sums of games.

    Attributes:
      beyond: f64[S], in points.
      variance: f64[S], of these.
      design: f64[S, n+1], their negated derivatives by log strengths and the first move.
    """

    beyond: Floats
    variance: Floats
    design: Floats

    @property
    def energy(self) -> float:
        """Squared standard errors, at the parameters that make them fewest."""
        pull = self.design.T @ (self.beyond / self.variance)
        inertia = self.design.T @ (self.design / self.variance[:, None])
        least = pull @ np.linalg.lstsq(inertia, pull, rcond=1e-10)[0]
        return max(float((self.beyond**2 / self.variance).sum() - least), 0.0)


def fit_test(
    results: Results | CrossTable,
    n: int,
    *,
    first_move: bool = False,
    samples: int = 199,
    seed: int = 0,
) -> FitTest:
    """Do the ratings of n players describe the results? Pearson's chi-square test of their scores.

    Where every score is of enough games, chi-square has its distribution. Else it is compared with
    those of as many games by the fitted model, each fitted anew (parametric bootstrap), until 20
    are as large: Besag and Clifford (1991), "Sequential Monte Carlo p-values", Biometrika
    78(2):301-304.

    Args:
      results: as for `ratings.fit`.
      n: number of players.
      first_move: as for `ratings.fit`; the model then includes the first move.
      samples: how often to simulate at most; p is then no less than 1 / (samples + 1).
      seed: of the simulations.

    Raises:
      ValueError: as `ratings.fit`.
    """
    table = crosstable.of(results, n).summed()
    seats = int((table.games > 0).sum()) if first_move else _circles(table, n) + _rank(table, n)
    dof = max(seats - _rank(table, n) - first_move, 0)
    flow = _by_seat if first_move else _by_players
    return FitTest(*_test(table, n, first_move, flow, dof, samples, seed))


def curl(
    results: Results | CrossTable,
    n: int,
    *,
    first_move: bool = False,
    samples: int = 199,
    seed: int = 0,
) -> Curl:
    """How much of who beats whom goes round in circles, and whether chance explains it.

    Args and errors: those of `fit_test`, and p comes about in the same way.
    """
    table = crosstable.of(results, n).summed()
    rank, dof = _rank(table, n), _circles(table, n)
    energy, dof, p, simulated = _test(table, n, first_move, _by_players, dof, samples, seed)
    ratings = fit(table, n, first_move=first_move)
    flow = _by_players(table, ratings)
    precision = flow.design[:, :-1] @ (ratings.elo / ELO)
    round_about = max(energy - dof, 0.0)
    straight = max(float((precision**2 / flow.variance).sum()) - rank, 0.0)
    total = round_about + straight
    if total == 0:
        return Curl(energy, dof, p, simulated, 0.0, 0.0, 0.0)
    # The energy of a flow plus noise is a noncentral chi-square, of variance 2 dof + 4 energy.
    error = math.hypot(
        straight * math.sqrt(2 * dof + 4 * round_about),
        round_about * math.sqrt(2 * rank + 4 * straight),
    )
    weight = (abs(flow.design[:, :-1]).max(1) ** 2 / flow.variance).sum()
    size = float(ELO * np.sqrt(round_about / weight))
    return Curl(energy, dof, p, simulated, size, round_about / total, Z95 * error / total**2)


def cycle(results: Results | CrossTable, n: int, *, first_move: bool = False) -> Cycle | None:
    """The circle of agents, each beating the next, that is proven best; None if there is none.

    Each pair is put to the two-sided sign test on its decisive games. A circle is as sure as its
    least sure pair. Its p is that pair's, times the number of pairs (Bonferroni): with no more than
    this probability anyone is called the better of a pair who is not, and if nobody is, the circle
    is real. Three pairs form one circle only, so that nothing need be multiplied.

    Where the first move is fitted, a pair is tested against what the first moves alone would give.
    Its games then differ in their chances; games all of the mean chance stray more (Hoeffding 1956,
    "On the distribution of the number of successes in independent trials", Annals of Mathematical
    Statistics 27:713-721), so that the test stays on the safe side.

    Args and errors: those of `ratings.fit`.
    """
    table = _merged(crosstable.of(results, n))
    table = table.rows(np.any(table.wins + table.losses, 1))
    if not len(table):
        return None
    lost = table.wins + table.losses
    even = (
        scale.expected(_first_move(table, n) / ELO * np.array([1.0, -1.0])) if first_move else 0.5
    )
    wins, decisive = table.wins.sum(1), lost.sum(1)
    chance = (lost * even).sum(1) / decisive
    ahead = wins >= decisive * chance
    winner, loser = np.where(ahead, table.a, table.b), np.where(ahead, table.b, table.a)
    p_values = sign_test(
        np.where(ahead, wins, decisive - wins).astype(np.int64),
        decisive.astype(np.int64),
        np.where(ahead, chance, 1 - chance),
    )
    found = surest_cycle(winner, loser, p_values, n)
    if found is None:
        return None
    players, worst = found
    times = 1 if len(p_values) == 3 else len(p_values)
    return Cycle(players, min(1.0, times * worst))


def verdict(
    results: Results | CrossTable,
    n: int,
    *,
    first_move: bool = False,
    samples: int = 199,
    seed: int = 0,
    level: float = 0.05,
) -> Verdict:
    """Is the pool transitive? Both `cycle` and `curl`, whose arguments and errors these are.

    Args:
      results, n, first_move, samples, seed: as for `curl`.
      level: p below which something counts as proven.
    """
    return Verdict(
        cycle(results, n, first_move=first_move),
        curl(results, n, first_move=first_move, samples=samples, seed=seed),
        level,
    )


def _merged(table: CrossTable) -> CrossTable:
    """One row for each two who met, a < b; what games in pairs have in common is lost."""
    return replace(table, pairs=np.zeros(len(table))).summed()


def _first_move(table: CrossTable, n: int) -> float:
    """Elo that the first move is worth by the decisive games.

    Given that a game is decided, the chances do not depend on how drawish it is.
    """
    games = table.wins + table.losses
    none = np.zeros(len(table))
    decided = replace(
        table, pairs=none, games=games, points=table.wins, squares=table.wins, products=none
    )
    return fit(decided, n, first_move=True).first_move


def _rank(table: CrossTable, n: int) -> int:
    """Independent differences among players who met: players less groups."""
    return n - len(np.unique(groups(n, table.a, table.b)))


def _circles(table: CrossTable, n: int) -> int:
    """Independent circles on the graph of who met."""
    return len(np.unique(table.a * n + table.b)) - _rank(table, n)


Flow = Callable[[CrossTable, Ratings], _Flow]


def _test(
    table: CrossTable, n: int, first_move: bool, flow: Flow, dof: int, samples: int, seed: int
) -> tuple[float, int, float, bool]:
    """The energy of a flow, its degrees of freedom, its p value, whether p was simulated."""
    ratings = fit(table, n, first_move=first_move)
    if dof == 0:
        return flow(table, ratings).energy, 0, 1.0, False
    value = flow(table, ratings).energy
    outcomes = _outcomes(table, ratings)
    enough = np.where(table.games > 0, table.games * scale.variance(*outcomes), np.inf)
    if (enough >= _SPARSE).all():
        return value, dof, _chi_square_tail(value, dof), False
    rng = np.random.default_rng(seed)
    beyond = 0
    for sample in range(1, samples + 1):
        other = _simulated(rng, table, outcomes)
        beyond += flow(other, fit(other, n, first_move=first_move)).energy >= value
        if beyond == _ENOUGH:
            return value, dof, beyond / sample, True
    return value, dof, (beyond + 1) / (samples + 1), True


def _seats(table: CrossTable, ratings: Ratings) -> scale.Seats:
    d = (ratings.elo[table.a] - ratings.elo[table.b]) / ELO
    return scale.by_seat(d, ratings.first_move / ELO)


def _outcomes(table: CrossTable, ratings: Ratings) -> tuple[Floats, Floats, Floats]:
    """The fitted probabilities f64[R, 2] of win, draw and loss in either seat; no draws if none."""
    win, draw, loss = scale.outcomes(_seats(table, ratings).odds, ratings.draw)
    if (table.points == table.squares).all():
        return win + draw / 2, 0 * draw, loss + draw / 2
    return win, draw, loss


def _simulated(
    rng: np.random.Generator, table: CrossTable, outcomes: tuple[Floats, Floats, Floats]
) -> CrossTable:
    """As many games by these probabilities, all independent."""
    share = np.stack(outcomes, -1)
    share /= share.sum(-1, keepdims=True)
    pairs = table.pairs.astype(np.int64)
    alone = (table.games - table.pairs[:, None]).astype(np.int64)
    joint = (share[:, 0, :, None] * share[:, 1, None, :]).reshape(-1, 9)
    met = rng.multinomial(pairs, joint / joint.sum(1, keepdims=True)).reshape(-1, 3, 3)
    single = np.stack([rng.multinomial(alone[:, k], share[:, k]) for k in (0, 1)], 1)
    counts = single + np.stack([met.sum(2), met.sum(1)], 1)
    wins, draws, losses = np.moveaxis(counts.astype(np.float64), 2, 0)
    scores = np.array([1.0, 0.5, 0.0])
    return replace(
        table,
        wins=wins,
        losses=losses,
        points=wins + draws / 2,
        squares=wins + draws / 4,
        products=met @ scores @ scores,
    )


def _spreads(
    table: CrossTable, ratings: Ratings
) -> tuple[scale.Seats, Floats, tuple[float, float]]:
    """Expectations, variances f64[R, 2] of points in either seat, and the pool's dispersions."""
    seats = _seats(table, ratings)
    variance = scale.variance(*scale.outcomes(seats.odds, ratings.draw))
    share = np.full(len(table), 1 / max(len(table), 1))
    fitted = share * _rank(table, len(ratings.elo)), share
    pool = dispersion.pooled(table, variance, seats, fitted)
    return seats, table.games * variance, pool


def _by_players(table: CrossTable, ratings: Ratings) -> _Flow:
    """The scores of each two players."""
    seats, variance, (total, _) = _spreads(table, ratings)
    beyond = (table.points - table.games * seats.score).sum(1)
    slope = (table.games * seats.by_difference).sum(1)
    _, place = np.unique(table.a * len(ratings.elo) + table.b, return_inverse=True)
    sums = [
        np.bincount(place, x).astype(np.float64) for x in (beyond, total * variance.sum(1), slope)
    ]
    first = np.unique(place, return_index=True)[1]
    design = _design(table.a[first], table.b[first], sums[2], len(ratings.elo))
    return _Flow(sums[0], sums[1], design)


def _by_seat(table: CrossTable, ratings: Ratings) -> _Flow:
    """The scores of each two players in either seat.

    Total and split of a pair of seats are brought to the scale on which games are independent.
    """
    seats, variance, pool = _spreads(table, ratings)
    turn = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(pool)[:, None]
    mix = np.array([[1.0, 1.0], [1.0, -1.0]]) / 2 @ turn  # from seats to seats
    beyond = (table.points - table.games * seats.score) @ mix.T
    by_d = (table.games * seats.by_difference) @ mix.T
    by_first = (table.games * seats.by_first_move) @ mix.T
    played = table.games > 0
    n = len(ratings.elo)
    designs = [_design(table.a, table.b, by_d[:, k], n, by_first[:, k]) for k in (0, 1)]
    design = np.stack(designs, 1)
    return _Flow(beyond[played], variance[played], design[played])


def _design(
    a: Ints, b: Ints, by_difference: Floats, n: int, by_first_move: Floats | float = 0.0
) -> Floats:
    """Derivatives f64[S, n+1] by log strengths and the first move."""
    design, row = np.zeros((len(a), n + 1)), np.arange(len(a))
    design[row, a], design[row, b] = by_difference, -by_difference
    design[:, n] = by_first_move
    return design


def _chi_square_tail(x: float, dof: int) -> float:
    """Probability that chi-square exceeds x: the finite sums of whole and half numbers."""
    if x <= 0 or dof == 0:
        return 1.0
    terms = np.arange(dof // 2) + dof % 2 / 2
    logs = terms * math.log(x / 2) - x / 2
    logs -= np.cumsum(np.log(np.maximum(terms, 1 if dof % 2 == 0 else 0.5)))
    if dof % 2:
        logs -= math.lgamma(0.5)
    return min(1.0, (math.erfc(math.sqrt(x / 2)) if dof % 2 else 0.0) + float(np.exp(logs).sum()))


def _p_value(p: float) -> str:
    """p = 0.43, p = 1e-9."""
    if p < 1e-300:
        return "p < 1e-300"
    return f"p = {p:.2g}".replace("e-0", "e-")
