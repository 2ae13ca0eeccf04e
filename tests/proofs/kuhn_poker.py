"""Kuhn poker's proof."""

from functools import partial

from tests.helpers.lockstep import OpenSpiel

LOCKSTEP = {"kuhn_poker": partial(OpenSpiel, "kuhn_poker")}
STATE_BYTES = 3
