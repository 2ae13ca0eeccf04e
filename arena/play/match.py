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
from arena.play.openings import opening_walks, random_openings
from arena.play.recording import (
    Opening,
    Recorder,
    check_recordable,
    device_games,
    host_games,
    moves_kept,
    positions_of,
    walked,
)
from arena.types import Agent, HostAgent, HostGames, Judge, Key, stack
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
    openings: Sequence[Opening] | None = None,
    callback: Callable[[np.ndarray], None] = lambda moves: None,
    recorder: Recorder | None = None,
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
      plies: openings are up to so many random moves long.
      groups: G, matches in one call of the compiled loop; a last call is filled up.
      slots: S, games in flight per match and half, at most P.
      judge: who says who won; the rules if None.
      openings: those of all matches, P for each, in place of random ones.
      callback: called with the numbers of moves that A and B chose, i32[G, 2], after every call of
        the compiled loop.
      recorder: called with every game; the results are the same without it.

    Returns:
      A's scores f32[len(a), P, 2].

    Raises:
      Forfeit: an agent outside the device cannot go on, or made an illegal move.
      UserError: games are to be recorded that an env plays.
    """
    keys = jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(len(a)))
    judge = judge or Rules(game)
    if recorder:
        check_recordable(game)
    shares = (
        [openings[at : at + pairs] for at in range(0, pairs * len(a), pairs)] if openings else []
    )
    if not (_on_device(a) and _on_device(b)):
        found = []
        for number, (x, y, here) in enumerate(zip(a, b, keys, strict=True)):
            begun = positions_of(shares[number]) if shares else None
            keep = partial(_keep, game, recorder, pairs, number) if recorder else lambda *_: None
            found.append(
                host_loop.pairs(
                    x,
                    y,
                    game,
                    key=here,
                    count=pairs,
                    plies=plies,
                    slots=2 * slots,
                    openings=begun,
                    judge=judge,
                    callback=keep,
                )
            )
        return np.stack(found)
    wrap = moves_kept if recorder else lambda policy: policy
    match = Match(
        game,
        wrap(a[0].policy),
        wrap(b[0].policy),
        judge=judge,
        slots=min(slots, pairs),
        record=recorder is not None,
        finals=recorder is not None,
    )
    scores = []
    for at in range(0, len(a), groups):
        interrupt.check()
        index = [min(i, len(a) - 1) for i in range(at, at + groups)]
        first = [jax.random.fold_in(keys[i], 1) for i in index]
        if shares:
            starts = [positions_of(shares[i]).states for i in index]
        else:
            starts = [random_openings(game, k, shape=(pairs,), plies=plies) for k in first]
        params_a, params_b = (stack([agents[i].params for i in index]) for agents in (a, b))
        played = match.play(params_a, params_b, keys=keys[np.array(index)], openings=stack(starts))
        scores.append(np.asarray(played.scores)[: len(a) - at])
        if played.moves is not None:
            callback(np.asarray(played.moves))
        if recorder:
            begun = shares[at : at + groups] or [
                walked(opening_walks(game, k, shape=(pairs,), plies=plies))
                for k in first[: len(a) - at]
            ]
            for one in device_games(game, played, begun, first_match=at):
                recorder(one)
    return np.concatenate(scores)


def _keep(
    game: Game,
    recorder: Recorder,
    pairs: int,
    match: int,
    games: HostGames,
    seat_of_a: np.ndarray,
) -> None:
    """Has the games of a match on the host recorded."""
    for one in host_games(game, games, seat_of_a, pairs=pairs, match=match):
        recorder(one)


def _on_device(agents: Sequence[Agent | HostAgent]) -> TypeGuard[Sequence[Agent]]:
    return all(isinstance(agent, Agent) for agent in agents)
