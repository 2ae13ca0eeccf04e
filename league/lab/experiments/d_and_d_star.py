"""Elo against one's own past rises, while off the positions of self-play the policy stays random.

Method:
  Nim with heaps 1, 3, 5, 7, 9, then 11 and 13 too. AlphaZero learns in self-play, as `arena train`
  does it, against itself alone; its network is a perceptron. `D` are the positions of its training
  games, `D*` all positions there are (at most 20,000 of them, drawn evenly, are measured on), whose
  truth C. Bouton has proven: the mover wins unless the nim-sum is 0, and wins by leaving one of 0.

  Measured on D*, without search: how often the policy's first choice wins in won positions, beside
  a random choice; how often the sign of the value is right, beside who always says "won"; and
  *balanced* accuracy, the mean of that among won and among lost positions, which is 50 % for who
  always says the same. Elo is of the run's own record, the newest snapshot against the first.

  Then the same network from scratch. It is taught the truth on D; on D*; on both in equal parts,
  with as many positions and gradient steps each. And it learns by its own searches, as many games
  of self-play as the league has played, which begin in positions of D*.

Expected:
  B. Zhou and S. Riis, "Impartial games: a challenge for reinforcement learning", arXiv:2205.12787,
  report after training on five, six and seven heaps: Elo against the own past of 4,017, 2,780,
  2,293; a first choice that wins in 41.4, 15.5, 8.6 % (random: 13.5, 9.9, 7.9); a "value accuracy"
  of 92.9, 55.5, 48.4 %. Always "won" would have 90.0, 92.5, 93.6 % (recomputed). So Elo must rise,
  the policy be the nearer to random the more heaps there are, and the balanced accuracy of values
  near 50 % with seven. We train for minutes, not days: the levels will differ from the paper's.

  Who was taught on D alone errs on D* at least twice as often as who was taught on both, who in
  turn is within a point of it on D.

Refuted by:
  Self-play that masters D* as it gains Elo; or teaching on both that costs more than a point on D.

Found:
  13 of 24, over three seeds. The table's shape comes out: with more heaps the first choice of
  self-play falls from 15.5 over 9.4 to 7.3 % of D*, where a random one has 13.4, 9.9 and 7.7 %, and
  the balanced accuracy of its values there is 53, 51 and 50 %: with seven heaps it knows nothing,
  while always saying "won" is right in 93.8 %. Elo does not rise as in the paper, since sixteen
  generations are far fewer than theirs. Networks that are taught the truth do not tell the arms
  apart either: with seven heaps even D* alone teaches a first choice of 14.5 %, so the error on D*
  is what such a network cannot learn in 131,072 positions rather than what D leaves out.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import jax
import numpy as np

import league
from agents.learners.alphazero import AlphaZeroConfig
from agents.learners.base import Learner
from agents.nn.networks import MLPConfig
from arena.judges.rules import Rules
from arena.types import Params, stack
from games.nim import Nim
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
    mean_line,
    near,
    over_seeds,
)
from league.lab.experiments import _nim as nim
from league.settings.config import Config, MeasureConfig
from league.training import step
from league.training.events import GenerationEvent

_HEAPS = (1, 3, 5, 7, 9, 11, 13)
_ARMS = {"D": (1, 0), "D*": (0, 1), "joint": (1, 1)}
"""What is taught: shares of D and of D*."""
_PUBLISHED = {5: (0.135, 0.900), 6: (0.099, 0.925), 7: (0.079, 0.936)}
"""By heaps: a random first choice, and always "won", from the paper's tables."""
_RUN = "self-play"


@dataclass(frozen=True)
class Sizes(Settings):
    """The sizes.

    Attributes:
      heaps: how many, of 1, 3, 5, ….
      generations: of self-play.
      pairs: of games in a generation.
      simulations: of a search.
      taught: positions, repetitions included, that each arm is taught.
      measured: positions of D* at most.
    """

    heaps: tuple[int, ...] = (5, 6, 7)
    generations: int = 16
    pairs: int = 128
    simulations: int = 16
    taught: int = 2**17
    measured: int = 20_000


