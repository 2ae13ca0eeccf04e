"""Where the judge checks proofs, games have the values of theorems, and learners reach them.

Method:
  Three games of logic. *Ehrenfeucht-Fraïssé* on two linear orders of m and k elements: Spoiler has
  n rounds to tell them apart. *Prover-Delayer* on the pigeonhole principle: Delayer claims that
  n + 1 pigeons fit into n holes, and gets a point for every question whose answer it leaves to
  Prover, until its answers are a contradiction. *Quantified formulas*: one seat sets the
  existential variables, the other the universal ones.

  **Values** by Arena's solver, or by induction over the game's own rules where there are too many
  positions for it: orders on both sides of the theorem's threshold, up to three rounds; one, two
  and three holes; random formulas of 16 variables, half of them with quantifiers E A E A …, half
  with E E E A …, beside their truth value by a recursion of its own, and the equality formulas of
  3 to 15 variables.

  **Learners**: leagues by AlphaZero with a small perceptron, one set of weights for both seats. A
  network's favourite move and a search of 32 simulations are fixed rules of play; what each of them
  is sure of in either seat is computed exactly, by trying all that an opponent can do. With three
  holes that is the network alone, since Delayer has to answer in some 900,000 positions.

Expected:
  Duplicator wins n rounds if and only if m = k or min(m, k) ≥ 2ⁿ − 1 (A. Ehrenfeucht, 1961).
  Delayer gets n points for n holes, so that refutations as trees take space n + 1 (J. Esteban and
  J. Torán, 2003). A formula's winner is its truth value; equality formulas are false (O.
  Beyersdorff, J. Blinkhorn and L. Hinde, 2019). No deviation at all.

  Learners are sure of the exact value in both seats, the search and the network alone: a proof, not
  a score against some opponent.

Refuted by:
  A value that is not the theorem's, or a learner that some opponent does better against.

Found:
  16 of 17. All theorems hold without a deviation, also in 200 formulas of 16 variables. With 32
  simulations a move the learners are sure of the exact value in every game; alone, the network is
  in all but one. Of linear orders of 7 and 8 over three rounds it knows an optimal move in 94 % of
  11,216 positions, and one mistake that an opponent can steer to is enough to lose: a proof asks
  for the last percent that a score would not show.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import numpy as np

import games
import league
from agents.nn.networks import MLPConfig
from arena.evaluation import solved_positions, solver
from arena.types import Agent
from games.ehrenfeucht_fraisse import EhrenfeuchtFraisse
from games.prover_delayer import ProverDelayer
from games.quantified_formula import QuantifiedFormula
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
    mean_line,
    near,
    over_seeds,
)
from league.lab.experiments import _logic
from league.lab.experiments._guarantee import guaranteed, moves_of
from league.lab.experiments._leagues import UNMEASURED, trained
from league.settings.config import Config

PREFIXES = (("EA" * 8, 5), ("EEEA" * 4, 20))
"""Quantifiers of random formulas, and clauses of which about half, or a fourth, are false."""

LEARNT = {
    "two-rounds": "orders of 3 and 4, two rounds",
    "three-rounds": "orders of 7 and 8, three rounds",
    "two-holes": "two holes",
    "three-holes": "three holes",
    "equality": "equality formula of 9 variables",
    "formula": "random formula of 10 variables",
}
"""The games that are learnt, and what figures call them."""

GAMES = {"three-rounds": 4}
"""How many times as many games are played where a seat has a thousand positions to get right."""

SIMULATIONS = 32


@dataclass(frozen=True)
class Sizes(Settings):
    """The sizes.

    Attributes:
      rounds: of the games on orders that are solved, from 1.
      holes: of the pigeonhole principles that are solved, from 1.
      formulas: random ones of each kind.
      learnt: games that are learnt.
      generations: of a league.
      pairs: of games in each of eight matches of a generation, `GAMES` times that.
      width: of the network's two layers.
      simulations: of search in training.
    """

    rounds: int = 3
    holes: int = 3
    formulas: int = 100
    learnt: tuple[str, ...] = tuple(LEARNT)
    generations: int = 10
    pairs: int = 64
    width: int = 128
    simulations: int = 16


class LogicGames(Experiment[Sizes]):
    """See the file."""

    title = "Games of logic"
    chapter = Chapter.RULES
    minutes = 12
    full = Sizes(seeds=3)
    quick = Sizes(
        seeds=1,
        rounds=1,
        holes=1,
        formulas=4,
        learnt=("equality",),
        generations=2,
        pairs=16,
        width=16,
        simulations=4,
    )

    def parts(self, settings: Sizes) -> Sequence[Part]:
        """Values once, a league a game and seed."""
        made = [
            Part("orders", partial(_orders, settings)),
            Part("pigeonholes", partial(_pigeonholes, settings)),
            Part("formulas", partial(_formulas, settings)),
        ]
        for seed in range(settings.seeds):
            made += [
                Part(f"learnt-{name}", partial(_learnt, name, settings), seed)
                for name in settings.learnt
            ]
        return made

    def figures(self, settings: Sizes, results: Results) -> Sequence[Figure]:
        """Values beside the theorems', then what learners lack."""
        return [*_value_figures(results), *_learnt_figures(settings, results)]

    def charts(self, settings: Sizes, results: Results) -> Sequence[Chart]:
        """What the networks lack by generation."""
        rows = {name: results[f"learnt-{name}"] for name in settings.learnt}
        return [
            Chart(
                "What networks alone lack of the exact value, in the worse seat",
                "generation",
                "share of the largest payoff",
                tuple(
                    mean_line(
                        LEARNT[name], found[0]["generations"], [one["curve"] for one in found]
                    )
                    for name, found in rows.items()
                ),
                note="0 is a proof; 2 is a sure loss of what can be won.",
            )
        ]

    def tables(self, settings: Sizes, results: Results) -> Sequence[Table]:
        """How large the games are, and how often moves are optimal in all positions."""
        lines = []
        for name in settings.learnt:
            found = results[f"learnt-{name}"]
            shares = [one["optimal"] for one in found if one["optimal"]]
            cells = ["–"] * 3
            if shares:
                cells = [f"{shares[0]['positions']:,}"]
                cells += [f"{np.mean([s[who] for s in shares]):.2%}" for who in ("raw", "search")]
            lines.append((LEARNT[name], f"{np.mean([one['asked'] for one in found]):,.0f}", *cells))
        head = ("game", "positions the proof rests on", "all positions", "raw optimal", "search")
        note = "Where no move is a mistake every move is optimal."
        return [Table("Positions", head, tuple(lines), note)]


