"""Liar's dice."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _svg
from games.core import CHANCE, OVER, Fact, Facts, Game

# Where the pips of 1 to 6 are, on a grid of nine.
_PIPS = ((4,), (0, 8), (0, 4, 8), (0, 2, 6, 8), (0, 2, 4, 6, 8), (0, 2, 3, 5, 6, 8))
_COLOURS = ("#9cc3ff", "#ffb3a8")  # of the seats
_MOST = 15  # dice of a seat times sides: two bids for each, and the doubt, fill a word


class State(NamedTuple):
    """8 bytes. Of a seat's n dice that show face f, counted from 0, the lowest n bits of field f
    tell; a field has as many bits as the seat has dice.

    Attributes:
      first: u16[], the dice of seat 0.
      second: u16[], the dice of seat 1.
      bids: u32[], bit b if bid b was made; the bit above all of them if it was doubted.
    """

    first: jax.Array
    second: jax.Array
    bids: jax.Array


_HIDDEN = (
    '<rect width="80" height="80" rx="14" fill="#24543a" stroke="#8fb8a0" stroke-width="2" '
    'stroke-dasharray="6 5"/><text x="40" y="54" font-size="40" fill="#8fb8a0">?</text>'
)


def _count(bits: jax.Array) -> jax.Array:
    return jax.lax.population_count(bits).astype(jnp.int32)


def _die(face: int, wild: bool) -> str:
    """A die of 80 by 80, its upper left corner at (0, 0); a gold one is wild."""
    fill = "#f4c531" if wild else "#fffdf7"
    box = f'<rect width="80" height="80" rx="14" fill="{fill}" stroke="#bbb" stroke-width="2"/>'
    if face >= len(_PIPS):
        return f'{box}<text x="40" y="54" font-size="40" fill="#222">{face + 1}</text>'
    return box + "".join(
        f'<circle cx="{18 + 22 * (pip % 3)}" cy="{18 + 22 * (pip // 3)}" r="8" fill="#222"/>'
        for pip in _PIPS[face]
    )


@dataclass(frozen=True)
class LiarsDice(Game[State]):
    """Liar's dice: one round of rising bids on what all dice show together.

    Rules:
      Each seat rolls its dice, unseen by the opponent. Seat 0 begins. A bid is a number and a face:
      at least so many of all dice show that face. The highest face is wild and counts as any. Every
      bid must be above the last one; bids are ordered by number, then by face. Instead of bidding,
      a seat may call the opponent a liar: it wins if the last bid was too high, else the opponent
      does.

    Moves:
      `(number - 1) * sides + face - 1` is a bid; the last move, 2·dice·sides, is the call. Chance
      rolls faces 0 to `sides` - 1, die by die, seat 0's first.

    Observation:
      f32[3·dice·sides + 1].

      - The first dice·sides: `dice` for each face, of which the first n are 1 if the seat has n
        dice of that face.
      - The others: which bids have been made, and last whether the call has.

    Attributes:
      dice: number of dice of each seat.
      sides: number of faces of a die; dice times sides is at most 15.

    Source:
      en.wikipedia.org/wiki/Liar's_dice; as in OpenSpiel's liars_dice
    """

    dice: int = 1
    sides: int = 6

    perfect_information = False
    facts = Facts(
        value=Fact(-0.027131782945736, "OpenSpiel, sequence_form_lp_test.py"),
        uniform_exploitability=Fact(
            1.561488646384479 / 2, "OpenSpiel, tabular_best_response_mdp_test.cc: NashConv"
        ),
        information_sets=Fact(24_576, "OpenSpiel, api_test.py"),
    )

    def __post_init__(self):
        if self.dice < 1 or self.sides < 2 or self.dice * self.sides > _MOST:
            raise ValueError(
                f"liars_dice: needs 1 dice and 2 sides or more, and dice times sides up to {_MOST}"
            )
        bids = 2 * self.dice * self.sides
        object.__setattr__(self, "num_actions", bids + 1)
        object.__setattr__(self, "num_outcomes", self.sides)
        object.__setattr__(self, "max_plies", 2 * self.dice + bids + 1)
        # The rolls, and about log(bids) + 1 moves if all that are legal are equally likely.
        object.__setattr__(self, "typical_plies", 2 * self.dice + 1 + round(math.log(bids)))
        if (self.dice, self.sides) != (1, 6):
            object.__setattr__(self, "facts", Facts())

    def init(self) -> State:
        """No die is rolled."""
        return State(jnp.uint16(0), jnp.uint16(0), jnp.uint32(0))

    def mover(self, state: State) -> jax.Array:
        """Chance rolls all dice, then the seats take turns."""
        rolling = _count(state.second) < self.dice
        over = state.bids >> self._doubt != 0
        return jnp.where(rolling, CHANCE, jnp.where(over, OVER, _count(state.bids) & 1))

    def chance(self, state: State) -> jax.Array:
        """Every face with the same probability, f32[sides]."""
        return jnp.full(self.sides, 1 / self.sides)

    def legal(self, state: State) -> jax.Array:
        """Higher bids than the last one, which can be doubted, bool[bids + 1]."""
        moves = jnp.arange(self.num_actions, dtype=jnp.uint32)
        higher = jnp.uint32(1) << moves > state.bids
        return higher & ((moves < self._doubt) | (state.bids != 0))

    def step(self, state: State, move: jax.Array) -> State:
        """Roll a die for seat 0, then for seat 1, or write down a bid."""
        first, rolled = _count(state.first) < self.dice, _count(state.second) == self.dice
        bid = jnp.uint32(1) << move.astype(jnp.uint32)
        return State(
            jnp.where(first, self._roll(state.first, move), state.first),
            jnp.where(first | rolled, state.second, self._roll(state.second, move)),
            jnp.where(rolled, state.bids | bid, 0),
        )

    def payoff(self, state: State) -> jax.Array:
        """To the last bidder if the dice show as many as was bid."""
        bids = state.bids & jnp.uint32((1 << self._doubt) - 1)
        number, face = jnp.divmod(31 - jax.lax.clz(bids).astype(jnp.int32), self.sides)
        fits = self._field(face) | self._field(jnp.int32(self.sides - 1))
        true = _count(state.first & fits) + _count(state.second & fits) > number
        first = _count(bids) & 1 == 1  # seat 0 made the last bid
        return jnp.where(bids == state.bids, 0.0, jnp.where(true == first, 1.0, -1.0))

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """f32[3 dice sides + 1]: its dice, `dice` places for each face, and all bids so far."""
        own = jnp.where(seat == 0, state.first, state.second).astype(jnp.uint32)
        fields, bids = self.dice * self.sides, self.num_actions
        dice = np.arange(fields + bids) < fields
        bit = np.concatenate([np.arange(fields), np.arange(bids)]).astype(np.uint32)
        return ((jnp.where(dice, own, state.bids) >> bit) & 1).astype(jnp.float32)

    def show(self, state: State) -> str:
        """All dice, and the bids so far."""
        return self._text(state, *self._faces(state))

    def view(self, state: State, seat: int) -> str:
        """The seat's own dice, and the bids so far."""
        first, second = self._faces(state)
        return self._text(state, *((first, ["?"]) if seat == 0 else (["?"], second)))

    def draw(self, state: State) -> str:
        """Seat 0's dice above and seat 1's below; the bids of both between, the last one framed."""
        return self._draw(state, self._faces(state))

    def draw_view(self, state: State, seat: int) -> str:
        """As `draw`, the other seat's dice without their faces."""
        hidden, faces = ["?"] * self.dice, self._faces(state)
        return self._draw(state, [faces[0], hidden] if seat == 0 else [hidden, faces[1]])

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The bid; none to call the other a liar."""
        return (self.label(state, move),) if move < self._doubt else ()

    def _draw(self, state: State, dice: list[list[str]]) -> str:
        """The picture with the faces of each seat's dice, `?` for one that is not shown."""
        rows, made = 2 * self.dice, self._made(state)
        bids = [move for move in made if move < self._doubt]
        width, height = 80 * max(self.sides, self.dice + 1) + 40, 50 * rows + 240
        parts = []
        for seat, faces in enumerate(dice):
            y = (50 * rows + 120) * seat + 20
            says = "liar!" if self._doubt in made and len(bids) & 1 == seat else f"seat {seat}"
            parts.append(f'<text x="60" y="{y + 48}" fill="{_COLOURS[seat]}">{says}</text>')
            parts.extend(
                f'<g transform="translate({120 + 90 * k} {y})">{self._die(face)}</g>'
                for k, face in enumerate(faces)
            )
        cells = (self._bid(state, bid, bids) for bid in range(self._doubt))
        return _svg.picture(width, height, *parts, *cells, font=22, paper="#2f6b47", round=24)

    def _die(self, face: str) -> str:
        return _die(int(face) - 1, int(face) == self.sides) if face != "?" else _HIDDEN

    def _bid(self, state: State, bid: int, bids: list[int]) -> str:
        """The cell of a bid, of the colour of the seat that made it."""
        x, y = 20 + 80 * (bid % self.sides), 120 + 50 * (bid // self.sides)
        box = f'<rect x="{x + 3}" y="{y + 3}" width="74" height="44" rx="8"'
        fill = _COLOURS[bids.index(bid) & 1] if bid in bids else "#3b7d55"
        frame = ' stroke="#f4c531" stroke-width="5"' if [bid] == bids[-1:] else ""
        name, ink = self.label(state, bid), "#222" if bid in bids else "#e4f0e8"
        return _svg.cell(
            name,
            box,
            says=f"bid by seat {bids.index(bid) & 1}" if bid in bids else "",
            ground=f'{box} class="square" fill="{fill}"{frame}/>',
            piece=f'<text x="{x + 40}" y="{y + 33}" fill="{ink}">{name}</text>',
        )

    def label(self, state: State, move: int) -> str:
        """How many dice and their face, as in `2-5`, or `liar`."""
        number, face = divmod(move, self.sides)
        return f"{number + 1}-{face + 1}" if move < self._doubt else "liar"

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        labels = [self.label(state, move) for move in range(self.num_actions)]
        move = text.strip().lower()
        if move not in labels:
            raise ValueError(
                f"{text.strip()!r} is no bid; bids are {labels[0]} to {labels[-2]}, or liar"
            )
        if not self.legal(state)[labels.index(move)]:
            last = labels[int(state.bids).bit_length() - 1]
            raise ValueError(f"{move} is not above {last}" if state.bids else "there is no bid yet")
        return labels.index(move)

    @property
    def _doubt(self) -> int:
        """The move that calls the other a liar; all below are bids."""
        return self.num_actions - 1

    def _field(self, face: jax.Array) -> jax.Array:
        """The bits for a face of a seat's dice, u16[]."""
        return jnp.uint16((1 << self.dice) - 1) << (self.dice * face).astype(jnp.uint16)

    def _roll(self, dice: jax.Array, face: jax.Array) -> jax.Array:
        """One more die that shows a face: the lowest free bit of its field."""
        field = self._field(face)
        return dice | ((dice & field) + (field & -field)) & field

    def _faces(self, state: State) -> list[list[str]]:
        """The faces of each seat's dice, in order."""
        fields = range(self.dice * self.sides)
        return [
            [str(bit // self.dice + 1) for bit in fields if int(dice) >> bit & 1]
            for dice in (state.first, state.second)
        ]

    def _made(self, state: State) -> list[int]:
        """The bids so far, the doubt among them."""
        return [move for move in range(self.num_actions) if int(state.bids) >> move & 1]

    def _text(self, state: State, first: list[str], second: list[str]) -> str:
        bids = ", ".join(self.label(state, move) for move in self._made(state))
        dice = " / ".join(" ".join(faces) or "-" for faces in (first, second))
        return f"dice {dice}: {bids}".rstrip(": ")
