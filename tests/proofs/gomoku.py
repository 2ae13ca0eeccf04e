"""Gomoku's proof."""

from functools import partial

from tests.helpers.lockstep import OpenSpiel

LOCKSTEP = {
    "gomoku": partial(OpenSpiel, "gomoku(size=15,connect=5)"),
    "gomoku:size=6": partial(OpenSpiel, "gomoku(size=6,connect=5)"),
    "gomoku:size=19": partial(OpenSpiel, "gomoku(size=19,connect=5)"),
}
STATE_BYTES = 67
TWO_PLANES = True
BEYOND_REACH = {"value": "the published proof has 138,790 positions, found by threat-space search"}