class DAndDStar(Experiment[Sizes]):
    """See the file."""

    title = "D and D*"
    chapter = Chapter.TRANSFER
    minutes = 15
    full = Sizes(seeds=3)
    quick = Sizes(
        seeds=1, heaps=(3,), generations=2, pairs=8, simulations=4, taught=2**10, measured=1000
    )

    def parts(self, settings: Sizes) -> Sequence[Part]:
        """One a number of heaps and seed."""
        return [
            Part(f"heaps={heaps}", partial(_heaps, heaps, settings), seed)
            for seed in range(settings.seeds)
            for heaps in settings.heaps
        ]

    def figures(self, settings: Sizes, results: Results) -> Sequence[Figure]:
        """Baselines, self-play, teaching."""
        found = []
        for heaps in settings.heaps:
            rows = results[f"heaps={heaps}"]
            found += _baselines(heaps, rows) + _self_play(heaps, rows) + _teaching(heaps, rows)
        if len(settings.heaps) > 1:
            few, many = (
                [one["self-play"]["D*"]["first_choice"] for one in results[f"heaps={n}"]]
                for n in (settings.heaps[0], settings.heaps[-1])
            )
            what = f"first choice of self-play, {settings.heaps[0]} less {settings.heaps[-1]} heaps"
            gap = over_seeds(np.subtract(few, many).tolist())
            paper = "arXiv:2205.12787: 41.4 against 8.6 %"
            found.append(Figure(what, at_least(0, "interval"), gap, Source.PUBLISHED, paper))
        return found

    def tables(self, settings: Sizes, results: Results) -> Sequence[Table]:
        """All arms on both kinds of positions."""
        rows = []
        for heaps in settings.heaps:
            found = results[f"heaps={heaps}"]
            for arm in ("self-play", *_ARMS, "search from D*"):
                cells = [
                    np.mean([one[arm][where][what] for one in found])
                    for where in ("D", "D*")
                    for what in ("first_choice", "value", "balanced")
                ]
                rows.append((str(heaps), arm, *(f"{cell:.1%}" for cell in cells)))
            rows.append(_constant(heaps, found[0]))
        heads = [f"{what}, {where}" for where in ("D", "D*") for what in _COLUMNS]
        note = "Means over seeds, networks without search."
        return [Table("Arms", ("heaps", "arm", *heads), tuple(rows), note)]

    def charts(self, settings: Sizes, results: Results) -> Sequence[Chart]:
        """Elo and first choice by generation."""
        x = np.arange(settings.generations + 1)
        elo, choice, value = [], [], []
        for heaps in settings.heaps:
            rows, name = results[f"heaps={heaps}"], f"{heaps} heaps"
            elo.append(mean_line(name, x, [one["elo"] for one in rows]))
            curves = [[at["first_choice"] for at in one["curve"]] for one in rows]
            choice.append(mean_line(name, x, curves))
            curves = [[at["balanced"] for at in one["curve"]] for one in rows]
            value.append(mean_line(name, x, curves))
        share = "share"
        return [
            Chart("Elo against the first snapshot", "generation", "Elo", tuple(elo), level=0.0),
            Chart("First choice wins, on D*", "generation", share, tuple(choice)),
            Chart(
                "Balanced accuracy of values on D*", "generation", share, tuple(value), level=0.5
            ),
        ]


_COLUMNS = ("first choice", "value", "balanced value")


