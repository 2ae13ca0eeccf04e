"""The quantified formulas' proof: clauses as lists of literals."""

from functools import partial

from games import CHANCE, OVER
from tests.helpers.lockstep import Position


class Literals(Position):
    """A position as a list of clauses and a list of values.

    Args:
      quantifiers: E and A.
      clauses: that are given.
      drawn: how many more chance draws.
    """

    def __init__(self, quantifiers: str, clauses: list[list[int]], drawn: int = 0):
        self._quantifiers, self._drawn = quantifiers, drawn
        self._clauses = [list(clause) for clause in clauses]
        self._random: list[list[int]] = []
        self._values: list[bool] = []

    def _drawing(self) -> bool:
        return sum(map(len, self._random)) < 3 * self._drawn

    def mover(self) -> int:
        """Chance first, then by the quantifier of the next variable."""
        if self._drawing():
            return CHANCE
        if len(self._values) == len(self._quantifiers):
            return OVER
        return "EA".index(self._quantifiers[len(self._values)])

    def legal(self) -> list[int]:
        """False and true."""
        return [0, 1]

    def chance(self) -> dict[int, float]:
        """Any literal of a variable that the clause lacks."""
        inside = self._random[-1] if self._random and len(self._random[-1]) < 3 else []
        lacks = set(range(1, len(self._quantifiers) + 1)) - {abs(k) for k in inside}
        return {2 * (v - 1) + n: 0.5 / len(lacks) for v in lacks for n in (0, 1)}

    def payoff(self) -> float:
        """By the truth of the matrix."""
        if self.mover() != OVER:
            return 0.0
        true = {k + 1 if value else -k - 1 for k, value in enumerate(self._values)}
        return 1.0 if all(true & set(c) for c in self._clauses + self._random) else -1.0

    def play(self, move: int) -> None:
        """A literal, or a value."""
        if not self._drawing():
            self._values.append(move == 1)
            return
        if not self._random or len(self._random[-1]) == 3:
            self._random.append([])
        literal = move // 2 + 1
        self._random[-1].append(-literal if move % 2 else literal)


def formula(text: str) -> list[list[int]]:
    """Clauses as the game's option writes them."""
    return [list(map(int, clause.split())) for clause in text.split(";") if clause.strip()]


_EQUALITY = "1 3 5; -1 -3 5; 2 4 6; -2 -4 6; -5 -6"
_SIXTEEN = "1 -16; 2 9 -11 14; -3; -16"
LOCKSTEP = {
    "quantified_formula": partial(Literals, "EEAAEE", formula(_EQUALITY)),
    "quantified_formula:quantifiers=AEAE,clauses=,drawn=5": partial(Literals, "AEAE", [], 5),
    "quantified_formula:quantifiers=EAE,clauses=2 -3,drawn=2": partial(
        Literals, "EAE", [[2, -3]], 2
    ),
    f"quantified_formula:quantifiers=EAAEEAAEEAAEEAAE,clauses={_SIXTEEN}": partial(
        Literals, "EAAEEAAEEAAEEAAE", formula(_SIXTEEN)
    ),
}
STATE_BYTES = 4
