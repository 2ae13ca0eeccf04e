"""The Prover-Delayer game's proof: the clauses of the pigeonhole principle, written out."""

from functools import partial
from itertools import combinations

from games import OVER
from tests.helpers.lockstep import Position


def clauses(holes: int) -> list[dict[int, bool]]:
    """Each as the assignment that falsifies it: variable by variable, `pigeon * holes + hole`."""
    pigeons = range(holes + 1)
    somewhere = [{p * holes + h: False for h in range(holes)} for p in pigeons]
    alone = [
        {p * holes + h: True, q * holes + h: True}
        for p, q in combinations(pigeons, 2)
        for h in range(holes)
    ]
    return somewhere + alone


class Answers(Position):
    """A position as a dict of answers, with what is asked and Delayer's points.

    Args:
      holes: of the principle.
    """

    def __init__(self, holes: int):
        self._holes, self._clauses = holes, clauses(holes)
        self._known: dict[int, bool] = {}
        self._asked: int | None = None
        self._chooses, self._points = False, 0

    def mover(self) -> int:
        """Over when a clause is falsified, or Delayer has two points a hole."""
        known = self._known.items()
        if any(clause.items() <= known for clause in self._clauses):
            return OVER
        if self._points == 2 * self._holes:
            return OVER
        return 1 if self._asked is not None and not self._chooses else 0

    def legal(self) -> list[int]:
        """Questions, or answers: no, yes, either."""
        count = self._holes * (self._holes + 1)
        if self._asked is None:
            return [k for k in range(count) if k not in self._known]
        return [count, count + 1] + ([] if self._chooses else [count + 2])

    def payoff(self) -> float:
        """To Prover."""
        return float(self._holes - self._points) if self.mover() == OVER else 0.0

    def play(self, move: int) -> None:
        """A question, an answer, or a choice."""
        answer = move - self._holes * (self._holes + 1)
        if self._asked is None:
            self._asked = move
        elif answer == 2:
            self._points += 1
            self._chooses = True
        else:
            self._known[self._asked] = answer == 1
            self._asked, self._chooses = None, False


LOCKSTEP = {
    "prover_delayer": partial(Answers, 2),
    "prover_delayer:holes=1": partial(Answers, 1),
    "prover_delayer:holes=3": partial(Answers, 3),
    "prover_delayer:holes=5": partial(Answers, 5),
}
STATE_BYTES = 10
