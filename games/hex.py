"""Hex.

Each seat has a view of the board in which it connects top and bottom; see games/_hex.py. Moves,
observations and stored sets of cells are in the view of the seat that they belong to; text and
pictures are in that of seat 0.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _bitset, _hex
from games._bitset import Bitset
from games.core import OVER, Fact, Facts, Game


class State(NamedTuple):
    """Cell row * size + column of a board is bit cell % 32 of its word cell // 32.

    Attributes:
      mine: u32[] words, stones of the seat to move, in its own view.
      theirs: u32[] words, stones of the other seat, in that seat's view.
      seat: u8[], the seat to move.
      over: bool[], whether the other seat has joined its edges.
    """

    mine: Bitset
    theirs: Bitset
    seat: jax.Array
    over: jax.Array


@dataclass(frozen=True)
class Hex(Game[State]):
    """Hex on a rhombus.

    Rules:
      The seats place stones on empty cells in turn; seat 0, red, begins. A chain of stones from
      one's own edge to the opposite one wins: red connects top and bottom, blue left and right.
      There is no draw. With `swap`, blue may answer the first move by taking red's stone over: it
      becomes a blue stone on the cell reflected in the long diagonal.

    Moves:
      `row * size + column`, from the top left, in the mover's view; blue's view is the board
      reflected in the long diagonal, so that it, too, connects top and bottom. With `swap`, size²
      is the swap. Labels are as red sees the board, `a1` at the top left.

    Observation:
      f32[size, size, 2], or 3 planes with `swap`, by row and column in the seat's view.

      - 0: own stones.
      - 1: the opponent's stones.
      - 2: with `swap`: 1 on every cell if the seat to move may swap.

    Attributes:
      size: length of the board's sides, 1 to 19.
      swap: whether blue may take over red's first stone.

    Source:
      en.wikipedia.org/wiki/Hex_(board_game)
    """

    size: int = 11
    swap: bool = False

    facts = Facts(
        value=Fact(
            1.0, "J. Nash 1949, by strategy stealing; en.wikipedia.org/wiki/Hex_(board_game)"
        ),
    )

    def __post_init__(self) -> None:
        if not 1 <= self.size <= 19:
            raise ValueError(f"hex: size={self.size} is not one of 1 to 19")
        moves = self.size**2 + self.swap
        object.__setattr__(self, "num_actions", moves)
        object.__setattr__(self, "max_plies", moves)
        # Uniformly random games fill 84 % of a board of 3×3 and 92 % of one of 19×19.
        object.__setattr__(self, "typical_plies", round(0.88 * self.size**2))
        if self.swap:
            object.__setattr__(self, "facts", Facts())

    def init(self) -> State:
        """An empty board."""
        empty = _bitset.empty(self.size**2)
        return State(empty, empty, jnp.uint8(0), jnp.bool_(False))

    def mover(self, state: State) -> jax.Array:
        """The seats take turns until the one that moved last has joined its edges."""
        return jnp.where(state.over, OVER, state.seat.astype(jnp.int32))

    def legal(self, state: State) -> jax.Array:
        """The empty cells, and the swap as answer to the first stone, bool[size² (+ 1)]."""
        mine = _bitset.parts(state.mine, np.arange(self.size**2))
        theirs = _bitset.parts(state.theirs, _hex.reflected(self.size))
        free = [(a | b) & 1 == 0 for a, b in zip(mine, theirs, strict=True)]
        swap = [self._swappable(state)[None]] if self.swap else []
        return jnp.concatenate(free + swap)

    def step(self, state: State, move: jax.Array) -> State:
        """Set a stone, or take the other seat's as one's own."""
        mine, theirs = _bitset.add(state.mine, move), state.theirs
        if self.swap:
            swaps = move == self.size**2
            mine = _bitset.select(swaps, state.theirs, mine)
            theirs = _bitset.select(swaps, state.mine, theirs)
        return State(theirs, mine, 1 - state.seat, _hex.connected(mine, self.size))

    def payoff(self, state: State) -> jax.Array:
        """Only the seat that moved last can have joined its edges."""
        sign = jnp.where(state.seat == 1, 1.0, -1.0)
        return jnp.where(state.over, sign, 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """Planes f32[size, size, 2 (+ 1)]: own stones, the opponent's, whether a swap is open."""
        own = state.seat == seat.astype(jnp.uint8)
        first = _bitset.select(own, state.mine, state.theirs)
        second = _bitset.select(own, state.theirs, state.mine)
        swap = (self._swappable(state).astype(jnp.uint32),)
        bits = 32 * len(first)
        planes = [np.arange(self.size**2), bits + _hex.reflected(self.size)]
        if self.swap:
            planes.append(np.full(self.size**2, 2 * bits))
        cells = np.stack(planes, 1).reshape(-1)
        seen = _bitset.to_array(first + second + swap, cells, jnp.float32)
        return seen.reshape(self.size, self.size, len(planes))

    def move_planes(self) -> np.ndarray:
        """The cell of the stone, i64[size² (+ 1)]; a swap has none."""
        return np.append(np.arange(self.size**2), np.full(int(self.swap), -1))

    def symmetries(self, observation: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The board and the board turned half-way round."""
        turned = np.arange(self.size**2)[::-1]
        turned = np.append(turned, np.arange(self.size**2, self.num_actions))
        return (
            jnp.stack([observation, observation[::-1, ::-1]]),
            jnp.stack([policy, policy[turned]]),
        )

    def show(self, state: State) -> str:
        """Red `X` and blue `O` on a rhombus."""
        return _hex.show(self.size, self._stones(state))

    def draw(self, state: State) -> str:
        """Red and blue stones on hexagons."""
        return _hex.draw(self.size, self._stones(state))

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The cell; none for a swap."""
        return () if move == self.size**2 else (self.label(state, move),)

    def label(self, state: State, move: int) -> str:
        """The cell as red sees it, `a1` at the top left; or `swap`."""
        if move == self.size**2:
            return "swap"
        return _hex.label(self.size, self._turned(state, move))

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        move = text.strip().lower()
        if self.swap and move == "swap":
            if not self._swappable(state):
                raise ValueError("only the first stone can be swapped, and at once")
            return self.size**2
        cell = _hex.parse(self.size, text)
        if self._stones(state)[cell] != ".":
            raise ValueError(f"{move} is taken")
        return self._turned(state, cell)

    def _turned(self, state: State, cell: int) -> int:
        """A cell of red's view in the view of the seat to move, and back."""
        return int(_hex.reflected(self.size)[cell]) if int(state.seat) else cell

    def _stones(self, state: State) -> list[str]:
        """`X`, `O` or `.` for each cell of red's view."""
        boards = _bitset.to_int(state.mine), _bitset.to_int(state.theirs)
        red, blue = reversed(boards) if int(state.seat) else boards
        return [
            "X" if red >> cell & 1 else "O" if blue >> turned & 1 else "."
            for cell, turned in enumerate(_hex.reflected(self.size).tolist())
        ]

    def _swappable(self, state: State) -> jax.Array:
        stones = _bitset.count(state.mine) + _bitset.count(state.theirs)
        return (state.seat == 1) & (stones == 1)
