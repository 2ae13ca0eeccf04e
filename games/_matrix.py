"""What matrix games share: each seat chooses once, without having observed the other's choice."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games.core import OVER, Game


class State(NamedTuple):
    """2 bytes. A choice is a move plus one, and 0 until it is made.

    Attributes:
      first: u8[], the choice of seat 0.
      second: u8[], the choice of seat 1.
    """

    first: jax.Array
    second: jax.Array


class MatrixGame(Game[State]):
    """Seat 0 chooses a row of a table; then seat 1, without having observed it, chooses a column.

    Attributes:
      table: f32[rows, columns], what seat 0 gets.
    """

    max_plies = 2
    perfect_information = False
    table: np.ndarray

    def init(self) -> State:
        """Nothing is chosen."""
        return State(jnp.uint8(0), jnp.uint8(0))

    def mover(self, state: State) -> jax.Array:
        """Seat 0, then seat 1."""
        return jnp.where(state.second > 0, OVER, (state.first > 0).astype(jnp.int32))

    def legal(self, state: State) -> jax.Array:
        """All rows for seat 0, all columns for seat 1, bool[A]."""
        rows, columns = self.table.shape
        return jnp.arange(self.num_actions) < jnp.where(state.first == 0, rows, columns)

    def step(self, state: State, move: jax.Array) -> State:
        """Adds the choice of the seat to move."""
        choice = move.astype(jnp.uint8) + 1
        chosen = state.first > 0
        return State(jnp.where(chosen, state.first, choice), jnp.where(chosen, choice, 0))

    def payoff(self, state: State) -> jax.Array:
        """The entry in the row and column that were chosen."""
        row, column = (choice.astype(jnp.int32) - 1 for choice in state)
        return jnp.where(state.second > 0, jnp.asarray(self.table)[row, column], 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """f32[2 + 2 A]: which seat it is, its own choice, and in the end the other's choice."""
        swap = seat == 1
        own = jnp.where(swap, state.second, state.first)
        other = jnp.where(swap, state.first, state.second)
        other = jnp.where(state.second > 0, other, 0)
        # What is compared with which value, place by place.
        moves = np.arange(1, self.num_actions + 1)
        part = np.repeat([0, 1, 2], [2, len(moves), len(moves)])
        value = np.concatenate([[0, 1], moves, moves]).astype(np.uint8)
        known = jnp.where(part == 0, swap.astype(jnp.uint8), jnp.where(part == 1, own, other))
        return (known == value).astype(jnp.float32)

    def view(self, state: State, seat: int) -> str:
        """As `show`, but seat 1 learns what seat 0 has chosen only when it has chosen, too."""
        return self.show(state if seat == 0 or state.second > 0 else self.init())

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        moves = self.table.shape[int(state.first > 0)]
        labels = [self.label(state, move) for move in range(moves)]
        choice = text.strip().lower()
        if choice not in labels:
            raise ValueError(f"{text.strip()!r} is no choice; choices are {', '.join(labels)}")
        return labels.index(choice)
