"""The Ehrenfeucht-Fraïssé game on two linear orders."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _svg
from games.core import OVER, Fact, Facts, Game

_LONGEST, _MOST_ROUNDS = 16, 8
_SOURCE = (
    "A. Ehrenfeucht, Fundamenta Mathematicae 49 (1961), 129-141; L. Libkin, Elements of Finite "
    "Model Theory (2004), theorem 3.6"
)


class State(NamedTuple):
    """Seven bytes.

    Pairs of marked elements keep their order as long as the game goes on, so the marks of one order
    belong to those of the other from the left.

    Attributes:
      first: u16[], bit k is set if element k of the first order is marked.
      second: u16[], the same of the second order.
      pick: u8[], Spoiler's move plus one while Duplicator has to answer it, else 0.
      rounds: u8[], how many were played.
      broken: u8[], 1 if Duplicator's last answer does not fit.
    """

    first: jax.Array
    second: jax.Array
    pick: jax.Array
    rounds: jax.Array
    broken: jax.Array


def _bit(element: jax.Array) -> jax.Array:
    return jnp.uint16(1) << element.astype(jnp.uint16)


def _ranks(marks: jax.Array, size: int) -> jax.Array:
    """The number of each element among the marked ones, from 1; 0 if it is not: i32[size]."""
    has = (marks >> jnp.arange(size, dtype=jnp.uint16) & 1).astype(jnp.int32)
    return has * jnp.cumsum(has)


@dataclass(frozen=True)
class EhrenfeuchtFraisse(Game[State]):
    """The Ehrenfeucht-Fraïssé game: can so many rounds tell two linear orders apart?

    Rules:
      There are two orders, A and B, rows of so many elements each. In each round Spoiler, seat 0,
      marks any element of either order; Duplicator, seat 1, answers by one of the other order. The
      answers must copy how the marked elements lie: of any two rounds, the elements in A must be in
      the same order as those in B, and the same element if those are the same. Spoiler wins as soon
      as an answer does not fit, Duplicator if all rounds are played.

    Moves:
      0 … first - 1 are the elements of A, from the left, the others those of B. Labels count from
      1: `A3` is the third element of A.

    Observation:
      f32[(rounds + 1)·(first + second) + rounds], the same for both seats.

      - The first `rounds·(first + second)`: for each pair of marked elements, from the left, which
        they are, those of A before those of B; all 0 for pairs that are not there yet.
      - The next `first + second`: what Spoiler has just marked; all 0 if it is Spoiler's turn.
      - The last `rounds`: a one at the number of rounds played; none when all are.

    Attributes:
      first: elements of A, 1 to 16.
      second: elements of B, 1 to 16.
      rounds: 1 to 8.

    Source:
      A. Ehrenfeucht, An application of games to the completeness problem for formalized theories,
      Fundamenta Mathematicae 49 (1961); en.wikipedia.org/wiki/Ehrenfeucht–Fraïssé_game
    """

    first: int = 7
    second: int = 8
    rounds: int = 3

    def __post_init__(self) -> None:
        for name in ("first", "second"):
            if not 1 <= getattr(self, name) <= _LONGEST:
                raise ValueError(
                    f"ehrenfeucht_fraisse: {name} must lie between 1 and {_LONGEST} elements"
                )
        if not 1 <= self.rounds <= _MOST_ROUNDS:
            raise ValueError(f"ehrenfeucht_fraisse: rounds must lie between 1 and {_MOST_ROUNDS}")
        value = -1.0 if self.alike else 1.0
        object.__setattr__(self, "num_actions", self.first + self.second)
        object.__setattr__(self, "max_plies", 2 * self.rounds)
        object.__setattr__(self, "facts", Facts(value=Fact(value, _SOURCE)))

    @property
    def alike(self) -> bool:
        """Whether the rounds cannot tell the orders apart: equal sizes, or both large enough."""
        least = min(self.first, self.second)
        return self.first == self.second or least >= 2**self.rounds - 1

    def init(self) -> State:
        """Nothing is marked."""
        return State(jnp.uint16(0), jnp.uint16(0), jnp.uint8(0), jnp.uint8(0), jnp.uint8(0))

    def mover(self, state: State) -> jax.Array:
        """Spoiler marks, then Duplicator answers."""
        ended = (state.broken == 1) | (state.rounds == self.rounds)
        return jnp.where(ended, OVER, (state.pick > 0).astype(jnp.int32))

    def legal(self, state: State) -> jax.Array:
        """Any element for Spoiler, any of the other order for Duplicator, bool[A]."""
        in_first = jnp.arange(self.num_actions) < self.first
        return (state.pick == 0) | (in_first != (state.pick <= self.first))

    def step(self, state: State, move: jax.Array) -> State:
        """Remembers what Spoiler marks, and compares what Duplicator answers."""
        asks = state.pick == 0
        one, other = state.pick.astype(jnp.int32) - 1, move
        swapped = one >= self.first
        a = _bit(jnp.where(swapped, other, one))
        b = _bit(jnp.where(swapped, one, other) - self.first)
        below = jax.lax.population_count(state.first & (a - jnp.uint16(1)))
        fits = below == jax.lax.population_count(state.second & (b - jnp.uint16(1)))
        fits &= ((state.first & a) > 0) == ((state.second & b) > 0)
        marks = ~asks & fits
        return State(
            jnp.where(marks, state.first | a, state.first),
            jnp.where(marks, state.second | b, state.second),
            jnp.where(asks, (move + 1).astype(jnp.uint8), jnp.uint8(0)),
            state.rounds + (~asks).astype(jnp.uint8),
            (~asks & ~fits).astype(jnp.uint8),
        )

    def payoff(self, state: State) -> jax.Array:
        """1 once an answer does not fit, -1 if all rounds are played without that."""
        ended = jnp.where(state.rounds == self.rounds, -1.0, 0.0)
        return jnp.where(state.broken == 1, 1.0, ended)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """Pairs, what was just marked, and the round: f32[(rounds + 1)·A + rounds]."""
        asked = state.pick == jnp.arange(1, self.num_actions + 1, dtype=jnp.uint8)
        number = state.rounds == jnp.arange(self.rounds, dtype=jnp.uint8)
        ranks = [_ranks(state.first, self.first), _ranks(state.second, self.second)]
        pairs = jnp.concatenate(ranks) == jnp.arange(1, self.rounds + 1)[:, None]
        return jnp.concatenate([pairs.reshape(-1), asked, number]).astype(jnp.float32)

    def symmetries(self, observation: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Itself, and both orders from right to left."""
        turned = np.r_[np.arange(self.first)[::-1], np.arange(self.first, self.num_actions)[::-1]]
        rows = observation[: -self.rounds].reshape(self.rounds + 1, self.num_actions)
        pairs, asked = rows[:-1], rows[-1]
        # The first of so many pairs from the left is the last one of them from the right.
        count = (pairs > 0).any(1).sum(dtype=jnp.int32)
        from_right = pairs[(count - 1 - jnp.arange(self.rounds)) % self.rounds][:, turned]
        other = [from_right.reshape(-1), asked[turned], observation[-self.rounds :]]
        return jnp.stack([observation, jnp.concatenate(other)]), jnp.stack([policy, policy[turned]])

    def show(self, state: State) -> str:
        """Both orders: letters for pairs of marked elements, `?` for what must be answered."""
        rows = "\n".join(f"{name}  {' '.join(row)}" for name, row in self._rows(state).items())
        return f"{rows}\nround {self._round(state)}"

    def _rows(self, state: State) -> dict[str, list[str]]:
        """For each order a text for each element."""
        rows, asked = {}, int(state.pick) - 1
        for name, marks, size, start in (
            ("A", int(state.first), self.first, 0),
            ("B", int(state.second), self.second, self.first),
        ):
            letters = iter("abcdefgh")
            row = [next(letters) if marks >> k & 1 else "." for k in range(size)]
            if 0 <= asked - start < size:
                row[asked - start] = "?"
            rows[name] = row
        return rows

    def _round(self, state: State) -> str:
        played = int(state.rounds)
        if int(state.broken):
            return f"{played} of {self.rounds}: the answer does not fit"
        if played == self.rounds:
            return f"{played} of {self.rounds}: all answers fit"
        return f"{played + 1} of {self.rounds}"

    def draw(self, state: State) -> str:
        """Two rows of elements; pairs share a letter, what is to be answered is filled."""
        longest = max(self.first, self.second)
        wide = 60 * longest + 90
        parts, names = [], [(wide / 2, 270.0, f"round {self._round(state)}")]
        for y, (name, row) in zip((70, 180), self._rows(state).items(), strict=True):
            names.append((30.0, y + 9.0, name))
            left = 60.0 + 30 * (longest - len(row))
            end = left + 60 * len(row)
            parts.append(
                f'<path class="lines" d="M{left + 30:g} {y}H{end - 30:g}" stroke="#6f6a60"/>'
            )
            parts += [
                _element(f"{name}{k + 1}", left + 60 * k + 30, y, mark)
                for k, mark in enumerate(row)
            ]
        return _svg.picture(wide, 300, *parts, _svg.names(names), font=26)

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The element."""
        return (self.label(state, move),)

    def label(self, state: State, move: int) -> str:
        """The order and the number of the element: `A3`."""
        return f"A{move + 1}" if move < self.first else f"B{move - self.first + 1}"

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        labels = {self.label(state, move): move for move in range(self.num_actions)}
        move = labels.get(text.strip().upper(), -1)
        if move < 0:
            raise ValueError(f"{text.strip()!r} is no element; B2 is the second one of order B")
        if not self.legal(state)[move]:
            other = "B" if move < self.first else "A"
            raise ValueError(f"the answer must be an element of order {other}")
        return move


def _element(name: str, x: float, y: int, mark: str) -> str:
    """An element as a cell: its mark is `.`, `?`, or the letter of its pair."""
    fill = {".": "#fff", "?": "#2c5aa0"}.get(mark, "#f0d9a8")
    shape = f'<circle cx="{x:g}" cy="{y}" r="24"'
    ground = f'<circle class="square" cx="{x:g}" cy="{y}" r="22" fill="{fill}" stroke="#6f6a60"/>'
    piece = "" if mark in ".?" else f'<text class="names" x="{x:g}" y="{y + 9}">{mark}</text>'
    return _svg.cell(name, shape, says="" if mark == "." else mark, ground=ground, piece=piece)
