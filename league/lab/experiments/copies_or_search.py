"""Copies that vote know no more than the policy's favourite; search with as much compute does.

Method:
  Networks that have learnt tic-tac-toe for a few generations by `imitation`, in all 4,520
  positions. *Vote*: k moves are sampled from the policy, and the most frequent one is played, ties
  by lot. *Search*: Arena's Gumbel search with k simulations, so with as many forward passes and one
  more. The accuracy is the share of positions in which the move is optimal.

  Where two moves are legal and one is right, the vote is a majority of k trials that are right with
  probability p, and its accuracy is compared with the law M_k(p) = Σ_{j > k/2} C(k, j) p^j (1 −
  p)^(k − j), k odd.

Expected:
  The law, within .01. As k grows the vote tends to the policy's favourite move, 1 where p > ½ and 0
  elsewhere, and stays there: it amplifies what the policy believes (N. de Condorcet, 1785). Search
  asks the rules, and exceeds it from some k on, the crossover, by 16 at the latest.

Refuted by:
  A vote that exceeds the policy's favourite, or a search that stays below the vote.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import jax
import numpy as np
from scipy import stats

from arena.evaluation import move_accuracy, solved_positions
from arena.evaluation.solved_positions import SolvedPositions
from league.lab import (
    Chapter,
    Chart,
    Experiment,
    Figure,
    Part,
    Results,
    Settings,
    Source,
    Work,
    at_least,
    at_most,
    mean_line,
    over_seeds,
)
from league.lab.experiments import _imitators

COPIES = (1, 3, 5, 9, 17, 33, 65, 257)


@dataclass(frozen=True)
class Sizes(Settings):
    """The sizes.

    Attributes:
      generations: that the network has learnt.
      pairs: of games in each of eight matches of a generation.
      width: of the network's two layers.
      votes: held in each position.
      simulations: of search.
    """

    generations: int = 3
    pairs: int = 256
    width: int = 64
    votes: int = 20
    simulations: tuple[int, ...] = (2, 4, 8, 16, 32, 64)


class CopiesOrSearch(Experiment[Sizes]):
    """See the file."""

    title = "Copies or search"
    chapter = Chapter.RULES
    minutes = 3
    full = Sizes(seeds=3)
    quick = Sizes(seeds=1, generations=1, pairs=32, width=32, votes=2, simulations=(16,))

    def parts(self, settings: Sizes) -> Sequence[Part]:
        """A network a seed."""
        return [
            Part("network", partial(_network, settings), seed) for seed in range(settings.seeds)
        ]

    def figures(self, settings: Sizes, results: Results) -> Sequence[Figure]:
        """The law of the vote, its plateau, and what search adds."""
        rows = results["network"]
        most = settings.simulations[-1]
        found = [
            Figure(
                "vote between two moves: largest deviation from M_k(p)",
                at_most(0.01, "every"),
                over_seeds([one["deviation"] for one in rows]),
                Source.THEOREM,
            ),
            Figure(
                f"vote of {COPIES[-1]} less the favourite move",
                at_most(0.01),
                over_seeds([one["vote"][-1] - one["favourite"] for one in rows]),
                Source.PROPOSED,
                note="It stays below as long as k does not tell nearly equal moves apart.",
            ),
            Figure(
                f"search of {most} less the best vote",
                at_least(0, "every"),
                over_seeds([one["search"][-1] - max(one["vote"]) for one in rows]),
                Source.PROPOSED,
            ),
            Figure(
                "crossover: forward passes from which search exceeds the vote",
                at_most(17, "every"),
                over_seeds([_crossover(settings, one) for one in rows]),
                Source.PROPOSED,
            ),
        ]
        return found

    def charts(self, settings: Sizes, results: Results) -> Sequence[Chart]:
        """Accuracy by forward passes."""
        rows = results["network"]
        passes = [n + 1 for n in settings.simulations]
        return [
            Chart(
                "Optimal moves by forward passes",
                "forward passes a move",
                "share of positions",
                (
                    mean_line("vote", COPIES, [one["vote"] for one in rows]),
                    mean_line("search", passes, [one["search"] for one in rows]),
                    mean_line(
                        "favourite move",
                        (1, COPIES[-1]),
                        [[one["favourite"]] * 2 for one in rows],
                    ),
                ),
                log_x=True,
            )
        ]


def majority(chance: np.ndarray, copies: int) -> np.ndarray:
    """M_k(p) of chances f64[N], k odd."""
    return stats.binom.sf(copies // 2, copies, chance)


def _crossover(settings: Sizes, one: dict[str, list[float]]) -> float:
    """The least passes from which search is better than as many copies; twice the most if none."""
    ahead = [
        accuracy > np.interp(np.log(n + 1), np.log(COPIES), one["vote"])
        for n, accuracy in zip(settings.simulations, one["search"], strict=True)
    ]
    first = max((k for k, better in enumerate(ahead) if not better), default=-1) + 1
    counts = (*settings.simulations, 2 * settings.simulations[-1])
    return counts[first] + 1


def _network(settings: Sizes, work: Work) -> dict[str, object]:
    """Votes and searches of one network."""
    made = _imitators.config(settings.generations, pairs=settings.pairs, width=settings.width)
    last, rng = settings.generations, np.random.default_rng(work.seed)
    with _imitators.train(made, work) as found:
        known = solved_positions.fixed(found.game)
        policy = np.exp(_imitators.log_policy(found, found.weights(last), known.states))
        search = [
            move_accuracy.measure(
                found.agent(last, simulations=n), known, jax.random.key(work.seed)
            ).every.share
            for n in settings.simulations
        ]
    right, favourite = known.optimal, policy.argmax(1)
    voted = [_votes(rng, policy, copies, settings.votes) for copies in COPIES]
    return {
        "vote": [float(np.take_along_axis(right, moves, 1).mean()) for moves in voted],
        "search": search,
        "favourite": float(right[np.arange(len(right)), favourite].mean()),
        "deviation": _deviation(rng, policy, known),
    }


def _votes(rng: np.random.Generator, policy: np.ndarray, copies: int, votes: int) -> np.ndarray:
    """The moves that some votes choose in each position, i64[N, votes]."""
    counts = rng.multinomial(copies, policy / policy.sum(1, keepdims=True), (votes, len(policy)))
    lots = rng.random(counts.shape)
    return (counts + 0.5 * lots).argmax(-1).T


def _deviation(rng: np.random.Generator, policy: np.ndarray, known: SolvedPositions) -> float:
    """How far votes between a right and a wrong move are from the law, over all k."""
    binary = (known.legal.sum(1) == 2) & known.has_mistake
    chance = (policy * known.optimal).sum(1)[binary]
    worst = 0.0
    for copies in COPIES:
        moves = _votes(rng, policy[binary], copies, 1000)
        hits = np.take_along_axis(known.optimal[binary], moves, 1).mean()
        worst = max(worst, abs(float(hits) - float(majority(chance, copies).mean())))
    return worst
