"""Phantom games: each seat observes its own stones and those of the opponent that it has found.

A move to a cell that the opponent has taken shows the stone there, and the same seat moves again.
A seat does not observe the opponent's failed moves.
"""

from abc import abstractmethod
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from games import _bitset
from games._bitset import Bitset
from games.core import OVER, Game

CellT = TypeVar("CellT", int, jax.Array)
"""A cell's number: on the host, or i32[] in compiled code."""


class State(NamedTuple):
    """Sets of cells, each in the view of the seat that it belongs to.

    Attributes:
      mine: u32[] words, stones of the seat to move.
      theirs: u32[] words, stones of the other seat.
      known: u32[] words, stones in `theirs` that the seat to move has found.
      found: u32[] words, stones in `mine` that the other seat has found.
      stones: u8[], number of stones on the board.
      won: bool[], whether the seat that placed the last one has won.
    """

    mine: Bitset
    theirs: Bitset
    known: Bitset
    found: Bitset
    stones: jax.Array
    won: jax.Array


class PhantomGame(Game[State]):
    """The seats place stones in turn on a square board until one has won or it is full.

    Attributes:
      size: length of the board's sides.
    """

    perfect_information = False
    size: int

    @abstractmethod
    def _wins(self, board: Bitset) -> jax.Array:
        """Whether a seat with these stones has won, bool[]."""

    def _turned(self, cell: CellT) -> CellT:
        """A cell of one seat's view in the other's; the same unless a subclass overrides it."""
        return cell

    def init(self) -> State:
        """An empty board."""
        empty = _bitset.empty(self.size**2)
        return State(empty, empty, empty, empty, jnp.uint8(0), jnp.bool_(False))

    def mover(self, state: State) -> jax.Array:
        """The seats alternate with every stone: the parity of their number is the seat."""
        over = state.won | (state.stones == self.size**2)
        return jnp.where(over, OVER, state.stones.astype(jnp.int32) & 1)

    def legal(self, state: State) -> jax.Array:
        """The cells without an own stone or one that the seat has found, bool[size²]."""
        free = _bitset.complement(_bitset.union(state.mine, state.known))
        return _bitset.to_array(free, np.arange(self.size**2), jnp.bool_)

    def step(self, state: State, move: jax.Array) -> State:
        """Places a stone, or finds the other seat's."""
        known = _bitset.add(state.known, move)
        mine = _bitset.add(state.mine, move)
        stays = state._replace(known=known)
        passes = State(
            state.theirs, mine, state.found, state.known, state.stones + 1, self._wins(mine)
        )
        taken = _bitset.contains(state.theirs, self._turned(move))
        return jax.tree.map(lambda a, b: jnp.where(taken, a, b), stays, passes)

    def payoff(self, state: State) -> jax.Array:
        """Only the seat that placed the last stone can have won."""
        return jnp.where(state.won, jnp.where(state.stones & 1 == 1, 1.0, -1.0), 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """f32[size, size, 2]: own stones, and the opponent's that the seat has found."""
        own = state.stones.astype(jnp.int32) & 1 == seat
        first = _bitset.select(own, state.mine, state.theirs)
        second = _bitset.select(own, state.known, state.found)
        cells = np.arange(self.size**2)
        cells = np.stack([cells, 32 * len(first) + cells], 1).reshape(-1)
        planes = _bitset.to_array(first + second, cells, jnp.float32)
        return planes.reshape(self.size, self.size, 2)

    def move_planes(self) -> np.ndarray:
        """The cell that is tried, i64[size²]."""
        return np.arange(self.size**2)

    def _stones(self, state: State) -> list[str]:
        """`X`, `O` or `.` for each cell in seat 0's view; small if the other seat has found it."""
        return self._marks(state, "Xx", "Oo")

    def _seen(self, state: State, seat: int) -> list[str]:
        """The same, restricted to what one seat has observed."""
        return self._marks(state, *(("XX", ".O") if seat == 0 else (".X", "OO")))

    def _marks(self, state: State, first: str, second: str) -> list[str]:
        """For each cell a mark of seat 0 or of seat 1: hidden from the other seat, or known."""
        mine, theirs, known, found = (_bitset.to_int(board) for board in state[:4])
        if int(state.stones) & 1:
            mine, theirs, known, found = theirs, mine, found, known
        marks = []
        for cell in range(self.size**2):
            turned = self._turned(cell)
            if mine >> cell & 1:
                marks.append(first[found >> turned & 1])
            elif theirs >> turned & 1:
                marks.append(second[known >> cell & 1])
            else:
                marks.append(".")
        return marks

    def _free(self, state: State, cell: int) -> bool:
        """Whether a cell, numbered in seat 0's view, is legal for the seat to move."""
        return self._seen(state, int(state.stones) & 1)[cell] == "."