def _orders(settings: Sizes, work: Work) -> dict[str, int]:
    """How many games on orders have another value than the theorem's, beside its threshold."""
    wrong, count = 0, 0
    for rounds in range(1, settings.rounds + 1):
        sizes = [size for size in range(2**rounds - 2, 2**rounds + 1) if size]
        for first, second in [(m, k) for m in sizes for k in sizes if m <= k]:
            theorem = -1 if first == second or first >= 2**rounds - 1 else 1
            found = solver.solve(EhrenfeuchtFraisse(first, second, rounds)).value[0]
            wrong, count = wrong + int(found != theorem), count + 1
    return {"wrong": wrong, "count": count}


def _pigeonholes(settings: Sizes, work: Work) -> dict[str, list[int]]:
    """What Delayer gets, hole by hole."""
    points = []
    for holes in range(1, settings.holes + 1):
        game = ProverDelayer(holes)
        if holes <= 2:
            points.append(holes - int(solver.solve(game).value[0]))
        else:
            points.append(_logic.delayer_points(game)[0])
    return {"points": points}


def _formulas(settings: Sizes, work: Work) -> dict[str, int]:
    """How many winners are not the truth value, of random formulas and of equality formulas."""
    rng, wrong, true = np.random.default_rng([work.seed, 17]), 0, 0
    for quantifiers, clauses in PREFIXES:
        formulas = [_logic.drawn(rng, len(quantifiers), clauses) for _ in range(settings.formulas)]
        game = QuantifiedFormula(quantifiers, clauses="", drawn=clauses)
        won = _logic.winners(game, _logic.as_marks(formulas)) > 0
        truth = np.array([_logic.is_true(quantifiers, formula) for formula in formulas])
        wrong, true = wrong + int((won != truth).sum()), true + int(truth.sum())
    sizes = range(1, 6)
    equality = [
        cast(QuantifiedFormula, games.load(_logic.spec(*_logic.equality(n)))) for n in sizes
    ]
    return {
        "wrong": wrong,
        "true": true,
        "count": settings.formulas * len(PREFIXES),
        "equality_true": sum(int(_logic.winners(game)[0] > 0) for game in equality),
    }


def _game(name: str, seed: int) -> str:
    """A game that is learnt; the random formula is another one for each seed."""
    if name == "two-rounds":
        return "ehrenfeucht_fraisse:first=3,second=4,rounds=2"
    if name == "three-rounds":
        return "ehrenfeucht_fraisse:first=7,second=8,rounds=3"
    if name == "equality":
        return _logic.spec(*_logic.equality(3))
    if name == "formula":
        clauses = _logic.drawn(np.random.default_rng([seed, 18]), 10, 14)
        return _logic.spec("EEAEEAEEAE", clauses)
    return f"prover_delayer:holes={2 if name == 'two-holes' else 3}"


