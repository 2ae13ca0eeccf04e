"""Search mends errors of value, and a policy that is told a rating plays at it.

Method:
  *Values.* Networks learn tic-tac-toe for a few generations by `imitation`. In all 4,520 positions
  what Arena's Gumbel search of n simulations expects is compared with the exact value, by the mean
  squared error; without search it is the network's own value.

  *Ratings.* The snapshots of such a league are the teachers. One more network reads a tag beside
  the position, from 0 for the first snapshot to 1 for the last, and learns moves drawn from the
  policy of the snapshot that the tag means. Its policies with eleven tags, half of which were never
  taught, meet each other and the teachers; all scores are exact, through every position of the
  game.

Expected:
  The error falls as simulations grow: a search averages over what lies ahead, and ends of games are
  exact. Elo rises with the tag: Spearman's correlation .95 or more.

Refuted by:
  An error that grows with search, or a tag that is not obeyed.

Found:
  5 of 5. From none to 128 simulations the mean squared error of values falls from .49 to .005, by
  half or more at every step; the last step, by a factor of eleven, is where searches reach the ends
  of games. Elo follows the tag without an exception (Spearman 1.00), and the network that is told
  the highest one is as strong as the best teacher, at 143 Elo each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from agents.learners.imitation import Dataset, ImitationConfig
from agents.nn.networks import MLPConfig
from agents.policies import SearchPolicy
from arena.evaluation import ratings, solved_positions, solver
from arena.judges.rules import Rules
from arena.types import stack
from games import tic_tac_toe
from games.core import Facts, Game
from games.tic_tac_toe import TicTacToe
from league.api import League
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
    line,
    mean_line,
    over_seeds,
)
from league.lab.experiments import _imitators
from league.lab.experiments._tables import Table, cross, table


@dataclass(frozen=True)
class Sizes(Settings):
    """The sizes.

    Attributes:
      generations: of the league.
      shown: the snapshot whose values are measured.
      pairs: of games in each of eight matches of a generation.
      width: of the networks' two layers.
      simulations: of search.
      passes: of the tagged network over all positions and taught tags.
    """

    generations: int = 10
    shown: int = 3
    pairs: int = 128
    width: int = 128
    simulations: tuple[int, ...] = (2, 8, 32, 128)
    passes: int = 40


class ValueErrors(Experiment[Sizes]):
    """See the file."""

    title = "Errors of value, and search"
    chapter = Chapter.RULES
    minutes = 4
    full = Sizes(seeds=3)
    quick = Sizes(seeds=1, generations=2, shown=1, pairs=32, width=32, simulations=(8,), passes=2)

    def parts(self, settings: Sizes) -> Sequence[Part]:
        """A league a seed."""
        return [Part("league", partial(_league, settings), seed) for seed in range(settings.seeds)]

    def figures(self, settings: Sizes, results: Results) -> Sequence[Figure]:
        """Errors by simulations, and whether tags are obeyed."""
        rows = results["league"]
        counts = (0, *settings.simulations)
        found = [
            Figure(
                f"mean squared error with {more} simulations, share of that with {fewer}",
                at_most(1, "every"),
                over_seeds([one["errors"][k + 1] / one["errors"][k] for one in rows]),
                Source.PROPOSED,
            )
            for k, (fewer, more) in enumerate(zip(counts, settings.simulations, strict=False))
        ]
        found.append(
            Figure(
                "Spearman's correlation of tag and Elo",
                at_least(0.95, "every"),
                over_seeds([one["correlation"] for one in rows]),
                Source.PROPOSED,
            )
        )
        return found

    def charts(self, settings: Sizes, results: Results) -> Sequence[Chart]:
        """Error by simulations, Elo by tag."""
        rows = results["league"]
        first = rows[0]
        return [
            Chart(
                "Mean squared error of values",
                "simulations + 1",
                "squared error",
                (
                    mean_line(
                        "search",
                        [n + 1 for n in (0, *settings.simulations)],
                        [one["errors"] for one in rows],
                    ),
                ),
                log_x=True,
                log_y=True,
            ),
            Chart(
                "Elo of a network that is told a rating",
                "tag",
                "Elo",
                (
                    mean_line("told", first["tags"], [one["elo"] for one in rows]),
                    line("teachers of seed 0", first["taught"], first["teachers"], points=True),
                ),
                note="Elo 0 is the network that is told 0.",
            ),
        ]


class TaggedState(NamedTuple):
    """A position of tic-tac-toe with a tag for the network."""

    board: tic_tac_toe.State
    tag: jax.Array


@dataclass(frozen=True)
class Tagged(Game[TaggedState]):
    """Tic-tac-toe, with one more plane in the observation, which holds a tag."""

    num_actions, max_plies, facts = 9, 9, Facts()

    @property
    def _plain(self) -> TicTacToe:
        return TicTacToe()

    def init(self) -> TaggedState:
        """The empty board, tagged 0."""
        return TaggedState(self._plain.init(), jnp.float32(0))

    def mover(self, state: TaggedState) -> jax.Array:
        """As in tic-tac-toe."""
        return self._plain.mover(state.board)

    def legal(self, state: TaggedState) -> jax.Array:
        """As in tic-tac-toe."""
        return self._plain.legal(state.board)

    def step(self, state: TaggedState, move: jax.Array) -> TaggedState:
        """The tag stays."""
        return TaggedState(self._plain.step(state.board, move), state.tag)

    def payoff(self, state: TaggedState) -> jax.Array:
        """As in tic-tac-toe."""
        return self._plain.payoff(state.board)

    def observe(self, state: TaggedState, seat: jax.Array) -> jax.Array:
        """f32[3, 3, 3]: both planes, and the tag everywhere."""
        seen = self._plain.observe(state.board, seat)
        return jnp.concatenate([seen, jnp.full((3, 3, 1), state.tag)], -1)

    def symmetries(self, observation: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The eight symmetries of the square."""
        return self._plain.symmetries(observation, policy)

    def show(self, state: TaggedState) -> str:
        """As in tic-tac-toe."""
        return self._plain.show(state.board)

    def draw(self, state: TaggedState) -> str:
        """As in tic-tac-toe."""
        return self._plain.draw(state.board)

    def label(self, state: TaggedState, move: int) -> str:
        """As in tic-tac-toe."""
        return self._plain.label(state.board, move)

    def parse(self, state: TaggedState, text: str) -> int:
        """As in tic-tac-toe."""
        return self._plain.parse(state.board, text)


