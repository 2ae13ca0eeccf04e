"""What a generation's dataset holds beside the policy that made it, and where it moves the policy.

D' says how often each move is to be made; M, the policy before, how often it makes it. The
difference is the direction in which training moves M, as far as D' is all that it goes by: how well
it predicts the change of log-probabilities is the cosine of the two.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents.learners.base import Preferred
from arena.errors import UserError
from arena.types import Params, State
from league.evaluation import dataset_games, position_kinds
from league.evaluation.dataset_games import Moves, rows_as_bytes
from league.evaluation.position_kinds import PositionKind
from league.store.run import Run

_ROWS = 4096
_AHEAD = (1, 2, 4, 8)
_NEVER = -1e9
_EVEN = 1 / 3

LogProbs = Callable[[Params], np.ndarray]


class Opening(NamedTuple):
    """A position that is frequent in a dataset.

    Attributes:
      text: the position.
      rows: of it, among those that were looked at.
      moves: those that D' changes most, with their shares by M and by D'.
      picture: the position, SVG.
    """

    text: str
    rows: int
    moves: tuple[tuple[str, float, float], ...]
    picture: str


@dataclass(frozen=True, eq=False)
class Selection:
    """What a dataset holds.

    Attributes:
      positions: rows.
      distinct: different positions among them.
      seats: shares of the rows in which seat 0, seat 1 moves.
      outcome: mean of the targets of the value, and their standard deviation.
      results: shares of the rows from games that seat 0 won, from even ones, and from those that
        seat 1 won, by the targets of the value: a third or less is even.
      length: moves of the generation's games: their mean, and what a tenth of them do not reach and
        exceed; () if a run of an earlier version did not count them.
      divergence: KL(D' ‖ M) in nats a move, over positions.
      kinds: of positions, and which skills the data amplifies in them.
      opening: most frequent positions, and the moves whose share differs most between D' and M.
      games: a few of its games from the start, see `dataset_games`.
      cosines: generations ahead, and how well D' predicts the change of log-probabilities by then.
    """

    positions: int
    distinct: int
    seats: tuple[float, float]
    outcome: tuple[float, float]
    results: tuple[float, float, float]
    length: tuple[float, ...]
    divergence: float
    kinds: tuple[PositionKind, ...]
    opening: tuple[Opening, ...]
    games: tuple[Moves, ...]
    cosines: dict[int, float]


def of_generation(run: Run, generation: int) -> Selection:
    """Reads a generation's dataset and the snapshots around it.

    Raises:
      UserError: there is no such dataset, or its learner does not say which moves it prefers.
    """
    try:
        found = run.learner.preferred(run.read_data(str(generation)))
    except ValueError as error:
        raise UserError(str(error)) from None
    target = _targets(found, run.game.num_actions)
    states, count = found.state, len(target)
    rows = np.random.default_rng(0).permutation(count)[:_ROWS]
    some = jax.tree.map(lambda x: np.asarray(x)[rows], states)
    log_probs = _reader(run, some)
    before = log_probs(run.weights(generation - 1))
    wanted, legal = target[rows], before > _NEVER / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(wanted > 0, wanted * (np.log(wanted) - before), 0.0).sum(1)
    movers = np.asarray(jax.vmap(run.game.mover)(some))
    return Selection(
        count,
        len(np.unique(rows_as_bytes(states))),
        (float((movers == 0).mean()), float((movers == 1).mean())),
        (float(found.target.mean()), float(found.target.std())),
        _results(movers, np.asarray(found.target)[rows]),
        _length(run, generation),
        float(gain.mean()),
        position_kinds.kinds(run.game, some, np.where(legal, np.exp(before), 0.0), wanted, gain),
        _frequent(run, some, wanted, before),
        dataset_games.games(run.game, found),
        _cosines(run, generation, log_probs, wanted, before, legal),
    )


def _results(movers: np.ndarray, targets: np.ndarray) -> tuple[float, float, float]:
    """Shares of rows from games that seat 0 won, even ones, and those that it lost."""
    value = np.where(movers == 0, targets, -targets)
    won, lost = value > _EVEN, value < -_EVEN
    return float(won.mean()), float((~won & ~lost).mean()), float(lost.mean())


def _length(run: Run, generation: int) -> tuple[float, ...]:
    """What the record says of the lengths of a generation's games."""
    with run.results() as results:
        figures = next((e for e in results.events() if e["generation"] == generation), {})
    names = ("moves", "moves_low", "moves_high")
    return tuple(float(figures[name]) for name in names) if names[0] in figures else ()


def _targets(found: Preferred, actions: int) -> np.ndarray:
    """How often each move is to be made, f32[N, A]; all 0 where none is."""
    count = len(found.move)
    group = np.arange(count)
    if found.drawn:
        _, group = np.unique(rows_as_bytes(found.state), return_inverse=True)
    sums = np.zeros((group.max(initial=-1) + 1, actions))
    np.add.at(sums, (group[:, None], found.move), found.weight)
    total = sums.sum(1, keepdims=True)
    shares = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)
    return shares[group].astype(np.float32)


def _reader(run: Run, states: State) -> LogProbs:
    """Gives log-probabilities f32[N, A] of policies in positions; far below 0 for illegal moves."""
    game, learner = run.game, run.learner

    @jax.jit
    def read(params: Params, states: State) -> jax.Array:
        movers = jax.vmap(game.mover)(states)
        seen, legal = jax.vmap(game.observe)(states, movers), jax.vmap(game.legal)(states)
        found = jax.nn.log_softmax(jnp.where(legal, learner.logits(params, seen), _NEVER))
        return jnp.where(legal, found, _NEVER)

    return lambda params: np.asarray(read(params, states))


def _frequent(
    run: Run, states: State, wanted: np.ndarray, before: np.ndarray
) -> tuple[Opening, ...]:
    """The three most frequent positions and the moves that D' changes most there."""
    _, first, group, count = np.unique(
        rows_as_bytes(states), return_index=True, return_inverse=True, return_counts=True
    )
    found = []
    for place in np.argsort(-count, kind="stable")[:3]:
        row, here = first[place], group == place
        mean, policy = wanted[here].mean(0), np.exp(before[row])
        state = jax.tree.map(lambda x, i=row: x[i], states)
        moves = np.argsort(-np.abs(mean - policy), kind="stable")[:4]
        changed = tuple(
            (run.game.label(state, int(m)), float(policy[m]), float(mean[m]))
            for m in moves
            if before[row, m] > _NEVER / 2
        )
        shown = run.game.show(state), int(count[place]), changed, run.game.draw(state)
        found.append(Opening(*shown))
    return tuple(found)


def _cosines(
    run: Run,
    generation: int,
    log_probs: LogProbs,
    wanted: np.ndarray,
    before: np.ndarray,
    legal: np.ndarray,
) -> dict[int, float]:
    known = wanted.sum(1) > 0.5
    expected = np.where(legal, wanted - np.exp(before), 0.0)[known]
    there, found = set(run.snapshots.numbers()), {}
    for ahead in _AHEAD:
        if generation - 1 + ahead not in there:
            continue
        after = log_probs(run.weights(generation - 1 + ahead))
        change = np.where(legal, after - before, 0.0)
        # A change of all logits by as much changes nothing.
        change -= np.where(legal, change.sum(1, keepdims=True) / legal.sum(1, keepdims=True), 0.0)
        change = change[known]
        length = np.linalg.norm(expected) * np.linalg.norm(change)
        found[ahead] = float((expected * change).sum() / length) if length else 0.0
    return found
