"""Is one number per agent enough? Tests of the model behind ratings, and of transitivity.

Ratings say that whoever beats a, who beats b, beats b by still more. Three questions to the results
of a pool, from the mildest to the gravest:

* `fit_test`: does the model of arena.evaluation.ratings describe the games at all, draws included?
* `curl`: do the differences between agents add up? Who wins the decisive games of a pair gives a
  flow on the graph of who met; what ratings can express of a flow is its gradient, and what goes
  round in circles is left over. That is the Hodge decomposition of Jiang, Lim, Yao and Ye (2011),
  "Statistical ranking and combinatorial Hodge theory", Mathematical Programming 127:203-244, here
  with the weights of the likelihood: the working log odds at its summit, each pair weighed by its
  information, so that the gradient is the rating itself and the energy of the rest Pearson's
  chi-square. A rest may also mean that wins become likely faster or slower than Bradley and Terry
  think: differences that do not add up are no proof of a circle.
* `cycle`: is there a circle, a beats b beats c beats a? It takes a proof for each of its pairs and
  assumes no model.

Games count as independent. Games of a pair from the same openings by agents that hardly vary are
fewer than they look; then all p values are too small.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from arena.evaluation.cycles import sign_test, surest_cycle
from arena.evaluation.ratings import (
    ELO,
    Floats,
    Ints,
    Ratings,
    Results,
    chances,
    fit,
    validated,
)
from arena.evaluation.score import Z95

_SPARSE = 5  # expected counts below this are too few for the chi-square distribution
_ENOUGH = 20  # simulations at least as far off as the results, after which p is known


@dataclass(frozen=True)
class FitTest:
    """How far results are from the best that ratings can say of them.

    Attributes:
      deviance: twice the log likelihood ratio of the model in which every pair has its own chances
        to the fitted one.
      dof: degrees of freedom: two a pair (one where nothing was drawn), less one a player but one
        in each group that met, less one for draws and one for the first move where fitted.
      p: probability of a deviance as large as this if the fitted model were true.
      simulated: p comes from simulations, some expected count being less than 5.
    """

    deviance: float
    dof: int
    p: float
    simulated: bool


@dataclass(frozen=True)
class Curl:
    """What goes round in circles in the decisive games.

    Attributes:
      energy: of the flow that is no gradient, in squared standard errors.
      dof: independent circles of pairs that met; the energy to expect if there is no such flow.
      p: probability of as much energy if there is none.
      simulated: p comes from simulations, some expected count being less than 5.
      elo: size of the flow, root mean square over pairs weighed by information, chance removed.
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


class _Games(NamedTuple):
    """Results by pair; with a first move, by pair and who made it.

    Attributes:
      i, j: i64[S], who met; i moved first. Rows of a pair are neighbours.
      counts: f64[S, 3], games that i won, drew and lost.
      pairs: i64[P], the first row of each pair.
      sign: f64[S], 1, or -1 in rows from the view of the pair's other player.
      first_move: whether rows are kept apart by who made the first move.
    """

    i: Ints
    j: Ints
    counts: Floats
    pairs: Ints
    sign: Floats
    first_move: bool


def fit_test(
    results: Results, n: int, *, first_move: bool = False, samples: int = 199, seed: int = 0
) -> FitTest:
    """Do the ratings of n players describe the results? The likelihood ratio test.

    Where every expected count is 5 or more, the deviance of a true model has the chi-square
    distribution. Else it is compared with those of as many games by the fitted model, each fitted
    anew (parametric bootstrap), until 20 are as large: Besag and Clifford (1991), "Sequential Monte
    Carlo p-values", Biometrika 78(2):301-304.

    Args:
      results: as for `ratings.fit`.
      n: number of players.
      first_move: as for `ratings.fit`; the model then includes the first move.
      samples: how often to simulate at most; p is then no less than 1 / (samples + 1).
      seed: of the simulations.

    Raises:
      ValueError: as `ratings.fit`.
    """
    rows = validated(results, n)
    ratings, games = fit(rows, n, first_move=first_move), _gather(rows, n, first_move)
    rank = _rank(games, n)
    drawn = bool(games.counts[:, 1].any())
    dof = max(len(games.i) * (1 + drawn) - rank - drawn - first_move, 0)
    return FitTest(*_test(games, ratings, _deviance, dof, samples, seed))


def curl(
    results: Results, n: int, *, first_move: bool = False, samples: int = 199, seed: int = 0
) -> Curl:
    """How much of who beats whom goes round in circles, and whether chance explains it.

    Args and errors: those of `fit_test`, and p comes about in the same way.
    """
    games, ratings = _decisive(results, n, first_move)
    rank = _rank(games, n)
    dof = len(games.pairs) - rank
    energy, dof, p, simulated = _test(games, ratings, _energy(games), dof, samples, seed)
    weight, _ = _flow(games, games.counts, _model(games, ratings))
    d = (ratings.elo[games.i] - ratings.elo[games.j])[games.pairs] / ELO
    round_about, straight = max(energy - dof, 0.0), max(float(weight @ d**2) - rank, 0.0)
    total = round_about + straight
    if total == 0:
        return Curl(energy, dof, p, simulated, 0.0, 0.0, 0.0)
    # The energy of a flow plus noise is a noncentral chi-square, of variance 2 dof + 4 energy.
    error = math.hypot(
        straight * math.sqrt(2 * dof + 4 * round_about),
        round_about * math.sqrt(2 * rank + 4 * straight),
    )
    size = float(ELO * np.sqrt(round_about / weight.sum()))
    return Curl(energy, dof, p, simulated, size, round_about / total, Z95 * error / total**2)


