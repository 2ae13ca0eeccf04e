"""What a check finds out about an env: all that the rest of Arena needs of it before a game.

Worker processes load this; it must not load JAX.
"""

from dataclasses import dataclass, field

import numpy as np

from arena.pettingzoo.errors import BadObservation

_VALUES = 16
"""A board of whole numbers with fewer different values becomes a plane for each."""


@dataclass(frozen=True)
class EnvSpec:
    """What does not change from game to game. Run cards keep it, field by field.

    Attributes:
      agents: names of both agents, seat 0 first.
      num_actions: A, how many moves there are.
      shape: of an agent's observation.
      window: K, observations of a seat at its own last turns that networks get at once.
      dtype: in which observations are kept.
      low: lower bound of both agents' observations; -inf where there is none.
      high: upper bound of both agents' observations; inf where there is none.
      masked: the env gives an action_mask.
      add_seat: both agents observe the same, so that the seat is added to what networks get.
      hidden_or_chance: something is hidden from a seat, or left to chance.
      reproducible: the same seed and moves bring the same game.
      copyable: a deep copy behaves like the original.
      longest_game: moves of the longest game seen.
      max_plies: moves after which a game counts as endless.
      max_payoff: the largest payoff seen; larger ones are cut to this.
      notes: what else a user should be aware of, a line each.
    """

    agents: tuple[str, str]
    num_actions: int
    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    masked: bool
    add_seat: bool
    hidden_or_chance: bool
    reproducible: bool
    copyable: bool
    longest_game: int
    max_plies: int
    max_payoff: float
    window: int = 1
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def kept_shape(self) -> tuple[int, ...]:
        """Of what is kept of a position: [K, ...], the newest observation last, [...] if K is 1."""
        return self.shape if self.window == 1 else (self.window, *self.shape)

    @property
    def is_board(self) -> bool:
        """Whether an observation is a board of whole numbers."""
        return is_board(self.shape, self.dtype)

    @property
    def values(self) -> range | None:
        """The numbers on a board for each of which networks get a plane; None: one for all."""
        few = self.is_board and 1 < self.high - self.low < _VALUES
        return range(int(self.low), int(self.high) + 1) if few else None

    def stored(self, seen: np.ndarray) -> np.ndarray:
        """An observation in the dtype in which it is kept.

        Raises:
          BadObservation: something of it would be lost: it has a number of which the dtype, or the
            planes of a board, know nothing.
        """
        with np.errstate(invalid="ignore"):  # a float too large for a whole number
            kept = seen.astype(self.dtype)
        if kept.dtype.kind != "f" and not np.array_equal(kept, seen):
            raise BadObservation(f"an observation holds numbers that are no {self.dtype}")
        if self.values and not (kept.min() >= self.low and kept.max() <= self.high):
            raise BadObservation(
                f"an observation holds {kept.min()} to {kept.max()}, and its space allows "
                f"{self.low:g} to {self.high:g}"
            )
        return kept


def is_board(shape: tuple[int, ...], dtype: str) -> bool:
    """Whether observations of a shape and a dtype are boards of whole numbers."""
    return len(shape) == 2 and min(shape) > 1 and dtype != "float32"
