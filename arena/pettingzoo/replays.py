"""Games of an env played again: whether they come again, in copies and beside other games too.

Worker processes run this; it must not load JAX.
"""

from typing import NamedTuple

import numpy as np

from arena.pettingzoo.adapter import OVER, EnvAdapter, EnvSpaces
from arena.pettingzoo.env_names import Make
from arena.pettingzoo.errors import EnvError

_GAMES, _LONG = 3, 60  # games, and their moves, that are played again


class Snapshot(NamedTuple):
    """All that can be seen of a position; observation and moves are empty after the end."""

    mover: int
    payoff: float
    observation: bytes = b""
    legal: bytes = b""


def snapshot(adapter: EnvAdapter) -> Snapshot:
    """What can be seen of the position that a game has come to."""
    if adapter.mover == OVER:
        return Snapshot(adapter.mover, adapter.payoff)
    seen, legal = adapter.observe_mover()
    return Snapshot(adapter.mover, adapter.payoff, seen.tobytes(), legal.tobytes())


def replay(adapter: EnvAdapter, seed: int, moves: list[int]) -> list[Snapshot]:
    """The positions of a game, its start included."""
    adapter.start(seed)
    return [snapshot(adapter), *_follow(adapter, moves)]


def _follow(adapter: EnvAdapter, moves: list[int]) -> list[Snapshot]:
    """The positions after each of these moves."""
    snapshots = []
    for move in moves:
        adapter.step(move)
        snapshots.append(snapshot(adapter))
    return snapshots


def random_game(adapter: EnvAdapter, seed: int) -> list[int]:
    """The moves of a game, or its first 60."""
    rng = np.random.default_rng(seed)
    adapter.start(seed)
    while adapter.mover != OVER and len(adapter.moves) < _LONG:
        adapter.step(int(rng.choice(np.flatnonzero(adapter.legal()))))
    return list(adapter.moves)


def reproducible(adapter: EnvAdapter, make: Make) -> bool:
    """Whether games come again, in the same env and in a new one."""
    fresh = EnvAdapter(make(), adapter.spaces, 10**9)
    try:
        for seed in range(_GAMES):
            moves = random_game(adapter, seed)
            first = replay(adapter, seed, moves)
            if not first == replay(adapter, seed, moves) == replay(fresh, seed, moves):
                return False
    except EnvError:  # a move that was legal is not any more
        return False
    return True


def share_state(make: Make, spaces: EnvSpaces) -> bool:
    """Whether games of two new envs, played move by move in turn, are others than one by one.

    Workers hold many envs at once.
    """
    both = [EnvAdapter(make(), spaces, 10**9) for _ in range(2)]
    games = [random_game(adapter, seed) for seed, adapter in enumerate(both)]
    alone = [replay(both[seed], seed, moves) for seed, moves in enumerate(games)]
    found: list[list[Snapshot]] = []
    try:
        for seed, adapter in enumerate(both):
            adapter.start(seed)
        found = [[snapshot(adapter)] for adapter in both]
        for ply in range(max(map(len, games))):
            for adapter, moves, positions in zip(both, games, found, strict=True):
                if ply < len(moves):
                    adapter.step(moves[ply])
                    positions.append(snapshot(adapter))
    except Exception:  # whatever an env raises that has come to a place of the other one
        return True
    return found != alone


def copyable(adapter: EnvAdapter) -> bool:
    """Whether a deep copy taken in the middle goes on like the original, each for itself."""
    try:
        for seed in range(_GAMES):
            moves = random_game(adapter, seed)
            half = len(moves) // 2
            whole = replay(adapter, seed, moves)
            replay(adapter, seed, moves[:half])
            twin, rest = adapter.clone(), moves[half:]
            if not whole[half + 1 :] == _follow(twin, rest) == _follow(adapter, rest):
                return False
    except Exception:
        return False
    return True
