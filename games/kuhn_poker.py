"""Kuhn poker."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _cards
from games.core import CHANCE, OVER, Fact, Facts, Game

_MOVES = ("pass", "bet")
_FACES = ("J♠", "Q♠", "K♠")
# Courses of the betting, as `State.bets` has them.
_PASS_BET, _BET_PASS, _PASS_BET_PASS = 0b10_01, 0b01_10, 0b01_10_01


class State(NamedTuple):
    """3 bytes. Bit c of a card is set if it is card c, none before it is dealt.

    Attributes:
      first: u8[], the card of seat 0.
      second: u8[], the card of seat 1.
      bets: u8[], bit 2 k if move k was to pass, bit 2 k + 1 if it was to bet.
    """

    first: jax.Array
    second: jax.Array
    bets: jax.Array


def _moves(state: State) -> jax.Array:
    return jax.lax.population_count(state.bets)


@dataclass(frozen=True)
class KuhnPoker(Game[State]):
    """Kuhn poker: three cards and a single bet.

    Rules:
      Both seats put one chip into the pot, and each is dealt one of a jack, a queen and a king.
      Seat 0 begins. A seat that bets puts in another chip; a seat that passes after a bet gives up
      the pot. After two passes or two bets the higher card wins it. Payoffs are in chips.

    Moves:
      0 is pass, 1 is bet. Chance deals cards 0 to 2, the jack, the queen, the king: first seat 0's,
      then seat 1's.

    Observation:
      f32[9].

      - 0 to 2: which card the seat has; all 0 before it is dealt.
      - 3 to 8: two for each of up to three moves, pass and bet.

    Source:
      H. W. Kuhn 1950, A simplified two-person poker
    """

    num_actions = 2
    num_outcomes = 3
    max_plies = 5
    typical_plies = 4
    max_payoff = 2.0
    perfect_information = False
    facts = Facts(
        value=Fact(-1 / 18, "H. W. Kuhn 1950, A simplified two-person poker"),
        uniform_exploitability=Fact(11 / 24, "OpenSpiel, exploitability_test.py: NashConv 11/12"),
        information_sets=Fact(12, "OpenSpiel, api_test.py"),
    )

    def init(self) -> State:
        """No card is dealt."""
        return State(jnp.uint8(0), jnp.uint8(0), jnp.uint8(0))

    def mover(self, state: State) -> jax.Array:
        """Chance deals, then the seats take turns."""
        moves = _moves(state).astype(jnp.int32)
        over = (moves == 3) | ((moves == 2) & (state.bets != _PASS_BET))
        return jnp.where(state.second == 0, CHANCE, jnp.where(over, OVER, moves & 1))

    def chance(self, state: State) -> jax.Array:
        """Every card that is left with the same probability, f32[3]."""
        left = (state.first >> np.arange(3, dtype=np.uint8)) & 1 == 0
        return jnp.where(left, jnp.where(state.first == 0, 1 / 3, 1 / 2), 0.0)

    def legal(self, state: State) -> jax.Array:
        """Pass and bet, always, bool[2]."""
        return jnp.ones(2, bool)

    def step(self, state: State, move: jax.Array) -> State:
        """Deal a card to seat 0, then to seat 1, or write down a move."""
        bit = jnp.uint8(1) << move.astype(jnp.uint8)
        return State(
            jnp.where(state.first == 0, bit, state.first),
            jnp.where((state.first > 0) & (state.second == 0), bit, state.second),
            jnp.where(state.second > 0, state.bets | bit << 2 * _moves(state), 0),
        )

    def payoff(self, state: State) -> jax.Array:
        """Two chips if both have bet, else one; to whom the other gave in, or the higher card."""
        wins = (state.bets == _BET_PASS) | (state.first > state.second)
        wins = wins & (state.bets != _PASS_BET_PASS)
        called = jax.lax.population_count(state.bets & 0b10_10_10) == 2
        chips = jnp.where(called, 2.0, 1.0)
        return jnp.where(self.mover(state) == OVER, jnp.where(wins, chips, -chips), 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """f32[9]: which of the three cards it has, and the moves so far, two places for each."""
        own = jnp.where(seat == 0, state.first, state.second)
        word = own.astype(jnp.uint16) | state.bets.astype(jnp.uint16) << 3
        return ((word >> np.arange(9, dtype=np.uint16)) & 1).astype(jnp.float32)

    def show(self, state: State) -> str:
        """Both cards, and the moves so far."""
        return self._text(state, *self._faces(state))

    def view(self, state: State, seat: int) -> str:
        """The seat's own card, and the moves so far."""
        faces = [face if k == seat else "?" for k, face in enumerate(self._faces(state))]
        return self._text(state, *faces)

    def draw(self, state: State) -> str:
        """Both cards face up, the pot and the moves below."""
        return self._draw(state, *self._faces(state))

    def draw_view(self, state: State, seat: int) -> str:
        """The seat's own card face up, the pot and the moves below."""
        first, second = (face if k == seat else "" for k, face in enumerate(self._faces(state)))
        return self._draw(state, first, second)

    def _draw(self, state: State, first: str, second: str) -> str:
        pot = 2 + int(state.bets & 0b10_10_10).bit_count()
        lines = [f"pot {pot}", ", ".join(self._made(state))]
        return _cards.table({"seat 0": first, "seat 1": second}, lines)

    def label(self, state: State, move: int) -> str:
        """`pass` or `bet`."""
        return _MOVES[move]

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        move = text.strip().lower()
        if move not in _MOVES:
            raise ValueError(f"{text.strip()!r} is no move; moves are pass and bet")
        return _MOVES.index(move)

    def _faces(self, state: State) -> list[str]:
        """The cards; empty for one that is not dealt."""
        return [("", *_FACES)[int(card).bit_length()] for card in (state.first, state.second)]

    def _made(self, state: State) -> list[str]:
        """The moves so far."""
        bits = range(int(state.bets).bit_length())
        return [_MOVES[bit & 1] for bit in bits if int(state.bets) >> bit & 1]

    def _text(self, state: State, first: str, second: str) -> str:
        return f"cards {first or '-'} {second or '-'}: {', '.join(self._made(state))}".rstrip(": ")
