"""Leduc poker."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _cards
from games.core import CHANCE, OVER, Fact, Facts, Game

_MOVES = ("fold", "call", "raise")
_FACES = ("J♠", "J♥", "Q♠", "Q♥", "K♠", "K♥")
# Places of a kind of move in a round of four moves.
_FOLDS, _CALLS, _RAISES = (
    np.uint16(move << shift) for move, shift in [(0o1111, k) for k in range(3)]
)
# For each place of the observation: which word it is in, and its bit there.
_WORD = np.arange(36) < 24
_BIT = (np.arange(36) % 24).astype(np.uint32)


class State(NamedTuple):
    """7 bytes. Bit c of a card is set if it is card c, none before it is dealt.

    Bit 3 k + m of a round of betting is set if the k-th move in it was m.

    Attributes:
      first: u8[], the card of seat 0.
      second: u8[], the card of seat 1.
      common: u8[], the card in the middle.
      early: u16[], betting before the common card is dealt.
      late: u16[], betting after that.
    """

    first: jax.Array
    second: jax.Array
    common: jax.Array
    early: jax.Array
    late: jax.Array


def _count(bits: jax.Array) -> jax.Array:
    return jax.lax.population_count(bits).astype(jnp.int32)


def _folded(bets: jax.Array) -> jax.Array:
    return bets & _FOLDS != 0


def _raised(bets: jax.Array) -> jax.Array:
    """Whether the last move of a round was a raise: the highest bit is the last move."""
    return bets & _RAISES > bets & _CALLS


def _settled(bets: jax.Array) -> jax.Array:
    """Whether a round is over without a fold: both have moved, and the last move was a call."""
    return (bets >= 1 << 3) & (bets & _CALLS > bets & _RAISES)


def _rank(card: jax.Array) -> jax.Array:
    """One bit for each rank, higher for higher ranks."""
    return (card | card >> 1) & 0b010101


@dataclass(frozen=True)
class LeducPoker(Game[State]):
    """Leduc poker: six cards and two rounds of betting.

    Rules:
      The deck has two jacks, two queens and two kings. Each seat puts one chip into the pot and is
      dealt a card. Seat 0 begins both rounds. A call puts in as much as the opponent has; a raise
      puts in two chips more, four in the second round; there are at most two raises in a round. A
      seat may fold only after a raise, and loses what it has put in. Between the rounds a common
      card is dealt. After both, a pair with it wins, else the higher rank; equal ranks share the
      pot. Payoffs are in chips.

    Moves:
      0 is fold, 1 is call (or check), 2 is raise. Chance deals cards 0 to 5, J♠ J♥ Q♠ Q♥ K♠ K♥:
      seat 0's, seat 1's, later the common one.

    Observation:
      f32[36].

      - 0 to 5: which card the seat has; all 0 before it is dealt.
      - 6 to 11: which card is the common one, likewise.
      - 12 to 23: three for each of up to four moves of the first round, fold, call, raise.
      - 24 to 35: likewise for the second round.

    Source:
      F. Southey et al. 2005, Bayes' Bluff: Opponent Modelling in Poker (arXiv:1207.1411)
    """

    num_actions = 3
    num_outcomes = 6
    max_plies = 11
    typical_plies = 7
    max_payoff = 13.0
    perfect_information = False
    facts = Facts(
        value=Fact(-0.085606424078, "Lanctot et al. 2017, arxiv.org/abs/1711.00832, appendix E.2"),
        uniform_exploitability=Fact(
            4.747222222222222 / 2, "OpenSpiel, exploitability_test.py: NashConv 4.747222222222222"
        ),
        information_sets=Fact(936, "OpenSpiel, api_test.py"),
    )

    def init(self) -> State:
        """No card is dealt."""
        return State(jnp.uint8(0), jnp.uint8(0), jnp.uint8(0), jnp.uint16(0), jnp.uint16(0))

    def mover(self, state: State) -> jax.Array:
        """Chance deals two cards, and a third between the rounds; else the seats take turns."""
        dealing = (state.second == 0) | (_settled(state.early) & (state.common == 0))
        over = _folded(state.early | state.late) | _settled(state.late)
        seat = _count(self._bets(state)) & 1
        return jnp.where(dealing, CHANCE, jnp.where(over, OVER, seat))

    def chance(self, state: State) -> jax.Array:
        """Every card that is left with the same probability, f32[6]."""
        dealt = state.first | state.second
        left = (dealt >> np.arange(6, dtype=np.uint8)) & 1 == 0
        return jnp.where(left, 1 / (6 - _count(dealt)).astype(jnp.float32), 0.0)

    def legal(self, state: State) -> jax.Array:
        """Fold only after a raise, call always, raise at most twice in a round, bool[3]."""
        bets = self._bets(state)
        fold, reraise = _raised(bets), _count(bets & _RAISES) < 2
        return jnp.where(np.arange(3) == 0, fold, (np.arange(3) == 1) | reraise)

    def step(self, state: State, move: jax.Array) -> State:
        """Deal the next card, or write down a move."""
        dealing = self.mover(state) == CHANCE
        card = jnp.where(dealing, jnp.uint8(1) << move.astype(jnp.uint8), 0)
        move = move.astype(jnp.uint16) + 3 * jax.lax.population_count(self._bets(state))
        bet = jnp.where(dealing, 0, jnp.uint16(1) << move)
        return State(
            jnp.where(state.first == 0, card, state.first),
            jnp.where(state.first == 0, 0, jnp.where(state.second == 0, card, state.second)),
            jnp.where(state.second == 0, 0, state.common | card),
            jnp.where(state.common == 0, state.early | bet, state.early),
            jnp.where(state.common == 0, 0, state.late | bet),
        )

    def payoff(self, state: State) -> jax.Array:
        """What the loser has put into the pot."""
        early, late = _count(state.early & _RAISES), _count(state.late & _RAISES)
        called = 1 + 2 * early + 4 * late
        # Who folds has not answered the last raise.
        given = called - jnp.where(state.common == 0, 2, 4)
        folds = _count(self._bets(state)) & 1 == 1  # seat 0 made the last move
        gain = jnp.where(
            _folded(state.early | state.late),
            jnp.where(folds, -given, given),
            self._showdown(state) * called,
        )
        return jnp.where(self.mover(state) == OVER, gain, 0).astype(jnp.float32)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """f32[36]: its own card and the common one, six places each; then the betting."""
        own = jnp.where(seat == 0, state.first, state.second)
        own, common, early, late = (
            x.astype(jnp.uint32) for x in (own, state.common, state.early, state.late)
        )
        word = own | common << 6 | early << 12
        return ((jnp.where(_WORD, word, late) >> _BIT) & 1).astype(jnp.float32)

    def show(self, state: State) -> str:
        """All cards, and the moves so far."""
        return self._text(state, *self._faces(state))

    def view(self, state: State, seat: int) -> str:
        """The seat's own card, the common one, and the moves so far."""
        first, second, common = self._faces(state)
        return self._text(state, *((first, "?") if seat == 0 else ("?", second)), common)

    def draw(self, state: State) -> str:
        """All cards face up, the pot and the moves below."""
        return self._draw(state, *self._faces(state))

    def draw_view(self, state: State, seat: int) -> str:
        """The seat's own card and the common one face up, the pot and the moves below."""
        first, second, common = self._faces(state)
        return self._draw(state, *((first, "") if seat == 0 else ("", second)), common)

    def _draw(self, state: State, first: str, second: str, common: str) -> str:
        cards = {"seat 0": first, "common": common, "seat 1": second}
        return _cards.table(cards, [f"pot {self._pot(state)}", *self._made(state)])

    def label(self, state: State, move: int) -> str:
        """`fold`, `call` (to which poker players also say check) or `raise`."""
        return _MOVES[move]

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        move = text.strip().lower()
        if move not in _MOVES:
            raise ValueError(f"{text.strip()!r} is no move; moves are fold, call and raise")
        if not self.legal(state)[_MOVES.index(move)]:
            why = "there is nothing to fold to" if move == "fold" else "there were two raises"
            raise ValueError(f"you cannot {move}: {why}")
        return _MOVES.index(move)

    def _bets(self, state: State) -> jax.Array:
        """The round of betting that is on."""
        return jnp.where(state.common == 0, state.early, state.late)

    def _showdown(self, state: State) -> jax.Array:
        """Whose card is better: 1 for seat 0, -1 for seat 1, 0 if they are equal, i32[]."""
        first, second = (
            _rank(card).astype(jnp.int32) << jnp.where(_rank(card) == _rank(state.common), 8, 0)
            for card in (state.first, state.second)
        )
        return jnp.sign(first - second)

    def _faces(self, state: State) -> list[str]:
        """The cards of both seats and the common one; empty for one that is not dealt."""
        return [("", *_FACES)[int(card).bit_length()] for card in state[:3]]

    def _made(self, state: State) -> list[str]:
        """The moves of each round."""
        rounds = (f"{int(bets):012b}"[::-1] for bets in (state.early, state.late))
        return [
            ", ".join(_MOVES[bit % 3] for bit in range(12) if bets[bit] == "1") for bets in rounds
        ]

    def _pot(self, state: State) -> int:
        """All chips in the pot."""
        early, late = (int(_count(bets & _RAISES)) for bets in (state.early, state.late))
        owed = (2 if state.common == 0 else 4) if _raised(self._bets(state)) else 0
        return 2 * (1 + 2 * early + 4 * late) - owed

    def _text(self, state: State, first: str, second: str, common: str) -> str:
        early, late = self._made(state)
        lines = [f"cards {first or '-'} {second or '-'}: {early}"]
        lines += [f"common card {common}: {late}"] if common else []
        return "\n".join(line.rstrip(": ") for line in lines)
