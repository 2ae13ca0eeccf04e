"""Random game trees."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _svg
from games.core import CHANCE, OVER, Fact, Facts, Game

_WORD = 8
"""Leaves that one outcome of chance draws."""


class State(NamedTuple):
    """One byte for eight leaves, and four more.

    Attributes:
      leaves: u8[2^depth / 8], bit k of byte b is set if seat 0 wins at leaf 8 b + k.
      drawn: u8[], how many of these bytes chance has drawn.
      moves: u8[], how many moves were made.
      path: u16[], the moves so far, as the bits of a number, the last one the lowest.
    """

    leaves: jax.Array
    drawn: jax.Array
    moves: jax.Array
    path: jax.Array


def root_share(depth: int, share: float) -> float:
    """The probability that seat 0, who begins, wins a random tree under perfect play.

    Args:
      depth: moves from the root to a leaf.
      share: the probability that it wins at a leaf.

    Source: J. Pearl, "Asymptotic properties of minimax trees and game-searching procedures",
    Artificial Intelligence 14 (1980), 113-138: whoever moves wins unless all subtrees are lost.
    """
    wins = share
    for ply in range(depth - 1, -1, -1):
        wins = 1 - (1 - wins) ** 2 if ply % 2 == 0 else wins**2
    return wins


@dataclass(frozen=True)
class GameTree(Game[State]):
    """A random game tree: both seats walk from its root to a leaf, which says who has won.

    Rules:
      Chance draws a complete binary tree: at each leaf seat 0 wins with a given probability,
      whatever is at the others. Both seats see the whole tree. Then they take turns, seat 0 first,
      and each move goes to the left or to the right, until a leaf is reached.

    Moves:
      0 goes to the left, 1 to the right. Chance draws eight leaves at a time, from the left: bit k
      of its outcome is set if seat 0 wins at the k-th of them.

    Observation:
      f32[2^depth, 3]. Of the leaves that can still be reached, from the left; the rows behind them
      are 0.

      - 0: the seat wins there.
      - 1: the other seat wins there.
      - 2: the other seat makes the last move before a leaf.

    Attributes:
      depth: moves from the root to a leaf, 3 to 10.
      share: the probability that seat 0 wins at a leaf.

    Source:
      J. Pearl, Asymptotic properties of minimax trees and game-searching procedures, Artificial
      Intelligence 14 (1980); the debate in it: G. Irving and others, arXiv 1805.00899
    """

    depth: int = 4
    share: float = 0.5

    num_actions = 2
    num_outcomes = 2**_WORD

    def __post_init__(self):
        if not 3 <= self.depth <= 10:
            raise ValueError("game_tree: depth must lie between 3 and 10")
        if not 0 < self.share < 1:
            raise ValueError("game_tree: share must lie between 0 and 1")
        value = 2 * root_share(self.depth, self.share) - 1
        source = "J. Pearl, Artificial Intelligence 14 (1980), 113-138"
        object.__setattr__(self, "max_plies", self.words + self.depth)
        object.__setattr__(self, "facts", Facts(value=Fact(value, source)))

    @property
    def words(self) -> int:
        """How often chance draws eight leaves."""
        return 2**self.depth // _WORD

    def init(self) -> State:
        """No leaf is drawn."""
        return State(jnp.zeros(self.words, jnp.uint8), jnp.uint8(0), jnp.uint8(0), jnp.uint16(0))

    def mover(self, state: State) -> jax.Array:
        """Chance draws the tree, then the seats take turns down to a leaf."""
        seat = jnp.where(state.moves == self.depth, OVER, (state.moves & 1).astype(jnp.int32))
        return jnp.where(state.drawn < self.words, CHANCE, seat)

    def chance(self, state: State) -> jax.Array:
        """Eight leaves, each won by seat 0 with the same probability, f32[256]."""
        wins = np.array([number.bit_count() for number in range(2**_WORD)])
        return jnp.asarray(self.share**wins * (1 - self.share) ** (_WORD - wins), jnp.float32)

    def legal(self, state: State) -> jax.Array:
        """Left and right, always, bool[2]."""
        return jnp.ones(2, bool)

    def step(self, state: State, move: jax.Array) -> State:
        """Draws eight leaves, or goes to the left or to the right."""
        drawing = state.drawn < self.words
        here = drawing & (jnp.arange(self.words) == state.drawn.astype(jnp.int32))
        return State(
            jnp.where(here, move.astype(jnp.uint8), state.leaves),
            state.drawn + drawing.astype(jnp.uint8),
            state.moves + (~drawing).astype(jnp.uint8),
            jnp.where(drawing, state.path, state.path << 1 | move.astype(jnp.uint16)),
        )

    def payoff(self, state: State) -> jax.Array:
        """1 or -1, as the leaf says."""
        wins = self._leaf(state, state.path.astype(jnp.int32))
        return jnp.where(state.moves == self.depth, 2.0 * wins.astype(jnp.float32) - 1, 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """f32[2^depth, 3]: for whom the leaves that are left count, and who moves last."""
        count = 2**self.depth
        left = jnp.int32(count) >> state.moves.astype(jnp.int32)
        place = jnp.arange(count)
        first = state.path.astype(jnp.int32) * left
        wins = self._leaf(state, jnp.minimum(first + place, count - 1)) == 1
        drawn = place < state.drawn.astype(jnp.int32) * _WORD
        there = (place < left) & jnp.where(state.moves == 0, drawn, True)
        own = wins == (seat == 0)
        last = jnp.broadcast_to((self.depth - 1) % 2 != seat, count)
        return (jnp.stack([own, ~own, last], -1) & there[:, None]).astype(jnp.float32)

    def _leaf(self, state: State, number: jax.Array) -> jax.Array:
        """1 where seat 0 wins at leaves of numbers i32[...], else 0: u8[...]."""
        return state.leaves[number // _WORD] >> (number % _WORD).astype(jnp.uint8) & 1

    def show(self, state: State) -> str:
        """The leaves that can still be reached, 0 or 1 for the seat that wins there."""
        return f"{self._path(state) or 'root'}: {self._left(state)}"

    def draw(self, state: State) -> str:
        """The tree down from where the game stands, five plies of it at most."""
        if int(state.drawn) < self.words:
            return _svg.text(self.show(state))
        left = self._left(state)
        plies = min(5, len(left).bit_length() - 1)
        high, wide = 90 * plies + 120, 640
        parts = []
        for ply in range(plies + 1):
            for k in range(2**ply):
                parts.append(self._node(left, ply, k, plies, int(state.moves)))
        name = self._path(state) or "root"
        return _svg.picture(wide, high, *parts, _svg.names([(60.0, 40.0, name)]), font=22)

    def _node(self, left: str, ply: int, k: int, plies: int, moves: int) -> str:
        """A node, and the branch above it: by colour who wins at a leaf, or who is to move."""
        x, y = 640 * (k + 0.5) / 2**ply, 90 * ply + 50
        part = left[k * len(left) // 2**ply : (k + 1) * len(left) // 2**ply]
        branch = ""
        if ply:
            up = 640 * (k // 2 + 0.5) / 2 ** (ply - 1)
            branch = f'<path class="lines" d="M{up:g} {y - 78}L{x:g} {y - 12}" stroke="#6f6a60"/>'
        if len(part) == 1:
            seat, size = int(part), 9
        else:
            seat, size = (moves + ply) % 2, 12
        colour = ("#2c5aa0", "#d8433b")[seat]
        kind = f'class="piece {_svg.SEATS[seat]}"'
        piece = f'<circle {kind} cx="{x:g}" cy="{y}" r="{size}" fill="{colour}"/>'
        if len(part) > 1:
            piece = f'<circle {kind} cx="{x:g}" cy="{y}" r="{size}" fill="#fff" '
            piece += f'stroke="{colour}" stroke-width="4"/>'
        if ply == 1:
            piece = _svg.cell(
                ("left", "right")[k], f'<circle cx="{x:g}" cy="{y}" r="24"', piece=piece
            )
        elif ply == plies and len(part) > 1:
            piece += f'<text class="names" x="{x:g}" y="{y + 40}" fill="#6f6a60">…</text>'
        return branch + piece

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The node that the move goes to."""
        return (("left", "right")[move],)

    def label(self, state: State, move: int) -> str:
        """`left` or `right`."""
        return ("left", "right")[move]

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        ways = ["left", "right"]
        if text.strip().lower() not in ways:
            raise ValueError(f"{text.strip()!r} is no move; moves are left and right")
        return ways.index(text.strip().lower())

    def _path(self, state: State) -> str:
        moves = int(state.moves)
        return " ".join(("left", "right")[int(state.path) >> k & 1] for k in range(moves)[::-1])

    def _left(self, state: State) -> str:
        """The leaves that can be reached, the seat that wins at each; `.` before it is drawn."""
        bits = np.unpackbits(np.asarray(state.leaves), bitorder="little")
        seats = "".join(str(1 - bit) for bit in bits.tolist())
        known = _WORD * int(state.drawn)
        seats = seats[:known] + "." * (len(seats) - known)
        left = len(seats) >> int(state.moves)
        return seats[int(state.path) * left : (int(state.path) + 1) * left]
