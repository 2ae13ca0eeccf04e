"""Who plays whom: rules that weigh the pool.

Every matchmaker has one signature, `matchmaker(pool) -> weights`: f64[n], the probability to meet
each snapshot of the pool, oldest first. A configuration names one, or a mixture of several:

    latest      always the newest: naive self-play
    uniform     the whole past, evenly
    pfsp        those it loses to, by the square of the chance to lose; pfsp:P, by its power P
    pfsp:even   those of its own strength
    nash        as the Nash equilibrium of the pool's own games has them

    0.5*latest+0.3*pfsp:even+0.2*nash

One of your own is such a function, named `MODULE:FUNCTION` or `FILE.py:FUNCTION`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from arena import extensions
from arena.errors import UserError
from arena.evaluation import metagame


class Pool(NamedTuple):
    """What is known of a pool of n snapshots, oldest first.

    Attributes:
      losses: f64[n], the estimated chance that the current policy loses points to each.
      payoffs: gives f64[n, n], the payoffs among them as in arena.metagame; asked only if needed.
    """

    losses: np.ndarray
    payoffs: Callable[[], np.ndarray]


Matchmaker = Callable[[Pool], np.ndarray]


def latest(pool: Pool) -> np.ndarray:
    """Always the newest snapshot: naive self-play against one's last self."""
    weights = np.zeros(len(pool.losses))
    weights[-1] = 1.0
    return weights


def uniform(pool: Pool) -> np.ndarray:
    """The whole past, evenly (fictitious self-play)."""
    return np.full(len(pool.losses), 1.0 / len(pool.losses))


def pfsp(pool: Pool, power: float = 2.0) -> np.ndarray:
    """Prioritised fictitious self-play: in proportion to a power of the chance to lose.

    O. Vinyals et al., "Grandmaster level in StarCraft II", Nature 575 (2019), f_hard.
    """
    weights = pool.losses**power
    return weights / weights.sum()


def even(pool: Pool) -> np.ndarray:
    """Prioritised fictitious self-play among equals: most often those it loses half its points to.

    O. Vinyals et al., "Grandmaster level in StarCraft II", Nature 575 (2019), f_var.
    """
    weights = pool.losses * (1.0 - pool.losses)
    return weights / weights.sum()


def nash(pool: Pool) -> np.ndarray:
    """The pool's Nash equilibrium of the largest entropy.

    M. Lanctot et al., "A unified game-theoretic approach to multiagent reinforcement learning",
    NeurIPS 2017 (policy-space response oracles).
    """
    return metagame.nash(pool.payoffs()).mixture


MATCHMAKERS: dict[str, Matchmaker] = {
    "latest": latest,
    "uniform": uniform,
    "pfsp": pfsp,
    "pfsp:even": even,
    "nash": nash,
}


def find(text: str) -> Matchmaker:
    """The matchmaker that a text names, or the mixture of several.

    Raises:
      UserError: one of them does not exist, or the weights are not positive or do not add to 1.
    """
    parts = [_part(part) for part in text.split("+")]
    if abs(sum(share for share, _ in parts) - 1) > 1e-9:
        raise UserError(f"the shares of the matchmaker {text!r} do not add to 1")
    return lambda pool: np.sum([share * rule(pool) for share, rule in parts], axis=0)


def with_files(text: str, change: Callable[[str], str]) -> str:
    """A matchmaker's text with what `change` makes of the paths in it, if it can be read then."""
    return "+".join(_with_file(part, change) for part in text.split("+"))


def _with_file(part: str, change: Callable[[str], str]) -> str:
    head, times, name = part.rpartition("*")
    changed = extensions.with_file(name.strip(), change)
    return part if set(changed) & set("+*") else head + times + changed


def _part(text: str) -> tuple[float, Matchmaker]:
    """Share and rule of one part of a mixture."""
    number, times, name = text.strip().rpartition("*")
    share = _number(number) if times else 1.0
    if not 0 < share <= 1:
        raise UserError(f"the share of a matchmaker lies between 0 and 1: {text.strip()!r}")
    return share, _rule(name.strip())


def _rule(name: str) -> Matchmaker:
    if name in MATCHMAKERS:
        return MATCHMAKERS[name]
    kind, _, power = name.partition(":")
    if kind == "pfsp" and 0 < _number(power) <= 16:
        return partial(pfsp, power=_number(power))
    if kind in MATCHMAKERS:
        raise UserError(f"there is no matchmaker {name!r}; pfsp:P takes a power P up to 16")
    found = extensions.find("matchmaker", name, MATCHMAKERS)
    if not callable(found):
        raise UserError(f"{name} is no matchmaker: it cannot be called")
    return partial(_checked, name, found)


def _checked(name: str, matchmaker: Callable[..., Any], pool: Pool) -> np.ndarray:
    """The weights of somebody else's matchmaker, if they are probabilities."""
    weights = np.asarray(matchmaker(pool), np.float64)
    proper = weights.shape == pool.losses.shape and (weights >= 0).all()
    if not proper or abs(weights.sum() - 1) > 1e-6:
        raise UserError(
            f"the matchmaker {name} gives no probabilities for {len(pool.losses)} snapshots"
        )
    return weights / weights.sum()


def _number(text: str) -> float:
    """A number, or NaN, which is in no range."""
    try:
        return float(text)
    except ValueError:
        return np.nan


def losses(scores: np.ndarray, games: np.ndarray) -> np.ndarray:
    """The chance to lose to each snapshot, as estimated from games played.

    Args:
      scores: f64[n], the current policy's points against each (a win 1, a draw ½).
      games: f64[n], games behind them; recent games may weigh more than old ones.

    Returns:
      f64[n] in (0, 1). One win and one loss are added to each record, so nobody is written off.
    """
    return 1.0 - (scores + 1.0) / (games + 2.0)
