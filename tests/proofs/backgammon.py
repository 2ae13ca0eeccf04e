"""Backgammon's proof."""

import re
from collections import defaultdict
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pyspiel

from games import CHANCE, OVER, Game
from games.backgammon import Checkers, State
from tests.helpers.lockstep import OpenSpiel

_BAR, _PASS = 25, 50
_THEIR_BAR = 100


@cache
def _rolls(opening: bool) -> list[tuple[int, int]]:
    """For each of their outcomes ours, and the larger die."""
    state = pyspiel.load_game("backgammon").new_initial_state()
    while not opening and (state.is_initial_state() or not state.is_chance_node()):
        state.apply_action(state.legal_actions()[0])
    return [_roll(state.action_to_string(-1, k)) for k in state.legal_actions()]


def _roll(text: str) -> tuple[int, int]:
    """From a text such as `chance outcome 7 O starts, (roll: 51)`."""
    smaller, larger = sorted(int(die) for die in re.findall(r"roll: (.)(.)", text)[0])
    if smaller == larger:
        return 14 + larger, larger
    pair = (larger - 1) * (larger - 2) // 2 + smaller - 1
    return pair + 15 * ("O starts" in text), larger


class Partner(OpenSpiel):
    """A position of OpenSpiel's backgammon, where one action moves two checkers.

    Every single move is compared. What is legal first are the first halves of their legal actions,
    and what is legal next the second halves of those that begin with the move made. Where a seat
    cannot use the second half of a double they let it pass; here its turn is over, so that pass is
    made for it. Their 36 rolls in order are 21 here, with the chances added up. Our limit on turns
    is our own: theirs is put out of reach, and the turns are counted here.
    """

    def __init__(self, turns: int = 300, scoring: str = "winloss_scoring"):
        super().__init__(f"backgammon(max_player_turns=1000000,scoring_type={scoring})")
        self._turns = turns
        self._turn = 0
        self._larger = 0
        self._actions: dict[tuple[int, ...], int] = {}  # what is legal, by our moves for it
        self._made: tuple[int, ...] = ()  # the first half of an action

    def mover(self) -> int:
        """Theirs, until the turns have run out."""
        return OVER if self._turn >= self._turns else super().mover()

    def legal(self) -> list[int]:
        """The halves that come next."""
        made = len(self._made)
        return [moves[made] for moves in self._actions if moves[:made] == self._made]

    def chance(self) -> dict[int, float]:
        """Their rolls, the two orders of a pair as one."""
        chances: dict[int, float] = defaultdict(float)
        for (ours, _), (_, chance) in zip(
            _rolls(self._turn == 0), self._state.chance_outcomes(), strict=True
        ):
            chances[ours] += chance
        return chances

    def play(self, move: int) -> None:
        """A roll, or half an action."""
        if self._state.is_chance_node():
            theirs, self._larger = next(
                (k, larger)
                for k, (ours, larger) in enumerate(_rolls(self._turn == 0))
                if ours == move
            )
            self._state.apply_action(theirs)
            self._turn += self._turn == 0 and self._state.current_player()
            self._actions = self._by_moves()
            return
        self._made = (*self._made, move)
        if self._made in self._actions:
            self._state.apply_action(self._actions[self._made])
            self._made = ()
            self._go_on()

    def _go_on(self) -> None:
        """After an action: the second half of a double, or the end of the turn."""
        if self._state.is_player_node():
            self._actions = self._by_moves()
            if (_PASS,) not in self._actions:
                return
            self._state.apply_action(self._actions[(_PASS,)])
        self._turn += 1

    def _by_moves(self) -> dict[tuple[int, ...], int]:
        seat = self._state.current_player()
        found = {}
        for action in self._state.legal_actions():
            halves = self._state.spiel_move_to_checker_moves(seat, action)
            used = [(half.pos, half.num) for half in halves if half.num > 0]
            # Once a die is used, the other is the only one.
            moves = [self._move(seat, pos, num, k > 0) for k, (pos, num) in enumerate(used)]
            found[tuple(moves) or (_PASS,)] = action
        return found

    def _move(self, seat: int, pos: int, die: int, only: bool) -> int:
        """Ours for a checker moved."""
        source = _BAR if pos == _THEIR_BAR else (24 - pos, pos + 1)[seat]
        return source - 1 + (0 if only or die == self._larger else 25)


LOCKSTEP = {
    "backgammon": Partner,
    "backgammon:turns=60,gammons=true": partial(Partner, 60, "full_scoring"),
}
STATE_BYTES = 40


def position(mine: dict[int, int], theirs: dict[int, int], *dice: int, turn: int = 2) -> State:
    """Checkers by point, as each seat counts; those not given are off. No dice: they are rolled."""

    def checkers(numbers: dict[int, int]) -> Checkers:
        numbers = {0: 15 - sum(numbers.values())} | numbers
        digits = [sum((n >> k & 1) << p for p, n in numbers.items()) for k in range(4)]
        return Checkers(*map(jnp.uint32, digits))

    left = sum(die << 4 * k for k, die in enumerate(dice))
    return State(checkers(mine), checkers(theirs), jnp.uint32(left), jnp.uint32(turn))


@cache
def _looker(game: Game):
    """Jitted: mover, payoff, chances, legal, and the positions after any move and outcome."""

    def look(state: State) -> Any:
        after = jax.vmap(game.step, (None, 0))(state, jnp.arange(game.num_actions))
        return game.mover(state), game.payoff(state), game.chance(state), game.legal(state), after

    return jax.jit(look)


def expected(game: Game, state: State, known: dict[bytes, float] | None = None) -> float:
    """What seat 0 gets if both play perfectly; only for the last few rolls of a game."""
    known = {} if known is None else known
    key = b"".join(np.asarray(x).tobytes() for x in jax.tree.leaves(state))
    if key not in known:
        mover, payoff, chances, legal, after = jax.tree.map(np.asarray, _looker(game)(state))
        branches = np.flatnonzero(chances if mover == CHANCE else legal) if mover != OVER else []
        values = [expected(game, jax.tree.map(lambda x, k=k: x[k], after), known) for k in branches]
        if mover == OVER:
            known[key] = float(payoff)
        elif mover == CHANCE:
            known[key] = float(np.dot(chances[branches].astype(float), values))
        else:
            known[key] = max(values) if mover == 0 else min(values)
    return known[key]


def _ace_points(game: Game, given: tuple[float, ...]) -> list[float]:
    """How likely the seat that rolls is to win, two digits, with 1, 3, 5, … checkers each."""
    numbers = range(1, 2 * len(given), 2)
    return [round((expected(game, position({1: n}, {1: n})) + 1) / 2, 2) for n in numbers]


REPRODUCE = {"value": _ace_points}
