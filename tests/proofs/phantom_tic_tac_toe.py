"""Phantom tic-tac-toe's proof."""

from functools import partial

from tests.helpers.beliefs import information_sets
from tests.helpers.lockstep import OpenSpiel

LOCKSTEP = {"phantom_tic_tac_toe": partial(OpenSpiel, "phantom_ttt(obstype=reveal-nothing)")}
STATE_BYTES = 18
REPRODUCE = {
    "information_sets": lambda game, given: sum(information_sets(game, k) for k in range(2)),
}
