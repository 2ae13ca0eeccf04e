"""The meta-game of a pool: which agents matter, given what each scores against each.

The meta-game is the symmetric zero-sum matrix game whose moves are the agents of a pool: both
players pick one, and its games are played out. Its matrix `payoffs` f64[n, n] is antisymmetric;
payoffs[i, j] is the mean payoff of i against j, from -1 (always lost) to 1 (always won).

D. Balduzzi et al., "Re-evaluating evaluation", NeurIPS 2018 (arXiv 1806.02643), on Nash averaging
and mElo; S. Omidshafiei et al., "α-Rank: multi-agent evaluation by evolution", Scientific Reports
9:9937, 2019.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arena.evaluation import crosstable, ratings, scale
from arena.evaluation.crosstable import CrossTable, Results

Floats = NDArray[np.floating]

_PRIOR = 2.0
"""Virtual games that `payoffs` adds to every pair."""
_TIE = 1e-12
"""A payoff as near to 0 is a tie, out of rounding."""
_BOUND = 1e-9
"""What an equilibrium may lose, as a part of the largest payoff."""
_GAP = 1e-14
"""Where central paths end: the mean product of what is zero in pairs, one or the other."""
_NOTHING = 1e-20
"""Mass that is none; only its logarithm would go on changing."""
_STEPS = 200


@dataclass(frozen=True, eq=False)
class Nash:
    """The maximum-entropy Nash equilibrium of a meta-game.

    Attributes:
      mixture: f64[n], probability of every agent; exactly 0 outside the support.
      skill: f64[n], mean payoff of every agent against the mixture: 0 in the support, nowhere more.
    """

    mixture: Floats
    skill: Floats


@dataclass(frozen=True, eq=False)
class Melo:
    """Ratings with cyclic parts: mElo_2k.

    i is expected to score sigmoid((elo_i - elo_j) / ELO + sum_k u_ik w_jk - w_ik u_jk), where
    (u_k, w_k) is the k-th plane of `cyclic`. In each plane the agents play a disc game: everyone
    beats who stands up to half a turn away on one side. Only the angles between agents mean
    something, not the directions of the axes.

    Attributes:
      elo: f64[n], mean 0.
      cyclic: f64[n, k, 2], position in every plane, the strongest cycle first; mean 0.
    """

    elo: Floats
    cyclic: Floats

    def predict(self) -> Floats:
        """Expected score of every agent against every other, f64[n, n]; a draw counts half."""
        u, w = np.moveaxis(self.cyclic, 2, 0)
        turns = u @ w.T
        level = self.elo[:, None] - self.elo
        return 1 / (1 + np.exp(turns.T - turns - level / scale.ELO))


def payoffs(results: Results | CrossTable, n: int) -> Floats:
    """The payoffs among n agents as their games tell them.

    Two virtual games a pair, which go as the ratings of arena.evaluation.ratings expect, keep a few
    games from saying too much, and fill in for pairs that never met.

    Args:
      results: as `arena.evaluation.ratings.fit` takes them.
      n: number of agents.

    Returns:
      f64[n, n], antisymmetric, strictly between -1 and 1.

    Raises:
      ValueError: as `arena.evaluation.ratings.fit`.
    """
    fit = ratings.fit(results, n)
    agents = np.arange(n)
    surplus = _PRIOR * (2 * ratings.expected_score(fit, agents[:, None], agents) - 1)
    games = np.full((n, n), _PRIOR)
    table = crosstable.of(results, n)
    played = table.games.sum(1)
    for i, j, sign in ((table.a, table.b, 1), (table.b, table.a, -1)):
        np.add.at(surplus, (i, j), sign * (2 * table.points.sum(1) - played))
        np.add.at(games, (i, j), played)
    return _antisymmetric(surplus / games)


def nash(payoffs: ArrayLike) -> Nash:
    """The maximum-entropy Nash equilibrium: Nash averaging.

    It is unique, and copies of an agent share what one of them would get. Its mixture loses to no
    agent, give or take 1e-9 of the largest payoff, or 1e-6 where payoffs are a hair from a tie.
    Measured on payoffs that are off by e at most, it truly loses to none by more than e. It may
    still jump, as when the tie of the two best agents is broken.

    Args:
      payoffs: f64[n, n], antisymmetric.

    Raises:
      ValueError: payoffs are not an antisymmetric matrix of finite numbers.
    """
    matrix = _antisymmetric(payoffs)
    unit = matrix / max(abs(matrix).max(), _TIE)
    centre, slack = _central(unit)
    # An agent has mass in some equilibrium, or it loses to the centre of all of them, and never
    # both (strict complementarity: Goldman and Tucker 1956, "Theory of linear programming").
    inside = centre > slack
    mixture = np.zeros(len(unit))
    mixture[inside] = _flattest(unit[:, inside], centre[inside] / centre[inside].sum())
    return Nash(mixture, matrix @ mixture)


def alpha_rank(payoffs: ArrayLike, *, alpha: float = np.inf, population: int = 50) -> Floats:
    """How often each agent is seen in the long run of an evolving population: α-Rank.

    The whole population plays one agent, until a mutant, drawn evenly from the others, takes over.
    Its chance is 1 - exp(-u) : 1 - exp(-population u), where u is alpha times the payoff it wins
    less the payoff it loses (Fermi selection). With alpha infinite a winner takes over surely, a
    loser never, and an equal with chance 1/2, as OpenSpiel has it too. Of any two agents one takes
    over from the other or both do, so there is one set in which every chain ends, and the
    stationary distribution is unique without the perturbation that games of more players need.

    Args:
      payoffs: f64[n, n], antisymmetric.
      alpha: ranking intensity; infinite by default.
      population: individuals; without meaning where alpha is infinite.

    Returns:
      f64[n], the stationary distribution of the chain.

    Raises:
      ValueError: payoffs are not an antisymmetric matrix of finite numbers, alpha or population
        out of range.
    """
    matrix = _antisymmetric(payoffs)
    if not alpha > 0 or population < 2:
        raise ValueError(
            f"alpha must be positive and the population 2 or more, got {alpha} and {population}"
        )
    n = len(matrix)
    chain = _fixation(-matrix, alpha, population) / max(n - 1, 1)  # from row to column
    np.fill_diagonal(chain, 0)
    np.fill_diagonal(chain, 1 - chain.sum(1))
    balance = chain.T - np.eye(n)
    balance[-1] = 1  # one equation follows from the others; the sum of all is 1 instead
    stationary = np.maximum(np.linalg.solve(balance, np.arange(n) == n - 1), 0)
    return stationary / stationary.sum()


def melo(payoffs: ArrayLike, k: int = 1) -> Melo:
    """Ratings and the k strongest cycles of a pool.

    The ratings are the means of the log odds, their least-squares fit by differences. What they
    leave is antisymmetric, a sum of independent disc games; the k largest of these come nearest to
    it among all matrices of rank 2k (Eckart and Young 1936).

    Args:
      payoffs: f64[n, n], antisymmetric, strictly between -1 and 1.
      k: number of cyclic planes, 0 (plain Elo) to n // 2.

    Raises:
      ValueError: payoffs are not such a matrix, or k is out of range.
    """
    matrix = _antisymmetric(payoffs)
    n = len(matrix)
    if abs(matrix).max() >= 1:
        raise ValueError("payoffs must lie strictly between -1 and 1: others have no log odds")
    if not 0 <= k <= n // 2:
        raise ValueError(f"k must lie between 0 and {n // 2} for {n} agents, got {k}")
    odds = 2 * np.arctanh(matrix)
    level = odds.mean(1)
    # Times i, an antisymmetric matrix is Hermitian; its eigenvalues come in pairs of both signs.
    turns, planes = np.linalg.eigh(1j * (odds - level[:, None] + level))
    planes = (planes * np.sqrt(2 * np.maximum(turns, 0)))[:, ::-1][:, :k]
    return Melo(scale.ELO * level, np.stack([np.imag(planes), np.real(planes)], 2))


def worst_case(payoffs: ArrayLike, mixture: ArrayLike) -> float:
    """Mean payoff of a mixture of agents against the agent of the pool that does best against it.

    Not the exploitability of a policy, which asks for the best of all replies in the game itself.

    Args:
      payoffs: f64[n, m], of n agents against m opponents, who need not be the same.
      mixture: f64[n], a probability distribution.

    Raises:
      ValueError: the mixture is no distribution over the agents.
    """
    matrix, weights = np.asarray(payoffs, np.float64), np.asarray(mixture, np.float64)
    if (
        weights.shape != matrix.shape[:1]
        or not (weights >= 0).all()
        or abs(weights.sum() - 1) > 1e-6
    ):
        raise ValueError(f"a mixture of {len(matrix)} agents must be as many chances that add to 1")
    return float((weights @ matrix).min())


def _antisymmetric(payoffs: ArrayLike) -> Floats:
    """The payoffs as a matrix, antisymmetric to the last bit; ValueError says what is wrong."""
    matrix = np.asarray(payoffs, np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix):
        raise ValueError(f"payoffs must be of shape [n, n], n > 0, got {list(matrix.shape)}")
    if not np.isfinite(matrix).all():
        raise ValueError("payoffs must be finite: every two agents must have met")
    if abs(matrix + matrix.T).max() > 1e-9 * max(1, abs(matrix).max()):
        raise ValueError("payoffs must be antisymmetric: what one wins, the other loses")
    return (matrix - matrix.T) / 2


def _central(payoffs: Floats) -> tuple[Floats, Floats]:
    """A mixture in the middle of all equilibria, and how far each agent loses to it, f64[n] twice.

    The meta-game is its own dual: the least v such that slack = v - payoffs @ x >= 0, x >= 0 and
    sum x = 1. Along its central path every x_i slack_i is v / n, down to v = 0. Steps are
    Mehrotra's (1992, "On the implementation of a primal-dual interior point method", SIAM Journal
    on Optimization 2:575-601).
    """
    n = len(payoffs)
    x = np.full(n, 1 / n)
    slack = (payoffs @ x).max() + 1 - payoffs @ x
    system = np.zeros((n + 1, n + 1))
    system[n, :n] = 1

    def direction(aim: Floats) -> tuple[Floats, Floats]:
        """The Newton step that changes the products x slack by `aim`."""
        dx = np.linalg.solve(system, np.append(aim, 0))[:n]
        return dx, (aim - slack * dx) / x

    for _ in range(_STEPS):
        product = x * slack
        gap = product.mean()
        if gap < _GAP:
            return x, slack
        system[:n, :n] = np.diag(slack) - x[:, None] * payoffs
        system[:n, n] = x
        dx, ds = direction(-product)
        length = min(1.0, _room(x, dx, slack, ds))
        dx, ds = direction(gap * (1 - length) ** 3 - product - dx * ds)
        length = min(1.0, 0.99 * _room(x, dx, slack, ds))
        x, slack = x + length * dx, slack + length * ds
    raise RuntimeError(f"no equilibrium was found in {_STEPS} steps")


def _flattest(payoffs: Floats, start: Floats) -> Floats:
    """The equilibrium of the largest entropy, all of whose agents have mass in some equilibrium.

    The entropy is climbed under payoffs @ q <= bound. A bound that is small but not 0 gives the
    mixtures that keep to it a volume, without which they would hang on the last bit of the payoffs.
    Primal-dual Newton steps, with slack = bound - payoffs @ q and its prices on their own central
    path.

    Args:
      payoffs: f64[n, s], of all agents against those in question.
      start: f64[s], an equilibrium in which these have mass, all of them.

    Returns:
      f64[s], the mixture q.
    """
    n, s = payoffs.shape
    bound = 2 * max((payoffs @ start).max(), _BOUND)
    q, slack, prices, level = start, bound - payoffs @ start, np.full(n, 1 / n), 0.0
    system = np.zeros((s + n + 1, s + n + 1))
    system[s:-1, :s], system[:s, s:-1] = payoffs, payoffs.T
    system[-1, :s] = system[:s, -1] = 1
    diagonal = np.arange(s + n)
    for _ in range(_STEPS):
        slope = np.log(q) + payoffs.T @ prices + level
        some = q > _NOTHING
        gap = slack @ prices / n
        if gap < 2 * _GAP and abs(slope[some]).max() < 1e-6:
            return q / q.sum()
        aim = max(gap / 10, _GAP)
        system[diagonal, diagonal] = np.append(1 / q, -np.maximum(slack / prices, 1e-16))
        error = np.concatenate([-slope, slack - aim / prices, [1 - q.sum()]])
        dq, dp, dl = np.split(np.linalg.solve(system, error), [s, s + n])
        ds = (aim - slack * dp) / prices - slack
        length = min(1.0, 0.99 * _room(q, dq * some, slack, ds, prices, dp))
        q = np.maximum(q + length * dq, _NOTHING)
        slack, prices, level = slack + length * ds, prices + length * dp, level + length * dl
    raise RuntimeError(f"no equilibrium of the largest entropy was found in {_STEPS} steps")


def _room(*pairs: Floats) -> float:
    """The longest step that takes no value of (values, changes, values, changes, ...) below 0."""
    rates = [-changes / values for values, changes in zip(pairs[::2], pairs[1::2], strict=True)]
    return 1 / max(np.concatenate(rates).max(), 1e-300)


def _fixation(payoffs: Floats, alpha: float, population: int) -> Floats:
    """Chance f64[n, n] that one mutant of the row takes over a population of the column."""
    if alpha == np.inf:
        return np.where(abs(payoffs) <= _TIE, 0.5, payoffs > 0)
    u = 2 * alpha * abs(payoffs)
    tied = u <= _TIE
    u = np.where(tied, 1, u)
    wins = np.where(tied, 1 / population, np.expm1(-u) / np.expm1(-population * u))
    return np.where(payoffs < 0, wins * np.exp(-(population - 1) * u), wins)
