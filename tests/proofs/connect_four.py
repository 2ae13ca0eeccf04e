"""Connect Four's proof."""

from functools import partial

from tests.helpers.lockstep import OpenSpiel

LOCKSTEP = {"connect_four": partial(OpenSpiel, "connect_four")}
STATE_BYTES = 16
TWO_PLANES = True
# 4,531,985,219,092 positions (oeis.org/A212693); solving them takes a dedicated alpha-beta
# program minutes and this suite's enumeration forever.
BEYOND_REACH = {"value": "4.5e12 positions cannot be enumerated"}