def _heaps(heaps: int, settings: Sizes, work: Work) -> dict[str, object]:
    """Self-play, and all arms on its positions."""
    game = Nim(" ".join(str(size) for size in _HEAPS[:heaps]))
    config = AlphaZeroConfig(
        network=MLPConfig(),
        batch_size=256,
        replay_ratio=2.0,
        simulations=settings.simulations,
        replay_window=4,
    )
    learner = config.make(game, Rules(game))
    star = nim.some(game, settings.measured)
    played, elo, snapshots = _self_played(game, config, settings, work)
    found: dict[str, object] = {"elo": elo}
    found["curve"] = [dataclasses.asdict(nim.score(learner, p, star)) for p in snapshots]
    known = nim.truth(game, star)
    found["random"] = float((known.winning.sum(1) / known.legal.sum(1))[known.won].mean())
    found["won"] = float(known.won.mean())
    held = _at_most(played, settings.measured)
    key = jax.random.key(work.seed)

    def scores(params: Params) -> dict[str, object]:
        return {
            where: dataclasses.asdict(nim.score(learner, params, piles))
            for where, piles in (("D", held), ("D*", star))
        }

    found["self-play"] = scores(snapshots[-1])
    for number, (arm, shares) in enumerate(_ARMS.items()):
        here = jax.random.fold_in(key, number)
        found[arm] = scores(
            _teach(game, learner, played=played, shares=shares, settings=settings, key=here)
        )
        work.tell(0.6 + 0.1 * number)
    from_star = _search_from(game, learner, settings, jax.random.fold_in(key, len(_ARMS)))
    found["search from D*"] = scores(from_star)
    return found


def _self_played(
    game: Nim, config: AlphaZeroConfig, settings: Sizes, work: Work
) -> tuple[np.ndarray, list[float], list[Params]]:
    """The piles u8[N, K] of a league's training games; the Elo and weights of its snapshots."""
    size = Config(
        generations=settings.generations,
        seed=work.seed,
        matches=1,
        pairs=settings.pairs,
        slots=settings.pairs,
        pool_share=0.0,
        opening_plies=0,
        learner=config,
        # What is no part of its record of itself is kept as small as it can be.
        measure=MeasureConfig(baseline_pairs=0),
    )
    begun = (work.folder / _RUN).exists()

    def tell(event: object) -> None:
        if isinstance(event, GenerationEvent):
            work.tell(0.6 * event.generation / settings.generations)

    with league.train(
        game, size, name=_RUN, folder=work.folder, resume=begun, callback=tell
    ) as run:
        data = [run.dataset(n).state for n in range(1, settings.generations + 1)]
        params = [run.weights(n) for n in range(settings.generations + 1)]
        ratings = run.ratings()
    elo = dict(zip(ratings["id"].tolist(), ratings["elo"].tolist(), strict=True))
    listed = [elo[str(n)] for n in range(settings.generations + 1)]
    piles = np.concatenate([nim.piles_of(state) for state in data])
    return piles, listed, params


def _teach(
    game: Nim,
    learner: Learner,
    *,
    played: np.ndarray,
    shares: tuple[int, int],
    settings: Sizes,
    key: jax.Array,
) -> Params:
    """A network from scratch that is taught the truth on positions of D, of D*, or of both."""
    state, rounds = learner.init(key), 16
    everything = nim.every(game)
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    ratio = learner.config.replay_ratio
    count = max(1, round(settings.taught / ratio / rounds / sum(shares)))
    for number in range(rounds):
        parts = [
            source[rng.integers(len(source), size=count)]
            for source, share in zip((played, everything), shares, strict=True)
            if share
        ]
        data = nim.lessons(game, np.concatenate(parts))
        state, _ = learner.learn(
            state,
            data,
            fresh=step.rows(data),
            progress=number / rounds,
            key=jax.random.fold_in(key, 1 + number),
        )
    return state.params


def _search_from(game: Nim, learner: Learner, settings: Sizes, key: jax.Array) -> Params:
    """Self-play from scratch whose games begin in positions of D*."""
    state, pairs = learner.init(key), settings.pairs
    everything = nim.every(game)
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    match = step.recorded_match(learner, slots=pairs, pairs=pairs)
    window = []
    for number in range(1, settings.generations + 1):
        here = jax.random.fold_in(key, number)
        begins = nim.states(everything[rng.integers(len(everything), size=pairs)])
        weights = stack([state.params])
        played = match.play(
            weights, weights, keys=jax.random.fold_in(here, 0)[None], openings=stack([begins])
        )
        window.append(step.make_dataset(learner, played, np.ones((2, 1), bool)))
        window = window[-learner.config.replay_window :]
        state, _ = step.learn(
            learner,
            state,
            window,
            fresh=step.rows(window[-1]),
            progress=number / settings.generations,
            key=jax.random.fold_in(here, 1),
        )
    return state.params


