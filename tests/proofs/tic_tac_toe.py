"""Tic-tac-toe's proof."""

from functools import partial

from tests.helpers.lockstep import OpenSpiel

LOCKSTEP = {"tic_tac_toe": partial(OpenSpiel, "tic_tac_toe")}
STATE_BYTES = 4
TWO_PLANES = True
