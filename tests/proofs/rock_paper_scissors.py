"""Rock, paper, scissors' proof."""

from functools import partial

from tests.helpers.lockstep import OpenSpiel

LOCKSTEP = {
    "rock_paper_scissors": partial(OpenSpiel, "turn_based_simultaneous_game(game=matrix_rps())")
}
STATE_BYTES = 2
