"""The random game trees' proof: all trees of eight leaves, written out for OpenSpiel."""

from collections.abc import Iterator
from functools import cache, partial
from itertools import count
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pyspiel

from games import Game
from tests.helpers import extensive


@cache
def _written(share: float) -> pyspiel.Game:
    """Chance draws the leaves of a tree of three moves; bit k is set if seat 0 wins at leaf k."""
    ends, sets = count(1), [count(1), count(1)]

    def walk(leaves: list[int], moves: int) -> Iterator[str]:
        if len(leaves) == 1:
            yield extensive.end(next(ends), 2.0 * leaves[0] - 1)
            return
        seat, half = moves % 2, len(leaves) // 2
        yield extensive.seat(seat, next(sets[seat]), 2)
        yield from walk(leaves[:half], moves + 1)
        yield from walk(leaves[half:], moves + 1)

    trees = [[number >> k & 1 for k in range(8)] for number in range(256)]
    nodes = [extensive.chance(share ** sum(t) * (1 - share) ** (8 - sum(t)) for t in trees)]
    for tree in trees:
        nodes.extend(walk(tree, 0))
    return extensive.tree(nodes)


class Written(extensive.Tree):
    """A position in one of the trees of eight leaves."""

    def __init__(self, share: float):
        super().__init__(_written(share))


def _value(game: Game, given: Any) -> float:
    """The mean, over all trees, of what seat 0 gets by backward induction over every path."""
    drawn = np.arange(game.num_outcomes)
    states: Any = jax.tree.map(lambda x: np.asarray(x)[None], game.init())
    step = jax.jit(jax.vmap(jax.vmap(game.step, (None, 0)), (0, None)))
    flat = jax.jit(lambda tree: jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), tree))
    weight = np.ones(1)
    depth = game.depth  # type: ignore[attr-defined]
    chance = np.asarray(game.chance(game.init()), np.float64)
    for _ in range(game.max_plies - depth):
        states = flat(step(states, jnp.asarray(drawn)))
        weight = np.multiply.outer(weight, chance).reshape(-1)
    for _ in range(depth):
        states = flat(step(states, jnp.arange(2)))
    value = np.asarray(jax.jit(jax.vmap(game.payoff))(states))
    for ply in range(depth - 1, -1, -1):
        pair = value.reshape(-1, 2)
        value = pair.max(1) if ply % 2 == 0 else pair.min(1)
    return float(value @ weight)


REPRODUCE = {"value": _value}
LOCKSTEP = {
    "game_tree:depth=3": partial(Written, 0.5),
    "game_tree:depth=3,share=0.3": partial(Written, 0.3),
}
STATE_BYTES = 6
