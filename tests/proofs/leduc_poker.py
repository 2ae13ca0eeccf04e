"""Leduc poker's proof."""

from functools import partial

from tests.helpers.lockstep import OpenSpiel

LOCKSTEP = {"leduc_poker": partial(OpenSpiel, "leduc_poker")}
STATE_BYTES = 7
