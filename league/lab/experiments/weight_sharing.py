"""One set of weights can play both seats, if the observation shows the seat wherever it matters.

Method:
  Arena trains one set of weights for both seats. By magnetic mirror descent, in self-play, it
  learns:

  - *Kuhn poker*, whose observation tells the seat by the bets so far; the value and the
    exploitability of its policy are computed.
  - *A symmetric game*, rock-paper-scissors, and *an asymmetric one*, the table (2, −1; −3, 0), in
    which seat 0 should mix its rows as (.5, .5) and seat 1 its columns as (1/6, 5/6). Each with the
    seat in the observation, and without it.

  Without the seat both seats play one and the same mixture, so the least exploitability that any
  weights can have is that of the best such mixture, computed on a grid.

Expected:
  The value of Kuhn poker is −1/18 (H. W. Kuhn, 1950), and an equilibrium is learnt: exploitability
  .01 or less. In the symmetric game a seat of its own changes nothing: the two differ by less than
  two standard errors. In the asymmetric one it must be shown: without it exploitability cannot fall
  below .5, with it it does.

Refuted by:
  A difference in the symmetric game, or none in the asymmetric one.

Found:
  6 of 6, over three seeds. With the seat in the observation one set of weights learns the
  equilibrium of the asymmetric game to .027 of its payoffs; without, what both seats gain together
  draws the shared mixture to a corner, exploitable by 1.48, far above the .5 that the best mixture
  would leave. In rock-paper-scissors both end at .008, and Kuhn poker at .005. Trained by 512
  instead of 2,048 pairs of games a round and with longer steps, the policy went round the
  equilibrium of the asymmetric game instead, exploitable by 1.3, seat or no seat.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import jax
import numpy as np

import league
from games.core import Facts, Game
from games.matrix import Matrix, State
from league.lab import (
    Chapter,
    Chart,
    Estimate,
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
from league.lab.experiments._leagues import UNMEASURED, trained
from league.settings.config import Config

SYMMETRIC, ASYMMETRIC = "0 -1 1; 1 0 -1; -1 1 0", "2 -1; -3 0"
TABLES = {"symmetric": SYMMETRIC, "asymmetric": ASYMMETRIC}
_STEPS = {"step": 0.5, "step_end": 0.05, "magnet_end": 0.02}
"""Half as many rounds as poker's default: steps have to be no longer than the magnet can damp, or
the policy goes round the equilibrium (S. Sokota et al., 2023)."""


@dataclass(frozen=True)
class Sizes(Settings):
    """The sizes.

    Attributes:
      generations: of every league.
      rounds: of a generation.
      pairs: of games in each of two matches of a round.
      kuhn_pairs: the same in Kuhn poker.
    """

    generations: int = 15
    rounds: int = 20
    pairs: int = 2048
    kuhn_pairs: int = 4096


class WeightSharing(Experiment[Sizes]):
    """See the file."""

    title = "Weight sharing"
    chapter = Chapter.RULES
    minutes = 8
    full = Sizes(seeds=3)
    quick = Sizes(seeds=1, generations=1, rounds=1, pairs=64, kuhn_pairs=64)

    def parts(self, settings: Sizes) -> Sequence[Part]:
        """Five leagues a seed."""
        made = []
        for seed in range(settings.seeds):
            made.append(Part("kuhn", partial(_kuhn, settings), seed))
            made += [
                Part(f"{kind}-{seat}", partial(_matrix, kind, seat, settings), seed)
                for kind in TABLES
                for seat in ("shown", "hidden")
            ]
        return made

    def figures(self, settings: Sizes, results: Results) -> Sequence[Figure]:
        """Kuhn poker's value, and what showing the seat changes."""

        def last(name: str) -> Estimate:
            return over_seeds([one["exploitability"][-1] for one in results[name]])

        values = over_seeds([one["value"] for one in results["kuhn"]])
        least = least_exploitability(ASYMMETRIC)
        pairs = zip(results["symmetric-shown"], results["symmetric-hidden"], strict=True)
        apart = over_seeds([a["exploitability"][-1] - b["exploitability"][-1] for a, b in pairs])
        spread = float(np.std(apart.seeds, ddof=1)) if len(apart.seeds) > 1 else 0.02
        error = spread / len(apart.seeds) ** 0.5
        kuhn = near(-1 / 18, 0.003)
        return [
            Figure("Kuhn poker, value", kuhn, values, Source.PUBLISHED, "H. W. Kuhn, 1950"),
            Figure("Kuhn poker, exploitability", at_most(0.01), last("kuhn"), Source.PROPOSED),
            Figure(
                "symmetric: exploitability with the seat less without it",
                near(0, 2 * error),
                apart,
                Source.THEOREM,
                "two standard errors",
            ),
            *(
                Figure(
                    f"{name.replace('-', ', seat ')}: exploitability",
                    at_most(0.05),
                    last(name),
                    Source.PROPOSED,
                )
                for name in ("symmetric-hidden", "asymmetric-shown")
            ),
            Figure(
                "asymmetric, seat hidden: exploitability",
                at_least(least - 1e-6, "every"),
                last("asymmetric-hidden"),
                Source.THEOREM,
                f"{least:.4f} is the least of any mixture that both seats share",
            ),
        ]

    def charts(self, settings: Sizes, results: Results) -> Sequence[Chart]:
        """Exploitability by generation."""
        names = [f"{kind}-{seat}" for kind in TABLES for seat in ("shown", "hidden")]
        at = np.arange(1, settings.generations + 1)
        return [
            Chart(
                "Exploitability of matrix games",
                "generation",
                "exploitability",
                tuple(
                    mean_line(
                        name.replace("-", ", seat "),
                        at,
                        [one["exploitability"] for one in results[name]],
                    )
                    for name in names
                ),
                log_y=True,
            ),
            Chart(
                "Exploitability of Kuhn poker",
                "generation",
                "chips",
                (mean_line("both seats", at, [one["exploitability"] for one in results["kuhn"]]),),
                log_y=True,
            ),
        ]


