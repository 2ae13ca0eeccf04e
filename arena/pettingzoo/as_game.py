"""A PettingZoo env as a game of Arena.

The device never sees the env. A position is what the seat to move sees of it, so that networks,
policies and learners work on it as on any other; the games themselves live in worker processes.
While one waits for a move, it can be searched: `step` calls back from the device, and a worker
answers with a copy that has moved on.
"""

import os
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena.pettingzoo.state_copies import NOWHERE, branch
from arena.pettingzoo.validate import Facts
from arena.pettingzoo.worker import PLAYOUT
from arena.pettingzoo.worker_pool import Crew, inspect
from arena.types import HostGame
from games import OVER
from games import Facts as Known

_KINDS = 16  # a board of whole numbers with so many different values becomes a plane for each


class Seen(NamedTuple):
    """A position, as the seat to move sees it.

    Attributes:
      mover: i32[], that seat, or OVER.
      legal: bool[A], its moves.
      observation: [...], as the env gives it.
      payoff: f32[], what seat 0 has got so far.
      place: i32[2], where its game is, which a search can copy: see `arena.pettingzoo.branch`; ()
        if the game has gone on.
    """

    mover: jax.Array
    legal: jax.Array
    observation: jax.Array
    payoff: jax.Array
    place: Any = ()


class Openings(NamedTuple):
    """How games are to begin.

    Attributes:
      seed: i32[...], both of the env's and of the random moves.
      plies: i32[...], the most random moves there are.
    """

    seed: jax.Array
    plies: jax.Array


@dataclass(frozen=True)
class Imported(HostGame):
    """The game that an env plays.

    Attributes:
      name: as a user types it.
      known: what a check has found.
    """

    name: str
    known: Facts
    facts = Known()

    def __post_init__(self):
        # Frozen: what follows from the fields is set past the guard, once.
        for key, value in {
            "num_actions": self.known.actions,
            "max_plies": self.known.limit,
            # Of the longest game that the check has seen; `max_plies` may be far above it.
            "typical_plies": self.known.plies,
            "max_payoff": self.known.payoff,
            "perfect_information": not self.known.hidden,
        }.items():
            object.__setattr__(self, key, value)

    @cached_property
    def crew(self) -> Crew:
        """Its workers, one for each core; they start when they are first asked for."""
        return _crew(self.name, self.known)

    @property
    def searchable(self) -> bool:
        """Whether it hides nothing, leaves nothing to chance, and its copies behave alike."""
        return self.perfect_information and self.known.copies

    def template(self) -> Seen:
        """Shapes and types of a position."""
        shapes: Any = (
            ((), np.int32),
            ((self.num_actions,), bool),
            (self.known.shape, self.known.dtype),
            ((), np.float32),
        )
        parts: Any = [jax.ShapeDtypeStruct(shape, np.dtype(kind)) for shape, kind in shapes]
        return Seen(*parts)

    def mover(self, state: Seen) -> jax.Array:
        """The seat to move, or OVER."""
        return state.mover

    def legal(self, state: Seen) -> jax.Array:
        """Its moves."""
        return state.legal

    def step(self, state: Seen, move: jax.Array) -> Seen:
        """Makes a move in a copy of the position's game, in a worker.

        Raises:
          ValueError: the game has gone on.
        """
        return self._branch(state, move, jnp.uint32(0))

    def playout(self, key: jax.Array, state: Seen) -> Seen:
        """The end of a copy of the position's game, in which all moves are made at random."""
        return self._branch(state, jnp.int32(PLAYOUT), jax.random.bits(key))

    def _branch(self, state: Seen, order: jax.Array, seed: jax.Array) -> Seen:
        """A move that there is not, and any move in an ended game, lead nowhere, and cost nothing.

        A search asks for such ones where a simulation has found nothing new.
        """
        if isinstance(state.place, tuple):
            raise ValueError(f"{self.name} moves in its env alone, where this game has gone on")
        legal = (state.mover != OVER) & ((order == PLAYOUT) | state.legal[order])
        place = jnp.where(legal, state.place, NOWHERE)
        # The device waits for what comes back, so one call is answered after the other.
        like = self.template()._replace(place=jax.ShapeDtypeStruct(place.shape, place.dtype))
        ask = partial(branch, self.crew)
        return jax.pure_callback(ask, like, place, order, seed, vmap_method="broadcast_all")

    def payoff(self, state: Seen) -> jax.Array:
        """What seat 0 has got; no more than the largest payoff that the check knows."""
        return jnp.clip(state.payoff, -self.max_payoff, self.max_payoff)

    def observe(self, state: Seen, seat: jax.Array) -> jax.Array:
        """What the mover sees, as planes f32[H, W, C] or as a vector f32[N].

        Where both agents see the same, a last plane, or entry, tells which seat looks.
        """
        seen = _planes(self.known, state.observation)
        if self.known.seat:
            whose = jnp.broadcast_to(seat.astype(jnp.float32), (*seen.shape[:-1], 1))
            seen = jnp.concatenate([seen, whose], -1)
        return seen

    def show(self, state: Seen) -> str:
        """What the mover sees, in figures: a board's planes side by side."""
        seen = np.asarray(_planes(self.known, jnp.asarray(state.observation)))
        if seen.ndim == 1:
            return " ".join(f"{x:g}" for x in seen)
        used = [plane for plane in np.moveaxis(seen, -1, 0) if plane.any()][:8]
        rows = (
            "   ".join(" ".join(f"{x:g}" if x else "." for x in plane[y]) for plane in used)
            for y in range(seen.shape[0])
        )
        return "\n".join(rows)

    def draw(self, state: Seen) -> str:
        """The same as a picture."""
        lines = self.show(state).split("\n")
        width, height = 9.6 * max(map(len, lines)) + 16, 18 * len(lines) + 16
        text = "".join(
            f'<text x="8" y="{22 + 18 * y}" xml:space="preserve">{line}</text>'
            for y, line in enumerate(lines)
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}" '
            f'font-family="monospace" font-size="16">{text}</svg>'
        )

    def view(self, state: Seen, seat: int) -> str:
        """What one seat sees: a position holds nothing else."""
        moves = " ".join(map(str, np.flatnonzero(np.asarray(state.legal)).tolist()))
        return f"{self.show(state)}\nmoves: {moves}"

    def label(self, state: Seen, move: int) -> str:
        """The move's number."""
        return str(move)

    def parse(self, state: Seen, text: str) -> int:
        """A legal move's number."""
        word = text.strip()
        move = int(word) if word.isdecimal() and word.isascii() else -1
        if not (0 <= move < self.num_actions and state.legal[move]):
            raise ValueError(f"{word!r} is no legal move: type one of the numbers")
        return move

    def openings(self, key: jax.Array, shape: tuple[int, ...], plies: int) -> Openings:
        """A seed each; the moves are drawn by the workers."""
        seed = jax.random.randint(key, shape, 0, 2**31 - 1)
        return Openings(seed, jnp.full(shape, plies))

    def play(
        self, match: Any, params_a: Any, params_b: Any, *, keys: jax.Array, openings: Any
    ) -> Any:
        """See `arena.pettingzoo.table`."""
        from arena.pettingzoo import match_loop

        return match_loop.play(self.crew, match, params_a, params_b, keys, openings)

    def deal(self, key: jax.Array, count: int, plies: int, times: int = 1) -> Any:
        """See `arena.pettingzoo.table.Games`."""
        from arena.pettingzoo import match_loop

        seeds = np.asarray(self.openings(key, (count,), plies).seed)
        return match_loop.Games(self, self.crew, np.tile(seeds, times), plies)

    @property
    def voided(self) -> int:
        """Games that the env failed to finish, or that were lost with a worker."""
        return self.crew.voided


