"""One match of a gate."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

import numpy as np


class Stage(StrEnum):
    """What a match of a gate is for; records and PRNG keys hold the values."""

    SELECT = "select"  # among several candidates
    TEST = "test"  # against the champion
    HELDOUT = "veto"  # against held-out opponents and former champions


class GateMatch(NamedTuple):
    """A match that the gate wants played.

    Attributes:
      stage: what it is for.
      number: in its stage, from 0.
      a: the candidate.
      b: its opponent.
      pairs: how many pairs of games.
    """

    stage: Stage
    number: int
    a: str
    b: str
    pairs: int


PlayMatch = Callable[[GateMatch], np.ndarray]
"""Plays a match: the candidate's scores f32[P, 2] as `arena.play.match` gives them.

P is less than was asked for, or 0, if there are no more held-out openings. The same match always
has the same scores."""
