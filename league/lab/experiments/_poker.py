"""Leagues of games whose payoffs are exact, poker first, and opponents that training never met."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np

import league
from agents.nn import networks
from arena.evaluation import exploitability
from arena.play import match
from arena.types import Agent, Params
from league.api import League
from league.lab import Work
from league.lab.experiments._gates import STEPS, Rotation, slope
from league.training import best_response

_SPREAD = 1.0
"""How far held-out opponents lie from the snapshots that they are drawn around, see `perturbed`."""


@dataclass(frozen=True)
class PokerLeague:
    """A run of a game of hidden information that is small enough to be enumerated.

    Attributes:
      run: a league that is trained.
    """

    run: League

    @cached_property
    def form(self) -> exploitability.SequenceForm:
        """All information sets and courses."""
        return exploitability.sequence_form(self.run.game)

    def weights(self, generation: int) -> Params:
        """A snapshot's, as it plays."""
        return self.run.weights(generation)

    def table(self, params: Params) -> np.ndarray:
        """How likely each move is in each information set, f64[I, A]."""
        chances = best_response.policy(self.run.game, self.run.config, params)
        return chances(self.form.observation, self.form.legal)

    def exact(self, tables: list[np.ndarray]) -> np.ndarray:
        """Exact mean payoffs f64[n, n] of policies f64[I, A] in both seats, as shares of the most.

        The payoff of i against j is -1 if it always loses most, and 1 if it always wins most.
        """
        policies = [lambda seen, legal, table=table: table for table in tables]
        found = exploitability.payoffs(self.run.game, policies)
        return (found - found.T) / 2 / self.run.game.max_payoff

    def agent(self, name: str, params: Params) -> Agent:
        """Whoever plays by these weights, without search."""
        policy = self.run.agent(0).policy
        return Agent(name, policy, networks.for_play(params))

    def measured(
        self, params: list[Params], opponents: list[Params], *, pairs: int, seed: int
    ) -> np.ndarray:
        """Mean payoffs f64[n] in real games, so many pairs against each opponent, from -1 to 1."""
        a = [self.agent("a", one) for one in params for _ in opponents]
        b = [self.agent("b", one) for _ in params for one in opponents]
        scores = match.play(
            a,
            b,
            self.run.game,
            key=jax.random.key(seed),
            pairs=pairs,
            plies=0,
            groups=len(opponents),
            slots=pairs,
        )
        found = 2 * np.asarray(scores, np.float64) - 1
        return found.reshape(len(params), -1).mean(1)


def train(
    game: str,
    *,
    generations: int,
    pairs: int,
    seed: int,
    folder: Path,
    name: str,
    learner: str = "",
    pool_share: float = 0.5,
    matchmaker: str = "uniform",
) -> PokerLeague:
    """A league whose current policy meets itself and the past; one that was cut off goes on.

    Args:
      game: its name.
      generations: snapshots.
      pairs: pairs of games in a match, four matches of which are played twice a generation.
      seed: of everything random.
      folder: where runs lie.
      name: of this one.
      learner: its name; the game's default if empty.
      pool_share: share of the matches that are against the past.
      matchmaker: who is drawn from it.
    """
    config = replace(
        league.default_config(game, learner=learner),
        generations=generations,
        pairs=pairs,
        slots=pairs,
        matches=4,
        rounds=2,
        pool_share=pool_share,
        matchmaker=matchmaker,
        seed=seed,
    )
    small = replace(config.measure, opponents=4, pairs=8, baseline_pairs=8)
    known = (folder / name / "run.json").exists()
    options: dict[str, Any] = {"resume": True} if known else {}
    config = replace(config, measure=small)
    return PokerLeague(league.train(game, config=config, name=name, folder=folder, **options))


def perturbed(params: Params, spread: float, rng: np.random.Generator) -> Params:
    """Weights beside others: every array with normal noise, so many times its own deviation."""

    def noisy(leaf: np.ndarray) -> np.ndarray:
        leaf = np.asarray(leaf)
        scale = spread * float(leaf.std() or 1e-2)
        return (leaf + scale * rng.standard_normal(leaf.shape)).astype(leaf.dtype)

    return jax.tree.map(noisy, params)


