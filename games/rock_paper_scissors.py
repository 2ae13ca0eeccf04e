"""Rock, paper, scissors."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from games import _svg
from games._matrix import MatrixGame, State
from games.core import Fact, Facts

_HANDS = ("rock", "paper", "scissors")
# Drawn around (0, 0), about 100 wide.
_PICTURES = {
    "rock": '<path d="M-46 24l8-40 30-24 36 6 20 32-8 30-34 14z" fill="#9a938a"/>'
    '<path d="M-38-16l30-24 36 6-22 22zM6-12l42 10-20-32z" fill="#b5aea4"/>',
    "paper": '<path d="M-36-48h52l22 22v74h-74z" fill="#fff" stroke="#bbb" stroke-width="3"/>'
    '<path d="M16-48v22h22" fill="#eee" stroke="#bbb" stroke-width="3"/>'
    '<path d="M-22-12h46M-22 6h46M-22 24h46" stroke="#9db4d6" stroke-width="4"/>',
    "scissors": '<path d="M-24 24L28-48M24 24L-28-48" stroke="#8a97a8" stroke-width="11"/>'
    '<g fill="none" stroke="#d8433b" stroke-width="10">'
    '<circle cx="-26" cy="32" r="15"/><circle cx="26" cy="32" r="15"/></g>'
    '<circle cy="-9" r="4" fill="#444"/>',
    "?": '<text y="28" fill="#bbb">?</text>',
}


@dataclass(frozen=True)
class RockPaperScissors(MatrixGame):
    """Rock, paper, scissors.

    Rules:
      Both seats choose a hand without seeing the other's. Paper beats rock, scissors beat paper,
      rock beats scissors; equal hands are a draw.

    Moves:
      0 is rock, 1 is paper, 2 is scissors.

    Observation:
      f32[8].

      - 0 and 1: which seat it is.
      - 2 to 4: the seat's own hand; all 0 before it is chosen.
      - 5 to 7: the opponent's hand; all 0 before the end.

    Source:
      en.wikipedia.org/wiki/Rock_paper_scissors
    """

    num_actions = 3
    table = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], np.float32)
    facts = Facts(value=Fact(0.0, "gametheory.net/dictionary/Games/RockPaperScissors.html"))

    def symmetries(self, observation: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Each hand may be called by the name of the next, all around."""
        seat, own, other = jnp.split(observation, [2, 5])
        turns = [[jnp.roll(hand, k) for hand in (own, other, policy)] for k in range(3)]
        observations = [jnp.concatenate([seat, own, other]) for own, other, _ in turns]
        return jnp.stack(observations), jnp.stack([policy for _, _, policy in turns])

    def show(self, state: State) -> str:
        """Both hands."""
        return " - ".join(self._hands(state))

    def draw(self, state: State) -> str:
        """Both hands, the winner's in a green ring, and below them the hands to choose."""
        return self._draw(self._hands(state), float(self.payoff(state)))

    def draw_view(self, state: State, seat: int) -> str:
        """As `draw`, but seat 1 learns what seat 0 has chosen only when it has chosen, too."""
        return self.draw(state if seat == 0 or state.second > 0 else self.init())

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The hand."""
        return (_HANDS[move],)

    def _draw(self, hands: list[str], payoff: float) -> str:
        shown = "".join(
            f'<g transform="translate({x} 130)"><circle class="square" r="100" fill="#f4efe4" '
            f'stroke="{"#3c9d5d" if gain > 0 else "#ddd"}" stroke-width="8"/>{_PICTURES[hand]}</g>'
            for x, hand, gain in zip((140, 400), hands, (payoff, -payoff), strict=True)
        )
        cells = (
            _svg.cell(
                hand,
                f'<circle cx="{130 + 140 * k}" cy="320" r="60"',
                ground=f'<circle class="square" cx="{130 + 140 * k}" cy="320" r="60" '
                'fill="#f4efe4" stroke="#ddd" stroke-width="4"/>',
                piece=f'<g transform="translate({130 + 140 * k} 320) scale(.6)">'
                f"{_PICTURES[hand]}</g>",
            )
            for k, hand in enumerate(_HANDS)
        )
        drawn = f'<g stroke-linecap="round" stroke-linejoin="round">{shown}{"".join(cells)}</g>'
        return _svg.picture(540, 400, drawn, font=80)

    def label(self, state: State, move: int) -> str:
        """The name of the hand."""
        return _HANDS[move]

    def _hands(self, state: State) -> list[str]:
        return [("?", *_HANDS)[int(choice)] for choice in state]
