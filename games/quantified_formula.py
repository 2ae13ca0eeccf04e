"""The game of a quantified boolean formula."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _svg
from games.core import CHANCE, OVER, Fact, Facts, Game

_MOST_VARIABLES, _MOST_CLAUSES, _WIDTH = 16, 64, 3
_SOURCE = (
    "O. Beyersdorff, J. Blinkhorn and L. Hinde, Size, cost, and capacity, Logical Methods in "
    "Computer Science 15 (2019): the equality formulas are false"
)


class State(NamedTuple):
    """Four bytes, and four more for each clause that chance draws.

    Attributes:
      true: u16[], bit k is set if variable k + 1 was made true.
      moves: u8[], how many variables have a value.
      drawn: u8[], how many literals chance has drawn.
      random: the clauses that chance draws, u16[2, drawn]: bit k is set in row 0 if the clause
        holds variable k + 1, in row 1 if it holds its negation; () where chance draws none.
    """

    true: jax.Array
    moves: jax.Array
    drawn: jax.Array
    random: jax.Array | tuple[()]


def _bit(number: jax.Array) -> jax.Array:
    return jnp.uint16(1) << number.astype(jnp.uint16)


@dataclass(frozen=True)
class QuantifiedFormula(Game[State]):
    """A quantified boolean formula as a game: whoever it favours wins, so that it is decided.

    Rules:
      The variables 1, 2, … get their values in turn: those that are quantified existentially from
      seat 0, those quantified universally from seat 1. The formula under the quantifiers is a
      conjunction of clauses, each a disjunction of literals. Seat 0 wins if it is true in the end,
      seat 1 if it is false. So seat 0 wins under perfect play if and only if the whole formula is
      true. Chance may draw some clauses before the first move, each of three different variables,
      all of them as likely, and negated or not as likely; both seats see them.

    Moves:
      0 makes the next variable false, 1 true. Outcome `2·(v - 1) + n` of chance is variable v as
      the next literal, negated if n is 1.

    Observation:
      f32[1 + clauses, 2·variables + 1], the same for both seats.

      - Row 0: which variables are true, then which are false.
      - A row for each clause: its variables that have no value yet, then those of them that are
        negated, all 0 once it is true; and last whether it is true.

    Attributes:
      quantifiers: E (exists) or A (for all) for each variable, 1 to 16 of them.
      clauses: literals set apart by spaces, clauses by semicolons; -3 is the negation of variable
        3. The equality formula of six variables unless given.
      drawn: how many more clauses chance draws.

    Source:
      L. Stockmeyer and A. Meyer, Word problems requiring exponential time, STOC 1973;
      en.wikipedia.org/wiki/True_quantified_Boolean_formula
    """

    quantifiers: str = "EEAAEE"
    clauses: str = "1 3 5; -1 -3 5; 2 4 6; -2 -4 6; -5 -6"
    drawn: int = 0

    num_actions = 2

    def __post_init__(self) -> None:
        if not 1 <= len(self.quantifiers) <= _MOST_VARIABLES or set(self.quantifiers) - set("EA"):
            raise ValueError(
                f"quantified_formula: quantifiers must be 1 to {_MOST_VARIABLES} letters E and A"
            )
        if not 0 < len(self.given) + self.drawn <= _MOST_CLAUSES or self.drawn < 0:
            raise ValueError(
                f"quantified_formula: there must be 1 to {_MOST_CLAUSES} clauses, given or drawn"
            )
        if self.drawn and self.variables < _WIDTH:
            raise ValueError("quantified_formula: chance draws clauses of three variables")
        object.__setattr__(self, "num_outcomes", 2 * self.variables if self.drawn else 0)
        object.__setattr__(self, "max_plies", _WIDTH * self.drawn + self.variables)
        known = self.clauses == QuantifiedFormula.clauses and not self.drawn
        known = known and self.quantifiers == QuantifiedFormula.quantifiers
        object.__setattr__(self, "facts", Facts(value=Fact(-1.0, _SOURCE)) if known else Facts())

    @property
    def variables(self) -> int:
        """How many there are."""
        return len(self.quantifiers)

    @cached_property
    def given(self) -> tuple[tuple[int, ...], ...]:
        """The literals of the clauses that are given; raises ValueError if they are none."""
        try:
            clauses = [
                tuple(int(word) for word in part.split()) for part in self.clauses.split(";")
            ]
        except ValueError:
            raise ValueError(
                f"quantified_formula: clauses={self.clauses!r} are no lists of whole numbers"
            ) from None
        literals = [literal for clause in clauses for literal in clause]
        if not all(1 <= abs(literal) <= self.variables for literal in literals):
            raise ValueError(
                f"quantified_formula: literals must lie from 1 to {self.variables} or be negative "
                "such numbers"
            )
        return tuple(clause for clause in clauses if clause)

    def init(self) -> State:
        """No variable has a value, and chance has drawn nothing."""
        random = jnp.zeros((2, self.drawn), jnp.uint16) if self.drawn else ()
        return State(jnp.uint16(0), jnp.uint8(0), jnp.uint8(0), random)

    def mover(self, state: State) -> jax.Array:
        """Chance draws; then whoever the next quantifier belongs to."""
        universal = sum(1 << k for k, letter in enumerate(self.quantifiers) if letter == "A")
        seat = (jnp.uint32(universal) >> state.moves.astype(jnp.uint32) & 1).astype(jnp.int32)
        seat = jnp.where(state.moves == self.variables, OVER, seat)
        return jnp.where(state.drawn < _WIDTH * self.drawn, CHANCE, seat) if self.drawn else seat

    def chance(self, state: State) -> jax.Array:
        """Any literal whose variable the clause does not hold yet, f32[2·variables]."""
        if not self.drawn:
            return super().chance(state)
        at = jnp.minimum(state.drawn // _WIDTH, self.drawn - 1)
        positive, negative = jnp.asarray(state.random)[:, at]
        free = jnp.repeat(~self._bits(positive | negative), 2).astype(jnp.float32)
        return free / free.sum()

    def legal(self, state: State) -> jax.Array:
        """False and true, always, bool[2]."""
        return jnp.ones(2, bool)

    def step(self, state: State, move: jax.Array) -> State:
        """Draws a literal, or gives the next variable its value."""
        drawing = state.drawn < _WIDTH * self.drawn
        random, value = state.random, _bit(state.moves)
        if self.drawn:
            random = jnp.asarray(random)
            here = jnp.arange(self.drawn) == state.drawn.astype(jnp.int32) // _WIDTH
            here = drawing & here & (jnp.arange(2)[:, None] == move % 2)
            random = jnp.where(here, random | _bit(move // 2), random)
        return State(
            jnp.where(~drawing & (move == 1), state.true | value, state.true),
            state.moves + (~drawing).astype(jnp.uint8),
            state.drawn + drawing.astype(jnp.uint8),
            random,
        )

    def payoff(self, state: State) -> jax.Array:
        """1 if every clause holds, -1 if one does not."""
        positive, negative = self._clauses(state)
        holds = (((positive & state.true) | (negative & ~state.true)) > 0).all()
        return jnp.where(state.moves == self.variables, jnp.where(holds, 1.0, -1.0), 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """Values, and what is left of each clause: f32[1 + clauses, 2·variables + 1]."""
        known = (jnp.uint32(1) << state.moves.astype(jnp.uint32)).astype(jnp.uint16) - jnp.uint16(1)
        false = known & ~state.true
        positive, negative = self._clauses(state)
        holds = ((positive & state.true) | (negative & false)) > 0
        rows = [
            jnp.where(holds[:, None], False, self._bits(literals & ~known))
            for literals in (positive, negative)
        ]
        values = [self._bits(state.true), self._bits(false), jnp.zeros(1, bool)]
        clauses = jnp.concatenate([*rows, holds[:, None]], 1)
        return jnp.concatenate([jnp.concatenate(values)[None], clauses]).astype(jnp.float32)

    def _bits(self, marks: jax.Array) -> jax.Array:
        """Which variables are marked in u16[...], bool[..., variables]."""
        return (marks[..., None] >> jnp.arange(self.variables, dtype=jnp.uint16) & 1) == 1

    def _clauses(self, state: State) -> tuple[jax.Array, jax.Array]:
        """Positive and negative literals of all clauses, given ones first: u16[clauses] each."""
        marks = [
            [sum(1 << abs(k) - 1 for k in set(clause) if k * sign > 0) for clause in self.given]
            for sign in (1, -1)
        ]
        found = jnp.asarray(np.array(marks, np.uint16))
        if self.drawn:
            found = jnp.concatenate([found, jnp.asarray(state.random)], 1)
        return found[0], found[1]

    def show(self, state: State) -> str:
        """The quantifiers with the values so far, and the clauses, true ones in brackets."""
        values = " ".join(f"{q}{k + 1}{v}" for k, (q, v) in enumerate(self._values(state)))
        clauses = (f"[{text}]" if holds else text for text, holds in self._texts(state))
        return "\n".join([values, *clauses])

    def _values(self, state: State) -> list[tuple[str, str]]:
        """Of each variable its quantifier, and `=1`, `=0` or nothing."""
        true, moves = int(state.true), int(state.moves)
        return [
            (q, f"={true >> k & 1}" if k < moves else "") for k, q in enumerate(self.quantifiers)
        ]

    def _texts(self, state: State) -> list[tuple[str, bool]]:
        """Each clause that there is, as text, and whether it is true."""
        clauses = list(self.given)
        random = np.asarray(state.random, np.uint16).reshape(2, -1).tolist()
        for plus, minus in zip(*random, strict=True):
            numbers = range(1, self.variables + 1)
            clause = [
                k if plus >> k - 1 & 1 else -k for k in numbers if (plus | minus) >> k - 1 & 1
            ]
            clauses += [tuple(clause)] if clause else []
        true, moves = int(state.true), int(state.moves)

        def holds(literal: int) -> bool:
            variable = abs(literal) - 1
            return variable < moves and (true >> variable & 1) == (literal > 0)

        return [(" ".join(map(str, clause)), any(map(holds, clause))) for clause in clauses]

    def draw(self, state: State) -> str:
        """A box a variable, with two buttons in the next one; below it the clauses."""
        texts = self._texts(state)
        columns = max(1, (100 * self.variables + 20) // 190)
        wide = max(100 * self.variables, 190 * columns) + 20
        high = 220 + 34 * -(-len(texts) // columns)
        begun = int(state.drawn) == _WIDTH * self.drawn
        parts = [
            self._box(k, letter, value, open_=begun and k == int(state.moves))
            for k, (letter, value) in enumerate(self._values(state))
        ]
        for number, (text, holds) in enumerate(texts):
            x, y = 190 * (number % columns) + 105, 34 * (number // columns) + 210
            colour = "#b8b2a4" if holds else "#222"
            parts.append(f'<text class="names" x="{x}" y="{y}" fill="{colour}">{text}</text>')
        return _svg.picture(wide, high, *parts, font=22)

    def _box(self, number: int, letter: str, value: str, *, open_: bool) -> str:
        """A variable: its quantifier in the colour of the seat, its value, or buttons for one."""
        x, seat = 100 * number + 10, int(letter == "A")
        colour = ("#2c5aa0", "#d8433b")[seat]
        box = (
            f'<rect class="piece {_svg.SEATS[seat]}" x="{x + 4}" y="14" width="92" height="44" '
            f'rx="8" fill="{colour}"/><text x="{x + 50}" y="44" fill="#fff">'
            f"{'∃∀'[seat]}{number + 1}</text>"
        )
        if not open_:
            text = {"=1": "true", "=0": "false"}.get(value, "")
            return box + f'<text class="names" x="{x + 50}" y="118" fill="#222">{text}</text>'
        for k, name in enumerate(("true", "false")):
            shape = f'<rect x="{x + 8}" y="{50 * k + 66}" width="84" height="42" rx="8"'
            ground = f'{shape} class="square" fill="#f4efe4" stroke="#6f6a60"/>'
            text = f'<text class="names" x="{x + 50}" y="{50 * k + 95}" fill="#222">{name}</text>'
            box += _svg.cell(name, shape, ground=ground, piece=text)
        return box

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The button of the value."""
        return (self.label(state, move),)

    def label(self, state: State, move: int) -> str:
        """`false` or `true`."""
        return ("false", "true")[move]

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        values = ["false", "true"]
        if text.strip().lower() not in values:
            raise ValueError(f"{text.strip()!r} is no value; values are false and true")
        return values.index(text.strip().lower())
