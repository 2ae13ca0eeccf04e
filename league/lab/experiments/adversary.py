"""A strong agent that cannot learn falls to a rival made for it, who loses to weak players.

Method:
  The victim is the Connect Four net that comes with Arena, frozen, with 0, 8, 32, and 128
  simulations a move. An attacker, a smaller network with a search of 8 simulations, is trained
  against it and nobody else, by what `arena exploit` trains: from nothing against the raw network,
  then against each deeper search, from where the last attack ended. After every few generations it
  plays the victim in fresh pairs of games from openings of at most two random moves.

  *Share* is the attacker's forward passes so far (its own searches, and three for each position of
  a gradient step) over those of the victim's training, about 44 million: 145 generations of 768
  games of about 22 moves, 8 simulations, each position learnt three times. What the victim itself
  spends while it is being attacked is counted on nobody.

  Then the attacker on the raw network, that victim, and weak players meet each other, and the
  product's own test of circles (`arena.evaluation.transitivity`) is put to the results.

Expected:
  T. Wang et al., "Adversarial policies beat superhuman Go AIs", arXiv:2211.00241, won more than
  99 % against KataGo without search and more than 97 % against a strong one, with under 14 % of the
  victim's compute, and their adversary lost to amateurs. So here: more than 90 % against the raw
  network; less, not nothing, against search; and the circle adversary > victim > weak > adversary.

Refuted by:
  A frozen victim that holds its own at the end of the attack, or an adversary that beats the weak
  players too: then it has learnt to play, not to exploit.

Found:
  2 of 7, over three seeds: no attack came off. With 1.7 to 3.2 % of the victim's training, begun
  from random weights, the attacker beats uniform play, loses to a search of 20 rollouts, and wins
  no game of the victim, with or without search. The attacks that are known took up to 14 % and a
  victim that was frozen; here the generations that a quarter of an hour allows are too few to say
  that there is no such attack. So there is no circle either.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import numpy as np

from agents import registry
from agents.learners.alphazero import AlphaZeroConfig
from agents.nn import networks
from agents.nn.networks import ResNetConfig
from arena.digests import nested
from arena.evaluation import score, transitivity
from arena.judges.rules import Rules
from arena.play import match
from arena.types import Agent, HostAgent, Params
from games import Game
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
    Table,
    Work,
    at_least,
    at_most,
    line,
    mean_line,
    over_seeds,
)
from league.settings.config import Config
from league.store import files, pretrained
from league.training.best_response import BestResponse

_VICTIM = "pretrained:connect_four"
_PLIES = 2
"""Openings are up to so many random moves long: there are 57 of them."""
_PASSES = 145 * 768 * 22 * (1 + 8 + 3 * 3)
"""Of the victim's training, about."""
_LEVEL = 0.05


@dataclass(frozen=True)
class Sizes(Settings):
    """The sizes.

    Attributes:
      victims: simulations of the victim, from the weakest to the strongest.
      generations: of each attack.
      pairs: of games in a generation.
      simulations: of the attacker.
      every: generations from one measurement to the next.
      measured: pairs of games in one.
      weak: players of the circle.
    """

    victims: tuple[int, ...] = (0, 8, 32, 128)
    generations: tuple[int, ...] = (64, 32, 16, 6)
    pairs: int = 64
    simulations: int = 8
    every: int = 4
    measured: int = 64
    weak: tuple[str, ...] = ("uniform", "mcts:20", "mcts:100")


