"""Forecasts that decide are honest where predictors are scored against each other.

Method:
  A report decides what is done, and so what can be observed: forecasts that act on the world cannot
  be scored like those that do not. In the game `predictors` two predictors report a probability of
  success for each action, the action with the highest report is taken, and each gets its own Brier
  score less the other's (R. Hudson, arXiv 2412.20732). Chances of success are q = (.60, .05, .30)
  unless said otherwise; *utility* is q of the action that is taken.

  **Zero-sum.** By the game's own rules, the payoffs of all pairs of pure reports on a grid, which
  give every pure optimal strategy of both seats. Then a network, one set of weights for both seats,
  learns the game with actions of .6 and .2 by magnetic mirror descent, and its exploitability is
  computed.

  **One predictor** that is paid its score alone: the best of all reports on the grid. **A shared
  model** that is trained on E[S(p_a, o) − S(sg(p_a), o)], with `sg` for a value that gets no
  gradient: the gradient through a random softmax decision, compared with π_a·2(q_a − p_a); then
  learning by that gradient where the highest report decides, from (.10, .50, .40), step .05, and
  where one decision in ten is drawn evenly.

  **Without a decision**: the outcome depends on the report itself, o ~ Bernoulli(b + c·p), with b =
  .3 and c = .2; learning with the gradient through the report alone, with the gradient through its
  effect too, and two predictors who share the effect and are scored against each other. Last, o ~
  Bernoulli(σ(8(p − ½))), from .49 and from .51.

Expected:
  Honesty is an equilibrium of value 0, and every equilibrium reports the best action's chance
  truly; on another action a it may err by q_best − q_a, since nothing that it says of what is not
  done is ever scored (Hudson). So honesty can be tested on the path only. On a grid the bound holds
  up to one step of it.

  One predictor steers towards what can be predicted best: utility .05, since q(1 − q) is smallest
  there. Zero-sum ones have utility .60.

  The shared model's gradient is the honest one exactly. Without exploration it only learns about
  what it takes: the second action's report falls until the third is taken, whose true chance then
  stands above all that is left: (.10, .29, .30). With exploration it arrives at q.

  Without a decision the honest fixed point is b / (1 − c) = .375, approached by gradient steps of
  rate η as (1 − 2η(1 − c))^t; a predictor that sees its own effect prefers (b − c/2)/(1 − 2c) =
  .333. Zero-sum predictors come back to .375. Of the last function .5 is a fixed point that repels:
  .49 fulfils itself at .0212, .51 at .9788.

Refuted by:
  A pure strategy that gains against honesty; an optimal one that lies on the path; a network that
  stays exploitable; a gradient that differs from the honest one.

Found:
  26 of 26, over three seeds for gradients and networks, the rest exact. Optimal strategies do use
  the freedom off the path: where actions have .6, .5 and .3 one reports .2 too much or too little,
  a grid step beyond the bound. The network that learns zero-sum forecasts says .601 of the best
  action, and its exploitability falls to .0098 in 20 generations; in half as many games it had come
  to .0133, so that longer training goes on helping.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np

import games
import league
from games.predictors import Predictors, State
from league.lab import (
    Chapter,
    Chart,
    Experiment,
    Figure,
    Part,
    Results,
    Settings,
    Source,
    Table,
    Work,
    at_most,
    line,
    mean_line,
    near,
    over_seeds,
)
from league.lab.experiments._forecasts import (
    SUCCESS,
    gradient,
    no_decision,
    shared_figures,
    shared_model,
    undecided_figures,
)
from league.lab.experiments._leagues import UNMEASURED, trained

GRIDS = ("0.6 0.1 0.3", "0.6 0.5 0.3", "0.3 0.6 0.5")
"""Chances of which all pure optimal strategies are found; in two of them the bound binds."""


@dataclass(frozen=True)
class Sizes(Settings):
    """The sizes.

    Attributes:
      steps: of the grid on which all pairs of pure reports are compared.
      generations: of the network.
      rounds: of each of its generations.
      pairs: of games in a round, twice.
    """

    steps: int = 10
    generations: int = 20
    rounds: int = 20
    pairs: int = 1024


class PredictorsExperiment(Experiment[Sizes]):
    """See the file."""

    title = "Predictors that act on the world"
    chapter = Chapter.RULES
    minutes = 6
    full = Sizes(seeds=3)
    quick = Sizes(seeds=1, steps=5, generations=2, rounds=4, pairs=256)

    def parts(self, settings: Sizes) -> Sequence[Part]:
        """Exact laws once, gradients and networks by seed."""
        made = [
            Part("against-honesty", _against_honesty),
            Part("one-predictor", _one_predictor),
            Part("shared-model", shared_model),
            Part("no-decision", no_decision),
        ]
        made += [Part(f"optimal-{k}", partial(_optimal, text, settings)) for k, text in _numbered()]
        for seed in range(settings.seeds):
            made.append(Part("gradient", gradient, seed))
            made.append(Part("network", partial(_network, settings), seed))
        return made

    def figures(self, settings: Sizes, results: Results) -> Sequence[Figure]:
        """What holds exactly, then what the network has learnt."""
        return [
            *_decided_figures(settings, results),
            *shared_figures(results),
            *undecided_figures(results),
        ]

    def charts(self, settings: Sizes, results: Results) -> Sequence[Chart]:
        """Reports of the shared model, and the network's exploitability."""
        stuck = results["shared-model"][0]["argmax"]["path"]
        free = results["shared-model"][0]["explored"]["path"]
        steps = np.arange(len(stuck))
        learnt = [one["exploitability"] for one in results["network"]]
        return [
            Chart(
                "A shared model, the highest report decides",
                "steps",
                "report",
                tuple(line(f"action {a + 1}", steps, [p[a] for p in stuck]) for a in range(3)),
                note="True chances are .60, .05 and .30; it never learns of the first.",
            ),
            Chart(
                "The same where one decision in ten is drawn evenly",
                "steps",
                "report",
                tuple(
                    line(f"action {a + 1}", np.arange(len(free)), [p[a] for p in free])
                    for a in range(3)
                ),
            ),
            Chart(
                "Zero-sum predictors learnt by a network",
                "generation",
                "exploitability",
                (mean_line("network", np.arange(1, 1 + len(learnt[0])), learnt),),
                log_y=True,
            ),
        ]

    def tables(self, settings: Sizes, results: Results) -> Sequence[Table]:
        """What optimal strategies say of each action."""
        rows = [
            (text, str(found["count"]), _vector(found["low"]), _vector(found["high"]))
            for k, text in _numbered()
            for found in results[f"optimal-{k}"]
        ]
        note = f"Pure strategies on a grid of {settings.steps + 1} reports an action."
        columns = ("chances", "optimal strategies", "least report", "largest report")
        return [Table("All pure optimal strategies", columns, tuple(rows), note)]


