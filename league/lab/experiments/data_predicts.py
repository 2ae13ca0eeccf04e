"""What selected data says more often than the model is where training will move the model.

Method:
  D′ is what a round of the loop keeps of M's samples, and M′ what is trained on it. *Tabular*: a
  softmax policy of all positions of tic-tac-toe makes one gradient step on the cross-entropy of D′;
  the change of its log-probabilities, by position, is compared with freq(D′) − freq(M), weighted by
  how often D′ has the position. *Network*: leagues by the learner `imitation` with a multilayer
  perceptron. In the positions that a generation's data holds twenty times or more, D′ − M is
  compared with M′ − M, as probabilities, after 1, 2, 4 and 8 generations. Once with the learner's
  usual settings (four generations of data, each used one and a half times, Muon), and once with
  *plain* ones: the newest data alone, used four times. Between the table and those lies one small
  gradient step of the network's on all of D′ at once. Beside it the cosine that `arena data show`
  gives, over log-probabilities and rare positions too.

Expected:
  The gradient of the cross-entropy with respect to the logits of a softmax is freq(M) − freq(D′):
  in a table the cosine is 1. A network moves other positions as well and other ways, but still
  there: at least .8 after one generation, and less and less after more, as what D′ says has been
  learnt.

Refuted by:
  A tabular cosine below 1; a network's that does not tell more than chance, or grows with rounds.

Found:
  A network follows its data far less closely than a table. The cosine after one generation is .02
  to .13 with the usual settings and about .3 where a generation's data is used four times and
  alone; even one gradient step on all of D′ does not reach .8 (.39 to .55). So it is not the
  optimiser or the older data alone. That weights which all positions share move what they have in
  common, and that D′ holds noise of samples which a network averages out, may both be why: the two
  have not been told apart. With the usual settings the cosine grows with generations: training gets
  there late, as the data of four generations says the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents.learners.imitation import Dataset
from arena.evaluation.enumeration import raw
from arena.types import Params, State
from league.api import League
from league.evaluation import selection
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
    near,
    over_seeds,
)
from league.lab.experiments import _imitators
from league.lab.experiments._tables import table

AHEAD = (1, 2, 4, 8)
ARMS: dict[str, dict[str, float]] = {
    "usual": {},
    "plain": {"replay_window": 1, "replay_ratio": 4.0},
}
"""Changes to the learner's settings."""


@dataclass(frozen=True)
class Sizes(Settings):
    """The sizes.

    Attributes:
      rows: moves that the tabular step learns from.
      first: the generation whose data is looked at; eight more are trained.
      pairs: of games in each of eight matches of a generation.
      width: of the network's two layers.
      often: positions that D′ holds less often are left out.
    """

    rows: int = 100_000
    first: int = 4
    pairs: int = 256
    width: int = 256
    often: int = 20


class DataPredicts(Experiment[Sizes]):
    """See the file."""

    title = "The data says where it goes"
    chapter = Chapter.DATA
    minutes = 3
    full = Sizes(seeds=3)
    quick = Sizes(seeds=1, rows=10_000, first=1, pairs=32, width=32, often=5)

    def parts(self, settings: Sizes) -> Sequence[Part]:
        """The table, and leagues of both kinds, by seed."""
        made = []
        for seed in range(settings.seeds):
            made.append(Part("table", partial(_table, settings), seed))
            made += [Part(arm, partial(_network, arm, settings), seed) for arm in ARMS]
        return made

    def figures(self, settings: Sizes, results: Results) -> Sequence[Figure]:
        """Cosines after one generation, and whether they decay."""
        found = [
            Figure(
                "table: cosine after one gradient step",
                near(1, 1e-5, "every"),
                over_seeds([one["cosine"] for one in results["table"]]),
                Source.THEOREM,
            )
        ]
        found.append(
            Figure(
                "network: cosine after one gradient step on all of D′",
                at_least(0.8),
                over_seeds([one["step"] for one in results["plain"]]),
                Source.PROPOSED,
            )
        )
        for arm in ARMS:
            rows = results[arm]
            found += [
                Figure(
                    f"network, {arm} settings: cosine after 1 generation",
                    at_least(0.8),
                    over_seeds([one["cosines"]["1"] for one in rows]),
                    Source.PROPOSED,
                ),
                Figure(
                    f"network, {arm} settings: after 8 less after 1",
                    at_most(0),
                    over_seeds([one["cosines"]["8"] - one["cosines"]["1"] for one in rows]),
                    Source.PROPOSED,
                ),
            ]
        return found

    def charts(self, settings: Sizes, results: Results) -> Sequence[Chart]:
        """The cosine over generations."""
        lines = [
            mean_line(
                f"{arm} settings",
                AHEAD,
                [[one["cosines"][str(n)] for n in AHEAD] for one in results[arm]],
            )
            for arm in ARMS
        ]
        lines.append(
            mean_line(
                "as `arena data show` gives it",
                AHEAD,
                [[one["shown"][str(n)] for n in AHEAD] for one in results["usual"]],
            )
        )
        return [
            Chart(
                "How well D′ − M predicts M′ − M",
                "generations",
                "cosine",
                tuple(lines),
                note="The dataset page compares log-probabilities, and counts rare positions too, "
                "of whose moves D′ has one sample or two.",
                level=0.0,
            )
        ]