class Adversary(Experiment[Sizes]):
    """See the file."""

    title = "Adversary"
    chapter = Chapter.LEAGUE
    minutes = 25
    full = Sizes(seeds=3)
    quick = Sizes(
        seeds=1,
        victims=(0,),
        generations=(1,),
        pairs=4,
        simulations=1,
        every=1,
        measured=4,
        weak=("uniform",),
    )

    def parts(self, settings: Sizes) -> Sequence[Part]:
        """A chain of attacks a seed."""
        attack = partial(_attacks, settings)
        return [Part("attacks", attack, seed) for seed in range(settings.seeds)]

    def figures(self, settings: Sizes, results: Results) -> Sequence[Figure]:
        """Scores at the end of each attack, shares, the circle."""
        rows = results["attacks"]
        paper = "T. Wang et al., arXiv:2211.00241"
        found = []
        for number, victim in enumerate(settings.victims):
            last = [one["surface"][number][-1]["score"] for one in rows]
            who = f"{victim} simulations" if victim else "the raw network"
            wanted = at_least(0.5 if victim else 0.9)
            what = f"attacker's score against {who}"
            note = _interval_note(rows[0]["surface"][number][-1]) if len(rows) == 1 else ""
            found.append(Figure(what, wanted, over_seeds(last), Source.PROPOSED, paper, note))
        share = over_seeds([one["surface"][-1][-1]["share"] for one in rows])
        what = "attacker's share of the victim's training, all attacks"
        found.append(Figure(what, at_most(0.14), share, Source.PUBLISHED, paper))
        return [*found, *_circle_figures(settings, rows, paper)]

    def tables(self, settings: Sizes, results: Results) -> Sequence[Table]:
        """The surface, and who beats whom."""
        cells = []
        for number, victim in enumerate(settings.victims):
            for one in results["attacks"][0]["surface"][number]:
                width = f"{one['score']:.1%} ± {one['half_width']:.1%}"
                cells.append((str(victim), f"{one['share']:.2%}", width))
        surface = Table(
            "Attacker's score, first seed",
            ("victim's simulations", "share of the victim's training", "score"),
            tuple(cells),
            "Draws count half. 95 % intervals. Shares add up: each attack goes on from the last.",
        )
        rows, names = results["attacks"][0]["met"], _names(settings)
        met = tuple(
            (names[a], names[b], str(wins), str(draws), str(losses))
            for a, b, wins, draws, losses in rows
        )
        heads = ("first", "second", "wins", "draws", "losses")
        note = results["attacks"][0]["verdict"]
        return [surface, Table("Who beats whom, first seed", heads, met, note)]

    def charts(self, settings: Sizes, results: Results) -> Sequence[Chart]:
        """The surface as lines, one a victim."""
        lines = []
        for number, victim in enumerate(settings.victims):
            curves = [one["surface"][number] for one in results["attacks"]]
            x = [100 * point["share"] for point in curves[0]]
            y = [[point["score"] for point in curve] for curve in curves]
            name = f"{victim} simulations"
            one = mean_line(name, x, y) if len(y) > 1 else line(name, x, y[0])
            lines.append(one)
        return [
            Chart(
                "Attacker's score",
                "attacker's share of the victim's training, %",
                "score",
                tuple(lines),
                note="Every line goes on from the attacker that the one before it ended with.",
                level=0.5,
            )
        ]


def _names(settings: Sizes) -> list[str]:
    return ["adversary", "victim", *settings.weak]


def _interval_note(point) -> str:
    return f"± {point['half_width']:.1%}, the 95 % interval of the games; one seed."


def _circle_figures(settings: Sizes, rows, paper: str) -> list[Figure]:
    weakest = [min(one["against_weak"].values()) for one in rows]
    circles = [one["circle"] for one in rows]
    return [
        Figure(
            "adversary's lowest score against a weak player",
            at_most(0.5),
            over_seeds(weakest),
            Source.PUBLISHED,
            f"{paper}: it loses to amateurs",
        ),
        Figure(
            "p of a circle through the adversary",
            at_most(_LEVEL),
            Estimate(float(max(circles)), seeds=tuple(circles)),
            Source.PUBLISHED,
            paper,
            "The product's test, an upper bound; 1 where no circle through it was seen at all.",
        ),
    ]