class Seatless(Matrix):
    """A matrix game whose observation does not tell the seat."""

    facts = Facts()

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """As the matrix game's, with nothing where the seat is."""
        return super().observe(state, seat).at[:2].set(0.0)


def least_exploitability(payoffs: str) -> float:
    """The least exploitability of mixtures of two moves that both seats share."""
    table = Matrix(payoffs).table.astype(np.float64)
    share = np.linspace(0, 1, 100_001)
    mixed = np.stack([share, 1 - share], 1)
    return float((((mixed @ table.T).max(1) - (mixed @ table).min(1)) / 2).min())


def _trained(game: str | Game, made: Config, work: Work) -> dict[str, object]:
    """A league by magnetic mirror descent: exploitability by generation, and the last value."""
    with trained(game, made, work) as found:
        rows = [row for row in found.figures() if "exploitability" in row]
    return {
        "exploitability": [row["exploitability"] for row in rows],
        "value": rows[-1].get("value"),
    }


def _config(settings: Sizes, pairs: int) -> Config:
    default = league.default_config("kuhn_poker")
    return replace(
        default,
        generations=settings.generations,
        rounds=settings.rounds,
        pairs=pairs,
        slots=min(default.slots, pairs),
        measure=UNMEASURED,
    )


def _kuhn(settings: Sizes, work: Work) -> dict[str, object]:
    return _trained("kuhn_poker", _config(settings, settings.kuhn_pairs), work)


def _matrix(kind: str, seat: str, settings: Sizes, work: Work) -> dict[str, object]:
    made = Matrix if seat == "shown" else Seatless
    config = _config(settings, settings.pairs)
    learner = replace(config.learner, replay_ratio=2.0, **_STEPS)
    return _trained(made(TABLES[kind]), replace(config, learner=learner), work)
