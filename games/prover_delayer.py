"""The Prover-Delayer game of the pigeonhole principle."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _svg
from games.core import OVER, Fact, Facts, Game

_MOST_HOLES = 5
_ANSWERS = ("no", "yes", "either")
_SOURCE = (
    "J. Esteban and J. Torán, A combinatorial characterization of treelike resolution space, "
    "Information Processing Letters 87 (2003): Delayer gets n points"
)


class State(NamedTuple):
    """Ten bytes.

    Attributes:
      known: u32[], bit `pigeon * holes + hole` is set if the variable has a value.
      true: u32[], the same, if its value is true.
      asked: u8[], the variable that was asked for plus one, 0 if none is.
      points: u8[], Delayer's, plus 128 if Prover has to choose the value that was asked for.
    """

    known: jax.Array
    true: jax.Array
    asked: jax.Array
    points: jax.Array


_CHOOSES = 128
"""What `points` holds beside the points while Prover has to choose."""


@dataclass(frozen=True)
class ProverDelayer(Game[State]):
    """The Prover-Delayer game: how hard is it to refute that n + 1 pigeons fit into n holes?

    Rules:
      Delayer, seat 1, claims to know a way of putting n + 1 pigeons into n holes so that each is in
      a hole and no hole holds two. In each round Prover, seat 0, asks whether some pigeon sits in
      some hole. Delayer answers yes, no or either; with either it gets a point, and Prover chooses
      the answer. No question is asked twice. The game ends when the answers are a contradiction:
      two pigeons in a hole, or a pigeon in none; or when Delayer has 2·n points. Seat 0 gets n less
      Delayer's points. Under perfect play Delayer gets n points, so the game is a draw; n points
      mean that refutations as trees take space n + 1, and at least 2^n lines.

    Moves:
      `pigeon * holes + hole` asks; label `3-1` asks whether pigeon 3 sits in hole 1. The last three
      are no, yes and either; the first two of them are also what Prover chooses.

    Observation:
      f32[holes + 1, holes, 5], the same for both seats. A row is a pigeon, a column a hole.

      - 0: it is known that the pigeon does not sit there.
      - 1: it is known that it does.
      - 2: this was asked.
      - 3: everywhere, Prover has to choose the answer.
      - 4: everywhere, Delayer's points as a share of 2·n.

    Attributes:
      holes: n, 1 to 5.

    Source:
      P. Pudlák and R. Impagliazzo, A lower bound for DLL algorithms for k-SAT, SODA 2000; J.
      Esteban and J. Torán, Information Processing Letters 87 (2003)
    """

    holes: int = 2

    facts = Facts(value=Fact(0.0, _SOURCE))

    def __post_init__(self) -> None:
        if not 1 <= self.holes <= _MOST_HOLES:
            raise ValueError(f"prover_delayer: holes must lie between 1 and {_MOST_HOLES}")
        object.__setattr__(self, "num_actions", self.variables + len(_ANSWERS))
        object.__setattr__(self, "max_plies", 2 * self.variables + 2 * self.holes)
        object.__setattr__(self, "max_payoff", float(self.holes))

    @property
    def variables(self) -> int:
        """How many questions there are."""
        return self.holes * (self.holes + 1)

    def init(self) -> State:
        """Nothing is known."""
        return State(jnp.uint32(0), jnp.uint32(0), jnp.uint8(0), jnp.uint8(0))

    def mover(self, state: State) -> jax.Array:
        """Prover asks, Delayer answers; after `either` Prover chooses."""
        answers = (state.asked > 0) & (state.points < _CHOOSES)
        return jnp.where(self._ended(state), OVER, answers.astype(jnp.int32))

    def legal(self, state: State) -> jax.Array:
        """What is not known for Prover; no, yes and, for Delayer alone, either: bool[A]."""
        asks, answers = state.asked == 0, state.points < _CHOOSES
        questions = ~self._bits(state.known) & asks
        return jnp.concatenate([questions, ~asks & jnp.stack([True, True, answers])])

    def step(self, state: State, move: jax.Array) -> State:
        """Notes the question, or the answer, or that Prover has to choose it."""
        asks, passes = state.asked == 0, move == self.variables + 2
        points = self._points(state)
        told = ~asks & ~passes
        bit = jnp.uint32(1) << jnp.maximum(state.asked, 1).astype(jnp.uint32) - 1
        asked = jnp.where(asks, (move + 1).astype(jnp.uint8), state.asked)
        return State(
            jnp.where(told, state.known | bit, state.known),
            jnp.where(told & (move == self.variables + 1), state.true | bit, state.true),
            jnp.where(told, jnp.uint8(0), asked),
            jnp.where(passes & ~asks, (points + 1) | jnp.uint8(_CHOOSES), points),
        )

    def payoff(self, state: State) -> jax.Array:
        """The number of holes less Delayer's points."""
        points = self._points(state).astype(jnp.float32)
        return jnp.where(self._ended(state), self.holes - points, 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """What is known, what was asked, and the points: f32[holes + 1, holes, 5]."""
        known, true = self._bits(state.known), self._bits(state.true)
        asked = state.asked == jnp.arange(1, self.variables + 1, dtype=jnp.uint8)
        points = self._points(state).astype(jnp.float32)
        planes = [known & ~true, true, asked, state.points >= _CHOOSES, points / (2 * self.holes)]
        seen = [jnp.broadcast_to(plane, self.variables).astype(jnp.float32) for plane in planes]
        return jnp.stack(seen, -1).reshape(self.holes + 1, self.holes, len(planes))

    def symmetries(self, observation: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """All pairs of a rotation of the pigeons and one of the holes: S = n (n + 1)."""
        high, wide = self.holes + 1, self.holes
        cells = np.arange(self.variables).reshape(high, wide)
        turned = np.stack(
            [np.roll(cells, (p, h), (0, 1)).reshape(-1) for p in range(high) for h in range(wide)]
        )
        answers = np.broadcast_to(
            np.arange(self.variables, self.num_actions), (len(turned), len(_ANSWERS))
        )
        seen = observation.reshape(self.variables, -1)[turned]
        order = np.concatenate([turned, answers], 1)
        return seen.reshape(-1, *observation.shape), policy[order]

    def _bits(self, marks: jax.Array) -> jax.Array:
        return (marks >> jnp.arange(self.variables, dtype=jnp.uint32) & 1) == 1

    def _ended(self, state: State) -> jax.Array:
        """Whether the answers are a contradiction, or Delayer has all points."""
        shape = (self.holes + 1, self.holes)
        true = self._bits(state.true).reshape(shape)
        false = self._bits(state.known & ~state.true).reshape(shape)
        nowhere, twice = false.all(1).any(), (true.sum(0) > 1).any()
        return nowhere | twice | (self._points(state) == 2 * self.holes)

    def _points(self, state: State) -> jax.Array:
        return state.points & jnp.uint8(_CHOOSES - 1)

    def show(self, state: State) -> str:
        """A row a pigeon, a column a hole: `+` yes, `-` no, `?` asked."""
        cells = self._cells(state)
        head = "   " + " ".join(str(hole + 1) for hole in range(self.holes))
        rows = [f"{p + 1}  {' '.join(row)}" for p, row in enumerate(cells)]
        return "\n".join([head, *rows, self._said(state)])

    def _cells(self, state: State) -> list[list[str]]:
        known, true, asked = int(state.known), int(state.true), int(state.asked) - 1

        def cell(k: int) -> str:
            if k == asked:
                return "?"
            return ("+" if true >> k & 1 else "-") if known >> k & 1 else "."

        return [
            [cell(p * self.holes + h) for h in range(self.holes)] for p in range(self.holes + 1)
        ]

    def _said(self, state: State) -> str:
        points = int(state.points)
        chooses = ", Prover chooses" if points >= _CHOOSES else ""
        return f"Delayer's points: {points % _CHOOSES}{chooses}"

    def draw(self, state: State) -> str:
        """Pigeons down, holes across, and three buttons for the answers."""
        wide, high = 80 * self.holes + 290, 80 * self.holes + 190
        parts = [
            self._cell(p, h, mark)
            for p, row in enumerate(self._cells(state))
            for h, mark in enumerate(row)
        ]
        names = [(80.0 * h + 110, 48.0, str(h + 1)) for h in range(self.holes)]
        names += [(40.0, 80.0 * p + 109, str(p + 1)) for p in range(self.holes + 1)]
        names.append((wide / 2, high - 18.0, self._said(state)))
        left = 80 * self.holes + 105
        open_answers = 0 if not int(state.asked) else 2 if int(state.points) >= _CHOOSES else 3
        for k, answer in enumerate(_ANSWERS[:open_answers]):
            box = f'<rect x="{left}" y="{70 * k + 66}" width="150" height="56" rx="10"'
            ground = f'{box} class="square" fill="#f4efe4" stroke="#6f6a60"/>'
            text = f'<text class="names" x="{left + 75}" y="{70 * k + 103}">{answer}</text>'
            parts.append(_svg.cell(answer, box, ground=ground, piece=text))
        return _svg.picture(wide, high, *parts, _svg.names(names), font=26)

    def _cell(self, pigeon: int, hole: int, mark: str) -> str:
        """A question as a cell: `+`, `-`, `?` or `.` for what is known of it."""
        x, y = 80 * hole + 74, 80 * pigeon + 64
        fill = {"+": "#f0d9a8", "?": "#2c5aa0"}.get(mark, "#f4efe4")
        box = f'<rect x="{x}" y="{y}" width="72" height="72" rx="8"'
        piece = ""
        if mark in "+-":
            sign = {"+": "yes", "-": "no"}[mark]
            piece = f'<text class="names" x="{x + 36}" y="{y + 46}">{sign}</text>'
        ground = f'{box} class="square" fill="{fill}" stroke="#6f6a60"/>'
        says = {"+": "yes", "-": "no", "?": "asked"}.get(mark, "")
        return _svg.cell(f"{pigeon + 1}-{hole + 1}", box, says=says, ground=ground, piece=piece)

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The question, or the button of the answer."""
        return (self.label(state, move),)

    def label(self, state: State, move: int) -> str:
        """Pigeon and hole, `3-1`, or the answer."""
        if move >= self.variables:
            return _ANSWERS[move - self.variables]
        return f"{move // self.holes + 1}-{move % self.holes + 1}"

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        labels = {self.label(state, move): move for move in range(self.num_actions)}
        word = text.strip().lower()
        legal = np.asarray(self.legal(state))
        if word not in labels or not legal[labels[word]]:
            known = [label for label, move in labels.items() if legal[move]]
            raise ValueError(f"{word!r} cannot be said here; {known[0]} can, for one")
        return labels[word]
