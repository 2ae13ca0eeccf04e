"""Backgammon."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _backgammon_picture
from games.core import CHANCE, OVER, Fact, Facts, Game

_BAR, _PASS = 25, 50
_SETUP = {24: 2, 13: 5, 8: 3, 6: 5}
_POINTS, _BOARD, _OUTSIDE, _FAR_BEHIND = (
    np.uint32(sum(1 << p for p in points))
    for points in (range(1, 25), range(1, 26), range(7, 26), range(19, 26))
)
# Chances of the outcomes: first the pairs 2-1, 3-1, 3-2, …, 6-5, then the doubles 1-1 to 6-6. In
# the opening the pairs come twice instead: seat 0 begins, then seat 1.
_PAIRS = 15
_ROLLS = np.array([1 / 18] * _PAIRS + [1 / 36] * 6 + [0] * 9, np.float32)
_OPENING = np.full(30, 1 / 30, np.float32)
# For each move, the pass included: which die it uses, and where from.
_DIE, _SOURCE = np.divmod(np.arange(51, dtype=np.uint32), np.uint32(25))
_SOURCE_BIT = _SOURCE + (_DIE < 2)
# For each entry of an observation [26, 15], by point and feature: whose checkers, their point to
# their owner, and what is asked of their number; or which die.
_WHERE, _FEATURE = np.divmod(np.arange(26 * 15, dtype=np.uint32), np.uint32(15))
_OWN = _FEATURE < 4
_OWNERS_POINT = np.where(_OWN, _WHERE, 25 - _WHERE)
_LEVEL = (_FEATURE % 4).astype(np.int32)
_REST = np.where(_FEATURE < 8, 0, 3 * (_FEATURE - 7))


class Checkers(NamedTuple):
    """How many checkers of a seat are where: bits p of the four words are the number on p.

    Attributes:
      ones: u32[].
      twos: u32[].
      fours: u32[].
      eights: u32[].
    """

    ones: jax.Array
    twos: jax.Array
    fours: jax.Array
    eights: jax.Array


class State(NamedTuple):
    """40 bytes.

    Attributes:
      mine: checkers of the seat to move, or to roll.
      theirs: checkers of the other.
      dice: u32[], four bits for each die still to be used, the larger in the lowest ones; 0 when
        the dice are to be rolled.
      turn: u32[], the number of the turn, even for seat 0 and odd for seat 1. Where seat 1 begins
        there is no turn 0.
    """

    mine: Checkers
    theirs: Checkers
    dice: jax.Array
    turn: jax.Array


def _add(checkers: Checkers, place: jax.Array) -> Checkers:
    """One more checker where the one bit of u32[] is, if it has one."""
    digits = []
    for digit in checkers:
        digits.append(digit ^ place)
        place = digit & place
    return Checkers(*digits)


def _remove(checkers: Checkers, place: jax.Array) -> Checkers:
    """One checker less."""
    digits = []
    for digit in checkers:
        digits.append(digit ^ place)
        place = ~digit & place
    return Checkers(*digits)


def _several(checkers: Checkers) -> jax.Array:
    """Where there are two or more, u32[]."""
    return checkers.twos | checkers.fours | checkers.eights


def _occupied(checkers: Checkers) -> jax.Array:
    """The points, and the bar, where there are any, u32[]."""
    return (checkers.ones | _several(checkers)) & _BOARD


def _all_off(checkers: Checkers) -> jax.Array:
    """Whether the number borne off, bit 0 of the four words, is 15."""
    return (checkers.ones & checkers.twos & checkers.fours & checkers.eights & 1) == 1


def _mirror(word: jax.Array) -> jax.Array:
    """Bits 0 to 25 in reverse: the points as the other seat counts them."""
    for mask, bits in ((0x55555555, 1), (0x33333333, 2), (0x0F0F0F0F, 4), (0x00FF00FF, 8)):
        word = (word >> bits & jnp.uint32(mask)) | (word & jnp.uint32(mask)) << bits
    return (word >> 16 | word << 16) >> 6


def _free(theirs: Checkers) -> jax.Array:
    """The points that the other seat does not hold, as the mover counts them, u32[]."""
    return ~_mirror(_several(theirs)) & _POINTS


def _sources(occupied: jax.Array, free: jax.Array, die: jax.Array) -> jax.Array:
    """The places from which a checker can move by a die, u32[].

    Args:
      occupied: u32[], where the mover's checkers are.
      free: u32[], the points that the other seat does not hold.
      die: u32[].
    """
    home = occupied & _OUTSIDE == 0
    on_bar = occupied >> _BAR == 1
    movable = jnp.where(on_bar, occupied & (1 << _BAR), occupied)
    exact = movable & ((free | home.astype(jnp.uint32)) << die)
    # A die beyond all checkers takes off the one that is farthest behind.
    last = jnp.uint32(1 << 31) >> jax.lax.clz(occupied)
    return exact | jnp.where(home & (occupied >> die == 0), last, 0)


def _leading_on(
    mine: Checkers, free: jax.Array, die: jax.Array, other: jax.Array, sources: jax.Array
) -> jax.Array:
    """Those of the sources of a move by one die after which the other can be used too, u32[]."""
    occupied, kept = _occupied(mine), _several(mine)
    found = jnp.uint32(0)
    for point in range(1, 26):
        place = jnp.uint32(1 << point)
        after = (occupied & ~place) | (kept & place) | (place >> die & _BOARD)
        found = found | jnp.where(_sources(after, free, other) != 0, place, 0)
    return found & sources


@jax.jit
def _choices(state: State) -> tuple[jax.Array, jax.Array]:
    """From where the first and the second die can be used, u32[] each."""
    mine, free = state.mine, _free(state.theirs)
    first, second = state.dice & 15, state.dice >> 4 & 15
    pair = (second != 0) & (second != first)
    a = _sources(_occupied(mine), free, first)
    b = jnp.where(pair, _sources(_occupied(mine), free, second), 0)
    both_a = _leading_on(mine, free, first, second, a)
    both_b = _leading_on(mine, free, second, first, b)
    both = pair & (both_a | both_b != 0)
    only_b = jnp.where(a == 0, b, 0)
    return jnp.where(both, both_a, a), jnp.where(both, both_b, only_b)


def _move(state: State, place: jax.Array, die: jax.Array) -> tuple[Checkers, Checkers]:
    """Both seats' checkers when one has moved by a die from the one bit of u32[], if it has one."""
    target = jnp.where(place == 0, 0, jnp.maximum(place >> die, 1))
    hit = _mirror(target) & state.theirs.ones & ~_several(state.theirs) & _POINTS
    bar = jnp.where(hit == 0, 0, jnp.uint32(1 << _BAR))
    return _add(_remove(state.mine, place), target), _add(_remove(state.theirs, hit), bar)


