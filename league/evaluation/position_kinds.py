"""Kinds of positions, by what can happen at once, and the skill that each asks for.

Where a move wins the skill is to make it; where the other seat threatens to win, to prevent it. So
it can be told of any game which of them a dataset amplifies.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from arena.types import State
from games import OVER, Game

_STEPS = 1_000_000
"""Moves and replies that are looked at, at most."""
_FEWEST = 16
"""Positions of which something is said at least."""


@dataclass(frozen=True)
class PositionKind:
    """Positions of one kind.

    Attributes:
      name: of the kind.
      positions: how many there are among those that were looked at.
      divergence: KL(D' ‖ M) in them, nats a move; NaN without positions.
      skill: what is right in them; "" if that cannot be told.
      before: how often the policy M does it.
      wanted: how often the data D' does.
    """

    name: str
    positions: int
    divergence: float
    skill: str = ""
    before: float = float("nan")
    wanted: float = float("nan")


def kinds(
    game: Game, states: State, policy: np.ndarray, wanted: np.ndarray, divergence: np.ndarray
) -> tuple[PositionKind, ...]:
    """How often M and D' do what each kind of position asks for.

    Args:
      game: whose positions they are.
      states: positions [N, ...].
      policy: f32[N, A], how often M makes each move; 0 for illegal ones.
      wanted: f32[N, A], how often D' does.
      divergence: f32[N], KL(D' ‖ M).

    Returns:
      the kinds; () where information is hidden, or if there are too many moves to look at.
    """
    legal = policy > 0
    most = int(legal.sum(1).max(initial=1))
    replies = min(game.num_actions, 2 * most)
    count = min(len(legal), _STEPS // (most * replies))
    if not game.perfect_information or count < _FEWEST:
        return ()
    legal, policy, wanted, divergence = (x[:count] for x in (legal, policy, wanted, divergence))
    moves = np.argsort(~legal, axis=1, kind="stable")[:, :most].astype(np.int32)
    there = np.take_along_axis(legal, moves, 1)
    some = jax.tree.map(lambda x: np.asarray(x)[:count], states)
    wins, loses = (there & np.asarray(x) for x in _outcomes(game, replies)(some, moves))
    shares = [np.take_along_axis(x, moves, 1) for x in (policy, wanted)]
    safe = there & ~loses
    can_win, can_lose, can_parry = (np.asarray(x.any(1)) for x in (wins, loses, safe))
    threatened = ~can_win & can_lose
    parry, lost = threatened & can_parry, threatened & ~can_parry

    def kind(name: str, rows: np.ndarray, skill: str = "", right: np.ndarray = there):
        if not rows.any():
            return PositionKind(name, 0, float("nan"), skill)
        before, after = ((x * right).sum(1)[rows].mean() for x in shares)
        told = (float(before), float(after)) if skill else ()
        return PositionKind(name, int(rows.sum()), float(divergence[rows].mean()), skill, *told)

    return (
        kind("a move wins", can_win, "wins", wins),
        kind("the other seat threatens to win", parry, "prevents it", safe),
        kind("the other seat wins whatever is done", lost),
        kind("neither", ~can_win & ~threatened),
    )


@cache
def _outcomes(game: Game, replies: int) -> Callable[[State, np.ndarray], tuple[jax.Array, ...]]:
    """Jitted: of moves i32[N, L] in positions [N, ...], whether one wins, and loses to a reply."""

    def won(state: State, seat: jax.Array) -> jax.Array:
        side = jnp.where(seat == 0, 1.0, -1.0).astype(jnp.float32)
        return (game.mover(state) == OVER) & (game.payoff(state) * side > 0)

    def move(state: State, move: jax.Array) -> tuple[jax.Array, jax.Array]:
        mover, after = game.mover(state), game.step(state, move)
        other = game.mover(after)
        able, numbers = jax.lax.top_k(game.legal(after).astype(jnp.int32), replies)

        def reply(number: jax.Array) -> jax.Array:
            return won(game.step(after, number), other)

        lost = (jax.vmap(reply)(numbers) & (able > 0)).any()
        return won(after, mover), lost & (other >= 0) & (other != mover)

    def of_position(asked: tuple[State, jax.Array]) -> tuple[jax.Array, jax.Array]:
        state, moves = asked
        return jax.vmap(move, (None, 0))(state, moves)

    # One after the other: all positions after all replies would take much memory.
    return jax.jit(lambda states, moves: jax.lax.map(of_position, (states, moves)))
