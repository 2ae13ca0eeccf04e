"""What a generation's dataset holds beside the policy that made it, and where it moves the policy.

D' says how often each move is to be made; M, the policy before, how often it makes it. The
difference is the direction in which training moves M, as far as D' is all that it goes by: how well
it predicts the change of log-probabilities is the cosine of the two.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from agents.learners.base import Preferred
from arena.errors import UserError
from arena.types import Params, State
from league.store.run import Run

_ROWS = 4096
_AHEAD = (1, 2, 4, 8)
_NEVER = -1e9


Opening = tuple[str, int, tuple[tuple[str, float, float], ...]]
"""A position as text, its rows, and moves with their shares by M and by D'."""


@dataclass(frozen=True, eq=False)
class Selection:
    """What a dataset holds.

    Attributes:
      positions: rows.
      distinct: different positions among them.
      seats: shares of the rows in which seat 0, seat 1 moves.
      outcome: mean of the targets of the value, and their standard deviation.
      divergence: KL(D' ‖ M) in nats a move, over positions.
      opening: most frequent positions: text, rows, and the moves whose share differs most between
        D' and M, each with both shares.
      cosines: generations ahead, and how well D' predicts the change of log-probabilities by then.
    """

    positions: int
    distinct: int
    seats: tuple[float, float]
    outcome: tuple[float, float]
    divergence: float
    opening: tuple[Opening, ...]
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
    before = _log_probs(run, run.weights(generation - 1), some)
    wanted, legal = target[rows], before > _NEVER / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(wanted > 0, wanted * (np.log(wanted) - before), 0.0)
    movers = np.asarray(jax.vmap(run.game.mover)(some))
    return Selection(
        count,
        len(np.unique(_bytes(states))),
        (float((movers == 0).mean()), float((movers == 1).mean())),
        (float(found.target.mean()), float(found.target.std())),
        float(gain.sum(1).mean()),
        _frequent(run, some, wanted, before),
        _cosines(run, generation, some, wanted, before, legal),
    )


def _targets(found: Preferred, actions: int) -> np.ndarray:
    """How often each move is to be made, f32[N, A]; all 0 where none is."""
    count = len(found.move)
    group = np.arange(count)
    if found.drawn:
        _, group = np.unique(_bytes(found.state), return_inverse=True)
    sums = np.zeros((group.max(initial=-1) + 1, actions))
    np.add.at(sums, (group[:, None], found.move), found.weight)
    total = sums.sum(1, keepdims=True)
    shares = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)
    return shares[group].astype(np.float32)


def _log_probs(run: Run, params: Params, states: State) -> np.ndarray:
    """Log-probabilities f32[N, A] of a snapshot's policy; far below 0 for illegal moves."""
    game, learner = run.game, run.learner

    @jax.jit
    def read(params: Params, states: State) -> jax.Array:
        movers = jax.vmap(game.mover)(states)
        seen, legal = jax.vmap(game.observe)(states, movers), jax.vmap(game.legal)(states)
        found = jax.nn.log_softmax(jnp.where(legal, learner.logits(params, seen), _NEVER))
        return jnp.where(legal, found, _NEVER)

    return np.asarray(read(params, states))


def _bytes(states: State) -> np.ndarray:
    leaves = [np.ascontiguousarray(leaf) for leaf in jax.tree.leaves(states)]
    parts = [leaf.reshape(len(leaf), -1).view(np.uint8) for leaf in leaves if leaf[:1].size]
    table = np.ascontiguousarray(np.concatenate(parts, 1))
    return table.view(np.dtype((np.void, table.shape[1]))).ravel()


def _frequent(
    run: Run, states: State, wanted: np.ndarray, before: np.ndarray
) -> tuple[Opening, ...]:
    """The three most frequent positions and the moves that D' changes most there."""
    _, first, group, count = np.unique(
        _bytes(states), return_index=True, return_inverse=True, return_counts=True
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
        found.append((run.game.show(state), int(count[place]), changed))
    return tuple(found)


def _cosines(
    run: Run,
    generation: int,
    states: State,
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
        after = _log_probs(run, run.weights(generation - 1 + ahead), states)
        change = np.where(legal, after - before, 0.0)
        # A change of all logits by as much changes nothing.
        change -= np.where(legal, change.sum(1, keepdims=True) / legal.sum(1, keepdims=True), 0.0)
        change = change[known]
        length = np.linalg.norm(expected) * np.linalg.norm(change)
        found[ahead] = float((expected * change).sum() / length) if length else 0.0
    return found
