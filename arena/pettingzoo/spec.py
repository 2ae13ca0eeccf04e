"""What a check finds out about an env: all that the rest of Arena needs of it before a game.

Worker processes load this; it must not load JAX.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class EnvSpec:
    """What does not change from game to game. Run cards keep it, field by field.

    Attributes:
      agents: names of both agents, seat 0 first.
      num_actions: A, how many moves there are.
      shape: of an agent's observation.
      dtype: in which observations are kept.
      low: lower bound of the observation; -inf where there is none.
      high: upper bound of the observation; inf where there is none.
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
    notes: tuple[str, ...] = field(default=(), compare=False)
