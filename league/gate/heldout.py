"""What training never sees: openings for the gate, and the proof that they and opponents are new.

An opening counts as seen if training has started a game from it or from a mirror image of it. What
training has started from follows from the run's seed, and is drawn once more to be compared, hash
by hash. In games where chance deals the start there is nothing to hold out: their openings are
fresh deals.
"""

import hashlib
from collections.abc import Iterator
from functools import cache

import jax
import numpy as np

from arena.errors import UserError
from arena.play.openings import recorded_openings
from arena.types import Positions, State
from games import Game
from league.store.run import Run

_DRAWN = 256  # openings at a time
_FRUITLESS = 8  # times in a row that nothing new is drawn, after which all has been


class Openings:
    """The held-out openings of one gate in one role, all different; the same at every call.

    Args:
      game: what is played.
      seen: keys of those that must not come, see `keys`.
      key: PRNG key.
      plies: they are up to so many random moves long.
    """

    def __init__(self, game: Game, seen: set[bytes], key: jax.Array, plies: int):
        self._game, self._plies, self._key = game, plies, key
        self._seen, self._all = set(seen), _none(game)
        self._drawn, self._fruitless = 0, 0

    def take(self, start: int, count: int) -> Positions:
        """Openings number `start` and on, `count` of them or as many as there are."""
        while len(self._all.moves) < start + count and self._fruitless < _FRUITLESS:
            self._draw()
        some = slice(start, start + count)
        return Positions(jax.tree.map(lambda x: x[some], self._all.states), self._all.moves[some])

    def _draw(self) -> None:
        key = jax.random.fold_in(self._key, self._drawn)
        drawn = recorded_openings(self._game, key, count=_DRAWN, plies=self._plies, room=_DRAWN)
        self._drawn += 1
        new = list(range(_DRAWN)) if self._game.num_outcomes else self._unseen(drawn.states)
        self._fruitless = 0 if new else self._fruitless + 1
        self._all = Positions(
            jax.tree.map(lambda x, y: np.concatenate([x, y[new]]), self._all.states, drawn.states),
            self._all.moves + [drawn.moves[i] for i in new],
        )

    def _unseen(self, states: State) -> list[int]:
        new = []
        for i, found in enumerate(keys(self._game, states)):
            if found not in self._seen:
                self._seen.add(found)
                new.append(i)
        return new


def _none(game: Game) -> Positions:
    start = jax.tree.map(np.asarray, game.init())
    return Positions(jax.tree.map(lambda x: x[None][:0], start), [])


def trained(run: Run, generations: int) -> set[bytes]:
    """Keys of all openings from which training has started in its first generations."""
    if run.game.num_outcomes:
        return set()
    return {
        key
        for number in range(1, generations + 1)
        for key in keys(run.game, _flat(run.openings(number)))
    }


def _flat(states: State) -> State:
    return jax.tree.map(lambda x: np.asarray(x).reshape(-1, *x.shape[2:]), states)


def keys(game: Game, states: State) -> Iterator[bytes]:
    """A hash of each position [N, ...], the same for all its mirror images.

    Where information is hidden, equal observations may be of different positions, and images have
    hashes of their own.
    """
    count = len(jax.tree.leaves(states)[0])
    for at in range(0, count, _DRAWN):
        index = np.minimum(np.arange(at, at + _DRAWN), count - 1)  # one shape, one compilation
        part = jax.tree.map(lambda x, index=index: x[index], states)
        found = _images(game)(part) if game.perfect_information else part
        leaves = [np.ascontiguousarray(leaf) for leaf in jax.tree.leaves(found)]
        for i in range(min(_DRAWN, count - at)):
            if game.perfect_information:
                yield min(_hash(image.tobytes()) for image in leaves[0][i])
            else:
                yield _hash(b"".join(leaf[i].tobytes() for leaf in leaves))


@cache
def _images(game: Game):
    """Jitted: what the movers see of positions [N, ...], in all symmetries [N, S, ...]."""

    def look(state: State) -> jax.Array:
        seen = game.observe(state, game.mover(state))
        return game.symmetries(seen, jax.numpy.zeros(game.num_actions))[0]

    return jax.jit(jax.vmap(look))


def _hash(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def check(name: str, digest: str, pool: dict[str, str]) -> None:
    """Refuses a held-out opponent that training may have met.

    Args:
      name: as the user typed it.
      digest: of its parameters.
      pool: digest to name, of all that training may meet.

    Raises:
      UserError: it is in the pool, under whatever name.
    """
    if digest in pool:
        raise UserError(
            f"{name} is {pool[digest]} of the pool: held-out opponents must not have taken part in "
            "training"
        )
