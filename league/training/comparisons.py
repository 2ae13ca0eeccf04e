"""Positions for a judge to learn from, labelled by another judge: who has won, who stands better.

They come from fresh games between snapshots of a run, which draw their moves from the network's
policy, or from games of random moves. Every game gives one comparison, so that all are independent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from agents import uniform
from agents.learners.base import Learner
from agents.nn.networks import over_agents
from agents.nn.outputs import playable_logits
from arena.judges import check as contract
from arena.judges.rules import Rules
from arena.play.device_loop import Match
from arena.play.openings import random_openings
from arena.types import Decision, Judge, Key, Params, State, stack
from games import Game

Positions = Literal["final", "any"]
"""Which positions are compared: how games ended, or one of any ply."""

_PAIRS = 32  # pairs of games in one match


@dataclass(frozen=True)
class Drawing:
    """A `Policy` that draws moves from a learner's policy without search.

    Attributes:
      learner: whose.
    """

    learner: Learner

    def __call__(self, params: Params, keys: jax.Array, states: State) -> Decision:
        """Chooses moves; `params` are stacked [G, ...]."""
        game, groups = self.learner.game, keys.shape[0]
        movers = jnp.maximum(jax.vmap(game.mover)(states), 0)
        seen = jax.vmap(game.observe)(states, movers)
        seen = seen.reshape(groups, -1, *seen.shape[1:])
        logits = playable_logits(over_agents(self.learner.logits, params, seen))
        legal = jax.vmap(game.legal)(states).reshape(logits.shape)
        draw = jax.vmap(jax.random.categorical)
        return Decision(draw(keys, jnp.where(legal, logits, -jnp.inf)).reshape(-1))


class Labelled(NamedTuple):
    """N positions and what was said of them.

    Attributes:
      states: positions [N, ...] of numpy arrays.
      label: f32[N] in [-1, 1], seat 0's, by the judge that labels.
      truth: f32[N], how the games ended by the rules.
    """

    states: State
    label: np.ndarray
    truth: np.ndarray


def collect(
    game: Game,
    judge: Judge,
    count: int,
    *,
    key: Key,
    learner: Learner | None = None,
    snapshots: Sequence[Params] = (),
    plies: int = 0,
    positions: Positions = "final",
) -> Labelled:
    """Plays games, takes a position of each, and has it labelled.

    Args:
      game: a compiled one.
      judge: labels; by the end of the game, unless it judges any position.
      count: N.
      key: PRNG key.
      learner: whose snapshots play.
      snapshots: they play themselves, equally often; random moves are played if there is none.
      plies: openings are up to so many random moves long.
      positions: of every game, how it ended, or a position in which a seat was to move.
    """
    policy = Drawing(learner) if learner and snapshots else uniform.make(game, "").policy
    weights = list(snapshots) if learner and snapshots else [()]
    matches = -(-count // (2 * _PAIRS))
    matches = -(-matches // len(weights)) * len(weights)
    match = Match(game, policy, policy, judge=Rules(game), slots=_PAIRS, record=True, finals=True)
    found: list[tuple[State, State]] = []
    for at in range(0, matches, len(weights)):
        here = jax.random.fold_in(key, at)
        shape = (len(weights), _PAIRS)
        openings = random_openings(game, jax.random.fold_in(here, 0), shape=shape, plies=plies)
        players = stack(weights)
        keys = jax.random.split(jax.random.fold_in(here, 1), len(weights))
        record = match.play(players, players, keys=keys, openings=openings).record
        assert record is not None
        flat = jax.tree.map(lambda x: np.asarray(x).reshape(-1, *x.shape[2:]), record.finals)
        rng = np.random.default_rng(np.asarray(jax.random.key_data(here)))
        found.append((_one_each(record, rng) if positions == "any" else flat, flat))
    states, finals = (
        jax.tree.map(lambda *x: np.concatenate(x)[:count], *parts)
        for parts in zip(*found, strict=True)
    )
    judged = states if judge.any_position else finals
    return Labelled(
        states, contract.verdicts(judge, judged), contract.verdicts(Rules(game), finals)
    )


def _one_each(record, rng: np.random.Generator) -> State:
    """A position of every game in which a seat was to move, [G 2P, ...]."""
    games = 2 * _PAIRS
    time, side, group, slot = np.nonzero(np.asarray(record.game) < games)
    number = group * games + np.asarray(record.game)[time, side, group, slot]
    order = rng.permutation(len(number))
    _, first = np.unique(number[order], return_index=True)
    row = order[first]
    place = time[row], side[row], group[row], slot[row]
    return jax.tree.map(lambda x: np.asarray(x)[place], record.state)