def cosine(one: np.ndarray, other: np.ndarray, weight: np.ndarray) -> float:
    """Of f64[N, A] each, rows weighted by f64[N]."""
    dot = (weight[:, None] * one * other).sum()
    lengths = [(weight[:, None] * x**2).sum() for x in (one, other)]
    return float(dot / np.sqrt(lengths[0] * lengths[1]))


def _table(settings: Sizes, work: Work) -> dict[str, float]:
    """One gradient step of a table, and what the data said."""
    known, rng = table("tic_tac_toe"), np.random.default_rng(work.seed)
    going = np.flatnonzero(~known.over)
    legal = known.legal[going]
    logits = np.where(legal, rng.standard_normal(legal.shape), -1e9)
    policy = np.asarray(jax.nn.softmax(jnp.asarray(logits, jnp.float32)), np.float64)
    reach = rng.dirichlet(np.ones(len(going)))
    row = rng.choice(len(going), settings.rows, p=reach)
    drawn = rng.random(settings.rows)
    move = (policy[row].cumsum(1) < drawn[:, None]).sum(1).clip(max=legal.shape[1] - 1)
    weight = np.exp(rng.standard_normal(settings.rows))  # some moves are preferred to others

    def loss(logits: jax.Array, weight: jax.Array, row: jax.Array, move: jax.Array) -> jax.Array:
        log_probs = jax.nn.log_softmax(jnp.where(legal, logits, -1e9))
        return -(weight * log_probs[row, move]).sum()

    start, weights = (np.asarray(x, np.float32) for x in (np.where(legal, logits, 0.0), weight))
    change = -np.asarray(jax.jit(jax.grad(loss))(start, weights, row, move), np.float64)
    counts = np.zeros(legal.shape)
    np.add.at(counts, (row, move), weight)
    total = counts.sum(1)
    there = total > 0
    difference = np.where(legal, counts / np.where(there, total, 1)[:, None] - policy, 0.0)
    # A step along the gradient is as long as a position is frequent.
    return {
        "cosine": cosine((difference * total[:, None])[there], change[there], np.ones(there.sum()))
    }


def _network(arm: str, settings: Sizes, work: Work) -> dict[str, object]:
    """Cosines of D′ − M with M′ − M, by generations ahead."""
    last = settings.first - 1 + max(AHEAD)
    made = _imitators.config(last, pairs=settings.pairs, width=settings.width, **ARMS[arm])
    with _imitators.train(made, work) as found:
        data = found.dataset(settings.first)
        said = _said(found, data, settings)
        before = found.weights(settings.first - 1)
        after = {n: found.weights(settings.first - 1 + n) for n in AHEAD}
        stepped = _step(found, before, data)
        shown = selection.of_generation(found.run, settings.first).cosines
        return {
            "positions": len(said.weight),
            "cosines": {n: _agreement(found, said, before, one) for n, one in after.items()},
            "step": _agreement(found, said, before, stepped),
            "shown": shown,
        }


class _Said(NamedTuple):
    """What data says of its N most frequent positions.

    Attributes:
      states: positions [N, ...].
      wanted: f64[N, A], how often D′ makes each move.
      weight: f64[N], how frequent they are in D′.
    """

    states: State
    wanted: np.ndarray
    weight: np.ndarray


def _said(found: League, data: Dataset, settings: Sizes) -> _Said:
    _, first, group = np.unique(raw(data.state), return_index=True, return_inverse=True)
    group = group.reshape(-1)
    sums = np.zeros((len(first), found.game.num_actions))
    np.add.at(sums, (group, data.move), np.asarray(data.weight, np.float64))
    total = sums.sum(1)
    there = (np.bincount(group) >= settings.often) & (total > 0)
    states = jax.tree.map(lambda x: np.asarray(x)[first][there], data.state)
    return _Said(states, sums[there] / total[there, None], total[there])


def _agreement(found: League, said: _Said, before: Params, after: Params) -> float:
    """The cosine of D′ − M and M′ − M."""
    old, new = (np.exp(_imitators.log_policy(found, one, said.states)) for one in (before, after))
    return cosine(said.wanted - old, new - old, said.weight)


def _step(found: League, params: Params, data: Dataset) -> Params:
    """Weights after one small step along the gradient of the cross-entropy of all of D′."""
    game, learner = found.game, found.run.learner

    def loss(params: Params, data: Dataset) -> jax.Array:
        movers = jax.vmap(game.mover)(data.state)
        seen, legal = jax.vmap(game.observe)(data.state, movers), jax.vmap(game.legal)(data.state)
        log_probs = jax.nn.log_softmax(jnp.where(legal, learner.logits(params, seen), -1e9))
        return -(data.weight * log_probs[jnp.arange(len(data.move)), data.move]).mean()

    gradient = jax.jit(jax.grad(loss))(params, data)
    length = np.sqrt(sum(float(jnp.square(x).sum()) for x in jax.tree.leaves(gradient)))
    return jax.tree.map(lambda x, g: x - 0.01 / length * g, params, gradient)
