"""Othello's proof."""

from functools import partial

from tests.helpers.lockstep import OpenSpiel

LOCKSTEP = {"othello": partial(OpenSpiel, "othello")}
STATE_BYTES = 17
