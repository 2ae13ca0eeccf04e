"""Whether an env hides something or leaves something to chance, tried directly.

That like positions go on differently shows it too, but in a large game none comes twice. Here a
game is played twice with one difference, of which a seat on turn sees nothing; if it shows later,
there was something to hide. What is found is certain; that nothing is found proves nothing.

Worker processes run this; it must not load JAX.
"""

from collections.abc import Callable

import numpy as np

from arena.pettingzoo.adapter import OVER, EnvAdapter
from arena.pettingzoo.env_names import Make
from arena.pettingzoo.replays import random_game, replay, snapshot

_GAMES, _TRIALS = 8, 2  # games, and random plies in each, at which two moves are compared
_SEEDS, _REPLAYS = 16, 2  # tried for the same start, and games from it that are played again
_LATER = 200  # moves after which a difference is no longer waited for


def found_hidden(
    adapter: EnvAdapter, make: Make, progress: Callable[[tuple[int, ...]], None]
) -> bool:
    """Whether a move was hidden from the other seat, or the seed from both.

    Args:
      adapter: of an env whose games come again.
      make: makes another such env.
      progress: called with the moves of every game that is tried.
    """
    twin = EnvAdapter(make(), adapter.spaces, 10**9)
    for seed in range(_GAMES):
        rng = np.random.default_rng(seed)
        moves = random_game(adapter, seed)
        progress(tuple(moves))
        if _seed_hidden(adapter, seed, moves):
            return True
        # The first plies of all, where cards or ships are placed, and any.
        plies = [min(seed, len(moves) - 1), *rng.integers(len(moves), size=_TRIALS).tolist()]
        for ply in sorted({*plies}):
            progress(tuple(moves[:ply]))
            if _move_hidden((adapter, twin), seed, moves[:ply], rng):
                return True
    return False


def _seed_hidden(adapter: EnvAdapter, seed: int, moves: list[int]) -> bool:
    """Whether the moves lead elsewhere from another seed whose start looks the same to both."""
    before, others = _views(adapter, seed), [s for s in range(_SEEDS) if s != seed]
    alike = [other for other in others if _views(adapter, other) == before][:_REPLAYS]
    whole = replay(adapter, seed, moves) if alike else []
    for other in alike:
        adapter.start(other)
        for move, expected in zip(moves, whole[1:], strict=True):
            adapter.step(move)
            if snapshot(adapter) != expected:
                return True
    return False


def _views(adapter: EnvAdapter, seed: int) -> tuple[object, ...]:
    """What both seats see when a game begins, and which moves there are."""
    adapter.start(seed)
    return snapshot(adapter), *(adapter.observe(seat).tobytes() for seat in (0, 1))


def _move_hidden(
    both: tuple[EnvAdapter, EnvAdapter], seed: int, moves: list[int], rng: np.random.Generator
) -> bool:
    """Whether two moves in the same position look the same to the other seat, but are not."""
    for adapter in both:
        replay(adapter, seed, moves)
    choices = np.flatnonzero(both[0].legal())
    if len(choices) < 2:
        return False
    seat = both[0].mover
    for adapter, move in zip(both, rng.choice(choices, 2, replace=False).tolist(), strict=True):
        adapter.step(move)
    return _come_apart(both, seat, rng)


def _come_apart(both: tuple[EnvAdapter, EnvAdapter], mover: int, rng: np.random.Generator) -> bool:
    """Whether two games, now played on alike, differ after the other seat has seen no difference.

    Args:
      both: games that differ in one move.
      mover: the seat that has made it.
      rng: draws the moves from here.
    """
    unseen = False
    for _ in range(_LATER):
        one, two = map(snapshot, both)
        if one != two and (unseen or one.mover != two.mover or one.mover != mover):
            return unseen
        if one.mover == OVER:
            return False
        unseen |= one.mover != mover
        common = np.flatnonzero(both[0].legal() & both[1].legal())
        if not len(common):
            return False
        move = int(rng.choice(common))
        for adapter in both:
            adapter.step(move)
    return False