def cycle(results: Results, n: int, *, first_move: bool = False) -> Cycle | None:
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
    games, ratings = _decisive(results, n, first_move)
    if not len(games.i):
        return None
    wins = np.add.reduceat(np.where(games.sign > 0, *games.counts[:, [0, 2]].T), games.pairs)
    decisive = np.add.reduceat(games.counts.sum(1), games.pairs)
    even = 1 / (1 + np.exp(-games.sign * ratings.first_move / ELO))
    chance = np.add.reduceat(games.counts.sum(1) * even, games.pairs) / decisive
    ahead = wins >= decisive * chance
    i, j = games.i[games.pairs], games.j[games.pairs]
    winner, loser = np.where(ahead, i, j), np.where(ahead, j, i)
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
    results: Results,
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


def _gather(rows: Ints, n: int, first_move: bool) -> _Games:
    """Valid results i64[R, 5], summed up."""
    rows = rows[rows[:, 2:].any(1)]
    turn = (rows[:, 0] > rows[:, 1]) & (not first_move)
    rows = np.where(turn[:, None], rows[:, [1, 0, 4, 3, 2]], rows)
    low, high = rows[:, :2].min(1), rows[:, :2].max(1)
    keys, place = np.unique((low * n + high) * 2 + (rows[:, 0] > rows[:, 1]), return_inverse=True)
    counts = np.zeros((len(keys), 3))
    np.add.at(counts, place, rows[:, 2:])
    pair, turned = keys // 2, keys % 2 == 1
    low, high = pair // n, pair % n
    return _Games(
        np.where(turned, high, low),
        np.where(turned, low, high),
        counts,
        np.nonzero(np.diff(pair, prepend=-1))[0],
        np.where(turned, -1.0, 1.0),
        first_move,
    )


def _decisive(results: Results, n: int, first_move: bool) -> tuple[_Games, Ratings]:
    """The games that were not drawn, and the ratings by these alone.

    Given that a game is decided, the chances do not depend on how drawish it is.
    """
    rows = validated(results, n)
    rows[:, 3] = 0
    return _gather(rows, n, first_move), fit(rows, n, first_move=first_move)


def _rank(games: _Games, n: int) -> int:
    """Independent differences among players who met: players less groups."""
    group = np.arange(n)
    while (group[games.i] != group[games.j]).any():
        lower = np.minimum(group[games.i], group[games.j])
        np.minimum.at(group, games.i, lower)
        np.minimum.at(group, games.j, lower)
    return n - len(np.unique(group))


Statistic = Callable[[Floats, Floats], float]
"""Of counts f64[S, 3] and the model's chances f64[S, 3]."""


def _test(
    games: _Games, ratings: Ratings, statistic: Statistic, dof: int, samples: int, seed: int
) -> tuple[float, int, float, bool]:
    """The statistic, its degrees of freedom, its p value, whether p was simulated."""
    model = _model(games, ratings)
    value = statistic(games.counts, model)
    expected = games.counts.sum(1)[:, None] * model
    if dof == 0 or (expected[model > 0] >= _SPARSE).all():
        return value, dof, _chi_square_tail(value, dof), False
    rng = np.random.default_rng(seed)
    number = games.counts.sum(1).astype(np.int64)
    beyond = 0
    for sample in range(1, samples + 1):
        other = rng.multinomial(number, model)
        rows = np.column_stack([games.i, games.j, other])
        refit = fit(rows, len(ratings.elo), first_move=games.first_move)
        counts = other.astype(np.float64)
        beyond += statistic(counts, _model(games._replace(counts=counts), refit)) >= value
        if beyond == _ENOUGH:
            return value, dof, beyond / sample, True
    return value, dof, (beyond + 1) / (samples + 1), True


def _model(games: _Games, ratings: Ratings) -> Floats:
    """The fitted chances f64[S, 3] of win, draw and loss; no draws where there were none."""
    model = chances(ratings, games.i, games.j, first=1) * [1, games.counts[:, 1].any(), 1]
    return model / model.sum(1, keepdims=True)


def _deviance(counts: Floats, model: Floats) -> float:
    expected = counts.sum(1, keepdims=True) * model
    ratio = np.divide(counts, expected, out=np.ones_like(counts), where=counts > 0)
    return 2 * float((counts * np.log(ratio)).sum())


def _energy(games: _Games) -> Statistic:
    def energy(counts: Floats, model: Floats) -> float:
        weight, flow = _flow(games, counts, model)
        return float(weight @ flow**2)

    return energy


def _flow(games: _Games, counts: Floats, model: Floats) -> tuple[Floats, Floats]:
    """Of each pair's decisive games, information and log odds beyond the model's, f64[P]."""
    number = counts.sum(1)
    weight = np.add.reduceat(number * model[:, 0] * model[:, 2], games.pairs)
    surplus = np.add.reduceat(games.sign * (counts[:, 0] - number * model[:, 0]), games.pairs)
    return weight, surplus / weight


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
