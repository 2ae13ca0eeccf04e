"""Nim."""

from dataclasses import dataclass
from functools import reduce
from operator import or_, xor
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _svg
from games.core import OVER, Fact, Facts, Game


class State(NamedTuple):
    """One byte a pile and one for the seat.

    Attributes:
      piles: u8[] each, what is left of it.
      seat: u8[], the seat to move.
    """

    piles: tuple[jax.Array, ...]
    seat: jax.Array


def _read(text: str) -> tuple[int, ...]:
    """The sizes of the piles; raises ValueError if they are none."""
    try:
        piles = tuple(int(word) for word in text.split())
    except ValueError:
        raise ValueError(f"nim: piles={text!r} is not a list of whole numbers") from None
    if not 1 <= len(piles) <= 16 or not all(1 <= pile <= 255 for pile in piles):
        raise ValueError("nim: there must be 1 to 16 piles of 1 to 255 objects")
    return piles


def _value(piles: tuple[int, ...], misere: bool) -> float:
    """Seat 0 wins if the nim-sum is not 0, in misère play with no pile above 1 if it is 0."""
    wins = reduce(xor, piles) != 0
    return 1.0 if wins != (misere and max(piles) == 1) else -1.0


def _moves(sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """For each move its pile, and one less than what it takes."""
    less, pile = np.divmod(np.arange(len(sizes) * max(sizes)), len(sizes))
    return pile, less.astype(np.uint8)


def _chosen(piles: tuple[jax.Array, ...], chosen: np.ndarray) -> jax.Array:
    """What is left of each pile of a list i[N], u8[N]."""
    left = piles[0]
    for k in range(1, len(piles)):
        left = jnp.where(chosen == k, piles[k], left)
    return jnp.broadcast_to(left, chosen.shape)


def _match(pile: int, index: int, left: int) -> str:
    """A match, as a cell, of a pile with so many left."""
    x, y = 24 * index + 62, 70 * pile
    piece = (
        '<g class="piece" stroke-width="7" stroke-linecap="round">'
        f'<path d="M{x} {y + 32}v44" stroke="#d9b37c"/><path d="M{x} {y + 28}v6" stroke="#b5382c"/>'
        "</g>"
    )
    shape = f'<rect x="{x - 12}" y="{y + 17}" width="24" height="66"'
    return _svg.cell(f"{pile + 1}-{left - index}", shape, piece=piece)


def _left(state: State) -> list[int]:
    return [int(left) for left in state.piles]


@dataclass(frozen=True)
class Nim(Game[State]):
    """Nim with any piles.

    Rules:
      The seats take turns; seat 0 begins. A move takes any number of objects, at least one, from
      one pile. The seat that takes the last object wins; with `misere` it loses.

    Moves:
      `(number - 1) * piles + pile`, pile and number of objects; label `4-7` takes seven from the
      fourth. A is the number of piles times the largest of them.

    Observation:
      f32[piles, largest], the same for both seats: in each row as many ones as objects are left in
      the pile, then zeros.

    Attributes:
      piles: 1 to 16 sizes from 1 to 255, set apart by spaces.
      misere: whether taking the last object loses.

    Source:
      C. Bouton, Nim, Annals of Mathematics 3 (1901)
    """

    piles: str = "1 3 5 7"
    misere: bool = False

    def __post_init__(self) -> None:
        sizes = self.sizes
        theorem = Fact(
            _value(sizes, self.misere), "C. Bouton, Nim, Annals of Mathematics 3 (1901), 35-39"
        )
        object.__setattr__(self, "num_actions", len(sizes) * max(sizes))
        object.__setattr__(self, "max_plies", sum(sizes))
        # A pile of n is taken in 1 + 1/2 + … + 1/n moves if all are equally likely.
        plies = sum(1 / k for size in sizes for k in range(1, size + 1))
        object.__setattr__(self, "typical_plies", round(plies))
        object.__setattr__(self, "facts", Facts(value=theorem))

    @property
    def sizes(self) -> tuple[int, ...]:
        """The piles at the start."""
        return _read(self.piles)

    def init(self) -> State:
        """All piles whole."""
        return State(tuple(jnp.uint8(size) for size in self.sizes), jnp.uint8(0))

    def mover(self, state: State) -> jax.Array:
        """The seats take turns while there is something to take."""
        return jnp.where(reduce(or_, state.piles) == 0, OVER, state.seat.astype(jnp.int32))

    def legal(self, state: State) -> jax.Array:
        """As many as the pile holds, bool[A]: one from each pile, then two from each, …."""
        pile, less = _moves(self.sizes)
        return _chosen(state.piles, pile) > less

    def step(self, state: State, move: jax.Array) -> State:
        """Take, and let the other seat go on."""
        count = len(self.sizes)
        pile, take = move % count, (move // count + 1).astype(jnp.uint8)
        piles = (jnp.where(pile == k, left - take, left) for k, left in enumerate(state.piles))
        return State(tuple(piles), 1 - state.seat)

    def payoff(self, state: State) -> jax.Array:
        """To the seat that took the last object, or in misère play to the other one."""
        winner = state.seat if self.misere else 1 - state.seat
        return jnp.where(reduce(or_, state.piles) == 0, jnp.where(winner == 0, 1.0, -1.0), 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """What is left of each pile, as so many ones: f32[piles, largest], the same to both."""
        size, count = max(self.sizes), len(self.sizes)
        pile, less = np.divmod(np.arange(count * size), size)
        left = _chosen(state.piles, pile) > less.astype(np.uint8)
        return left.astype(jnp.float32).reshape(count, size)

    def show(self, state: State) -> str:
        """The number of each pile and its objects."""
        return "\n".join(f"{k + 1:2}  {'|' * left}" for k, left in enumerate(_left(state)))

    def draw(self, state: State) -> str:
        """Rows of matches; each is the cell that takes it and what is right of it."""
        size, count = max(self.sizes), len(self.sizes)
        matches = (_match(k, i, left) for k, left in enumerate(_left(state)) for i in range(left))
        names = _svg.names([(24, 70 * k + 62, str(k + 1)) for k in range(count)])
        return _svg.picture(24 * size + 76, 70 * count + 20, names, *matches, font=20)

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The first match that is taken from a pile; the ones right of it go with it."""
        return (self.label(state, move),)

    def label(self, state: State, move: int) -> str:
        """Pile and number of objects: `4-7` takes seven from the fourth."""
        take, pile = divmod(move, len(self.sizes))
        return f"{pile + 1}-{take + 1}"

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        labels = {self.label(state, move): move for move in range(self.num_actions)}
        move = text.strip()
        if move not in labels:
            raise ValueError(f"{move!r} is not a move; 2-3 takes three from pile 2")
        take, pile = divmod(labels[move], len(self.sizes))
        left = _left(state)[pile]
        if take >= left:
            raise ValueError(f"pile {pile + 1} holds {left} only")
        return labels[move]
