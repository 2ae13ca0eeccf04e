"""Matches between any agents: on the device where both live there, else on the host."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeGuard

import jax
import jax.numpy as jnp
import numpy as np

from arena import interrupt
from arena.judges.rules import Rules
from arena.play.device_loop import Match
from arena.play.executor import LOCAL, Executor, HostMatch, Later
from arena.play.openings import distinct_openings, distinct_walks
from arena.play.recording import (
    Opening,
    Recorder,
    check_recordable,
    device_games,
    moves_kept,
    positions_of,
    walked,
)
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
    openings: Sequence[Opening] | None = None,
    callback: Callable[[np.ndarray], None] = lambda moves: None,
    recorder: Recorder | None = None,
    executor: Executor = LOCAL,
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
      openings: those of all matches, P for each, in place of random ones.
      callback: called with the numbers of moves that A and B chose, i32[G, 2], after every call of
        the compiled loop.
      recorder: called with every game; the results are the same without it.
      executor: where the loops run; the results are the same anywhere.

    Returns:
      A's scores f32[len(a), P, 2].

    Raises:
      Forfeit: an agent outside the device cannot go on, or made an illegal move.
      UserError: games are to be recorded that an env plays.
    """
    return begin(
        a,
        b,
        game,
        key=key,
        pairs=pairs,
        plies=plies,
        groups=groups,
        slots=slots,
        judge=judge,
        judge_params=judge_params,
        openings=openings,
        callback=callback,
        recorder=recorder,
        executor=executor,
    )()


def begin(
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
    openings: Sequence[Opening] | None = None,
    callback: Callable[[np.ndarray], None] = lambda moves: None,
    recorder: Recorder | None = None,
    executor: Executor = LOCAL,
) -> Later[np.ndarray]:
    """Begins what `play` does, and gives what waits for its scores.

    In this process nothing is computed until then.
    """
    keys = jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(len(a)))
    judge = judge or Rules(game)
    if recorder:
        check_recordable(game)
    shares = (
        [openings[at : at + pairs] for at in range(0, pairs * len(a), pairs)] if openings else []
    )
    if not (_on_device(a) and _on_device(b)):
        starts = [
            partial(
                _begin_on_host,
                executor,
                HostMatch(
                    game,
                    np.asarray(jax.random.key_data(here)),
                    _agent_keys(here),
                    pairs,
                    plies,
                    2 * slots,
                    judge,
                    positions_of(shares[number]) if shares else None,
                    record=recorder is not None,
                ),
                (x, y),
                number,
                recorder,
            )
            for number, (x, y, here) in enumerate(zip(a, b, keys, strict=True))
        ]
        return _all(starts, executor)
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

    def begin_call(at: int) -> Later[np.ndarray]:
        index = [min(i, len(a) - 1) for i in range(at, at + groups)]
        first = [jax.random.fold_in(keys[i], 1) for i in index]
        if shares:
            starts = [positions_of(shares[i]).states for i in index]
        else:
            starts = [distinct_openings(game, k, pairs=pairs, plies=plies) for k in first]
        finish = executor.on_device(
            match,
            [a[i] for i in index],
            [b[i] for i in index],
            keys=keys[np.array(index)],
            openings=stack(starts),
            judge_params=judge_params,
        )

        def end() -> np.ndarray:
            played = finish()
            if played.moves is not None:
                callback(np.asarray(played.moves))
            if recorder:
                begun = shares[at : at + groups] or [
                    walked(distinct_walks(game, k, pairs=pairs, plies=plies))
                    for k in first[: len(a) - at]
                ]
                for one in device_games(game, played, begun, first_match=at):
                    recorder(one)
            return np.asarray(played.scores)[: len(a) - at]

        return end

    return _all([partial(begin_call, at) for at in range(0, len(a), groups)], executor)


def _all(
    starts: Sequence[Callable[[], Later[np.ndarray]]], executor: Executor
) -> Later[np.ndarray]:
    """The scores of all calls; begun at once, where others compute them."""
    begun = [start() for start in starts] if executor.ahead else []

    def end() -> np.ndarray:
        found = []
        for number, start in enumerate(starts):
            interrupt.check()
            found.append(begun[number]() if begun else start()())
        return np.concatenate(found)

    return end


def _begin_on_host(
    executor: Executor,
    match: HostMatch,
    players: tuple[Agent | HostAgent, Agent | HostAgent],
    number: int,
    recorder: Recorder | None,
) -> Later[np.ndarray]:
    """Begins a match on the host; gives what waits for its scores f32[1, P, 2]."""
    finish = executor.on_host(match, *players)

    def end() -> np.ndarray:
        played = finish()
        if recorder:
            for one in played.games:
                recorder(one._replace(match=number))
        return played.scores[None]

    return end


def _agent_keys(key: Key) -> np.ndarray:
    """Of A and B where the loop runs on the host, u32[2, K]."""
    return np.stack([np.asarray(jax.random.key_data(jax.random.fold_in(key, i))) for i in (2, 3)])


def _on_device(agents: Sequence[Agent | HostAgent]) -> TypeGuard[Sequence[Agent]]:
    return all(isinstance(agent, Agent) for agent in agents)