def _numbered() -> list[tuple[int, str]]:
    return list(enumerate(GRIDS))


def _vector(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _game(chances: str, steps: int) -> Predictors:
    return cast(Predictors, games.load(f"predictors:chances={chances},steps={steps}"))


def _all_reports(game: Predictors) -> np.ndarray:
    """Every pure strategy's reports, as moves i32[(steps + 1)^actions, actions]."""
    return np.array(list(product(range(game.steps + 1), repeat=len(game.success))), np.int32)


def _expected(game: Predictors):
    """Jitted: what seat 0 gets on average, f32[n, k], for reports i32[n, m] against i32[k, m]."""

    def one(first: jax.Array, second: jax.Array) -> jax.Array:
        reports = (jnp.stack([first, second]) + 1).astype(jnp.uint8)
        ends = [game.payoff(State(reports, jnp.uint8(outcome))) for outcome in (1, 2)]
        return game.chance(State(reports, jnp.uint8(0))) @ jnp.stack(ends)

    return jax.jit(jax.vmap(jax.vmap(one, (None, 0)), (0, None)))


def _against_honesty(work: Work) -> dict[str, object]:
    """What the best of all pure strategies gains against honest reports, and utility."""
    game = _game(" ".join(map(str, SUCCESS)), 20)
    reports = _all_reports(game)
    honest = np.rint(np.array(SUCCESS) * game.steps).astype(np.int32)[None]
    gains = np.asarray(_expected(game)(reports, honest))[:, 0]
    taken = int(np.argmax(honest[0]))
    return {"strategies": len(reports), "gain": float(gains.max()), "utility": SUCCESS[taken]}


def _optimal(chances: str, settings: Sizes, work: Work) -> dict[str, object]:
    """All pure optimal strategies of a small grid: how far they lie from the truth."""
    game = _game(chances, settings.steps)
    reports, ask = _all_reports(game), _expected(game)
    least = np.concatenate([np.asarray(ask(part, reports)).min(1) for part in _chunks(reports)])
    optimal = reports[least > -1e-6] / game.steps
    success = np.array(game.success)
    best = int(success.argmax())
    error, room = np.abs(optimal - success), success[best] - success
    return {
        "count": len(optimal),
        "on_path": float(error[:, best].max()),
        "beyond": float((error - room)[:, np.arange(3) != best].max()),
        "utility": float(success[optimal.argmax(1)].min()),
        "low": optimal.min(0),
        "high": optimal.max(0),
    }


def _chunks(rows: np.ndarray) -> list[np.ndarray]:
    return np.array_split(rows, max(1, len(rows) // 100))


def _one_predictor(work: Work) -> dict[str, object]:
    """The utility of the report that a single predictor likes best, by its expected score."""
    game = _game(" ".join(map(str, SUCCESS)), 20)
    reports = _all_reports(game) / game.steps
    taken = reports.argmax(1)
    made, chance = reports[np.arange(len(reports)), taken], np.array(SUCCESS)[taken]
    score = -(chance * (1 - made) ** 2 + (1 - chance) * made**2)
    best = int(score.argmax())
    return {"utility": SUCCESS[taken[best]], "score": float(score[best])}


NETWORK = "predictors:chances=0.6 0.2,steps=10"


def _network(settings: Sizes, work: Work) -> dict[str, object]:
    """A league of the game with two actions: exploitability, and the utility of its decisions."""
    default = league.default_config(NETWORK)
    config = replace(
        default,
        generations=settings.generations,
        rounds=settings.rounds,
        pairs=settings.pairs,
        slots=min(default.slots, settings.pairs),
        measure=UNMEASURED,
    )
    with trained(NETWORK, config, work) as found:
        rows = found.figures()
        curve = [row["exploitability"] for row in rows if "exploitability" in row]
        return {"exploitability": curve, **_decisions(found, settings.generations)}


def _decisions(found: league.League, snapshot: int) -> dict[str, object]:
    """The chance of success of what a network's reports decide, and what it says of the best."""
    game = cast(Predictors, found.game)
    learner, weights = found.run.learner, found.weights(snapshot)
    count = game.steps + 1

    def chances(state: State, seat: int) -> np.ndarray:
        seen = game.observe(state, jnp.int32(seat))[None]
        return np.asarray(jax.nn.softmax(learner.logits(weights, seen)[0]), np.float64)

    law = []
    for seat in (0, 1):
        reports = np.zeros((2, 2), np.uint8)
        reports[:seat] = 1  # what seat 0 has said, which seat 1 does not see
        first = chances(State(jnp.asarray(reports), jnp.uint8(0)), seat)
        rows = []
        for move in range(count):
            reports[seat, 0] = move + 1
            rows.append(chances(State(jnp.asarray(reports), jnp.uint8(0)), seat))
        law.append(first[:, None] * np.array(rows))
    levels = np.arange(count)
    best = np.array(game.success)
    rows, columns = np.meshgrid(levels, levels, indexing="ij")
    pairs = np.stack([rows.reshape(-1), columns.reshape(-1)], 1)
    taken = np.maximum(pairs[:, None], pairs[None]).argmax(-1)
    weight = law[0].reshape(-1)[:, None] * law[1].reshape(-1)[None]
    said = float((law[0].sum(1) @ levels + law[1].sum(1) @ levels) / 2 / game.steps)
    return {"utility": float((weight * best[taken]).sum()), "said_of_best": said}


def _decided_figures(settings: Sizes, results: Results) -> list[Figure]:
    honesty, alone = results["against-honesty"][0], results["one-predictor"][0]
    found = [
        Figure(
            f"largest gain of {honesty['strategies']:,} strategies against honesty",
            near(0, 1e-6),
            over_seeds([honesty["gain"]]),
            Source.THEOREM,
            "R. Hudson, arXiv 2412.20732",
        )
    ]
    for k, text in _numbered():
        one = results[f"optimal-{k}"][0]
        found += [
            Figure(
                f"q = ({text}): error of optimal strategies on the best action",
                near(0, 1e-6),
                over_seeds([one["on_path"]]),
                Source.THEOREM,
                "R. Hudson, arXiv 2412.20732",
            ),
            Figure(
                f"q = ({text}): error on others beyond q_best − q",
                at_most(1 / settings.steps + 1e-6),
                over_seeds([one["beyond"]]),
                Source.THEOREM,
                "R. Hudson, arXiv 2412.20732",
                "A grid allows one step more: there is no report between two steps to deviate to.",
            ),
        ]
    zero_sum = min(results[f"optimal-{k}"][0]["utility"] for k, _ in _numbered())
    found += [
        Figure(
            "utility, one predictor",
            near(0.05, 1e-9),
            over_seeds([alone["utility"]]),
            Source.RECOMPUTED,
        ),
        Figure(
            "utility, zero-sum, worst optimal strategy",
            near(0.6, 1e-9),
            over_seeds([zero_sum]),
            Source.RECOMPUTED,
        ),
        Figure(
            "network, exploitability",
            at_most(0.01),
            over_seeds([one["exploitability"][-1] for one in results["network"]]),
            Source.PROPOSED,
        ),
        Figure(
            "network, utility with actions of .6 and .2",
            near(0.6, 0.02),
            over_seeds([one["utility"] for one in results["network"]]),
            Source.PROPOSED,
            note="One predictor would take the action of .2, whose outcome varies less.",
        ),
        Figure(
            "network, its report on the best action",
            near(0.6, 0.05),
            over_seeds([one["said_of_best"] for one in results["network"]]),
            Source.PROPOSED,
        ),
    ]
    return found
