"""Matches between any agents: on the device where both live there, else on the host."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeGuard

import jax
import jax.numpy as jnp
import numpy as np

from arena import interrupt
from arena.judges.rules import Rules
from arena.play import host_loop
from arena.play.device_loop import Match
from arena.play.openings import distinct_openings
from arena.types import Agent, HostAgent, Judge, Key, Params, stack
from games import Game


def play(
    a: Sequence[Agent | HostAgent],
    b: Sequence[Agent | HostAgent],
    game: Game,
    *,
    key: Key,
    pairs: int,
    plies: int,
    groups: int,
    slots: int,
    judge: Judge | None = None,
    judge_params: Params = (),
    callback: Callable[[np.ndarray], None] = lambda moves: None,
) -> np.ndarray:
    """Plays a[i] against b[i] for all i, `groups` matches at a time.

    Match i depends on the key and on i alone. All agents A move by one policy, and so do all agents
    B. Where one of them lives outside the device, the loop runs on the host (`host_loop.pairs`),
    one match after the other.

    Args:
      a: the agents A.
      b: their opponents, as many.
      game: what they play.
      key: PRNG key.
      pairs: P, pairs of games in each match.
      plies: openings are up to so many random moves long, no two of a match alike where there are
        enough of them.
      groups: G, matches in one call of the compiled loop; a last call is filled up.
      slots: S, games in flight per match and half, at most P.
      judge: who says who won; the rules if None.
      judge_params: the weights of a `ParametricJudge`, on the device alone.
      callback: called with the numbers of moves that A and B chose, i32[G, 2], after every call of
        the compiled loop.

    Returns:
      A's scores f32[len(a), P, 2].

    Raises:
      Forfeit: an agent outside the device cannot go on, or made an illegal move.
    """
    keys = jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(len(a)))
    judge = judge or Rules(game)
    if not (_on_device(a) and _on_device(b)):
        host = partial(host_loop.pairs, count=pairs, plies=plies, slots=2 * slots, judge=judge)
        matches = zip(a, b, keys, strict=True)
        return np.stack([host(x, y, game, key=here) for x, y, here in matches])
    match = Match(game, a[0].policy, b[0].policy, judge=judge, slots=min(slots, pairs))
    scores = []
    for at in range(0, len(a), groups):
        interrupt.check()
        index = [min(i, len(a) - 1) for i in range(at, at + groups)]
        first = [jax.random.fold_in(keys[i], 1) for i in index]
        starts = [distinct_openings(game, here, pairs=pairs, plies=plies) for here in first]
        params_a, params_b = (stack([agents[i].params for i in index]) for agents in (a, b))
        played = match.play(
            params_a,
            params_b,
            keys=keys[np.array(index)],
            openings=stack(starts),
            judge_params=judge_params,
        )
        scores.append(np.asarray(played.scores)[: len(a) - at])
        if played.moves is not None:
            callback(np.asarray(played.moves))
    return np.concatenate(scores)


def _on_device(agents: Sequence[Agent | HostAgent]) -> TypeGuard[Sequence[Agent]]:
    return all(isinstance(agent, Agent) for agent in agents)