def _attacks(settings: Sizes, work: Work) -> dict[str, object]:
    """The chain of attacks, and the circle around the first one's adversary."""
    net = pretrained.read(_VICTIM)
    game, key = net.game, jax.random.key(work.seed)
    config = Config(
        matches=1,
        pairs=settings.pairs,
        slots=settings.pairs,
        opening_plies=_PLIES,
        learner=AlphaZeroConfig(
            network=ResNetConfig(channels=16, blocks=2),
            batch_size=128,
            replay_ratio=3.0,
            learning_rate=4e-3,
            simulations=settings.simulations,
            td_lambda=1.0,
        ),
    )
    surface, params, moves = [], None, 0
    raw: Params = None
    total, done = sum(settings.generations), 0
    for number, (simulations, count) in enumerate(
        zip(settings.victims, settings.generations, strict=True)
    ):
        stage = Path(work.folder) / f"{number}.npz"
        if stage.exists():  # a kill came later
            points, moves, params = _read(stage)
        else:
            victim = pretrained.load(_VICTIM, simulations)[1]
            attack = BestResponse(game, config, victim, Rules(game))
            here, points = jax.random.fold_in(key, number), []
            if params is not None:
                points.append(_measured(attack, params, settings, moves=moves, key=here))
            for at, (new, learnt) in enumerate(attack.trained(count, here, start=params), 1):
                params, moves = new, moves + learnt
                if at % settings.every == 0 or at == count:
                    where = jax.random.fold_in(here, 1000 + at)
                    points.append(_measured(attack, params, settings, moves=moves, key=where))
                work.tell(0.9 * (done + at) / total)
            _write(stage, points, moves, params)
        surface.append(points)
        raw = params if number == 0 else raw
        done += count
    return {"surface": surface, **_circle(game, config, raw, settings=settings, key=key)}


def _measured(
    attack: BestResponse, params: Params, settings: Sizes, *, moves: int, key: jax.Array
) -> dict[str, float]:
    """The attacker's score in fresh games, and what it has spent so far."""
    rates = attack.config.learner
    played = _meet(_attacker(attack.config, attack.game, params), attack.frozen, settings, key)
    found = score.of(played)
    spent = moves * (settings.simulations + 1 + 3 * rates.replay_ratio)
    return {"share": spent / _PASSES, "score": found.score, "half_width": found.half_width}


def _attacker(config: Config, game: Game, params: Params) -> Agent:
    assert isinstance(config.learner, AlphaZeroConfig)
    learner = config.learner.make(game, Rules(game))
    policy = learner.eval_policy(config.learner.simulations)
    return Agent("adversary", policy, networks.for_play(params))


def _meet(
    a: Agent | HostAgent, b: Agent | HostAgent, settings: Sizes, key: jax.Array
) -> np.ndarray:
    """The first one's scores f32[P, 2] in fresh pairs of games."""
    [played] = match.play(
        [a],
        [b],
        pretrained.read(_VICTIM).game,
        key=key,
        pairs=settings.measured,
        plies=_PLIES,
        groups=1,
        slots=settings.measured,
    )
    return played


def _circle(
    game: Game, config: Config, params: Params, *, settings: Sizes, key: jax.Array
) -> dict[str, object]:
    """Adversary, victim and weak players against each other, and the test of circles."""
    victim = pretrained.load(_VICTIM, settings.victims[0])[1]
    weak = [registry.make(name, game) for name in settings.weak]
    players = [_attacker(config, game, params), victim, *weak]
    rows, against = [], {}
    for number in range(2):  # weak players need not meet each other
        for other in range(number + 1, len(players)):
            here = jax.random.fold_in(key, 10**6 + 100 * number + other)
            played = score.of(_meet(players[number], players[other], settings, here))
            rows.append((number, other, played.wins, played.draws, played.losses))
            if number == 0 and other > 1:
                against[settings.weak[other - 2]] = played.score
    found = transitivity.verdict(rows, len(players), level=_LEVEL)
    through = found.cycle is not None and 0 in found.cycle.players
    return {
        "met": rows,
        "against_weak": against,
        "circle": found.cycle.p if found.cycle is not None and through else 1.0,
        "verdict": found.describe(_names(settings)),
    }


def _write(path: Path, points: Sequence[dict[str, float]], moves: int, params: Params) -> None:
    leaves = {
        jax.tree_util.keystr(where, simple=True, separator="."): np.asarray(leaf)
        for where, leaf in jax.tree_util.tree_leaves_with_path(params)
    }
    told = np.array(json.dumps({"points": list(points), "moves": moves}))
    with files.replacing(path) as whole:
        np.savez(whole, allow_pickle=False, told=told, **leaves)


def _read(path: Path) -> tuple[list[dict[str, float]], int, Params]:
    with np.load(path) as file:
        arrays = dict(file)
    told = json.loads(arrays.pop("told").item())
    return told["points"], told["moves"], nested(arrays)
