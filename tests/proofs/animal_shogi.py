"""Animal shogi's proof."""

import warnings
from collections import Counter
from functools import cache, reduce
from operator import or_
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from arena.evaluation import enumeration
from benchmarks import pgx_moves
from games import OVER, Game
from games.animal_shogi import AnimalShogi, State, flags, targets
from tests.helpers.lockstep import Position

_FIELDS = ("_board", "_hand", "_turn", "_step_count", "current_player", "legal_action_mask")


def _lenient() -> Any:
    """Where pgx can run: it mixes number types, which the tests forbid."""
    return jax.numpy_dtype_promotion("standard")


@cache
def _pgx() -> tuple[Any, Any]:
    """The start, and jitted, of a batch: some fields of positions and moves to those of the next.

    A negative move changes nothing. What else there is in a position, such as the memory of those
    before it, is always as at the start.
    """
    with warnings.catch_warnings(), _lenient():
        warnings.simplefilter("ignore")
        import pgx

        env = pgx.make("animal_shogi")
        start: Any = jax.jit(env.init)(jax.random.key(0))

    def step(fields: tuple[Any, ...], move: jax.Array) -> tuple[Any, ...]:
        state: Any = start.replace(**dict(zip(_FIELDS, fields, strict=True)))
        state = env.step(state, jnp.maximum(move, 0))
        kept = tuple(
            jnp.where(move < 0, old, getattr(state, name))
            for name, old in zip(_FIELDS, fields, strict=True)
        )
        return kept, state.terminated, state.rewards

    return start, jax.jit(jax.vmap(step))


class _Table:
    """Positions that make their moves together, since pgx takes long for a single one."""

    size = 64

    def __init__(self):
        start, self._step = _pgx()
        fields = (np.asarray(getattr(start, name)) for name in _FIELDS)
        self._fields = tuple(np.repeat(field[None], self.size, 0) for field in fields)
        self._over, self._rewards = np.zeros(self.size, bool), np.zeros((self.size, 2), np.float32)
        self._first = int(start.current_player)
        self._moves = np.full(self.size, -1, np.int32)
        self.taken = 0

    def play(self, place: int, move: int) -> None:
        """Takes down a move, in pgx's number; it is made when some position is looked at."""
        self._moves[place] = move

    def look(self, place: int) -> tuple[bytes, np.ndarray, bool, float]:
        """A position: what tells it from others, what is legal, whether it is over, the payoff."""
        moved = self._moves >= 0
        if moved.any():
            with _lenient():
                stepped = self._step(self._fields, self._moves)
            self._fields, over, rewards = jax.tree.map(np.asarray, stepped)
            self._over = np.where(moved, over, self._over)
            self._rewards = np.where(moved[:, None], rewards, self._rewards)
            self._moves = np.full(self.size, -1, np.int32)
        board, hand, turn, *_, legal = (field[place] for field in self._fields)
        key = board.tobytes() + hand.tobytes() + turn.tobytes()
        return key, legal, bool(self._over[place]), float(self._rewards[place, self._first])


class Pgx(Position):
    """A position of pgx's animal shogi, which numbers moves by where they begin.

    pgx knows repetitions by hashes, which change with every quiet move and change back with the
    next of the same seat. So here it remembers nothing, and its boards and hands are counted.
    """

    _open: _Table | None = None

    def __init__(self):
        if Pgx._open is None or Pgx._open.taken == Pgx._open.size:
            Pgx._open = _Table()
        self._table, self._place = Pgx._open, Pgx._open.taken
        self._table.taken += 1
        self._seen: Counter[bytes] = Counter()
        self._plies = 0
        self._look()

    def _look(self) -> None:
        """Once after each move."""
        key, legal, over, self._payoff = self._table.look(self._place)
        moves = np.flatnonzero(legal)
        ours = pgx_moves.ours("animal_shogi")[0, moves]
        self._theirs = dict(zip(ours.tolist(), moves.tolist(), strict=True))
        self._seen[key] += 1
        self._over = over or self._seen[key] == 3
        self._new = False

    def mover(self) -> int:
        """Seat 0 begins."""
        if self._new:
            self._look()
        return OVER if self._over else self._plies % 2

    def legal(self) -> list[int]:
        """Theirs in our numbers."""
        return list(self._theirs)

    def payoff(self) -> float:
        """Their reward."""
        return self._payoff

    def play(self, move: int) -> None:
        """Theirs for ours; made together with those of other positions."""
        self._table.play(self._place, self._theirs[move])
        self._plies += 1
        self._new = True


LOCKSTEP = {"animal_shogi": Pgx}
STATE_BYTES = 2064
BEYOND_REACH = {"value": "246,803,167 positions, mirror images as one (T. Tanaka 2009)"}


class Official(AnimalShogi):
    """The official rules, under which a lion may walk into check and be caught."""

    def mover(self, state: State) -> jax.Array:
        """It is over when a lion is caught, or is on the last row and cannot be."""
        board = state.now.board()
        lions = board.kinds()[4]
        tried = lions & board.theirs & 0o0007
        caught = reduce(or_, self._planes(state)[:8]) & tried
        over = (lions & board.mine == 0) | (tried != 0) & (caught == 0)
        return jnp.where(over, OVER, state.plies & 1)

    def legal(self, state: State) -> jax.Array:
        """Check is no matter."""
        return flags(self._planes(state))

    def _planes(self, state: State) -> list[jax.Array]:
        return targets(state.now, lion=0o7777, others=0o7777, drops=0o7777)


def _perft(_: Game, counts: tuple[int, ...]) -> list[int]:
    """By the official rules; all but check is the same in both."""
    return enumeration.perft(Official(), len(counts) - 1)


REPRODUCE = {"perft": _perft}
