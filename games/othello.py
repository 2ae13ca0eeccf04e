"""Othello (Reversi)."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import lshift, rshift
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _svg
from games._bitboard import Bitboard, planes
from games.core import OVER, Fact, Facts, Game

_PASS = 64
_BLACK, _WHITE = 1 << 28 | 1 << 35, 1 << 27 | 1 << 36
# The four lines through a cell: how far apart neighbours are, and for each word of a board which
# discs can be between two others. Leaving out the outer columns keeps a line from running on into
# the next row.
_DISTANCES = np.array([1, 7, 8, 9], np.uint32)
_INNER = np.array([0x7E7E7E7E, 0x7E7E7E7E, 0xFFFFFFFF, 0x7E7E7E7E], np.uint32)


class State(NamedTuple):
    """17 bytes. Cell c is row c // 8 from the top, column c % 8 from the left.

    Attributes:
      mine: discs of the seat to move.
      theirs: discs of the other.
      seat: u8[], the seat to move.
    """

    mine: Bitboard
    theirs: Bitboard
    seat: jax.Array


def _ray(start: Bitboard, between: Bitboard, shift: Callable, distance: jax.Array) -> Bitboard:
    """Unbroken lines of `between` that begin next to `start`, one way along a line."""
    pairs = between & shift(between, distance)
    ray = between & shift(start, distance)
    ray = ray | (between & shift(ray, distance))
    ray = ray | (pairs & shift(ray, 2 * distance))
    return ray | (pairs & shift(ray, 2 * distance))  # six discs: no line has room for more


def _union(find: Callable[[jax.Array, Bitboard], Bitboard], between: Bitboard) -> Bitboard:
    """What `find` finds on the four lines, given their distance and the discs that can be between.

    A loop, since its result is stored: unrolled, it would be computed anew for every bit of it
    that is looked at.
    """

    def add(line: jax.Array, found: Bitboard) -> Bitboard:
        inner = jnp.asarray(_INNER)[line]
        return found | find(jnp.asarray(_DISTANCES)[line], between & Bitboard(inner, inner))

    return jax.lax.fori_loop(0, 4, add, Bitboard.of(0))


@jax.jit  # outside compiled code a loop would be compiled anew every time
def _placements(own: Bitboard, other: Bitboard) -> Bitboard:
    """The empty cells at the far ends of lines of `other` that begin next to `own`."""

    def ends(distance: jax.Array, between: Bitboard) -> Bitboard:
        up, down = (_ray(own, between, shift, distance) for shift in (lshift, rshift))
        return up << distance | down >> distance

    return _union(ends, other) & ~(own | other)


@jax.jit  # for the same reason
def _flips(disc: Bitboard, own: Bitboard, other: Bitboard) -> Bitboard:
    """The discs of `other` in unbroken lines between a new disc and `own`."""

    def trapped(distance: jax.Array, between: Bitboard) -> Bitboard:
        up, down = (_ray(disc, between, shift, distance) for shift in (lshift, rshift))
        from_above, from_below = (_ray(own, between, shift, distance) for shift in (rshift, lshift))
        return (up & from_above) | (down & from_below)

    return _union(trapped, other)


def _over(state: State) -> jax.Array:
    mine, theirs = state.mine, state.theirs
    return ~(_placements(mine, theirs) | _placements(theirs, mine)).any()


@dataclass(frozen=True)
class Othello(Game[State]):
    """Othello (Reversi) on 8×8.

    Rules:
      The seats place discs in turn; seat 0 plays black and begins, with black on e4 and d5 and
      white on d4 and e5. A disc must trap at least one straight line of the opponent's discs
      between itself and another own disc; all discs trapped so are turned over. A seat without such
      a move passes. The game ends when neither seat has one; more discs win, equal numbers are a
      draw.

    Moves:
      0 to 63, the cells row by row from the top left, `a1`; 64 is the pass, legal only if no other
      move is.

    Observation:
      f32[8, 8, 2], by row and column from the top left.

      - 0: own discs.
      - 1: the opponent's discs.

    Source:
      en.wikipedia.org/wiki/Reversi; as in OpenSpiel
    """

    num_actions = 65
    max_plies = 120  # 60 placements, and no two passes in a row
    typical_plies = 60
    facts = Facts(
        perft=Fact(
            (1, 4, 12, 56, 244, 1396, 8200, 55092, 390216, 3005288),
            "aartbik.com/MISC/reversi.html",
        ),
    )

    def init(self) -> State:
        """White on d4 and e5, black on e4 and d5."""
        return State(Bitboard.of(_BLACK), Bitboard.of(_WHITE), jnp.uint8(0))

    def mover(self, state: State) -> jax.Array:
        """The seats alternate, passes included."""
        return jnp.where(_over(state), OVER, state.seat.astype(jnp.int32))

    def legal(self, state: State) -> jax.Array:
        """The cells where a disc turns others over, bool[65]; if there are none, the pass."""
        cells = _placements(state.mine, state.theirs)
        return jnp.append(cells.flags(), ~cells.any())

    def step(self, state: State, move: jax.Array) -> State:
        """Places a disc and turns over what it traps, then exchanges the seats' boards."""
        disc = Bitboard.cell(move)  # empty for a pass, so that nothing changes
        flips = _flips(disc, state.mine, state.theirs)
        return State(state.theirs ^ flips, state.mine | disc | flips, state.seat ^ 1)

    def payoff(self, state: State) -> jax.Array:
        """Who has more discs; a draw is possible."""
        lead = jnp.sign(state.mine.size() - state.theirs.size())
        black = jnp.where(state.seat == 0, lead, -lead)
        return jnp.where(_over(state), black, 0).astype(jnp.float32)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """Two planes f32[8, 8, 2]: own discs, the opponent's; row 1 first."""
        own = state.seat.astype(jnp.int32) == seat
        first = Bitboard.where(own, state.mine, state.theirs)
        return planes(first, Bitboard.where(own, state.theirs, state.mine))

    def ownership(self, state: State, seat: jax.Array) -> jax.Array:
        """The discs: what is counted in the end."""
        seen = self.observe(state, seat)
        return seen[..., 0] - seen[..., 1]

    def move_planes(self) -> np.ndarray:
        """The cell of the disc, i64[65]; a pass has none."""
        return np.append(np.arange(_PASS), -1)

    def symmetries(self, observation: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The four symmetries of the square that keep the four discs of the start."""
        grid = policy[:_PASS].reshape(8, 8)

        def images(board: jax.Array) -> jax.Array:
            flipped = board.swapaxes(0, 1)
            return jnp.stack([board, flipped, jnp.rot90(board, 2), jnp.rot90(flipped, 2)])

        passes = jnp.broadcast_to(policy[_PASS:], (4, 1))
        return images(observation), jnp.concatenate([images(grid).reshape(4, 64), passes], 1)

    def show(self, state: State) -> str:
        """Black X and white O; rows 1 to 8 downwards, as players number them."""
        discs = self._discs(state)
        rows = [f"{r + 1}  " + " ".join(discs[8 * r : 8 * r + 8]) for r in range(8)]
        return "\n".join([*rows, "   a b c d e f g h"])

    def draw(self, state: State) -> str:
        """A green board with black and white discs."""
        dots = "".join(f'<circle cx="{x}" cy="{y}" r="7"/>' for x in (250, 650) for y in (250, 650))
        lines = "".join(f"M{50 + 100 * k} 50v800M50 {50 + 100 * k}h800" for k in range(9))
        places = [(100 + 100 * k, 38, name) for k, name in enumerate("abcdefgh")]
        places += [(26, 110 + 100 * k, str(k + 1)) for k in range(8)]
        return _svg.picture(
            876,
            876,
            '<rect class="board" x="50" y="50" width="800" height="800" fill="#2f8f5b"/>',
            f'<path class="lines" d="{lines}" stroke="#1d5c3a" stroke-width="3"/>',
            f'<g class="lines" fill="#1d5c3a">{dots}</g>',
            _svg.names(places),
            *(self._cell(cell, disc) for cell, disc in enumerate(self._discs(state))),
        )

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The cell; none for a pass."""
        return () if move == _PASS else (self.label(state, move),)

    def _cell(self, cell: int, disc: str) -> str:
        x, y = 100 + 100 * (cell % 8), 100 + 100 * (cell // 8)
        fill, rim = ("#1b1b1b", "#000") if disc == "X" else ("#f8f6f0", "#c9c4b6")
        piece = (
            f'<circle class="piece {_svg.SEATS[disc == "O"]}" cx="{x}" cy="{y}" r="41" '
            f'fill="{fill}" stroke="{rim}" stroke-width="3"/>'
        )
        return _svg.cell(
            f"{'abcdefgh'[cell % 8]}{cell // 8 + 1}",
            f'<rect x="{x - 48}" y="{y - 48}" width="96" height="96"',
            says={"X": "black", "O": "white", ".": ""}[disc],
            piece="" if disc == "." else piece,
        )

    def label(self, state: State, move: int) -> str:
        """Column letter and row number, `a1` at the top left; or `pass`."""
        return "pass" if move == _PASS else f"{'abcdefgh'[move % 8]}{move // 8 + 1}"

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        labels = [self.label(state, m) for m in range(self.num_actions)]
        name = text.strip().lower()
        if name not in labels:
            raise ValueError(f"{text.strip()!r} is not a move; moves are a1 to h8, or pass")
        move = labels.index(name)
        if not self.legal(state)[move]:
            reason = "there is a disc to place" if move == _PASS else "it turns no disc over"
            raise ValueError(f"{name} is not legal: {reason}")
        return move

    def _discs(self, state: State) -> list[str]:
        mine, theirs = int(state.mine), int(state.theirs)
        black, white = (theirs, mine) if state.seat else (mine, theirs)
        return ["X" if black >> c & 1 else "O" if white >> c & 1 else "." for c in range(64)]
