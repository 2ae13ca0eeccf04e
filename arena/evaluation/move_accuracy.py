"""How often an agent's moves are optimal, going by exact values."""

from dataclasses import dataclass
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from arena.evaluation.enumeration import raw
from arena.evaluation.score import Z95
from arena.evaluation.solved_positions import SolvedPositions, answers
from arena.judges.rules import Rules
from arena.play import device_loop
from arena.play.openings import random_openings
from arena.types import Agent, Judge, Policy, State, stack
from games import Game

_BATCH = 1024  # positions that one device evaluates in one call


@dataclass(frozen=True)
class Share:
    """How many of some positions' moves are optimal.

    Attributes:
      positions: how many there are.
      optimal: in how many of them the move is optimal.
      share: optimal / positions; NaN if there is no position.
      half_width: of the 95 % interval of the share; 0 if there are no other positions.
    """

    positions: int
    optimal: int
    share: float
    half_width: float


@dataclass(frozen=True)
class MoveAccuracy:
    """How accurate an agent's moves are.

    Attributes:
      every: in all positions.
      has_mistake: in those in which some legal move is a mistake.
    """

    every: Share
    has_mistake: Share


def played(
    game: Game,
    agent: Agent,
    key: jax.Array,
    *,
    pairs: int,
    plies: int,
    judge: Judge | None = None,
) -> SolvedPositions:
    """The positions in which the agent moves when it plays itself, from random openings.

    Args:
      game: what it plays.
      agent: who.
      key: PRNG key.
      pairs: pairs of games.
      plies: openings are up to so many random moves long.
      judge: who says who won, on which the values of positions rest; the rules if None.

    Raises:
      SolverMissing: the program that solves the game is not installed.
      ValueError: no exact values are known.
    """
    solve = answers(game, judge=judge)
    openings = random_openings(game, jax.random.fold_in(key, 0), shape=(1, pairs), plies=plies)
    table = device_loop.Match(
        game,
        agent.policy,
        agent.policy,
        judge=judge or Rules(game),
        slots=min(pairs, 64),
        record=True,
    )
    weights = stack([agent.params])
    record = table.play(
        weights, weights, keys=jax.random.fold_in(key, 1)[None], openings=openings
    ).record
    assert record is not None
    number = np.asarray(record.game)
    chosen = number < 2 * pairs
    states = jax.tree.map(lambda x: np.asarray(x)[chosen], record.state)
    # The same position may come up in many games.
    _, first, which = np.unique(raw(states), return_index=True, return_inverse=True)
    found = solve(jax.tree.map(lambda x: x[first], states))
    return SolvedPositions(states, found.legal[which], found.optimal[which], number[chosen] % pairs)


def measure(agent: Agent, positions: SolvedPositions, key: jax.Array) -> MoveAccuracy:
    """The shares of optimal moves of an agent.

    Args:
      agent: who moves, once in each position.
      positions: N of them.
      key: PRNG key, of agents that play at random.
    """
    right = optimal_moves(agent, positions, key)
    everywhere = np.ones(len(right), bool)
    return MoveAccuracy(
        _share(right, everywhere, positions.group),
        _share(right, positions.has_mistake, positions.group),
    )


def optimal_moves(agent: Agent, positions: SolvedPositions, key: jax.Array) -> np.ndarray:
    """In which of N positions the agent's move is optimal, bool[N]; arguments as for `measure`."""
    moves = _moves(agent, positions.states, key)
    return positions.optimal[np.arange(len(moves)), moves]


def _share(optimal: np.ndarray, part: np.ndarray, group: np.ndarray | None) -> Share:
    """Of part of the positions, bool[N] each; the error is that of a ratio of sums over groups."""
    positions, right = int(part.sum()), int(optimal[part].sum())
    share = right / positions if positions else np.nan
    if group is None or not positions:
        return Share(positions, right, share, 0.0)
    _, index = np.unique(group[part], return_inverse=True)
    # A move right and a move wrong are added in the error alone, so that no interval has width 0.
    rights = np.append(np.bincount(index, optimal[part]), [0.0, 1.0])
    sizes = np.append(np.bincount(index), [1, 1])
    away = rights - sizes * rights.sum() / sizes.sum()
    variance = (away**2).sum() * len(away) / (len(away) - 1) / sizes.sum() ** 2
    return Share(positions, right, share, Z95 * float(np.sqrt(variance)))


def _moves(agent: Agent, states: State, key: jax.Array) -> np.ndarray:
    """The agent's moves i32[N]; `_BATCH` positions on every device in one call."""
    devices = jax.local_device_count()
    count = len(jax.tree.leaves(states)[0])
    run, weights, moves = _compiled(agent.policy, devices), stack([agent.params]), []
    for at in range(0, count, devices * _BATCH):
        index = np.minimum(np.arange(at, at + devices * _BATCH), count - 1)
        # A key for each of the batches, whatever device it is computed on.
        keys = jnp.stack([jax.random.fold_in(key, at // _BATCH + d) for d in range(devices)])
        moves.append(run(weights, keys, jax.tree.map(lambda x, i=index: x[i], states)))
    return np.concatenate(moves)[:count]


@cache
def _compiled(policy: Policy, devices: int):
    everywhere, parts = PartitionSpec(), PartitionSpec("position")
    return jax.jit(
        jax.shard_map(
            lambda *x: policy(*x).move,
            mesh=Mesh(np.array(jax.local_devices()[:devices]), ("position",)),
            in_specs=(everywhere, parts, parts),
            out_specs=parts,
            check_vma=False,
        )
    )