def _at_most(piles: np.ndarray, most: int) -> np.ndarray:
    """So many positions of the last half, as often as they came up."""
    late = piles[len(piles) // 2 :]
    return late[np.random.default_rng(0).permutation(len(late))[:most]]


def _constant(heaps: int, row) -> tuple[str, ...]:
    cells = ("–", "–", "50.0%", f"{row['random']:.1%}", f"{row['won']:.1%}", "50.0%")
    return (str(heaps), 'random, always "won"', *cells)


def _baselines(heaps: int, rows) -> list[Figure]:
    if heaps not in _PUBLISHED:
        return []
    random, won = _PUBLISHED[heaps]
    paper = "computed from the tables of arXiv:2205.12787"
    return [
        Figure(
            f"{heaps} heaps: {what}",
            near(value, within),
            Estimate(rows[0][key]),
            Source.PUBLISHED,
            paper,
        )
        for what, key, value, within in (
            ("a random first choice wins", "random", random, 0.005),
            ('always "won" is right', "won", won, 0.005),
        )
    ]


def _self_play(heaps: int, rows) -> list[Figure]:
    star = [one["self-play"]["D*"] for one in rows]
    gains = [one["elo"][-1] for one in rows]
    late = [one["elo"][-1] - one["elo"][len(one["elo"]) // 2] for one in rows]
    times = [one["first_choice"] / row["random"] for one, row in zip(star, rows, strict=True)]
    over = [one["value"] - row["won"] for one, row in zip(star, rows, strict=True)]
    paper = "arXiv:2205.12787"
    found = [
        Figure(
            f"{heaps} heaps: Elo against the first snapshot",
            at_least(100, "every"),
            over_seeds(gains),
            Source.PROPOSED,
            f"{paper} has more than 2,000 after long training",
        ),
        Figure(
            f"{heaps} heaps: Elo gained in the second half",
            at_least(0),
            over_seeds(late),
            Source.PROPOSED,
        ),
        Figure(
            f"{heaps} heaps: value accuracy on D*, beyond always won",
            at_most(0.05),
            over_seeds(over),
            Source.PUBLISHED,
            f"{paper}: +2.9, −37, −45 points with 5, 6, 7 heaps",
        ),
    ]
    if heaps < 7:
        return found
    return [
        *found,
        Figure(
            f"{heaps} heaps: first choice on D*, times a random one",
            at_most(2),
            over_seeds(times),
            Source.PUBLISHED,
            f"{paper}: 8.6 / 7.9",
        ),
        Figure(
            f"{heaps} heaps: balanced accuracy of values on D*",
            near(0.5, 0.05),
            over_seeds([one["balanced"] for one in star]),
            Source.PROPOSED,
        ),
    ]


def _teaching(heaps: int, rows) -> list[Figure]:
    def errors(arm: str, where: str) -> np.ndarray:
        return np.array([1 - one[arm][where]["first_choice"] for one in rows])

    ratio = errors("D", "D*") / np.maximum(errors("joint", "D*"), 1e-9)
    cost = errors("joint", "D") - errors("D", "D")
    return [
        Figure(
            f"{heaps} heaps: first choices lost on D*, taught on D over taught on both",
            at_least(2),
            over_seeds(ratio.tolist()),
            Source.PROPOSED,
        ),
        Figure(
            f"{heaps} heaps: first choices lost on D, taught on both less on D alone",
            at_most(0.01),
            over_seeds(cost.tolist()),
            Source.PROPOSED,
        ),
    ]
