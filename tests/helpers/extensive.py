"""Games written out as trees in Gambit's format, played by OpenSpiel's `efg_game`.

For games that nobody else has implemented: the tree is written node by node from the rules as they
are stated, and walked by OpenSpiel.
"""

from collections.abc import Iterable

import pyspiel

from tests.helpers.lockstep import OpenSpiel


def chance(probabilities: Iterable[float]) -> str:
    """A node at which chance moves; its children follow, one for each outcome."""
    outcomes = " ".join(f'"{k}" {p!r}' for k, p in enumerate(probabilities))
    return f'c "" 1 "" {{ {outcomes} }} 0'


def seat(number: int, knows: int, moves: int) -> str:
    """A node at which a seat moves; `knows` is the number of its information set, from 1."""
    actions = " ".join(f'"{k}"' for k in range(moves))
    return f'p "" {number + 1} {knows} "{knows}" {{ {actions} }} 0'


def end(number: int, payoff: float) -> str:
    """A leaf, with a number of its own, from 1, and what seat 0 gets."""
    return f't "" {number} "" {{ {payoff!r} {-payoff!r} }}'


def tree(nodes: Iterable[str]) -> pyspiel.Game:
    """The game of nodes in prefix order: each before its children."""
    return pyspiel.load_efg_game("\n".join(['EFG 2 R "tree" { "0" "1" }', *nodes]))


class Tree(OpenSpiel):
    """A position of a game that is written out; moves are the branches of a node, from 0.

    Args:
      written: the game, from `tree`.
    """

    def __init__(self, written: pyspiel.Game):
        self._state = written.new_initial_state()
        self._told = ["", ""]

    def legal(self) -> list[int]:
        """All branches."""
        return list(range(len(self._state.legal_actions())))

    def chance(self) -> dict[int, float]:
        """By number of the branch."""
        return dict(enumerate(p for _, p in self._state.chance_outcomes()))

    def play(self, move: int) -> None:
        """The branch of this number."""
        seat = self._state.current_player()
        if seat >= 0:
            self._told[seat] = f"{self._state.information_state_string(seat)} {move}"
        self._state.apply_action(self._state.legal_actions()[move])

    def information(self, seat: int) -> str:
        """The information set of the seat to move; of the other its last one, and what it did."""
        if self._state.current_player() == seat:
            return self._state.information_state_string(seat)
        return self._told[seat]
