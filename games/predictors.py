"""Zero-sum predictors."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _svg
from games.core import CHANCE, OVER, Fact, Facts, Game

_MOST_ACTIONS, _MOST_STEPS = 8, 200
_SEATS = ("seat 0", "seat 1")


class State(NamedTuple):
    """Two bytes an action and one more.

    Attributes:
      reports: u8[2, actions], what each seat has reported: a move plus one, 0 until it is made.
      outcome: u8[], 1 if success did not come of the decision, 2 if it did, 0 before.
    """

    reports: jax.Array
    outcome: jax.Array


def _read(text: str) -> tuple[float, ...]:
    """The chances of success; raises ValueError if they are none."""
    try:
        chances = tuple(float(word) for word in text.split())
    except ValueError:
        raise ValueError(f"predictors: chances={text!r} is not a list of numbers") from None
    if not 1 <= len(chances) <= _MOST_ACTIONS or not all(0 <= q <= 1 for q in chances):
        raise ValueError(f"predictors: there must be 1 to {_MOST_ACTIONS} chances from 0 to 1")
    return chances


@dataclass(frozen=True)
class Predictors(Game[State]):
    """Two predictors whose reports decide what is done, each scored against the other.

    Rules:
      There are some actions; action a succeeds with probability q_a, which both seats know. First
      seat 0 reports a probability for each action in turn, then seat 1 does, without having seen
      seat 0's reports. The action with the highest report of either seat is taken, the first of
      them if several are equal. Then chance says whether it succeeds, o = 1 or 0. A seat that
      reported p for it scores -(o - p)². Seat 0 gets its own score less the other's.

    Moves:
      Move k reports k / steps. Chance's outcome 0 is failure, outcome 1 success.

    Observation:
      f32[2 + 2·actions·(steps + 1)].

      - 0 and 1: which seat it is.
      - The next actions·(steps + 1): the seat's own report on each action; all 0 before it is made.
      - The last actions·(steps + 1): the other's reports; all 0 before the end.

    Attributes:
      chances: the probability q of success of 1 to 8 actions, set apart by spaces.
      steps: a report is a whole number of parts of this many, 1 to 200.

    Source:
      R. Hudson, Joint scoring rules: zero-sum competition avoids performative prediction,
      arXiv 2412.20732
    """

    chances: str = "0.6 0.2"
    steps: int = 5

    num_outcomes = 2
    perfect_information = False
    facts = Facts(
        value=Fact(0.0, "R. Hudson, arXiv 2412.20732: honesty is an equilibrium, of value 0")
    )

    def __post_init__(self):
        if not 1 <= self.steps <= _MOST_STEPS:
            raise ValueError(f"predictors: steps must lie between 1 and {_MOST_STEPS}")
        object.__setattr__(self, "num_actions", self.steps + 1)
        object.__setattr__(self, "max_plies", 2 * len(self.success) + 1)

    @property
    def success(self) -> tuple[float, ...]:
        """The probability of success of each action."""
        return _read(self.chances)

    def init(self) -> State:
        """Nothing is reported."""
        return State(jnp.zeros((2, len(self.success)), jnp.uint8), jnp.uint8(0))

    def mover(self, state: State) -> jax.Array:
        """Seat 0 for each action, seat 1 for each action, then chance."""
        actions = len(self.success)
        made = (state.reports > 0).sum(dtype=jnp.int32)
        asked = jnp.where(made < 2 * actions, made // actions, CHANCE)
        return jnp.where(state.outcome > 0, OVER, asked)

    def decision(self, state: State) -> jax.Array:
        """The action that is taken, i32[], once all reports are made."""
        return jnp.argmax(state.reports.max(0)).astype(jnp.int32)

    def chance(self, state: State) -> jax.Array:
        """Failure and success of the action that is taken, f32[2]."""
        success = jnp.asarray(np.array(self.success, np.float32))[self.decision(state)]
        return jnp.stack([1 - success, success])

    def legal(self, state: State) -> jax.Array:
        """Every report, always, bool[A]."""
        return jnp.ones(self.num_actions, bool)

    def step(self, state: State, move: jax.Array) -> State:
        """Writes down a report, or the outcome."""
        flat = state.reports.reshape(-1)
        made = (flat > 0).sum(dtype=jnp.int32)
        choice = move.astype(jnp.uint8) + 1
        flat = jnp.where(jnp.arange(flat.size) == made, choice, flat)
        outcome = jnp.where(made == flat.size, choice, 0)
        return State(flat.reshape(state.reports.shape), outcome)

    def payoff(self, state: State) -> jax.Array:
        """Seat 0's score less seat 1's, once the outcome is known."""
        made = state.reports[:, self.decision(state)].astype(jnp.float32) - 1
        error = jnp.square(state.outcome.astype(jnp.float32) - 1 - made / self.steps)
        return jnp.where(state.outcome > 0, error[1] - error[0], 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """f32[2 + 2·actions·(steps + 1)]: the seat, its reports, in the end the other's."""
        turned = jnp.where(seat == 1, state.reports[::-1], state.reports)
        other = jnp.where(state.outcome > 0, turned[1], 0)
        levels = np.arange(1, self.num_actions + 1, dtype=np.uint8)
        reports = jnp.stack([turned[0], other])[..., None] == levels
        seats = jnp.arange(2) == seat
        return jnp.concatenate([seats, reports.reshape(-1)]).astype(jnp.float32)

    def show(self, state: State) -> str:
        """The chances, both seats' reports, and what came of the decision."""
        return self._text(state, np.asarray(state.reports))

    def view(self, state: State, seat: int) -> str:
        """As `show`, without the other's reports before the end."""
        return self._text(state, self._seen(state, seat))

    def draw(self, state: State) -> str:
        """A column an action: its chance of success, and bars for the reports of both seats."""
        return self._draw(state, np.asarray(state.reports))

    def draw_view(self, state: State, seat: int) -> str:
        """As `draw`, without the other's reports before the end."""
        return self._draw(state, self._seen(state, seat))

    def label(self, state: State, move: int) -> str:
        """The probability that is reported."""
        return f"{move / self.steps:g}"

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        labels = {self.label(state, move): move for move in range(self.num_actions)}
        if text.strip() not in labels:
            raise ValueError(
                f"{text.strip()!r} is no report; reports go from 0 to 1 in steps of "
                f"{1 / self.steps:g}"
            )
        return labels[text.strip()]

    def _seen(self, state: State, seat: int) -> np.ndarray:
        """The reports u8[2, actions] that a seat knows of."""
        reports = np.array(state.reports)
        if int(state.outcome) == 0:
            reports[1 - seat] = 0
        return reports

    def _rows(self, reports: np.ndarray) -> list[list[str]]:
        return [[self.label(self.init(), int(k) - 1) if k else "." for k in row] for row in reports]

    def _end(self, state: State) -> tuple[int, str]:
        """The action taken and what came of it; -1 and nothing before the end."""
        if int(state.outcome) == 0:
            return -1, ""
        return int(self.decision(state)), "success" if int(state.outcome) == 2 else "failure"

    def _text(self, state: State, reports: np.ndarray) -> str:
        head = [str(a + 1) for a in range(len(self.success))]
        rows = [head, [f"{q:g}" for q in self.success], *self._rows(reports)]
        wide = max(len(cell) for row in rows for cell in row) + 2
        lines = [
            name.ljust(8) + "".join(cell.rjust(wide) for cell in row)
            for name, row in zip(("action", "chance", *_SEATS), rows, strict=True)
        ]
        taken, came = self._end(state)
        return "\n".join([*lines, f"action {taken + 1} is taken: {came}"] if came else lines)

    def _draw(self, state: State, reports: np.ndarray) -> str:
        count, (taken, came) = len(self.success), self._end(state)
        wide = max(360, 150 * count + 20)
        names = [(150 * a + 85.0, 40.0, f"{a + 1}: {q:g}") for a, q in enumerate(self.success)]
        parts = [self._column(a, reports[:, a], q) for a, q in enumerate(self.success)]
        if came:
            names.append((wide / 2, 350.0, f"{taken + 1} is taken: {came}"))
            parts.append(
                f'<rect class="lines" x="{150 * taken + 14}" y="8" width="142" height="302" '
                'rx="10" fill="none" stroke="#222" stroke-width="4"/>'
            )
        return _svg.picture(wide, 370, *parts, _svg.names(names), font=24)

    def _column(self, action: int, reports: np.ndarray, chance: float) -> str:
        """Both bars of an action, with a line at its chance of success."""
        left = 150 * action + 20
        bars = "".join(
            f'<rect class="piece {_svg.SEATS[seat]}" x="{left + 8 + 60 * seat}" '
            f'y="{260 - 200 * (k - 1) / self.steps:g}" width="50" '
            f'height="{200 * (k - 1) / self.steps + 3:g}" fill="{colour}"/>'
            f'<text class="names" x="{left + 33 + 60 * seat}" y="295" fill="#222">'
            f"{self.label(self.init(), k - 1)}</text>"
            for seat, (k, colour) in enumerate(
                zip(reports.tolist(), ("#2c5aa0", "#d8433b"), strict=True)
            )
            if k
        )
        y = 260 - 200 * chance
        return (
            f'<rect class="square" x="{left}" y="60" width="130" height="203" fill="#f4efe4"/>'
            f'{bars}<path class="lines" d="M{left} {y:g}h130" stroke="#222" stroke-width="2" '
            'stroke-dasharray="6 4"/>'
        )
