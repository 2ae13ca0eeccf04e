"""Rock, paper, scissors."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

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
    "?": '<text fill="#bbb">?</text>',
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
        """Both hands, the winner's in a green ring."""
        payoff = float(self.payoff(state))
        parts = []
        for x, hand, gain in zip((140, 400), self._hands(state), (payoff, -payoff), strict=True):
            ring = "#3c9d5d" if gain > 0 else "#ddd"
            parts.append(
                f'<g transform="translate({x} 130)">'
                f'<circle r="100" fill="#f4efe4" stroke="{ring}" stroke-width="8"/>'
                f"{_PICTURES[hand]}</g>"
            )
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 540 260" '
            'font-family="sans-serif" font-size="80" text-anchor="middle" '
            'dominant-baseline="central" stroke-linecap="round" stroke-linejoin="round">'
            '<rect width="540" height="260" fill="#fdfaf3"/>' + "".join(parts) + "</svg>"
        )

    def label(self, state: State, move: int) -> str:
        """The name of the hand."""
        return _HANDS[move]

    def _hands(self, state: State) -> list[str]:
        return [("?", *_HANDS)[int(choice)] for choice in state]
