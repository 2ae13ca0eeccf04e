"""The predictors' proof: the game written out as a tree, which OpenSpiel walks."""

from collections.abc import Iterator
from functools import cache, partial
from itertools import count

import pyspiel

from tests.helpers import extensive


@cache
def _written(chances: tuple[float, ...], steps: int) -> pyspiel.Game:
    """Seat 0 reports on every action, then seat 1, knowing its own reports only; then chance."""
    ends, sets = count(1), [count(1), count(1)]
    known: dict[tuple[int, tuple[int, ...]], int] = {}

    def walk(made: tuple[int, ...]) -> Iterator[str]:
        if len(made) == 2 * len(chances):
            yield from leaves(made)
            return
        seat = len(made) // len(chances)
        own = made[seat * len(chances) :]
        if (seat, own) not in known:
            known[seat, own] = next(sets[seat])
        yield extensive.seat(seat, known[seat, own], steps + 1)
        for move in range(steps + 1):
            yield from walk((*made, move))

    def leaves(made: tuple[int, ...]) -> Iterator[str]:
        first, second = made[: len(chances)], made[len(chances) :]
        highest = [max(pair) for pair in zip(first, second, strict=True)]
        action = highest.index(max(highest))
        yield extensive.chance([1 - chances[action], chances[action]])
        for outcome in (0, 1):
            errors = [(outcome - p[action] / steps) ** 2 for p in (first, second)]
            yield extensive.end(next(ends), errors[1] - errors[0])

    return extensive.tree(walk(()))


class Written(extensive.Tree):
    """A position of the game with some chances and steps."""

    def __init__(self, chances: tuple[float, ...], steps: int):
        super().__init__(_written(chances, steps))


LOCKSTEP = {
    "predictors": partial(Written, (0.6, 0.2), 5),
    "predictors:chances=0.6 0.05 0.3,steps=2": partial(Written, (0.6, 0.05, 0.3), 2),
    "predictors:chances=0.25,steps=20": partial(Written, (0.25,), 20),
}
STATE_BYTES = 5