def _config(name: str, spec: str, settings: Sizes) -> Config:
    """A league that plays itself, from positions all over the game."""
    game, pairs = games.load(spec), settings.pairs * GAMES.get(name, 1)
    default = league.default_config(game, learner="alphazero")
    learner = replace(
        default.learner,
        network=MLPConfig(width=settings.width, layers=2),
        simulations=settings.simulations,
        td_lambda=1.0,
        min_value_range=1e-6,
        # To be right everywhere takes many passes; the games are small, and so is the network.
        batch_size=256,
        replay_ratio=20.0,
        replay_window=8,
        replay_share=1.0,
        learning_rate=3e-3,
    )
    return replace(
        default,
        learner=learner,
        generations=settings.generations,
        matches=8,
        pairs=pairs,
        slots=min(64, pairs),
        pool_share=0.0,
        matchmaker="latest",
        opening_plies=game.typical_plies,
        measure=UNMEASURED,
    )


def _learnt(name: str, settings: Sizes, work: Work) -> dict[str, object]:
    """A league: what its last network is sure of in both seats, alone and with search."""
    spec = _game(name, work.seed)
    with trained(spec, _config(name, spec, settings), work) as found:
        game, last = found.game, settings.generations
        # Three holes have too many positions to be solved whole; under perfect play it is a draw.
        known = None if name == "three-holes" else solved_positions.fixed(game)
        value = float(solver.solve(game).value[0]) if known else 0.0
        if int(game.mover(game.init())) == 1:
            value = -value
        every = max(1, last // 3)
        at = [*range(0, last, every), last]
        curve = [_lacks(game, found.agent(g), value)[0] for g in at]
        agents = {"raw": found.agent(last)}
        if known:
            agents["search"] = found.agent(last, simulations=SIMULATIONS)
        lacks = {who: _lacks(game, agent, value) for who, agent in agents.items()}
        optimal: dict[str, float] = {}
        if known:
            optimal["positions"] = len(known.legal)
            for who, agent in agents.items():
                moves = moves_of(agent, known.states)
                optimal[who] = float(known.optimal[np.arange(len(moves)), moves].mean())
    return {
        "generations": at,
        "curve": curve,
        "lacks": {who: share for who, (share, _) in lacks.items()},
        "asked": lacks["raw"][1],
        "optimal": optimal,
    }


def _lacks(game: games.Game, agent: Agent, value: float) -> tuple[float, int]:
    """What an agent lacks of a value in the worse seat, and in how many positions it was asked.

    The first is a share of the largest payoff.
    """
    found = [guaranteed(game, agent, seat) for seat in (0, 1)]
    short = max(value - found[0].payoff, -value - found[1].payoff)
    return short / game.max_payoff, sum(one.positions for one in found)


def _value_figures(results: Results) -> list[Figure]:
    orders, formulas = results["orders"][0], results["formulas"][0]
    return [
        Figure(
            f"orders: games of another value than the theorem's, of {orders['count']}",
            near(0, 0),
            over_seeds([orders["wrong"]]),
            Source.THEOREM,
            "A. Ehrenfeucht, Fundamenta Mathematicae 49 (1961)",
        ),
        *(
            Figure(
                f"Delayer's points, {holes + 1} pigeons in {holes} hole{'s' * (holes > 1)}",
                near(holes, 0),
                over_seeds([points]),
                Source.THEOREM,
                "J. Esteban and J. Torán, Information Processing Letters 87 (2003)",
            )
            for holes, points in enumerate(results["pigeonholes"][0]["points"], 1)
        ),
        Figure(
            f"formulas of 16 variables: winners that are not the truth value, of "
            f"{formulas['count']}",
            near(0, 0),
            over_seeds([formulas["wrong"]]),
            Source.THEOREM,
            note=f"{formulas['true']} of them are true.",
        ),
        Figure(
            "equality formulas of 3 to 15 variables that are won",
            near(0, 0),
            over_seeds([formulas["equality_true"]]),
            Source.THEOREM,
            "O. Beyersdorff and others, Logical Methods in Computer Science 15 (2019)",
        ),
    ]


def _learnt_figures(settings: Sizes, results: Results) -> list[Figure]:
    called = {"raw": "network", "search": f"search of {SIMULATIONS}"}
    return [
        Figure(
            f"{LEARNT[name]}: what the {called[who]} lacks of the value in the worse seat",
            at_most(0, "every"),
            over_seeds([one["lacks"][who] for one in results[f"learnt-{name}"]]),
            Source.PROPOSED,
        )
        for name in settings.learnt
        for who in results[f"learnt-{name}"][0]["lacks"]
    ]