def _league(settings: Sizes, work: Work) -> dict[str, object]:
    """A league, the errors of one of its snapshots, and a network that is told ratings."""
    made = _imitators.config(settings.generations, pairs=settings.pairs, width=settings.width)
    known = table(_imitators.GAME)
    with _imitators.train(made, work) as found:
        errors = _errors(found, settings, work.seed)
        teachers = [_imitators.policy(found, g, known) for g in range(settings.generations + 1)]
    taught = np.arange(0, settings.generations + 1, 2)
    tags = np.linspace(0, 1, 11)
    told = _told(settings, known, [teachers[g] for g in taught], tags, work.seed)
    shares = cross(known, [*told, *(teachers[g] for g in taught)])
    count = len(shares)
    games = np.rint(1000 * shares).astype(np.int64)
    rows = [(i, j, *games[i, j]) for i in range(count) for j in range(i + 1, count)]
    elo = np.asarray(ratings.fit(np.array(rows), count).elo)
    rank: Any = stats.spearmanr(tags, elo[: len(tags)])
    return {
        "errors": errors,
        "tags": tags,
        "elo": elo[: len(tags)],
        "taught": taught / settings.generations,
        "teachers": elo[len(tags) :],
        "correlation": float(rank.statistic),
    }


def _errors(found: League, settings: Sizes, seed: int) -> list[float]:
    """Mean squared errors of values in all positions, without search and by simulations."""
    game, learner = found.game, found.run.learner
    weights = found.weights(settings.shown)
    states = solved_positions.fixed(game).states
    exact = solver.solve(game).value.astype(np.float64)

    @jax.jit
    def alone(states: tic_tac_toe.State) -> jax.Array:
        movers = jax.vmap(game.mover)(states)
        return learner.value(weights, jax.vmap(game.observe)(states, movers))

    values = [np.asarray(alone(states))]
    params = stack([weights])
    for simulations in settings.simulations:
        policy = SearchPolicy(
            game, learner.config.network, simulations, explore=True, judge=Rules(game)
        )
        search = jax.jit(lambda key, states, policy=policy: policy(params, key, states).aux.value)
        parts = []
        for at in range(0, len(exact), 904):  # 4,520 positions in five equal parts
            some = jax.tree.map(lambda x, at=at: x[at : at + 904], states)
            key = jax.random.fold_in(jax.random.key(seed), at)[None]
            parts.append(np.asarray(search(key, some)))
        values.append(np.concatenate(parts))
    return [float(((value - exact) ** 2).mean()) for value in values]


def _told(
    settings: Sizes, known: Table, teachers: list[np.ndarray], tags: np.ndarray, seed: int
) -> list[np.ndarray]:
    """Policies f64[N, A] by tag of a network that has learnt from teachers, evenly tagged."""
    game = Tagged()
    config = ImitationConfig(
        network=MLPConfig(width=settings.width, layers=2),
        batch_size=512,
        replay_ratio=float(settings.passes),
        learning_rate=3e-3,
        shards=1,
    )
    learner = config.make(game, Rules(game))
    going, rng = ~known.over, np.random.default_rng([seed, 18])
    boards = jax.tree.map(lambda x: x[going], known.states)
    moves = [_draw(rng, policy[going]) for policy in teachers]
    count = int(going.sum())
    taught: Any = np.repeat(np.linspace(0, 1, len(teachers)), count).astype(np.float32)
    rows = Dataset(
        TaggedState(jax.tree.map(lambda x: np.concatenate([x] * len(teachers)), boards), taught),
        np.concatenate(moves).astype(np.int32),
        np.ones(len(taught), np.float32),
        np.zeros(len(taught), np.float32),
    )
    state = learner.init(jax.random.key(seed))
    key = jax.random.key(seed + 1)
    state, _ = learner.learn(state, rows, fresh=len(taught), progress=0.5, key=key)

    @jax.jit
    def ask(tag: jax.Array) -> jax.Array:
        states = TaggedState(boards, jnp.full(count, tag))
        movers = jax.vmap(game.mover)(states)
        seen, legal = jax.vmap(game.observe)(states, movers), jax.vmap(game.legal)(states)
        logits = learner.logits(state.params, seen)
        return jax.nn.softmax(jnp.where(legal, logits, -1e9))

    found = []
    for tag in tags:
        policy = np.zeros(known.legal.shape)
        policy[going] = np.asarray(ask(jnp.float32(tag)))
        found.append(policy)
    return found


def _draw(rng: np.random.Generator, policy: np.ndarray) -> np.ndarray:
    """One move by each row of a policy f64[N, A], i64[N]."""
    return (policy.cumsum(1) < rng.random((len(policy), 1))).sum(1).clip(max=policy.shape[1] - 1)