def _planes(known: Facts, raw: jax.Array) -> jax.Array:
    """An observation as a network wants it: planes, channels last, or a vector; at most 1 in size.

    Three axes are planes, with the channels on the axis that is unlike the others, else the
    shortest. Two axes of whole numbers are a board, with a plane for each value if they are few.
    """
    low, high = known.low, known.high
    axes = [size for size in known.shape if size > 1]
    if len(known.shape) == 3 and len(axes) >= 2:
        planes = jnp.moveaxis(raw, _channels(known.shape), -1)
    elif len(known.shape) == 2 and len(axes) == 2 and known.dtype != "float32":
        if 1 < high - low < _KINDS:
            values = jnp.arange(int(low), int(high) + 1).astype(raw.dtype)
            return (raw[..., None] == values).astype(jnp.float32)
        planes = raw[..., None]
    else:
        planes = raw.reshape(-1)
    bound = max(abs(low), abs(high))
    scale = 1 / bound if 1 < bound < 1e6 else 1.0
    return planes.astype(jnp.float32) * jnp.float32(scale)


def _channels(shape: tuple[int, ...]) -> int:
    """Which of three axes counts the planes."""
    a, b, c = shape
    if a == b:
        return 2
    return 0 if b == c or a < min(b, c) else 2


@cache
def _crew(name: str, known: Facts) -> Crew:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Crew(name, known, cores or 1)


@cache
def load(name: str) -> Imported:
    """The game that `pettingzoo:…` means, after a check.

    Raises:
      Fault: there is no such env, or it breaks the contract.
    """
    return Imported(name, inspect(name))