def league_of_poker(
    game: str, generations: int, pairs: int, games: tuple[int, int], uses: int, work: Work
) -> dict[str, Any]:
    """A league of poker: differences between snapshots by all three measures."""
    rng = np.random.default_rng(work.seed)
    size = {"generations": generations, "pairs": pairs, "folder": work.folder}
    own = train(game, seed=work.seed, name="own", **size)
    work.tell(0.3)
    other = train(game, seed=1000 + work.seed, name="other", **size)
    work.tell(0.6)
    met = [own.weights(g) for g in range(generations + 1)]
    crowd = [
        perturbed(other.weights(int(g)), _SPREAD, rng) for g in rng.integers(1, generations + 1, 48)
    ]
    tables = [own.table(one) for one in [*met, *crowd]]
    exact, count = own.exact(tables), len(met)
    gold = exact[:count, count:].mean(1)
    pools = [exact[g, :g].mean() - exact[g - 1, :g].mean() for g in range(1, count)]
    judges = rng.choice(48, 8, replace=False)
    some = [crowd[i] for i in judges]
    type_2 = {
        str(count): np.diff(own.measured(met, some, pairs=count, seed=work.seed)) for count in games
    }
    type_2["exact"] = np.diff(exact[:count, count + judges].mean(1))
    work.tell(0.8)
    figures = [one for one in own.run.figures() if "games" in one]
    spent = {kind: sum(one["passes"][kind] for one in figures) for kind in ("type_1", "type_2")}
    played = sum(one["games"] for one in figures)
    a_game, a_verdict = spent["type_1"] / played, spent["type_2"] / len(figures)
    return {
        "gold": np.diff(gold),
        "type_1": pools,
        "type_2": type_2,
        "kl": _divergence(tables[count - 1], tables[0]),
        "passes_a_game": a_game,
        "passes_a_verdict": a_verdict,
        "verdict_in_games": a_verdict / a_game,
        "uses": {
            arm: _asked(arm == "rotated", own, crowd, uses, work.seed)
            for arm in ("kept", "rotated")
        },
    }


def _asked(
    rotates: bool, own: PokerLeague, crowd: list[Params], uses: int, seed: int
) -> dict[str, Any]:
    """The gate in poker, asked again and again about neighbours of the champion."""
    rng = np.random.default_rng(seed)
    opponents = [own.table(one) for one in crowd]
    logits = np.log(np.maximum(own.table(own.weights(own.run.config.generations // 2)), 1e-6))
    chosen, rotation = rng.choice(len(opponents), 3, replace=False), Rotation(rotates, 5)
    slopes, gold, said = [], [], []
    for _ in range(uses):
        near_by = logits + 0.3 * rng.standard_normal((STEPS, *logits.shape))
        tables = [_softmax(one, own.form.legal) for one in (logits, *near_by)]
        found = own.exact([*tables, *opponents])[: len(tables), len(tables) :]
        gate, truth = found[:, chosen].mean(1), found.mean(1)
        slopes.append(slope(gate[1:] - gate[0], truth[1:] - truth[0]))
        best = int(gate.argmax())
        logits = near_by[best - 1] if best else logits
        gold.append(float(truth[best]))
        said.append(float(gate[best]))
        if rotation.due(slopes[-1]):
            chosen = rng.choice(len(opponents), 3, replace=False)
    return {"slopes": slopes, "gold": gold, "said": said, "drawn": rotation.drawn}


def _softmax(logits: np.ndarray, legal: np.ndarray) -> np.ndarray:
    found = np.where(legal, np.exp(logits - logits.max(1, keepdims=True)), 0)
    return found / found.sum(1, keepdims=True)


def _divergence(after: np.ndarray, before: np.ndarray) -> float:
    """KL in nats a move, the mean over information sets f64[I, A]."""
    ratio = np.log(np.maximum(after, 1e-30)) - np.log(np.maximum(before, 1e-30))
    return float((after * ratio).sum(1).mean())