def _roll(outcome: jax.Array, opening: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The dice, and whether the opening roll has seat 1 begin, u32[] each."""
    other = opening & (outcome >= _PAIRS)
    index = jnp.where(other, outcome - _PAIRS, outcome).astype(jnp.uint32)
    larger = sum((index >= start).astype(jnp.uint32) for start in (0, 1, 3, 6, 10)) + 1
    smaller = index - (larger - 1) * (larger - 2) // 2 + 1
    double = (index - (_PAIRS - 1)) * 0x1111
    return jnp.where(index < _PAIRS, larger | smaller << 4, double), other.astype(jnp.uint32)


def _pick(condition: jax.Array, yes: Checkers, no: Checkers) -> Checkers:
    return Checkers(*(jnp.where(condition, a, b) for a, b in zip(yes, no, strict=True)))


def _seat(state: State) -> int:
    return int(state.turn) & 1


def _dice(state: State) -> list[int]:
    """The dice left, the larger first."""
    return [die for k in range(0, 16, 4) if (die := int(state.dice) >> k & 15)]


def _part(state: State, move: int) -> tuple[int, int, int, bool]:
    """Where a move begins and ends, its die, and whether another die could do the same."""
    source, dice = int(_SOURCE[move]) + 1, _dice(state)
    die = dice[int(_DIE[move])]
    either = source <= die and len(dice) == 2 and dice[0] > dice[1] >= source
    return source, max(source - die, 0), die, either


def numbers(checkers: Checkers) -> list[int]:
    """How many there are on 0 (borne off) to 25 (the bar), as their owner counts."""
    words = [int(word) for word in checkers]
    return [sum((word >> place & 1) << k for k, word in enumerate(words)) for place in range(26)]


def _by_seat(state: State) -> list[list[int]]:
    """The numbers of white and of black, each by its own count."""
    return [numbers(c) for c in (state.mine, state.theirs)[:: -1 if _seat(state) else 1]]


@dataclass(frozen=True)
class Backgammon(Game[State]):
    """Backgammon, without the doubling cube.

    Rules:
      Seat 0 plays the white checkers, seat 1 the black ones. Each seat counts the points from its
      own side. Its checkers come in from the bar (25), run from point 24 down to 1, and are borne
      off to 0. Point p of one seat is 25 - p of the other. A turn is a roll of the dice, a chance
      node, and one move for each checker moved, so that the same seat moves up to four times in a
      row. A move is legal if it begins a turn that uses as many dice as possible, and the larger
      one if either can be used but not both. The opening roll decides who begins and is never a
      double. The first seat to bear off all checkers wins. A game that is not over after `turns`
      turns is a draw.

    Moves:
      51 in all. `place - 1` moves a checker from a place, 1 to 25, by the first die, `24 + place`
      by the second; 50 is the pass, legal only if no checker can move. The first die is the larger;
      if both are equal, or one is left, it is the only one. Chance's outcomes 0 to 14 are the rolls
      2-1, 3-1, 3-2, … 6-5, and 15 to 20 the doubles; in the opening 0 to 14 have seat 0 begin, 15
      to 29, the same rolls, seat 1.

    Observation:
      f32[26, 1, 15], by place from 0 to 25 as the seat counts them. The opponent's checkers on its
      bar are at place 0, those that it has borne off at 25; planes 8 to 14 are the same at every
      place.

      - 0 to 2: at least one, two, three own checkers.
      - 3: half the number of own checkers above three.
      - 4 to 7: the same of the opponent's (Tesauro's coding).
      - 8 to 13: the number of dice left that show 1, 2, … 6.
      - 14: 1 if it is the seat's turn.

    Attributes:
      turns: maximal number of turns, of both seats together.
      gammons: a win counts double if the loser has borne off no checker (a gammon), and three times
        if one of those is still on the bar or in the winner's home (a backgammon).

    Source:
      bkgm.com/rules.html; G. Tesauro, Practical Issues in Temporal Difference Learning (1992)
    """

    turns: int = 300
    gammons: bool = False

    num_actions = 51
    num_outcomes = 30
    # Who bears off first is all that is left of the game there, and nobody has a choice.
    facts = Facts(
        value=Fact(
            (1.0, 0.86, 0.79, 0.75, 0.72, 0.7, 0.68),
            "H. A. Peelle, Backgammon Tools in J 4: Ace-point Bearoffs, Vector 24 (2 & 3): how "
            "likely who rolls is to win, with 1, 3, 5, … 13 checkers each on the own ace point",
        ),
    )

    def __post_init__(self):
        if not 1 <= self.turns <= 100_000:
            raise ValueError(f"backgammon: turns={self.turns} is not one of 1 to 100,000")
        object.__setattr__(self, "max_plies", 5 * self.turns)
        # About three plies a turn, the roll among them.
        object.__setattr__(self, "typical_plies", min(284, 3 * self.turns))
        object.__setattr__(self, "max_payoff", 3.0 if self.gammons else 1.0)

    def init(self) -> State:
        """Both seats' checkers in their places, and the opening roll to come."""
        digits = (sum((n >> k & 1) << p for p, n in _SETUP.items()) for k in range(4))
        checkers = Checkers(*(jnp.uint32(d) for d in digits))
        return State(checkers, checkers, jnp.uint32(0), jnp.uint32(0))

    def mover(self, state: State) -> jax.Array:
        """The seats take turns; chance rolls the dice before each."""
        over = _all_off(state.theirs) | (state.turn >= self.turns)
        seat = jnp.where(state.dice == 0, CHANCE, (state.turn & 1).astype(jnp.int32))
        return jnp.where(over, OVER, seat)

    def chance(self, state: State) -> jax.Array:
        """f32[30]: the 15 pairs 2-1, 3-1, 3-2, … 6-5 and the six doubles.

        In the opening the 15 pairs with which seat 0 begins, then those with which seat 1 does.
        """
        return jnp.where(state.turn == 0, _OPENING, _ROLLS)

    def legal(self, state: State) -> jax.Array:
        """bool[51]: by the first die from 1 to 24 and the bar, by the second, and the pass.

        The first die is the larger; where the two are equal, or one is left, it is the only one.
        Who cannot move at all must pass.
        """
        first, second = _choices(state)
        none = (first | second == 0).astype(jnp.uint32)
        word = jnp.where(_DIE == 0, first, jnp.where(_DIE == 1, second, none))
        return (word >> _SOURCE_BIT) & 1 == 1

    def step(self, state: State, move: jax.Array) -> State:
        """Moves a checker; when no die is left that can be used, exchanges the seats' checkers.

        At a chance node, take the dice.
        """
        rolling = state.dice == 0
        moving = ~rolling & (move != _PASS)
        by_second = move >= _BAR
        die = jnp.where(by_second, state.dice >> 4, state.dice) & 15
        place = jnp.uint32(1) << jnp.where(by_second, move - 24, move + 1).astype(jnp.uint32)
        mine, theirs = _move(state, jnp.where(moving, place, 0), die)
        left = jnp.where(by_second, state.dice & 15, state.dice >> 4)
        usable = _sources(_occupied(mine), _free(theirs), left & 15) != 0
        more = moving & (left != 0) & usable
        rolled, begun = _roll(move, state.turn == 0)
        return State(
            _pick(rolling | more, mine, theirs),
            _pick(rolling | more, theirs, mine),
            jnp.where(rolling, rolled, jnp.where(more, left, 0)),
            state.turn + jnp.where(rolling, begun, 1 - more.astype(jnp.uint32)),
        )

    def payoff(self, state: State) -> jax.Array:
        """Who has borne off all checkers wins; only the seat that moved last can have."""
        points = jnp.float32(1)
        if self.gammons:
            none_off = (state.mine.ones | _several(state.mine)) & 1 == 0
            far_behind = _occupied(state.mine) & _FAR_BEHIND != 0
            points = jnp.where(none_off, jnp.where(far_behind, 3.0, 2.0), 1.0)
        points = jnp.where(state.turn & 1 == 1, points, -points)
        return jnp.where(_all_off(state.theirs), points, 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """f32[26, 1, 15]: the places 0 to 25 as the seat counts them, with features of each.

        Own checkers n there: n ≥ 1, n ≥ 2, n ≥ 3, and half of those above 3 (Tesauro's coding);
        the same for the opponent's; how many dice of 1, 2, … 6 are left; whether the turn is its
        own. The opponent's checkers on its bar are at place 0, those it has borne off at 25.
        """
        to_move = (state.turn & 1).astype(jnp.int32) == seat
        own = _pick(to_move, state.mine, state.theirs)
        other = _pick(to_move, state.theirs, state.mine)
        number = jnp.uint32(0)
        for k, (a, b) in enumerate(zip(own, other, strict=True)):
            number = number | (jnp.where(_OWN, a, b) >> _OWNERS_POINT & 1) << k
        number = number.astype(jnp.int32)
        level = jnp.where(number > _LEVEL, jnp.float32(1), 0)
        above = jnp.maximum(number - 3, 0).astype(jnp.float32) * 0.5
        # How often each die is left, three bits each, and above them whether it is the seat's turn.
        rest = to_move.astype(jnp.uint32) << 21
        for k in range(0, 16, 4):
            rest = rest + (jnp.uint32(1) << 3 * (state.dice >> k & 15))
        rest = (rest >> _REST & 7).astype(jnp.float32)
        here = jnp.where(_LEVEL < 3, level, above)
        return jnp.where(_FEATURE < 8, here, rest).reshape(26, 1, 15)

    def show(self, state: State) -> str:
        """White O and black X, the points as the seat to move counts them, and the dice left."""
        text = _backgammon_picture.show(_by_seat(state), _seat(state))
        if int(self.mover(state)) == OVER:
            return text
        dice = " ".join(map(str, _dice(state)))
        return f"{text}\n{'OX'[_seat(state)]} has {dice or 'to roll'}"

    def draw(self, state: State) -> str:
        """White runs from the top right to the bottom right; outside is what has been borne off."""
        return self.draw_view(state, 0)

    def draw_view(self, state: State, seat: int) -> str:
        """The seat's checkers run from the top right to the bottom right, by its own numbers."""
        return _backgammon_picture.draw(_by_seat(state), _seat(state), _dice(state), side=seat)

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """Where from and where to; none for a pass.

        Where either of two dice can take the same checker off, the die is left to choose: `=6`.
        """
        if move == _PASS:
            return ()
        source, target, die, either = _part(state, move)
        seat = _seat(state)
        cells = (_backgammon_picture.cell(seat, place) for place in (source, target))
        return *cells, *([f"={die}"] if either else [])

    def label(self, state: State, move: int) -> str:
        """From and to, `13/8`, `bar/22`, `6/off`; `pass` where nothing can move.

        Where either of two dice can take the same checker off, the die is added: `4/off by 6`.
        """
        if move == _PASS:
            return "pass"
        source, target, die, either = _part(state, move)
        name = "bar" if source == _BAR else str(source)
        return f"{name}/{target or 'off'}" + f" by {die}" * either

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`; the star that marks a hit may follow."""
        state = jax.tree.map(np.asarray, state)
        moves = {self.label(state, m): m for m in np.flatnonzero(self.legal(state)).tolist()}
        name = " ".join(text.lower().split()).removesuffix("*")
        if name not in moves:
            raise ValueError(f"{text.strip()!r} is not legal; what is: {', '.join(moves)}")
        return moves[name]
