"""The matrix games' proof: tables of OpenSpiel's, and one with more columns than rows."""

from functools import partial

import pyspiel

from tests.helpers.lockstep import OpenSpiel


class Table(OpenSpiel):
    """A position of the game that has a given table."""

    def __init__(self, table: list[list[float]]):
        theirs = pyspiel.create_matrix_game(table, [[-x for x in row] for row in table])
        self._state = pyspiel.convert_to_turn_based(theirs).new_initial_state()


def _theirs(name: str) -> partial:
    return partial(OpenSpiel, f"turn_based_simultaneous_game(game={name}())")


LOCKSTEP = {
    "matrix": _theirs("matrix_mp"),
    "matrix:payoffs=0 -1 1; 1 0 -1; -1 1 0": _theirs("matrix_rps"),
    "matrix:payoffs=0 -25 50; 25 0 -5; -50 5 0": _theirs("matrix_brps"),
    "matrix:payoffs=3 -1 0.5; -2 4 1": partial(Table, [[3, -1, 0.5], [-2, 4, 1]]),
}
STATE_BYTES = 2
