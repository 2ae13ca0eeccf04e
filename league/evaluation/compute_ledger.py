"""What each kind of feedback cost, in forward passes: positions that a network evaluated, those
found in a cache included.

Type 1 trains: the games of self-play and against the pool. Type 2 only measures: evaluations, and
the gate. Gradient steps are no feedback and are not counted.
"""

import numpy as np

from arena.types import Agent, HostAgent, Policy


def evaluations(player: Agent | HostAgent | Policy) -> int:
    """Positions that a network evaluates for one move of an agent, or of a `Policy`."""
    policy = player.policy if isinstance(player, Agent) else player
    return 0 if isinstance(policy, HostAgent) else getattr(policy, "evaluations", 0)


def passes(moves: np.ndarray, a: Agent | HostAgent | Policy, b: Agent | HostAgent | Policy) -> int:
    """Forward passes behind the moves i32[G, 2] of agents A and B."""
    return int(moves[:, 0].sum()) * evaluations(a) + int(moves[:, 1].sum()) * evaluations(b)


def nothing() -> dict[str, int]:
    """Forward passes of both types before a generation: zero."""
    return {"type_1": 0, "type_2": 0}
